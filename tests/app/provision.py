"""Real Blenders for the tests: Debian's packages in folders of their own, made once and kept.

    python -m tests.app.provision [SUITE ...] [--mirror URL]

The mirror is the one that this machine's own apt takes Debian's packages from; on another system, name one.
Each Blender lives in `${LATENTMAN_CACHE:-~/.cache/latentman}/blender/SUITE-RECIPE`, made by debootstrap. The system's
own packages stay as they are, except that debootstrap itself is installed when it is missing. A second run finds the
folders and takes no time. Where a Blender cannot be had, one sentence says why, and its tests count as not run.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MOUNT_POINTS = ("project", "scratch")
_LOG_TAIL_LINES = 6


@dataclass(frozen=True, slots=True)
class Suite:
    """A Debian suite whose Blender the tests run in."""

    name: str
    series: str  # the Blender series that it must hold at least, for example "4.3"
    packages: tuple[str, ...]

    @property
    def recipe(self) -> str:
        """Eight hexadecimal digits that change when the folder must be made again."""
        return hashlib.sha256("\n".join((self.name, *MOUNT_POINTS, *self.packages)).encode()).hexdigest()[:8]


# A window needs OpenGL (software: Mesa's), a display (Xvfb) and somebody who moves the mouse (xdotool).
_WINDOW = ("libgl1", "libegl1", "libgl1-mesa-dri", "xvfb", "xdotool")
# sid's Blender starts with import errors without cattr, requests and zstandard.
SUITES = (
    Suite("trixie", "4.3", ("blender", "python3-numpy", *_WINDOW)),
    Suite(
        "sid", "5.2", ("blender", "python3-numpy", "python3-cattr", "python3-requests", "python3-zstandard", *_WINDOW)
    ),
)


class ProvisionError(Exception):
    """A real Blender cannot be had on this machine; the message is the sentence that says why."""


def cache_folder() -> Path:
    """Where the Blenders are kept."""
    return Path(os.environ.get("LATENTMAN_CACHE", Path.home() / ".cache" / "latentman")) / "blender"


def suite_folder(suite: Suite) -> Path:
    """The root folder of a suite, whether it is there yet or not."""
    return cache_folder() / f"{suite.name}-{suite.recipe}"


def debian_mirror(uris: Iterable[str]) -> str | None:
    """The first of apt's repository addresses that is Debian's main archive; None where there is none."""
    return next((uri for uri in uris if uri.rstrip("/").rpartition("/")[2] == "debian"), None)


def own_mirror() -> str:
    """The mirror from which this machine's apt takes Debian's packages. Raises ProvisionError where there is none."""
    found = None
    if shutil.which("apt-get"):
        command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
        found = debian_mirror(subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines())
    if found is None:
        raise ProvisionError("this machine's apt has no Debian archive among its sources; name one with --mirror URL.")
    return found


def provision(suite: Suite, mirror: str | None = None) -> Path:
    """Make a suite's folder if it is not there, and return it. Raises ProvisionError with its sentence.

    `mirror` is the address of a Debian archive, by default this machine's own.
    """
    folder = suite_folder(suite)
    if folder.is_dir():
        return folder
    if sys.platform != "linux":
        raise ProvisionError(f"Blender {suite.series} comes from Debian, and this machine does not run Linux.")
    if os.geteuid() != 0:
        raise ProvisionError(f"Blender {suite.series} is set up by debootstrap, which needs root.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_name(folder.name + ".lock")):
        if not folder.is_dir():
            _need_debootstrap()
            _build(suite, folder, mirror or own_mirror())
    return folder


def _build(suite: Suite, folder: Path, mirror: str) -> None:
    """Make the folder beside its place and rename it, so that a half-made one is never taken for a whole one."""
    part = folder.with_name(folder.name + ".part")
    log = folder.with_name(folder.name + ".log")
    shutil.rmtree(part, ignore_errors=True)
    print(f"latentman: setting up Blender {suite.series} from Debian {suite.name} (once; a minute)", file=sys.stderr)
    log.unlink(missing_ok=True)
    _logged(["debootstrap", "--variant=minbase", suite.name, str(part), mirror], log)
    options = " ".join(_apt_date_options())
    _logged(
        _in_root(
            part,
            f'chroot "$ROOT" apt-get {options} update && '
            f'chroot "$ROOT" apt-get {options} install --yes --no-install-recommends {" ".join(suite.packages)} && '
            f'chroot "$ROOT" apt-get clean && rm -rf "$ROOT"/var/lib/apt/lists/*',
        ),
        log,
    )
    for name in MOUNT_POINTS:
        (part / name).mkdir(exist_ok=True)
    part.rename(folder)


def _in_root(root: Path, script: str) -> list[str]:
    """A command that runs `script` with /proc mounted in `root`, in a mount namespace of its own."""
    setup = f'set -e; ROOT="{root}"; mount -t proc proc "$ROOT/proc"; export DEBIAN_FRONTEND=noninteractive; '
    return ["unshare", "--mount", "--propagation", "private", "bash", "-c", setup + script]


def _apt_date_options() -> list[str]:
    """This machine's own choice about the dates of package lists: a frozen mirror needs it inside as well."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    names = ("Acquire::Check-Valid-Until ", "Acquire::Check-Date ")
    kept = [line for line in dump.splitlines() if line.startswith(names)]
    return [f"-o {name}={value.strip(';').strip(chr(34))}" for name, value in (line.split(" ", 1) for line in kept)]


def _need_debootstrap() -> None:
    if shutil.which("debootstrap"):
        return
    if not shutil.which("apt-get"):
        raise ProvisionError("debootstrap is not installed and there is no apt-get to install it with.")
    subprocess.run(["apt-get", "update"], capture_output=True, check=False)
    install = ["apt-get", "install", "--yes", "--no-install-recommends", "debootstrap"]
    if subprocess.run(install, capture_output=True, check=False).returncode:
        raise ProvisionError("debootstrap is not installed and apt-get cannot install it (no network?).")


def _logged(command: list[str], log: Path) -> None:
    """Run a command with its output in `log`; a failure names the log and shows its last lines."""
    with log.open("a") as output:
        code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode
    if code:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
        raise ProvisionError(f"{command[0]} failed (no network, or a full disk?); the end of {log}:\n{tail}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file lock: two runs at once must not make the same folder."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Set up the suites; 0 when all are there, 1 when one cannot be had."""
    parser = argparse.ArgumentParser(prog="provision", description="Set up real Blenders for tests/app.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(suite.name for suite in SUITES)}")
    parser.add_argument("--mirror", metavar="URL", help="a Debian archive (default: the one that apt uses here)")
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.suites) - {suite.name for suite in SUITES}
    if unknown:
        parser.error(f"unknown suite: {', '.join(sorted(unknown))}")
    failed = False
    for suite in SUITES:
        if chosen.suites and suite.name not in chosen.suites:
            continue
        try:
            print(f"Blender {suite.series} (Debian {suite.name}): {provision(suite, chosen.mirror)}")
        except ProvisionError as error:
            failed = True
            print(f"NOT RUN: no real Blender {suite.series} (Debian {suite.name}). {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
