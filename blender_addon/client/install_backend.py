"""The installation of the backend: one command after the other, looked at now and then, never waited for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..child_process import NEW_GROUP, NO_WINDOW, kill_group
from ..shared.errors import BackendError, InputError, LatentManError
from ..shared.files.frame_files import storage_error
from .backend_command import program_in
from .doctor_report import read_report
from .install_steps import (
    NO_VENV,
    NVIDIA,
    PYTHONS,
    InstallOrder,
    ask_doctor,
    ask_python,
    install_packages,
    installed_packages,
    make_environment,
    python_commands,
)
from .own_environment import LOG_NAME, new_environment, remove_others, take_environment

STAGES = ("Looking for a Python", "Making the environment", "Downloading and installing", "Checking")
_COLLECTING = re.compile(r"^Collecting (\S+)", re.MULTILINE)
_INSTALLING = re.compile(r"^Installing collected packages: (.+)$", re.MULTILINE)
_SHOWN_LENGTH = 200


@dataclass(frozen=True, slots=True)
class InstallProgress:
    """How far an installation is: stage of STAGES from 0, what is done in it, and its fraction where that is known."""

    stage: int
    text: str = ""
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class _Called:
    """How a command has ended, and all that it printed."""

    code: int
    text: str

    @property
    def reason(self) -> str:
        """Its last complaint as part of a sentence: pip marks each with ERROR."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        marked = [line for line in lines if line.startswith("ERROR:")]
        said = (marked or lines or ["it said nothing"])[-1]
        return said.removeprefix("ERROR:").strip().rstrip(".")[:_SHOWN_LENGTH]


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class BackendInstall:
    """One installation at a time. What the commands print goes to a log; the last error is kept."""

    def __init__(self, free_bytes: Callable[[Path], int] = _free_bytes) -> None:
        self.progress: InstallProgress | None = None
        self.error: LatentManError | None = None
        self.log_file: Path | None = None
        self.done = False  # the last one ended well
        self._free_bytes = free_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._work: Generator[InstallProgress, None, None] | None = None
        self._root: Path | None = None

    @property
    def running(self) -> bool:
        """Whether one is under way."""
        return self._work is not None

    def start(self, order: InstallOrder) -> None:
        """Begin; `step` goes on. Where the package, the folder or the space for it is missing, `error` says so."""
        self.close()
        self.error, self.done = None, False
        try:
            folder = self._prepare(order)
        except LatentManError as error:
            self.error = error
            return
        self._root = order.root
        self.progress = InstallProgress(0)
        self._work = self._install(order, folder)

    def step(self) -> None:
        """Look at what runs, and go on where it has ended."""
        if self._work is None:
            return
        try:
            self.progress = next(self._work)
        except StopIteration:
            self.done = True
            self._end()
        except LatentManError as error:
            self.error = error
            self._end()
        except OSError as error:
            self.error = storage_error(error, self._root or Path())
            self._end()

    def close(self) -> None:
        """End what runs, and remove what it has made. Harmless when nothing runs."""
        if self._work is not None:
            self._end()

    def remove_replaced(self) -> None:
        """Remove the environment that the last installation has replaced; no backend may be using it any more."""
        if self.done and self._root is not None:
            remove_others(self._root)

    def _prepare(self, order: InstallOrder) -> Path:
        """The folder of the environment to make. Raises LatentManError."""
        requirement = order.requirement
        self.log_file = order.root / LOG_NAME
        try:
            order.root.mkdir(parents=True, exist_ok=True)
            self.log_file.write_text(f"Installing {requirement} into {order.root}\n", encoding="utf-8")
            folder = new_environment(order.root)  # before any is removed, so that none of their names comes again
            remove_others(order.root)
            free = self._free_bytes(order.root)
        except OSError as error:
            raise storage_error(error, order.root) from error
        if free < order.needed_bytes:
            sentence = (
                f"The backend needs about {order.needed_bytes / 1e9:.0f} GB: {order.root} has {free / 1e9:.1f} GB free."
            )
            raise InputError("backend.install_space", sentence, "Free some space, and try again.")
        return folder

    def _end(self) -> None:
        if self._process is not None:
            kill_group(self._process)
            self._process = None
        if self._work is not None:
            self._work.close()
        self._work, self.progress = None, None
        if self._root is not None and not self.done:
            remove_others(self._root)

    def _install(self, order: InstallOrder, folder: Path) -> Generator[InstallProgress, None, None]:
        python = yield from self._find_python(order)
        made = yield from self._call(order, 1, make_environment(python, folder))
        if made.code:
            raise BackendError(
                "backend.install_failed", f"The environment could not be created: {made.reason}.", self._hint
            )
        filled = yield from self._call(order, 2, install_packages(order, folder), folder)
        if filled.code:
            raise BackendError("backend.install_failed", f"pip failed: {filled.reason}.", self._hint)
        if program_in(folder) is None:
            sentence = f"{order.requirement} has no latentman program: it is another package."
            raise BackendError("backend.install_failed", sentence, "Choose the backend's wheel as Package.")
        checked = yield from self._call(order, 3, ask_doctor(folder))
        _check_report(checked.text, order)
        take_environment(folder)

    def _find_python(self, order: InstallOrder) -> Generator[InstallProgress, None, tuple[str, ...]]:
        """Give back (`yield from`) the beginning of the command of a Python that fits."""
        without_venv = ""
        for python in python_commands(order.python):
            try:
                asked = yield from self._call(order, 0, ask_python(python))
            except BackendError:
                continue  # a name that leads to no program
            if asked.code == 0:
                return python
            if asked.code == NO_VENV:
                without_venv = without_venv or asked.text.splitlines()[0]
        first, last = (".".join(map(str, version)) for version in (PYTHONS[0], PYTHONS[-1]))
        if without_venv:
            sentence = f"{without_venv} cannot create environments: its venv module is not installed."
            raise InputError(
                "backend.install_python", sentence, "Install it (Debian, Ubuntu: python3-venv). Try again."
            )
        raise InputError(
            "backend.install_python",
            f"The backend runs on Python {first} to {last}, and this machine has none of these.",
            f"Install Python {last}, then try again.",
        )

    def _call(
        self, order: InstallOrder, stage: int, words: tuple[str, ...], filled: Path | None = None
    ) -> Generator[InstallProgress, None, _Called]:
        """Run one command, and give back (`yield from`) how it ended. `filled`: the environment that it fills."""
        log_file = order.root / LOG_NAME
        with log_file.open("ab") as log:
            log.write(f"\n{STAGES[stage]}: {' '.join(words[:1])} ...\n".encode())
            log.flush()
            begins = log.tell()
            self._process = _start(words, order, log)
        text = ""
        with log_file.open("rb") as printed:
            printed.seek(begins)
            while self._process.poll() is None:
                text += printed.read().decode("utf-8", "replace")
                yield _progress(stage, text, filled)
            text += printed.read().decode("utf-8", "replace")
        code, self._process = self._process.returncode, None
        return _Called(code, text)

    @property
    def _hint(self) -> str:
        return f"The log says more: {self.log_file}"


