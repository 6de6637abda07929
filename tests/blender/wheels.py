"""The tests of this folder in the `bpy` wheels of older Blenders: `python -m tests.blender.wheels [VERSION ...]`.

Each wheel lives in `${LATENTMAN_CACHE:-~/.cache/latentman}/bpy/VERSION`, an environment that finds all but
`bpy` where this one finds it. It is made once. Where a wheel cannot be had, one sentence says so; the exit code is 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

VERSIONS = ("4.2.23", "4.5.15")  # the LTS series before 5.0, which the project's own environment has


def wheel_python(version: str) -> Path:
    """The Python that has `bpy` of this version. Raises RuntimeError, in a sentence, where it cannot be had."""
    cache = Path(os.environ.get("LATENTMAN_CACHE", Path.home() / ".cache" / "latentman")) / "bpy"
    folder, partial = cache / version, cache / f"{version}.partial"
    if not folder.is_dir():
        shutil.rmtree(partial, ignore_errors=True)
        packages = partial / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        steps = (
            [sys.executable, "-m", "venv", "--without-pip", str(partial)],
            [*pip, "--target", str(packages), f"bpy=={version}"],
        )
        for step in steps:
            if subprocess.run(step, check=False).returncode:
                raise RuntimeError(f"bpy {version} could not be installed into {partial}; the lines above say why.")
        (packages / "project.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        partial.rename(folder)
    return folder / "bin" / "python"


def main(versions: Sequence[str]) -> int:
    """Run the tests in all wheels at once; 1 if one failed or could not be had."""
    running: dict[str, subprocess.Popen[str]] = {}
    failed = False
    for version in versions or VERSIONS:
        try:
            python = wheel_python(version)
        except RuntimeError as error:
            print(f"latentman: {error}", file=sys.stderr)
            failed = True
            continue
        command = [sys.executable, "-m", "pytest", "-q", "tests/blender", "--bpy-python", str(python)]
        running[version] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for version, process in running.items():
        output = process.communicate()[0]
        print(f"latentman: tests/blender in bpy {version}\n{output}", flush=True)
        failed |= process.returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
