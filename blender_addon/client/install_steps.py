"""How the backend is installed into an environment of its own: the commands, their order, what they need."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..shared.errors import InputError
from .backend_command import NO_CARD, program_in

PYTHONS = ((3, 11), (3, 12), (3, 13))  # those that the backend supports, as its pyproject.toml says
ANY_CARD, NVIDIA, CPU = "AUTO", "NVIDIA", "CPU"
UNFIT, NO_VENV = 3, 4  # what `PYTHON_QUESTION` ends with

# Measured: 6.2 GB of packages with CUDA and 1.6 GB without it; beside them pip keeps and unpacks what it downloads.
_WITH_CUDA_BYTES = 10 * 10**9
_WITHOUT_BYTES = 3 * 10**9

# Asked of each Python: its version, and whether it can make an environment with pip in it.
PYTHON_QUESTION = f"""
import sys
print("Python %d.%d: %s" % (*sys.version_info[:2], sys.executable))
if sys.version_info[:2] not in {PYTHONS}:
    sys.exit({UNFIT})
try:
    import ensurepip, venv
except ImportError as error:
    print(error)
    sys.exit({NO_VENV})
"""


@dataclass(frozen=True, slots=True)
class InstallOrder:
    """What to install, and where.

    root: the folder that holds the add-on's environments. python: the Python that is tried first, Blender's own.
    package: a wheel or a project folder; no index is asked for the backend itself, because a stranger could have put
    the name there. index: the address of a further package index for what the backend needs; empty for none. card: one
    of ANY_CARD, NVIDIA, CPU.
    """

    root: Path
    version: str
    python: str = sys.executable
    package: str = ""
    index: str = ""
    card: str = ANY_CARD

    @property
    def requirement(self) -> str:
        """What pip is asked to install. Raises InputError if the package is neither a wheel nor a project."""
        if not self.package:
            raise InputError(
                "backend.package",
                "No package is chosen to install the backend from.",
                f"Choose {wheel_name(self.version)}, which comes with the add-on's zip.",
            )
        path = Path(self.package).expanduser()
        if (path.is_file() and path.suffix == ".whl") or (path / "pyproject.toml").is_file():
            return str(path.absolute())
        raise InputError(
            "backend.package",
            f"The package {self.package} is neither a wheel (.whl) nor a project's folder.",
            f"Choose {wheel_name(self.version)}, which comes with the add-on's zip.",
        )

    @property
    def needed_bytes(self) -> int:
        """The room that the packages take while they are downloaded and installed. On Linux torch comes with
        CUDA, unless another index has one without it."""
        with_cuda = self.card == NVIDIA or (sys.platform == "linux" and not (self.card == CPU and self.index))
        return _WITH_CUDA_BYTES if with_cuda else _WITHOUT_BYTES

    @property
    def environment(self) -> dict[str, str]:
        """What is added to the commands' environment: for a CPU, that there is no card."""
        return {"PYTHONUNBUFFERED": "1", **dict(NO_CARD if self.card == CPU else ())}


def wheel_name(version: str) -> str:
    """The file that the backend of a version is installed from, as `build_addon.py --backend` names it."""
    return f"latentman-{version}-py3-none-any.whl"


def python_commands(first: str) -> list[tuple[str, ...]]:
    """The Pythons to try, each as the beginning of a command: `first`, then those of this machine that have a name."""
    commands: list[tuple[str, ...]] = [(first,)] if first else []
    for major, minor in PYTHONS:
        if found := shutil.which(f"python{major}.{minor}"):
            commands.append((found,))
        if os.name == "nt" and (launcher := shutil.which("py")):
            commands.append((launcher, f"-{major}.{minor}"))
    commands += [(found,) for name in ("python3", "python") if (found := shutil.which(name))]
    return list(dict.fromkeys(commands))


def ask_python(python: tuple[str, ...]) -> tuple[str, ...]:
    """The command that asks a Python whether it fits."""
    return (*python, "-I", "-c", PYTHON_QUESTION)


def make_environment(python: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """The command that makes an empty environment."""
    return (*python, "-I", "-m", "venv", str(folder))


def install_packages(order: InstallOrder, folder: Path) -> tuple[str, ...]:
    """The command that fills it. pip's own settings and variables (`PIP_*`, `pip.conf`) hold."""
    index = ("--extra-index-url", order.index) if order.index else ()
    options = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off", *index)
    return (str(python_of(folder)), "-I", "-m", "pip", "install", *options, order.requirement)


def ask_doctor(folder: Path) -> tuple[str, ...]:
    """The command that checks it, with a work folder inside the environment."""
    return (str(program_in(folder)), "doctor", "--json", "--work", str(folder / "work"))


def python_of(folder: Path) -> Path:
    """The Python of an environment."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"


def installed_packages(folder: Path) -> int:
    """How many packages an environment has by now, pip itself left out."""
    pattern = "Lib/site-packages/*.dist-info" if os.name == "nt" else "lib/python3*/site-packages/*.dist-info"
    return max(0, sum(1 for _ in folder.glob(pattern)) - 1)


def by_hand(order: InstallOrder, folder: Path) -> str:
    """The two commands for a terminal, a line each; without a package they name the wheel without its folder."""
    package = order.requirement if order.package else wheel_name(order.version)
    fits = sys.version_info[:2] in PYTHONS and order.python
    python = (order.python if fits else f"python{PYTHONS[0][0]}.{PYTHONS[0][1]}",)
    index = ("--extra-index-url", order.index) if order.index else ()
    install = (str(python_of(folder)), "-I", "-m", "pip", "install", *index, package)
    return "\n".join(map(_quoted, ((*python, "-I", "-m", "venv", str(folder)), install)))


def _quoted(words: tuple[str, ...]) -> str:
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
