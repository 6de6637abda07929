"""Joint positions: MDM's `results.npy` and its descendants' (PriorMDM, GMD, T2M-GPT, MoMask, MARDM), MotionGPT3's,
MotionLCM's pickles, HumanML3D's new_joints.

Tevet et al., "Human Motion Diffusion Model", 2022. A table of motions with texts and lengths, or the bare positions;
sample s of repetition r is motion r * num_samples + s. Y up, 20 frames a second, HumanML3D's rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..humanml.layout import KEPT_ENTRIES
from ..reading.clip import Ask, Clip, Positions, Reader, Take, chosen_person, require_sample
from ..reading.fields import BARE, Fields, as_numbers
from ..reading.layout import clips_in, is_positions, positions_of

Array = npt.NDArray[np.float64]

_MOTIONS: Final = (
    "motion",
    "motions",
    "joints",
    "positions",
    "joint_positions",
    "joints3d",
    "xyz",
    "pred_xyz",
    "arr_0",
    BARE,
)
_OTHER_PERSONS: Final = ("other_motion", "motion2", "motion_2", "motion_other")
RESULTS_ENTRIES: Final = (*_MOTIONS, *_OTHER_PERSONS, "text", "texts", "lengths", "num_samples", "num_repetitions")
RESULTS_NEEDLESS: Final = ("frame_colors", "length", "hint", "caption", *KEPT_ENTRIES)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """One motion of the file, cut to its length where the last axis counts frames."""

    key: str
    clip: Array
    text: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def motions_key(fields: Fields) -> str | None:
    """The entry that holds the motions."""
    return fields.first(*_MOTIONS)


def results_takes(fields: Fields) -> tuple[Take, ...]:
    """A take a motion, with its text and its length."""
    key = motions_key(fields) or _MOTIONS[0]
    clips = clips_in(fields.raw(key))
    samples, _ = _counts(fields, len(clips))
    people = tuple(f"Person {number}" for number in range(len(_people(fields, key)))) if _others(fields) else ("",)
    return tuple(
        Take(
            index % samples,
            index // samples,
            _text(fields, index, len(clips)),
            _length(fields, clip, index, len(clips)) or clip.shape[_time_axis(clip)],
            people,
        )
        for index, clip in enumerate(clips)
    )


def choose(fields: Fields, ask: Ask) -> Chosen:
    """The requested motion. Raises MotionError for a take or a person that is not there, and a length of 0."""
    first = motions_key(fields) or _MOTIONS[0]
    keys = _people(fields, first)
    person, warnings = chosen_person(fields, ask, len(keys))
    key = keys[person]
    clips = clips_in(fields.raw(key))
    if not clips:
        raise fields.fault("motion.wrong_shape", key, f"has shape {fields.array(key).shape}, which is not a motion")
    index, which = _index(fields, len(clips), ask)
    clip, length_notes = _cut(fields, clips[index], index, len(clips))
    return Chosen(key, clip, _text(fields, index, len(clips)), (*which, *length_notes), warnings)


def read_results(fields: Fields, ask: Ask) -> Clip:
    """One motion of a file of joint positions. Raises MotionError for skeletons that are not SMPL's."""
    chosen = choose(fields, ask)
    joints = positions_of(fields, chosen.key, chosen.clip)
    return Clip(Positions(joints), text=chosen.text, notes=chosen.notes, warnings=chosen.warnings)


def _others(fields: Fields) -> tuple[str, ...]:
    """The entries of the people behind the first one."""
    return tuple(other for other in _OTHER_PERSONS if other in fields)


def _people(fields: Fields, first: str) -> tuple[str, ...]:
    return (first, *_others(fields))


def _counts(fields: Fields, count: int) -> tuple[int, int]:
    """How many samples and repetitions so many motions are."""
    samples = fields.whole("num_samples") or count
    repetitions = fields.whole("num_repetitions") or 1
    return (samples, repetitions) if samples >= 1 and samples * repetitions == count else (count, 1)


def _index(fields: Fields, count: int, ask: Ask) -> tuple[int, tuple[str, ...]]:
    samples, repetitions = _counts(fields, count)
    require_sample(fields, ask, samples, repetitions)
    said = f"The file has {count} motions; this is sample {ask.sample}, repetition {ask.repetition}."
    return ask.repetition * samples + ask.sample, (said,) if count > 1 else ()


def _cut(fields: Fields, clip: Array, index: int, count: int) -> tuple[Array, tuple[str, ...]]:
    """The clip without the padding after its length, if `lengths` has one length per motion."""
    if "lengths" not in fields:
        return clip, ()
    lengths = as_numbers(fields.entries["lengths"])
    if lengths is None or lengths.size != count:
        parts = count == 1 and lengths is not None and lengths.size > 1
        why = "has the lengths of parts" if parts else f"does not have {count} lengths"
        return clip, (f"'lengths' {why}, so all frames were imported.",)
    length = float(fields.finite("lengths", lengths).reshape(-1)[index])
    axis = _time_axis(clip)
    present = clip.shape[axis]
    if length < 1:
        raise fields.fault("motion.wrong_length", "lengths", f"says {length:g} of {present} frames")
    if length > present:
        return clip, (f"'lengths' says {length:g} frames, but the file has {present}.",)
    return np.take(clip, np.arange(int(length)), axis=axis), ()


def _time_axis(clip: Array) -> int:
    """The axis that counts frames."""
    return 0 if clip.shape[-1] == 3 and is_positions(clip) and clip.shape[1] != 3 else clip.ndim - 1


def _length(fields: Fields, clip: Array, index: int, count: int) -> int:
    """The frames of a clip without its padding; 0 where nothing says it."""
    lengths = as_numbers(fields.entries.get("lengths"))
    if lengths is None or lengths.size != count or not np.isfinite(lengths).all():
        return 0
    return min(int(lengths.reshape(-1)[index]), clip.shape[_time_axis(clip)])


def _text(fields: Fields, index: int, count: int) -> str:
    """The motion's text; texts of parts are joined. Empty if there is none."""
    value = fields.entries.get("text", fields.entries.get("texts"))
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple) and len(value) == count:
        value = value[index]
    elif isinstance(value, list | tuple) and count > 1:
        return ""
    parts = value if isinstance(value, list | tuple) else [value]  # DiP's and PriorMDM's are lists of prompts
    return "; ".join(part for part in parts if isinstance(part, str))


def _is_results(fields: Fields) -> bool:
    key = motions_key(fields)
    return key is not None and (key != BARE or any(3 in clip.shape[1:] for clip in clips_in(fields.entries[key])))


RESULTS: Final = Reader(
    name="MDM",
    suffixes=("results.npy", ".npy", ".npz", ".pkl"),
    up="y",
    fps=20.0,
    entries=RESULTS_ENTRIES,
    needless=RESULTS_NEEDLESS,
    is_mine=_is_results,
    read=read_results,
    takes=results_takes,
    unit_m=None,
)