def _start(words: tuple[str, ...], order: InstallOrder, log: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=order.root,
            env={**os.environ, **order.environment},
            start_new_session=sys.platform != "win32",
            creationflags=NEW_GROUP | NO_WINDOW,
        )
    except OSError as error:
        sentence = f"{words[0]} could not be started: {error.strerror}."
        raise BackendError("backend.install_failed", sentence, f"The log says more: {order.root / LOG_NAME}") from error


def _progress(stage: int, text: str, filled: Path | None) -> InstallProgress:
    """What a command has printed so far as progress; pip names each package that it collects, and then all of them."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("WARNING")]
    last = lines[-1][:_SHOWN_LENGTH] if lines else ""
    named = _INSTALLING.search(text)
    if filled is None or named is None:
        collected = len(_COLLECTING.findall(text))
        return InstallProgress(stage, f"{last} ({collected} packages so far)" if collected else last)
    total, there = named[1].count(",") + 1, installed_packages(filled)
    return InstallProgress(stage, f"{there} of {total} packages installed", min(1.0, there / total))


def _check_report(text: str, order: InstallOrder) -> None:
    """Raise BackendError if the doctor says that the new environment does not work here."""
    findings = read_report(text)
    for finding in findings:
        if not finding.works:
            sentence = f"The backend was installed, but does not work here: {finding.name}: {finding.text}."
            raise BackendError("backend.install_check", sentence, finding.mend)
    torch = next((finding.text for finding in findings if finding.name == "torch"), "nothing")
    if order.card == NVIDIA and "cuda" not in torch.lower().split("on", 1)[-1]:
        raise BackendError(
            "backend.install_card",
            f"The backend was installed, but its torch finds no NVIDIA card; it says: {torch}.",
            "Update the driver, or enter the Package Index that has torch for your card; or choose Automatic.",
        )
