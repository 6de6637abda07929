"""What mends an error: for each family of codes the operator whose button stands beside the message. No bpy in here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fix:
    """One button."""

    operator: str
    label: str


_PREFERENCES = Fix("latentman.open_preferences", "Open Preferences")
_START = Fix("latentman.start_backend", "Start Backend")
_LOG = Fix("latentman.show_log", "Open Log")
_DOCTOR = Fix("latentman.doctor", "Ask the Doctor")
_FRAME = Fix("latentman.frame_shot", "Frame the Shot")
_RESUME = Fix("latentman.resume", "Resume")
_SAVE = Fix("wm.save_mainfile", "Save File")

# The longest matching beginning of the code counts.
FIXES: dict[str, tuple[Fix, ...]] = {
    "addon.": (_RESUME,),
    "backend.": (_START, _LOG),
    "backend.command": (_PREFERENCES,),
    "backend.died": (_START, _LOG, _DOCTOR),
    "backend.not_found": (_PREFERENCES,),
    "backend.start": (_LOG, _DOCTOR, _PREFERENCES),
    "backend.stopping": (),
    "camera.": (_FRAME,),
    "connection.": (_PREFERENCES,),
    "job.": (_RESUME,),
    "model.": (_DOCTOR,),
    "output.relative": (_SAVE, _PREFERENCES),
    "passes.no_camera": (_FRAME,),
    "passes.out_of_view": (_FRAME,),
    "protocol.": (_DOCTOR, _PREFERENCES),
    "render.": (_RESUME,),
    "render.hidden": (_FRAME,),
    "rig.no_character": (Fix("latentman.import_motion", "Import Motion"),),
    "settings.other": (Fix("latentman.reset_hidden", "Reset Other Settings"),),
    "storage.": (_RESUME,),
}


def fixes_for(code: str) -> tuple[Fix, ...]:
    """The buttons for an error, most likely first; empty where only the user can mend it."""
    known = [prefix for prefix in FIXES if code.startswith(prefix)]
    return FIXES[max(known, key=len)] if known else ()
