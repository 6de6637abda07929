"""How operators refuse: one sentence in the status bar, kept in the panel of the button with what fixes it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ...client.warm_backend import whole_log
from ...help.places import place_of
from ...shared.errors import LatentManError
from ...shot.hider_watch import look_again
from ...shot.running import generation, wake
from ...typed_bpy import Outcome

_Execute = Callable[[Any, Any], Outcome]


def reported(execute: _Execute) -> _Execute:
    """Have an operator's `execute` refuse with the error that it raises. The panel's earlier message goes first."""

    @functools.wraps(execute)
    def run(self: Any, context: Any) -> Outcome:
        forget(self)
        try:
            outcome = execute(self, context)
        except LatentManError as error:
            return refuse(self, error)
        wake()
        return outcome

    return run


def forget(operator: Any) -> None:
    """Take the earlier message of an operator's panel away, since the user tries again."""
    generation().problems.clear(_place(operator))


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


def show_log_text(operator: Any, file: Path | None, name: str) -> Outcome:
    """Fill the text of that name in Blender with the end of the log, as an operator's outcome."""
    try:
        content = "" if file is None else whole_log(file)
    except OSError as error:
        operator.report({"ERROR"}, f"The log {file} cannot be read: {error.strerror}.")
        return {"CANCELLED"}
    text = bpy.data.texts.get(name) or bpy.data.texts.new(name)
    text.from_string(content)
    operator.report({"INFO"}, f"The log is in the text {text.name!r}")
    return {"FINISHED"}
