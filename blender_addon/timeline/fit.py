"""A strip fitted into the picture: its scale belongs to one render size, so another size needs another scale.

Blender fits an image strip once, when it is made. The scale that was set is remembered on the strip: only a strip that
still has it is fitted again, so that what an animator has scaled stays.
"""

from __future__ import annotations

from typing import Any

FIT = "latentman_fit"  # the scale that was set last, along x and y
_START_UP_SIZE = (1920, 1080)  # Blender's; strips of earlier versions have no record, and most were made at it
_NEAR = 1e-4  # relative; Blender keeps scales in single precision

Size = tuple[int, int]
Scale = tuple[float, float]


def remember_fit(strip: Any) -> None:
    """Note a strip's scale as the one that was set here."""
    strip[FIT] = _scale(strip)


def refit(strip: Any, size: Size) -> bool:
    """Fit a strip into the render size, whole and with square pixels; whether its scale was changed.

    A strip whose scale somebody else has set stays as it is, and so does one whose pictures have no known size.
    """
    wanted = _fitted(strip, size)
    if wanted is None or _equal(_scale(strip), wanted) or not _is_ours(strip):
        return False
    strip.transform.scale_x, strip.transform.scale_y = wanted
    remember_fit(strip)
    return True


def _is_ours(strip: Any) -> bool:
    """Whether the strip's scale is one that was set here."""
    remembered = strip.get(FIT)
    known = _fitted(strip, _START_UP_SIZE) if remembered is None else tuple(remembered)
    return known is not None and _equal(_scale(strip), known)


def _fitted(strip: Any, size: Size) -> Scale | None:
    """The scale at which the strip's pictures are as large as the frame allows; None if their size is not known.
    The render percentage does not count: Blender applies it to strips by itself."""
    first = strip.elements[0] if strip.elements else None
    if first is None or not first.orig_width or not first.orig_height:
        return None
    scale = min(size[0] / first.orig_width, size[1] / first.orig_height)
    return scale, scale


def _scale(strip: Any) -> Scale:
    return strip.transform.scale_x, strip.transform.scale_y


def _equal(one: Scale, other: Scale) -> bool:
    return all(abs(a - b) <= _NEAR * abs(b) for a, b in zip(one, other, strict=True))
