"""A tiny real wheel named latentman, whose command answers as the backend's does."""

from __future__ import annotations

import zipfile
from pathlib import Path

_CODE = """
import json
import sys

def main():
    if sys.argv[1:] == ["--version"]:
        print("latentman {version}")
    elif sys.argv[1:3] == ["doctor", "--json"]:
        print(json.dumps([{{"name": "torch", "works": {works}, "text": "{torch}", "mend": "mend it"}}]))
    else:
        sys.exit(2)
"""


def tiny_wheel(
    folder: Path,
    *,
    version: str = "0.1.0",
    torch: str = "9.9 on cpu, 1 threads",
    works: bool = True,
    command: bool = True,
) -> Path:
    """Write the wheel into `folder`; without its program where `command` is False."""
    info = f"latentman-{version}.dist-info"
    files = {
        "tiny_backend.py": _CODE.format(version=version, torch=torch, works=works),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: latentman\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if command:
        files[f"{info}/entry_points.txt"] = "[console_scripts]\nlatentman = tiny_backend:main\n"
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"latentman-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path
