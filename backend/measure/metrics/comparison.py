"""Several methods' clips of one shot, measured side by side: what `latentman eval` reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from backend.measure.metrics.consistency import Consistency
from shared.errors import InputError
from shared.methods import HELD, METHODS

SCHEMA = 1

# What a method's sharpness is held against, the first that is there: from no consistency at all to the baselines.
UNCONSTRAINED = tuple(
    method.name for method in sorted(METHODS.values(), key=lambda one: one.consistency) if method.consistency < HELD
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures of every method, and what they must be read with."""

    figures: Mapping[str, Consistency]
    floor: Consistency | None  # of a perfectly steady, textured body; None = not measured
    against: (
        str | None
    )  # the method whose sharpness, background and shading count as 1; None = there is none to compare with

    def sharpness_ratio(self, method: str) -> float | None:
        """Sharpness over that of the unconstrained run: below 1, part of what the other figures won may be blur."""
        return self._over_unconstrained(method, lambda figures: figures.sharpness.mean)

    def background_ratio(self, method: str) -> float | None:
        """The background's change over that of the unconstrained run: above 1 it flickers with the method."""
        return self._over_unconstrained(method, lambda figures: figures.background_mean)

    def shading_kept(self, method: str) -> float | None:
        """Shading's slope over that of the unconstrained run: 1 = as strong, 0 = flat; None where that has none."""
        reference = self.figures[self.against].shading.slope if self.against else None
        own = self.figures[method].shading.slope
        return own / reference if own is not None and reference is not None and reference > 0 else None

    def _over_unconstrained(self, method: str, value: Callable[[Consistency], float | None]) -> float | None:
        reference = value(self.figures[self.against]) if self.against else None
        own = value(self.figures[method])
        return own / reference if own is not None and reference else None

    def floor_of(self, method: str) -> tuple[float | None, ...]:
        """The resampling floor at the method's own sharpness, a value each of its `surface` lags.

        Both the floor and the sharpness are squares of differences of colours: of the same texture at less contrast
        they fall alike, so their ratio is the texture's.
        """
        own, floor = self.figures[method], self.floor
        if floor is None or own.sharpness.mean is None or not floor.sharpness.mean:
            return tuple(None for _ in own.surface)
        ratio = own.sharpness.mean / floor.sharpness.mean
        return tuple(None if part.mean is None else part.mean * ratio for part in floor.surface)

    def json_value(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {
            "schema": SCHEMA,
            "against": self.against,
            "floor": None if self.floor is None else self.floor.json_value(),
            "methods": {
                name: {
                    **figure.json_value(),
                    "sharpness_ratio": self.sharpness_ratio(name),
                    "background_ratio": self.background_ratio(name),
                    "shading_kept": self.shading_kept(name),
                    "surface_floor": self.floor_of(name),
                }
                for name, figure in self.figures.items()
            },
        }


def unconstrained(methods: Iterable[str], wanted: str | None = None) -> str | None:
    """The method that sharpness is held against: `wanted`, or the first of `UNCONSTRAINED`.

    Raises InputError if the wanted one is not among `methods`.
    """
    present = tuple(methods)
    if wanted is not None and wanted not in present:
        raise InputError(
            "metrics.against", f'The result has no method "{wanted}".', f"Choose one of: {', '.join(present)}."
        )
    return wanted or next((name for name in UNCONSTRAINED if name in present), None)
