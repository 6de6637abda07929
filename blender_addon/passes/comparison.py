"""How many of a shot's poses have changed since their passes were rendered: asked of a child Blender, not rendered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..shared.errors import LatentManError
from .launcher import PassRender, PassRequest


@dataclass(frozen=True, slots=True)
class Compared:
    """Frames by what has become of them; `to_generate` counts those that would be computed."""

    changed: tuple[int, ...]
    unchanged: tuple[int, ...]
    to_generate: int


class PassComparison:
    """One comparison; `result` is there once it has ended well."""

    def __init__(self, render: PassRender, *, known: bool = False) -> None:
        """`known`: a finished take is of the present settings and passes, so that without a change nothing is new."""
        self._render = render
        self._known = known
        self._found: dict[int, bool] = {}
        self.result: Compared | None = None

    @classmethod
    def start(cls, context: Any, request: PassRequest, *, known: bool) -> PassComparison:
        """Start the child on a copy of the open file. Raises as `PassRender.start`."""
        return cls(PassRender.start(context, request, compare_only=True), known=known)

    @property
    def running(self) -> bool:
        """Whether the child is still looking."""
        return not self._render.done

    def step(self) -> None:
        """Take what the child has found, without waiting. Raises the child's error."""
        if self._render.done:
            return
        try:
            for frame in self._render.step():
                self._found[frame.frame] = frame.reused
        except LatentManError:
            self._render.close()
            raise
        if self._render.done:
            changed = tuple(frame for frame, same in self._found.items() if not same)
            unchanged = tuple(frame for frame, same in self._found.items() if same)
            # A shot is generated as a whole: every frame attends to the first, and follows the one before it.
            self.result = Compared(changed, unchanged, 0 if self._known and not changed else len(self._found))
            self._render.close()

    def close(self) -> None:
        """End the child. Harmless when called twice."""
        self._render.close()
