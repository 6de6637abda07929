"""How operators refuse: one sentence in the status bar, kept in the panel of the button with what mends it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..help.places import place_of
from ..shared.errors import LatentManError
from ..shot.hider_watch import look_again
from ..shot.running import generation, wake
from ..typed_bpy import Outcome

_Execute = Callable[[Any, Any], Outcome]


def reported(execute: _Execute) -> _Execute:
    """Have an operator's `execute` refuse with the error that it raises. The panel's earlier message goes first."""

    @functools.wraps(execute)
    def run(self: Any, context: Any) -> Outcome:
        generation().problems.clear(_place(self))
        try:
            outcome = execute(self, context)
        except LatentManError as error:
            return refuse(self, error)
        wake()
        return outcome

    return run


def refuse(operator: Any, error: LatentManError) -> Outcome:
    """Report an error as an operator's outcome."""
    generation().problems.say(error, _place(operator))
    wake()
    operator.report({"ERROR"}, str(error))
    return {"CANCELLED"}


def warn_of_hiders(operator: Any, context: Any) -> None:
    """Say in the status bar which objects hide a character; the panel says so as well."""
    for one in look_again(context):
        operator.report({"WARNING"}, one.sentence)


def _place(operator: Any) -> str:
    """The panel of an operator, whose instance has the name of its class: LATENTMAN_OT_import_motion."""
    return place_of(operator.bl_idname.replace("_OT_", ".").lower())


def allow(kind: Any, reason: str) -> bool:
    """Whether there is no reason against an operator; a reason is what its grey button says."""
    if reason:
        kind.poll_message_set(reason)
    return not reason
