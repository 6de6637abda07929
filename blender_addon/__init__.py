"""LatentMan for Blender: registration only.

In the extension's zip `shared` is a sub-package of this one; in a checkout it lies beside it (`checkout`).
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
if not (_FOLDER / "shared").is_dir():
    from .checkout import find_shared

    find_shared(__name__, __path__, _FOLDER.parent)


def register() -> None:
    """Register everything that the add-on adds to Blender. Blender calls it when the add-on is enabled."""
    try:
        from . import registration
    except ImportError as error:
        from . import unfit

        unfit.register(error)
    else:
        registration.register()


def unregister() -> None:
    """Take back everything that `register` added. Blender calls it when the add-on is disabled."""
    from . import unfit

    if not unfit.unregister():
        from . import registration

        registration.unregister()
