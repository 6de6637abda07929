"""How operators refuse, with one sentence in the status bar that the panel keeps with the button that mends it, and how
they show a log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ..shared.errors import LatentManError
from ..shot.running import generation, wake
from ..typed_bpy import Outcome

_LOG_BYTES = 1 << 20


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


def show_log_text(operator: Any, file: Path | None, name: str) -> Outcome:
    """Fill the text of that name in Blender with the end of the log, as an operator's outcome."""
    try:
        content = b"" if file is None else file.read_bytes()[-_LOG_BYTES:]
    except OSError as error:
        operator.report({"ERROR"}, f"The log {file} cannot be read: {error.strerror}.")
        return {"CANCELLED"}
    text = bpy.data.texts.get(name) or bpy.data.texts.new(name)
    text.from_string(content.decode("utf-8", "replace"))
    operator.report({"INFO"}, f"The log is the text {text.name!r}")
    return {"FINISHED"}
