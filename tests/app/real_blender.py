"""Running a real Blender in its own root folder, with the project and a scratch folder bound into it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .provision import Suite

PROJECT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 240.0

# /dev is bound for the random and null devices; /tmp is its own, so that nothing is left in the kept folder but the
# compiled shaders of software OpenGL, which take a window longer than all else when it is first drawn. This
# machine as a whole is at /tmp/host, and the scratch folder also where it really is: that is how a Blender in there
# starts the backend of out here (`Window`), and both mean the same by a path. HOME is therefore the real one: takes of
# unsaved files are below it, and the backend would write those of /scratch into this machine's own root.
_SCRIPT = """
set -e
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/tmp"
mkdir -p "$ROOT/tmp/host" "$ROOT$SCRATCH" "$ROOT/var/cache/shaders"
mount --rbind / "$ROOT/tmp/host"
mount --bind "$SCRATCH" "$ROOT$SCRATCH"
mount --bind "$PROJECT" "$ROOT/project"
mount -o remount,bind,ro "$ROOT/project"
mount --bind "$SCRATCH" "$ROOT/scratch"
exec chroot "$ROOT" /usr/bin/env -i HOME="$SCRATCH/home" PATH=/scratch/bin:/usr/bin:/bin LANG=C.UTF-8 \
    BLENDER_USER_RESOURCES=/scratch/config OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 \
    MESA_SHADER_CACHE_DIR=/var/cache/shaders "$@"
"""


@dataclass(frozen=True, slots=True)
class RealBlender:
    """One Blender with a scratch folder that holds its configuration; it sees the scratch folder as /scratch."""

    suite: Suite
    root: Path
    scratch: Path

    def inside(self, path: Path) -> str:
        """A path below the scratch folder as this Blender sees it."""
        return f"/scratch/{path.relative_to(self.scratch)}"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start Blender with these arguments; see `start_program`."""
        return self.start_program("blender", *arguments)

    def start_program(self, *words: str, display: str = "", log: Path | None = None) -> subprocess.Popen[str]:
        """Start a program of this Blender's root folder in a session and a mount namespace of its own.

        The process is the program itself: a signal sent to it arrives. `display`: the X display that it sees. `log`:
        the file that takes what it prints; pipes where there is none.
        """
        for name in ("home", "config"):
            (self.scratch / name).mkdir(exist_ok=True)
        mounted = {"ROOT": str(self.root), "PROJECT": str(PROJECT), "SCRATCH": str(self.scratch)}
        command = ["unshare", "--mount", "--propagation", "private", "bash", "-c", _SCRIPT, "bash"]
        with contextlib.nullcontext(subprocess.PIPE) if log is None else log.open("ab") as output:
            return subprocess.Popen(
                [*command, *((f"DISPLAY={display}",) if display else ()), *words],
                env={**os.environ, **mounted},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
                errors="replace",
                start_new_session=True,
            )

    def run(self, *arguments: str, timeout_s: float = TIMEOUT_S) -> subprocess.CompletedProcess[str]:
        """Run Blender to its end."""
        process = self.start(*arguments)
        return self.finish(process, timeout_s)

    def finish(self, process: subprocess.Popen[str], timeout_s: float = TIMEOUT_S) -> subprocess.CompletedProcess[str]:
        """Wait for a started Blender; one that does not end in time is ended with all that it started."""
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError(f"Blender did not end in {timeout_s:g} s:\n{out[-2000:]}\n{err[-2000:]}") from None
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def show(done: subprocess.CompletedProcess[str]) -> str:
    """What a Blender said, for the message of a failed assertion."""
    command: Sequence[str] = done.args if isinstance(done.args, list) else [str(done.args)]
    return f"{shlex.join(command[7:])}\nexit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
