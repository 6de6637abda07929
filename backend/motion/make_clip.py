"""What `latentman motion` does: an order in, a clip's file out, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from backend.contract.motion_model import KnownFeatures, MotionModel
from backend.motion.clip_files import read_clip, smpl_motion, write_clip
from backend.motion.edits import EditedClip, keep
from backend.motion.generate import Watch, make_motion
from backend.motion.timing import Timed, require_seconds, timed
from backend.motion.windows import Clause
from shared.errors import InputError
from shared.motion.humanml.layout import HUMANML_FPS
from shared.motion.writers.amass import AMASS
from shared.motion.writers.table import write_motion

_HIGHEST_SEED: Final = 2**63 - 1
_HIGHEST_GUIDANCE: Final = 100.0


@dataclass(frozen=True, slots=True)
class ClipOrder:
    """What is wanted. Raises InputError for what cannot be, before any model is loaded."""

    output: Path  # .npy
    texts: tuple[str, ...] = ()
    seconds: tuple[float, ...] | None = None  # one for each text, or one for all
    seed: int = 0
    guidance_scale: float | None = None  # None: the model's own
    edit: Path | None = None  # a clip to change
    edit_fps: float | None = None  # its rate, where the file does not say it
    kept: tuple[tuple[int, int], ...] = ()  # its frames that stay, first and last
    upper_body: bool = False  # its legs and its path stay, and the upper body is made
    amass: Path | None = None  # .npz: the motion as rotations too

    def __post_init__(self) -> None:
        for path, suffix in ((self.output, ".npy"), (self.amass, ".npz")):
            if path is not None:
                _require_writable(path, suffix)
        if not 0 <= self.seed <= _HIGHEST_SEED:
            raise InputError("motion.seed", f"The seed {self.seed} is not from 0 to {_HIGHEST_SEED}.")
        if self.guidance_scale is not None and not 0.0 <= self.guidance_scale <= _HIGHEST_GUIDANCE:
            what = f"The guidance scale {self.guidance_scale:g} is not from 0 to {_HIGHEST_GUIDANCE:g}."
            raise InputError("motion.guidance", what, "2.5 is usual for MDM.")
        require_seconds(self.seconds or ())
        if self.edit is None and (self.kept or self.upper_body):
            raise InputError("motion.edit", "There is no motion to keep anything of.", "Name one: --edit FILE.")
        if self.edit is not None and not self.kept and not self.upper_body:
            raise InputError(
                "motion.edit", f"Nothing of {self.edit.name} is kept.", "Say what stays: --keep 0-20, or --upper-body."
            )
        if any(not text.strip() for text in self.texts) or (self.edit is None and not self.texts):
            raise InputError("motion.no_text", "There is no text.", 'Write what happens, such as "a person waves".')


@dataclass(frozen=True, slots=True)
class ClipMade:
    """What came of an order."""

    frames: int
    notes: tuple[str, ...]


def make_clip(model: MotionModel, order: ClipOrder, watch: Watch = Watch()) -> ClipMade:  # noqa: B008
    """Make the clip and write its files.

    Raises MotionError for a clip that cannot be read, InputError for texts and spans that do not fit, CancelledError
    soon after the watch says so, LatentManError where a file cannot be written. Nothing is left half-written.
    """
    source = None if order.edit is None else read_clip(order.edit, model.statistics, order.edit_fps)
    clauses, notes = _clauses(model, order, source)
    known = _known(order, source, clauses[-1].stop)
    made = make_motion(
        model,
        clauses,
        seed=order.seed,
        guidance_scale=order.guidance_scale,
        known=known,
        source=source,
        watch=watch,
    )
    text = "; ".join(clause.text for clause in clauses if clause.text)
    write_clip(order.output, made, text, model.statistics)
    notes = (*model.facts.notes, *notes, *made.notes)
    if order.amass is not None:
        fitted = smpl_motion(made, text, order.output.name)
        write_motion(order.amass, fitted, AMASS)
        notes += (f"Fitted to the body: mean joint distance {fitted.residual_cm or 0.0:.1f} cm.",)
    return ClipMade(len(made.features), notes)


def _clauses(
    model: MotionModel, order: ClipOrder, source: EditedClip | None
) -> tuple[Sequence[Clause], tuple[str, ...]]:
    """The clauses; of an edit without texts one without words, as long as the clip."""
    seconds = order.seconds or (None if source is None else (len(source.features) / HUMANML_FPS,))
    if not order.texts and seconds is not None:
        return (Clause("", 0, max(2, round(seconds[0] * HUMANML_FPS))),), ()
    read: Timed = timed(model, order.texts, seconds)
    return read.clauses, read.notes


def _known(order: ClipOrder, source: EditedClip | None, frames: int) -> KnownFeatures | None:
    if source is None:
        return None
    return keep(source, frames, order.kept, lower_body=order.upper_body)


def _require_writable(path: Path, suffix: str) -> None:
    if path.suffix.lower() != suffix:
        raise InputError("motion.output", f"{path.name} does not end in {suffix}.", f"Name it {path.stem}{suffix}.")
    if not path.absolute().parent.is_dir():
        raise InputError("motion.output", f"There is no folder {path.absolute().parent}.", "Make it first.")
    if path.is_dir():
        raise InputError("motion.output", f"{path} is a folder.", "Name a file.")
