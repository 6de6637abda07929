"""Run a job folder in a process of its own and print the most memory that the process held, in bytes."""

from __future__ import annotations

import sys
from pathlib import Path

from backend.jobs.runner import RUNNER


def peak_bytes() -> int:
    """The most that this process held. `ru_maxrss` would count what its parent held when it was started."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024


def main(folder: Path) -> None:
    RUNNER.run(folder, lambda event: None, lambda: False)
    print(peak_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
