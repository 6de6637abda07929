"""The table of repairs. A new one is a file beside this and a row here."""

from __future__ import annotations

from typing import Final

from .plant_feet import PLANT_FEET
from .put_on_floor import PUT_ON_FLOOR
from .repairs import Repair
from .smooth import SMOOTH

REPAIRS: Final = (PLANT_FEET, SMOOTH, PUT_ON_FLOOR)


def repair_named(name: str) -> Repair | None:
    """The repair of that name; None if there is none."""
    return next((repair for repair in REPAIRS if repair.name == name), None)
