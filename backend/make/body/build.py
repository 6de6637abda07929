"""`python -m backend.make.body.build` rebuilds shared/body/free_body.npz; `--check` says whether it would change."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from backend.make.body.build_free_body import Arrays, build_free_body
from shared.body.loading import FREE_BODY_PATH
from shared.errors import EXIT_DONE, EXIT_FAILED


def main(arguments: list[str] | None = None) -> int:
    """Build and write, or with `--check` build and compare; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m backend.make.body.build", description=__doc__)
    parser.add_argument("--output", type=Path, default=FREE_BODY_PATH)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the file differs from a new build")
    options = parser.parse_args(arguments)
    arrays = build_free_body()
    if options.check:
        different = changed_keys(arrays, options.output)
        print(f"different: {', '.join(different)}" if different else f"{options.output} is as it would be built")
        return EXIT_FAILED if different else EXIT_DONE
    np.savez_compressed(options.output, allow_pickle=False, **arrays)
    print(f"{options.output}: {options.output.stat().st_size} bytes")
    return EXIT_DONE


def changed_keys(arrays: Arrays, path: Path) -> list[str]:
    """Keys whose arrays in the file at `path` differ from `arrays`, or are missing on one side."""
    with np.load(path, allow_pickle=False) as stored:
        keys = sorted({*arrays, *stored.files})
        return [
            key
            for key in keys
            if key not in arrays or key not in stored.files or not np.array_equal(arrays[key], stored[key])
        ]


if __name__ == "__main__":
    sys.exit(main())
