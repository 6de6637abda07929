"""The table of methods, in the order in which people are offered them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..errors import InputError
from .spec import HELD, MethodSpec

_ALL = (
    MethodSpec(
        "latentman",
        "LatentMan",
        "Details hold still on the body from frame to frame",
        "chained",
        HELD,
        matches=True,
    ),
    MethodSpec("text2video_zero", "Text2Video-Zero", "The baseline: every frame attends to the first one", "first", 2),
    MethodSpec(
        "masactrl", "MasaCtrl", "The other baseline: frames attend to the first one from the fourth step on", "first", 2
    ),
    MethodSpec("shared_noise", "Shared noise", "Frames share their noise and nothing else", "alone", 1),
    MethodSpec("per_frame", "Each frame alone", "No consistency at all, to compare with", "alone", 0),
)

METHODS: Mapping[str, MethodSpec] = MappingProxyType({method.name: method for method in _ALL})


def method_named(name: str) -> MethodSpec:
    """The method of a job. Raises InputError for a name that is not in the table."""
    if name not in METHODS:
        raise InputError("job.method", f'There is no method "{name[:60]}".', f"Choose one of: {', '.join(METHODS)}.")
    return METHODS[name]
