"""Operators that look at every frame of a shot: at once for scripts, in short slices for a user, who may stop it."""

from __future__ import annotations

import time
from typing import Any

import bpy

from ...scene_time import Steps, at_once
from ...shared.errors import LatentManError
from ...shot.running import wake
from ...typed_bpy import Outcome
from .reporting import forget, refuse, reported

_SLICE_S = 0.1  # Blender draws and hears the user in between
_PERIOD_S = 0.01


class FrameByFrame:
    """A mixin of operators whose work is a generator that pauses after each frame.

    While it runs the operator takes all of the user's input but Esc, so that nothing it looks at changes. Between two
    slices the scene stands at the frame where it stood before.
    """

    _steps: Any = None
    _timer: Any = None

    def steps(self, context: Any) -> Steps[Outcome]:
        """The work; what it returns is the operator's outcome. Raises LatentManError."""
        raise NotImplementedError

    @reported
    def execute(self, context: Any) -> Outcome:
        """For scripts: all of it, then come back."""
        return at_once(self.steps(context))

    def invoke(self, context: Any, event: Any) -> Outcome:
        """For a user: begin, and go on in slices."""
        if bpy.app.background or context.window is None:
            return self.execute(context)
        forget(self)
        manager = context.window_manager
        self._steps = self.steps(context)
        self._timer = manager.event_timer_add(_PERIOD_S, window=context.window)
        context.window.cursor_modal_set("WAIT")
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: Any, event: Any) -> Outcome:
        """A slice, or the end by Esc."""
        if event.type == "ESC":
            self.cancel(context)
            return {"CANCELLED"}
        return self._slice(context) if event.type == "TIMER" else {"RUNNING_MODAL"}

    def cancel(self, context: Any) -> None:
        """Stop; Blender calls it too, when the window closes. Harmless when called twice."""
        if self._steps is not None:
            self._steps.close()
            self._steps = None
            context.window_manager.event_timer_remove(self._timer)
            context.window.cursor_modal_restore()

    def _slice(self, context: Any) -> Outcome:
        scene = context.scene
        current = scene.frame_current
        limit = time.monotonic() + _SLICE_S
        outcome: Outcome = {"CANCELLED"}  # what a fault of ours leaves
        try:
            while time.monotonic() < limit:
                next(self._steps)
            outcome = {"RUNNING_MODAL"}
        except StopIteration as ended:
            outcome = ended.value
        except LatentManError as error:
            outcome = refuse(self, error)
        finally:
            if outcome != {"RUNNING_MODAL"}:
                self.cancel(context)
        if outcome != {"RUNNING_MODAL"}:
            wake()
        elif scene.frame_current != current:
            scene.frame_set(current)
        return outcome
