"""What a shot asks of the child Blender that renders its passes. No bpy in here.

The shot looks at it in steps that never wait, and closes it in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class RenderedPass(Protocol):
    """One finished frame of the passes."""

    @property
    def frame(self) -> int:
        """Its number."""
        ...

    @property
    def path(self) -> Path:
        """Its file, whole and in its place."""
        ...

    @property
    def reused(self) -> bool:
        """Whether an equal frame was there from an earlier run."""
        ...


class PassSource(Protocol):
    """What renders the passes: `passes.launcher.PassRender`."""

    @property
    def done(self) -> bool:
        """Every frame is there."""
        ...

    @property
    def shot_ready(self) -> bool:
        """The three files of the shot are there."""
        ...

    @property
    def shot_file(self) -> Path:
        """shot.json."""
        ...

    @property
    def vertices_file(self) -> Path:
        """vertices.npy."""
        ...

    @property
    def charts_file(self) -> Path:
        """charts.npz."""
        ...

    def step(self) -> Sequence[RenderedPass]:
        """The frames finished since the last call; raises what went wrong."""
        ...

    def close(self) -> None:
        """End the child and clean up."""
        ...
