"""What a method declares of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dependence = Literal["alone", "first", "chained"]
"""What a frame depends on beside itself: nothing, the shot's frame 0, or that and all frames before it."""


HELD = 3  # the consistency of a method that holds pixels together


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """A method as everybody but its own code knows it.

    `dependence` is what an edit of one frame reaches, and so what a later segment needs of the earlier ones. `matches`:
    it needs the correspondence of consecutive frames. `settings` is the class of its settings (`setting.py`), if it has
    any. `consistency` is its place between frames that share nothing (0)
    and frames whose pixels are held together (`HELD`); the sharpness and the background of a method are judged by the
    loosest one of the same shot.
    """

    name: str
    label: str
    description: str
    dependence: Dependence
    consistency: int
    matches: bool = False
    settings: type | None = None

    @property
    def needs_first(self) -> bool:
        """Whether a later segment needs frame 0's trajectory."""
        return self.dependence != "alone"

    @property
    def needs_previous(self) -> bool:
        """Whether a later segment needs the trajectory of the frame before it."""
        return self.dependence == "chained"
