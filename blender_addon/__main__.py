"""`python -m blender_addon ...`: the batch command through the bpy package, without a Blender program."""

from __future__ import annotations

import contextlib
import importlib
import io
import sys

from . import register, unregister

_HARMLESS = "compiled using NumPy 1.x"


def run(arguments: list[str]) -> int:
    """Enable the add-on in this Python's Blender, run the command, and return its exit code."""
    _load_blender()
    register()
    try:
        from .cli import main

        return main(arguments)
    finally:
        unregister()


def _load_blender() -> None:
    """Import bpy without its one known complaint: its sound module, which is not used here, was built for NumPy 1."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        importlib.import_module("bpy")
    if _HARMLESS not in said.getvalue():
        sys.stderr.write(said.getvalue())


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
