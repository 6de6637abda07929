"""Run a job folder in a process of its own and print the most memory that the process held, in bytes."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from backend.jobs.runner import RUNNER


def main(folder: Path) -> None:
    RUNNER.run(folder, lambda event: None, lambda: False)
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(kilobytes * 1024)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
