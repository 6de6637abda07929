"""The units of length in which a file's places may be, by their short names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

UNITS_M: Final[Mapping[str, float]] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254, "ft": 0.3048}
UNIT_LABELS: Final[Mapping[str, str]] = {
    "m": "Metres",
    "cm": "Centimetres",
    "mm": "Millimetres",
    "in": "Inches",
    "ft": "Feet",
}


def unit_label(unit_m: float) -> str:
    """The unit's name in the plural; its length for one without a name."""
    named = next((UNIT_LABELS[name] for name, length in UNITS_M.items() if abs(length - unit_m) < 1e-9), None)
    return named or f"{unit_m:g} m"
