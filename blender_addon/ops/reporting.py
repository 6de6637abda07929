"""How operators refuse: one sentence in the status bar, and kept in the panel with the button that mends it."""

from __future__ import annotations

from typing import Any

from ..shared.errors import LatentManError
from ..shot.running import generation, wake
from ..typed_bpy import Outcome


def refuse(operator: Any, error: LatentManError) -> Outcome:
    """Report an error as an operator's outcome."""
    generation().error = error
    wake()
    operator.report({"ERROR"}, str(error))
    return {"CANCELLED"}


def allow(kind: Any, reason: str) -> bool:
    """Whether there is no reason against an operator; a reason is what its grey button says."""
    if reason:
        kind.poll_message_set(reason)
    return not reason
