"""How operators refuse: one sentence in the status bar, and kept in the panel with the button that mends it."""

from __future__ import annotations

from typing import Any

from ..shared.errors import LatentManError
from ..shot.hider_watch import look_again
from ..shot.running import generation, wake
from ..typed_bpy import Outcome


def refuse(operator: Any, error: LatentManError) -> Outcome:
    """Report an error as an operator's outcome."""
    generation().error = error
    wake()
    operator.report({"ERROR"}, str(error))
    return {"CANCELLED"}


def warn_of_hiders(operator: Any, context: Any) -> None:
    """Say in the status bar which objects hide a character; the panel says so as well."""
    for one in look_again(context):
        operator.report({"WARNING"}, one.sentence)


def allow(kind: Any, reason: str) -> bool:
    """Whether there is no reason against an operator; a reason is what its grey button says."""
    if reason:
        kind.poll_message_set(reason)
    return not reason
