"""The `latentman` command with the fake runner, for tests that let the add-on start its backend itself."""

from __future__ import annotations

import sys

from backend.cli import main

if __name__ == "__main__":
    sys.exit(main([*sys.argv[1:], "--runner", "tests.helpers.fake_runner"]))
