"""The table of model families, and what they offer a user together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from .file_kinds import UNSUPPORTED_PROMPT_WIDTHS
from .sd15 import SD15
from .spec import Family, Place

FAMILIES = (SD15,)
"""All families. A model whose files do not say what it is counts as the first one."""

FAMILY_OF_PROMPT_WIDTH: Mapping[int, str] = MappingProxyType(
    UNSUPPORTED_PROMPT_WIDTHS | {family.prompt_width: family.label for family in FAMILIES}
)
"""The families' common names, by the width of their prompt vectors."""


def places_of(families: Iterable[Family]) -> tuple[Place, ...]:
    """What a user may give with a model of these families; if two share a place, the first one's counts."""
    found: dict[str, Place] = {}
    for family in families:
        for place in family.places:
            found.setdefault(place.name, place)
    return tuple(found.values())


PLACES = places_of(FAMILIES)
SINGLE_PLACES = tuple(place for place in PLACES if place.most == 1)
FAMILY_LABELS = " or ".join(family.label for family in FAMILIES)
CHECKPOINT_KINDS = " or ".join(family.checkpoint.kind.name for family in FAMILIES if family.checkpoint)
