"""The program's version. It stands here alone.

`pyproject.toml` reads it for the package, `build_addon.py` for the names of the zips and the manifest inside them. The
manifest in the checkout says 0.0.0, because Blender wants some version where it loads the add-on from there.
"""

from __future__ import annotations

VERSION = "0.1.0"


def named(part: str) -> str:
    """How a part of the program names itself to another, for example `latentman backend` and the version."""
    return f"latentman {part} {VERSION}"
