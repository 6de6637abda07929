"""mypy --strict over everything, the add-on included: check_types.py [MYPY-OPTION...]

The add-on imports `shared` as its own sub-package, which it is in the extension's zip. In a checkout it lies beside the
add-on, and mypy knows one path a module. So mypy reads a copy of the add-on whose imports name `shared` itself: each
class of `shared` is then one type for add-on, backend and tests. The copy has the same lines, and messages are printed
with the path of the original.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDON = "blender_addon"
COPIES = Path("build", "typed")
CHECKED = ("shared", "backend", "tests", "build_addon.py", ".ci/check_types.py")
_SHARED_IMPORT = re.compile(r"^(\s*from )\.+(shared\b)", re.MULTILINE)


def lay_out(copies: Path) -> None:
    """Write the add-on's modules to `copies`, with `from ..shared.x` as `from shared.x`; unchanged files stay."""
    originals = {path.relative_to(ROOT): path for path in (ROOT / ADDON).rglob("*.py")}
    for stale in {path.relative_to(copies) for path in copies.rglob("*.py")} - originals.keys():
        (copies / stale).unlink()
    for name, original in originals.items():
        text = _SHARED_IMPORT.sub(r"\1\2", original.read_text(encoding="utf-8"))
        copy = copies / name
        if not copy.is_file() or copy.read_text(encoding="utf-8") != text:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text, encoding="utf-8")


def main(options: list[str]) -> int:
    """mypy's exit status."""
    lay_out(ROOT / COPIES)
    command = [sys.executable, "-m", "mypy", "--strict", *options, *CHECKED, str(COPIES / ADDON)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout.replace(str(COPIES) + os.sep, ""), end="")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
