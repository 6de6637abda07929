"""The buttons beside an error: for each family of codes, the operators that fix it. No bpy in here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..shared.methods.setting import declared
from ..shared.methods.table import settings_groups


@dataclass(frozen=True, slots=True)
class Fix:
    """One button, and the properties that its operator is called with."""

    operator: str
    label: str
    properties: tuple[tuple[str, str], ...] = ()


def _reset(setting: str, label: str) -> Fix:
    return Fix("latentman.reset_setting", label, (("setting", setting),))


_PREFERENCES = Fix("latentman.open_preferences", "Open Preferences")
_INSTALL = Fix("latentman.install_backend", "Install Backend")
_WHEEL = Fix("latentman.install_backend", "Choose File")
_AGAIN = Fix("latentman.install_backend", "Try Again")
_INSTALL_LOG = Fix("latentman.show_install_log", "Open Log")
_START = Fix("latentman.start_backend", "Start Backend")
_LOG = Fix("latentman.show_log", "Open Log")
_DOCTOR = Fix("latentman.doctor", "Ask the Doctor")
_FRAME = Fix("latentman.frame_shot", "Frame the Shot")
_RESUME = Fix("latentman.resume", "Resume")
_GENERATE = Fix("latentman.generate", "Generate")
_CANCEL = Fix("latentman.cancel", "Cancel")
_SAVE = Fix("wm.save_mainfile", "Save File")
_IMPORT = Fix("latentman.import_motion", "Import Motion")
_OTHER_MOTION = Fix("latentman.import_motion", "Choose File")
_FRAME_RATE = Fix("latentman.ask_frame_rate", "Set Frame Rate")
_GUESS = Fix("latentman.guess_bones", "Guess Bones")
_LOAD_MAP = Fix("latentman.load_bone_map", "Load Map")
_OTHER_JOB = Fix("latentman.load_job", "Choose File")
_OTHER_OUTPUT = Fix("latentman.choose_output", "Choose Folder")
_OTHER_TEXTURE = Fix("latentman.put_texture_file", "Choose File")
_FIND = Fix("latentman.find_takes", "Find Takes")
_HIDDEN = Fix("latentman.reset_hidden", "Reset Other Settings")
_EDIT_PROMPTS = Fix("latentman.edit_prompts", "Edit Keyed Prompts")
_SHORTEN = Fix("latentman.shorten_segments", "Shorten Segments")
_RELEASE = Fix("latentman.release_memory", "Release Memory")
_FIND_FILES = Fix("file.find_missing_files", "Find Missing Files")
_LEAVE_OUT = Fix("latentman.leave_out", "Leave Out What Hides It")
_FREE_BODY = _reset("body_path", "Use the Free Body")
_EMBEDDED = _reset("model", "Use the Embedded Model")
_ALL_FRAMES = _reset("frames", "Use the Scene's Frames")

# The longest matching beginning of the code counts. What a setting mends stands in its declaration.
# Of motions that are made, changed or taken from an armature: no other file helps, so the message says what to do.
_OF_NO_FILE = (
    "motion.edit",
    "motion.gap",
    "motion.guidance",
    "motion.mirrored",
    "motion.no_keys",
    "motion.no_text",
    "motion.not_filled",
    "motion.not_fitted",
    "motion.nothing_to_fit",
    "motion.output",
    "motion.scaled_away",
    "motion.seconds",
    "motion.seed",
    "motion.spans",
    "motion.unknown_action",
)
FIXES: dict[str, tuple[Fix, ...]] = {
    **dict.fromkeys(_OF_NO_FILE, ()),
    "addon.": (_RESUME,),
    "arguments.job": (_OTHER_JOB,),
    "backend.": (_START, _LOG),
    "backend.bind": (_PREFERENCES, _LOG),
    "backend.busy": (_CANCEL,),
    "backend.command": (_PREFERENCES,),
    "backend.command_failed": (_DOCTOR, _PREFERENCES),
    "backend.died": (_RESUME, _START, _LOG, _DOCTOR),
    "backend.frame": (_RESUME, _LOG),
    "backend.install_": (_AGAIN, _INSTALL_LOG, _PREFERENCES),
    "backend.install_space": (_AGAIN, _PREFERENCES),
    "backend.keys": (_START, _LOG),
    "backend.launch": (_PREFERENCES, _LOG, _DOCTOR),
    "backend.locked": (_OTHER_OUTPUT,),
    "backend.lost": (_RESUME, _START, _PREFERENCES),
    "backend.no_curve": (_DOCTOR,),
    "backend.not_found": (_INSTALL, _PREFERENCES),
    "backend.package": (_WHEEL, _PREFERENCES),
    "backend.start": (_LOG, _DOCTOR, _PREFERENCES),
    "backend.start_slow": (_START, _LOG, _DOCTOR),
    "backend.stopping": (),
    "body.": (_FREE_BODY,),
    "camera.": (_FRAME,),
    "camera.no_character": (_IMPORT,),
    "connection.": (_PREFERENCES,),
    "correspondence.": (_HIDDEN, _LOG),
    "file.": (_OTHER_MOTION, _FREE_BODY),
    "frames.": (_ALL_FRAMES,),
    "input.": (_RESUME,),
    "job.": (_RESUME,),
    "job.error": (_RESUME, _LOG),
    "job.file": (_OTHER_JOB,),
    "job.invalid": (_OTHER_JOB,),
    "job.lora_scale": (_HIDDEN,),
    "job.memory": (_SHORTEN, _RELEASE),
    "job.model": (_EMBEDDED, _HIDDEN),
    "job.settings": (_HIDDEN,),
    "job.worker_died": (_RESUME, _SHORTEN, _LOG, _DOCTOR),
    "journal.": (_OTHER_OUTPUT, _LOG),
    "journal.full": (_RESUME, _OTHER_OUTPUT),
    "method.": (_HIDDEN, _LOG),
    "model.": (_EMBEDDED, _PREFERENCES, _DOCTOR),
    "model.embedding": (_HIDDEN,),
    "model.lora": (_HIDDEN,),
    "model.tiny_decoder": (_PREFERENCES,),
    "motion.": (_OTHER_MOTION,),
    "motion.bone_map": (_GUESS, _LOAD_MAP),
    "motion.no_rate": (_FRAME_RATE, _OTHER_MOTION),
    "objects.": (_FRAME,),
    "output.": (_OTHER_OUTPUT, _PREFERENCES),
    "output.relative": (_SAVE, _OTHER_OUTPUT),
    "passes.": (_RESUME,),
    "passes.no_camera": (_FRAME,),
    "passes.out_of_view": (_FRAME,),
    "passes.size": (),
    "protocol.": (_DOCTOR, _PREFERENCES),
    "protocol.version": (_PREFERENCES, _DOCTOR),
    "render.": (_RESUME,),
    "render.hidden": (_LEAVE_OUT, _FRAME),
    "render.too_small": (_FRAME,),
    "rig.": (_IMPORT,),
    "rig.library": (_FIND_FILES,),
    "rig.not_rendered": (_RESUME,),
    "rig.source": (),
    "sample.": (_LOG,),
    "settings.other": (_HIDDEN,),
    "settings.prompts": (_EDIT_PROMPTS,),
    "storage.": (_OTHER_OUTPUT, _RESUME),
    "storage.full": (_RESUME, _OTHER_OUTPUT),
    "take.": (_GENERATE,),
    "texture.": (_OTHER_TEXTURE,),
    "texture.charts": (_IMPORT,),
    "timeline.": (_FIND,),
    "timeline.no_frame": (_RESUME, _FIND),
    "worker.": (_RESUME, _LOG),
    "video.": (_PREFERENCES, _DOCTOR),
    "video.busy": (),
}


def fixes_for(code: str) -> tuple[Fix, ...]:
    """The buttons for an error, most likely first; empty if only the user can mend it."""
    known = [prefix for prefix in FIXES if code.startswith(prefix)]
    return (*_of_settings(code), *(FIXES[max(known, key=len)] if known else ()))


def _of_settings(code: str) -> Iterator[Fix]:
    """The buttons that settings declare: each puts one of a method's or the finish's back to its default."""
    for owner in settings_groups().values():
        for name, one in declared(owner.settings).items():
            if one.mends is not None and one.mends[0] == code:
                yield _reset(f"{owner.name}.{name}", one.mends[1])
