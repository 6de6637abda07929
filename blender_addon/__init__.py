"""LatentMan for Blender: registration only.

In the extension's zip `shared` is a sub-package of this one. In a checkout it lies beside it: the package path is
extended by the checkout's root, so that the same relative imports find it there.
"""

from __future__ import annotations

from pathlib import Path

_ROOT = Path(__file__).resolve().parent
if not (_ROOT / "shared").is_dir():
    __path__.append(str(_ROOT.parent))


def register() -> None:
    """Register everything that the add-on adds to Blender. Blender calls it when the add-on is enabled."""
    from . import registration

    registration.register()


def unregister() -> None:
    """Take back everything that `register` added. Blender calls it when the add-on is disabled."""
    from . import registration

    registration.unregister()
