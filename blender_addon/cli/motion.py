"""What the batch command does to a motion: `--motion-text`, `--repair` and `--export-motion`."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

from ..client.command_process import CommandProcess
from ..client.motion_order import TextMotion, motion_file
from ..ops.motion.exports import EXPORTS, Export
from ..ops.motion.repair import figures
from ..rig.character import chosen_character, require_characters
from ..rig.stack.repair_motion import repair_steps
from ..scene_time import at_once
from ..shared.errors import CancelledError, InputError
from ..shared.files.digest import sha256_bytes
from ..shared.files.frame_files import shown_path
from ..shared.motion.repair import REPAIRS, Repair, repair_named
from ..shot.generation import BackendChoice
from ..shot.video import video_command

Asked = tuple[Repair, float]
_WAIT_S = 0.02
_DIGITS = 8  # of a digest


def asked_repairs(given: Sequence[str]) -> list[Asked]:
    """The repairs of `--repair`, in order, each with its strength. Raises InputError for an unknown one."""
    return [_asked(one) for text in given for one in text.replace(" ", "").split(",") if one]


def repair_all(scene: Any, armature: Any, repairs: Sequence[Asked], tell: Callable[[list[str]], None]) -> None:
    """Make the repairs on a character, and say what each has brought. Raises InputError."""
    character = next(one for one in require_characters(scene) if one.armature == armature)
    for repair, strength in repairs:
        done = at_once(repair_steps(scene, character, repair, strength))
        tell([f"{repair.label}: {figures(done.before, done.after)}"])


def asked_export(path: Path | None) -> Export | None:
    """The format that the name of `--export-motion` asks for; None without it. Raises InputError for another ending."""
    if path is None:
        return None
    name = path.name.lower()
    fitting = [one for one in EXPORTS if name.endswith(one.suffix) or name == one.suffix.removeprefix("_")]
    if not fitting:
        endings = ", ".join(one.suffix for one in EXPORTS)
        what = f"{shown_path(path)} does not say in its name what to write."
        raise InputError("arguments.export_motion", what, f"Use one of: {endings}.")
    return fitting[0]


def export_motion(path: Path, export: Export, tell: Callable[[list[str]], None]) -> None:
    """Write the active character's motion, or the first's. Raises LatentManError."""
    notes = export.write(bpy.context, chosen_character(bpy.context), path.absolute())
    tell([*notes, f"{export.label} in {shown_path(path)}"])


@contextmanager
def made_here(options: argparse.Namespace, work: Path) -> Iterator[Path]:
    """The folder for the motion of `--motion-text`: a shot's, or in a dry run one that is removed afterwards."""
    if not options.dry_run:
        yield work
        return
    with tempfile.TemporaryDirectory(prefix="latentman-") as folder:
        yield Path(folder)


def with_made_motion(
    options: argparse.Namespace,
    choice: BackendChoice,
    folder: Path,
    cancelled: Callable[[], bool],
    tell: Callable[[list[str]], None],
) -> argparse.Namespace:
    """The options with the motion of `--motion-text` made, as a file in `folder/motions` that a second run makes again.

    Raises LatentManError as the command has told it, CancelledError soon after `cancelled` says so.
    """
    if options.motion_text is None:
        return options
    model = str(options.motion_model.absolute()) if options.motion_model else ""
    order = TextMotion(options.motion_text, options.motion_seconds, options.motion_seed, model=model)
    words = order.words()
    target = motion_file(folder, order.text, sha256_bytes("\n".join(words).encode())[:_DIGITS])
    target.parent.mkdir(parents=True, exist_ok=True)
    process = CommandProcess()
    process.start(video_command(choice), *words, target=target)
    try:
        while process.running:
            made = process.step()
            if made is not None:
                tell(list(made.notes))
            if cancelled():
                raise CancelledError("cancelled", "Cancelled.")
            time.sleep(_WAIT_S)
    finally:
        process.close()
    return argparse.Namespace(**{**vars(options), "motion": target})


def _asked(text: str) -> Asked:
    name, _, number = text.partition("=")
    repair = repair_named(name.replace("-", "_"))
    if repair is None:
        known = ", ".join(one.name for one in REPAIRS)
        raise InputError("arguments.repair", f"There is no repair {name[:40]!r}.", f"There are: {known}.")
    try:
        strength = float(number) if number else repair.strength
    except ValueError:
        strength = -1.0
    if not 0.0 <= strength <= 1.0:
        what = f"The strength {number[:20]!r} of {repair.name} is not a number from 0 to 1."
        raise InputError("arguments.repair", what, f"For example {repair.name}=0.5.")
    return repair, strength
