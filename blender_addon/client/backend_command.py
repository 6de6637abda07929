"""Which program is the backend: the one that a user named, or the one that is found."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from ..shared.errors import InputError

# Where an environment keeps its programs, on this system first: a folder may be shared with another one.
_FOLDERS = ("Scripts", "bin") if os.name == "nt" else ("bin", "Scripts")
_PROGRAMS = ("latentman.exe", "latentman") if os.name == "nt" else ("latentman", "latentman.exe")
_INSIDE = ("", ".venv", "venv")  # of a chosen folder: the environment itself, or a project with its environment in it
# torch then finds no graphics card: NVIDIA's and AMD's names for the list of those that a process may use.
NO_CARD = (("CUDA_VISIBLE_DEVICES", "-1"), ("HIP_VISIBLE_DEVICES", "-1"))
_SERVE = ("serve", "--stdio")
_CHOOSE = "Choose the latentman program, or the folder of the environment that the backend is installed in."


@dataclass(frozen=True, slots=True)
class BackendCommand:
    """How the backend is started: the words of the command, the folder to start it in (None: the present one), and
    what is added to its environment."""

    words: tuple[str, ...]
    folder: Path | None = None
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def program(self) -> str:
        """What is run, without the words that say how."""
        return self.words[0]

    def other(self, *words: str) -> tuple[str, ...]:
        """The words of another of its commands, `doctor` for example."""
        return (*self.words[: self.words.index(_SERVE[0])], *words)


@dataclass(frozen=True, slots=True)
class Places:
    """Folders in which a backend that nobody named may be; None if there is no such folder."""

    own: Path | None = None  # the environment that the add-on has made
    checkout: Path | None = None  # the project's folder, where the add-on runs from it
    usual: tuple[Path, ...] = ()


def parse_backend_command(text: str) -> BackendCommand:
    """What a user named as the backend: the `latentman` program, the folder of its environment or of a project that
    has one, a Python with the backend installed, or a command with arguments.

    Raises InputError if the program is not there.
    """
    place = Path(text.strip().strip("\"'")).expanduser()
    if text.strip() and place.is_dir():
        return _of_program(_named_folder(place))
    if place.is_file():
        return _of_program(place)
    try:
        words = shlex.split(text, posix=os.name == "posix")
    except ValueError as error:
        raise InputError(
            "backend.command", f"The backend command {text!r} cannot be read: {error}.", "Close every quotation mark."
        ) from error
    program = shutil.which(words[0]) if words else None
    if program is None:
        sentence = f"The backend {text!r} is neither a program nor a folder on this machine."
        raise InputError("backend.not_found", sentence, _CHOOSE)
    return _of_program(Path(program), *words[1:])


def find_backend(checkout: Path | None, places: Places = Places()) -> BackendCommand:
    """The backend where none was named: this Python in a checkout (the bpy package), else the add-on's own environment,
    `latentman` on the PATH, the environment of a checkout, the usual places.

    `checkout` is the project's folder when Blender runs as a module of the Python that the backend is installed in.
    Raises InputError if there is none.
    """
    if checkout is not None and (checkout / "backend" / "__main__.py").is_file():
        return BackendCommand((sys.executable, "-m", "backend", *_SERVE), checkout)
    # What the user had the add-on install comes before a program that happens to be on the PATH.
    program = program_in(places.own)
    if program is None and (on_path := shutil.which("latentman")):
        program = Path(on_path)
    for folder in (places.checkout, *places.usual):
        program = program or program_in(folder)
    if program is None:
        raise InputError(
            "backend.not_found",
            "The backend is not installed, or the add-on looks for it in the wrong place.",
            "Install it, or say where it is in the add-on's preferences or with --backend.",
        )
    return BackendCommand((str(program), *_SERVE))


def program_in(folder: Path | None) -> Path | None:
    """The `latentman` program of the environment or project in a folder; None if there is none."""
    if folder is None:
        return None
    for inside in _INSIDE:
        for programs in (*_FOLDERS, ""):
            for name in _PROGRAMS:
                program = folder / inside / programs / name
                # A checkout may hold a folder of that name.
                if program.is_file():
                    return program
    return None


def _named_folder(folder: Path) -> Path:
    program = program_in(folder)
    if program is None:
        sentence = f"There is no latentman program in the folder {folder}, nor in an environment inside it."
        raise InputError("backend.not_found", sentence, _CHOOSE)
    return program


def _of_program(program: Path, *arguments: str) -> BackendCommand:
    is_python = not arguments and program.stem.lower().startswith("python")
    return BackendCommand((str(program), *arguments, *(("-m", "backend") if is_python else ()), *_SERVE))
