"""What a reader hands on: the numbers of one clip in the file's own axes, and what it says about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from ...errors import MotionError
from ..retarget.bone_map import BoneMap
from ..retarget.places import joint_places, mapped
from ..retarget.skeleton import SkeletonMotion
from ..up_axis import Up
from .fields import Fields

Array = npt.NDArray[np.float64]
View = Literal["world", "camera"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a user says about a file, where the file does not say it or says it wrongly."""

    sample: int = 0  # which motion of a file that holds several
    repetition: int = 0
    fps: float | None = None  # the clip's frames a second; None: the file's, or the format's
    up: Up = "auto"  # the file's axis that points up
    unit_m: float | None = None  # metres in one unit of the file's places; None: the format's
    person: int | None = None  # who of a take with several people; None: the first, and the others are mentioned
    spare_fps: float | None = None  # for a file without a rate whose format has none either; told in a warning
    betas: npt.ArrayLike | None = None  # (10,) the shape to show instead of the file's
    view: View = "world"  # whose axes the motion has, where a file has both
    bones: BoneMap | None = None  # of a file with a skeleton of its own; None: by the names and the shape


@dataclass(frozen=True, slots=True, eq=False)
class Rotations:
    """Joint rotations and where the body is."""

    poses: Array  # (frames, 24, 3) axis-angle radians
    place: Array  # (frames, 3) in the unit of the reader's `unit_m`
    place_is: Literal["pelvis", "transl"]  # the pelvis joint itself, or SMPL's translation: pelvis - J0
    model: Literal["smpl", "smplx"] = "smpl"  # whose rest pelvis J0 a `transl` is counted from
    carried: tuple[Array, Array] | None = None  # R (frames, 3, 3), t (frames, 3): R x + t is in the clip's axes
    twist_known: bool = True  # False: the turn of a bone about itself was guessed from positions


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Joint positions, in SMPL's joint order."""

    joints: Array  # (frames, 22 or 24, 3), any unit of length


@dataclass(frozen=True, slots=True, eq=False)
class Filmed:
    """The camera that filmed a clip. Where it stands is said, or follows from the person as the camera sees it."""

    intrinsics: Array  # (frames, 3, 3) pixels
    width: int  # pixels
    height: int
    rotation: Array | None = None  # (frames, 3, 3) from the clip's axes to the camera's, OpenCV's
    translation: Array | None = None  # (frames, 3) metres
    seen: Rotations | None = None  # the clip's person in the camera's axes, frame by frame


@dataclass(frozen=True, slots=True, eq=False)
class Bones:
    """Another skeleton's bones, one for each of SMPL's 22 joints: how they stand in the world, and where."""

    turns: Array  # (frames, 22, 3, 3) from the skeleton's own rest pose, in the world
    joints: Array  # (frames, 22, 3), any unit of length
    same_rest: bool = False  # whether that skeleton rests as SMPL does, so that its turns are SMPL's


@dataclass(frozen=True, slots=True, eq=False)
class Skeletal:
    """Another skeleton's motion, in the file's axes, with its bone map."""

    motion: SkeletonMotion
    bone_map: BoneMap

    @property
    def joints(self) -> Array:
        """The joints' places, (frames, 24, 3), any unit of length. Raises MotionError where the map does not fit."""
        return joint_places(mapped(self.motion, self.bone_map))


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One clip of a file."""

    body: Rotations | Positions | Bones | Skeletal
    betas: Array = field(default_factory=lambda: np.zeros(10))
    text: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  # what a user must look at
    up: Up | None = None  # the axis that points up in this clip, where it is not the format's
    camera: Filmed | None = None
    on_floor: bool = False  # whether the clip has no floor of its own and is put onto ours
    first_frame: int = 0  # where a person enters later than another: frames after the take's first


@dataclass(frozen=True, slots=True)
class Take:
    """One of the motions that a file holds, by the numbers that `Ask` chooses it with."""

    sample: int = 0
    repetition: int = 0
    text: str = ""
    frames: int = 0  # of the person with most; 0 where it is not known without reading the take
    people: tuple[str, ...] = ("",)  # a name each, in the order in which `Ask.person` counts; a lone one needs none

    @property
    def label(self) -> str:
        """What a choice shows: its numbers and its text."""
        number = f"{self.sample}" if not self.repetition else f"{self.sample}, repetition {self.repetition}"
        return f"Sample {number}: {self.text}" if self.text else f"Sample {number}"


def one_take(fields: Fields) -> tuple[Take, ...]:
    """The takes of a format whose files hold one clip of one person."""
    return (Take(),)


@dataclass(frozen=True, slots=True)
class Reader:
    """A format: by what it is told apart, what it assumes, and how it is read."""

    name: str
    suffixes: tuple[str, ...]  # as its program names the files; the content decides, not the name
    up: Up  # the axis that points up by the format's convention
    fps: float | None  # the rate of every file that names none; None: such a file must be asked about
    entries: tuple[str, ...]  # those that are read
    needless: tuple[str, ...]  # those that are known and say nothing that is missing
    is_mine: Callable[[Fields], bool]
    read: Callable[[Fields, Ask], Clip]
    takes: Callable[[Fields], tuple[Take, ...]] = one_take  # told from shapes and names, without reading the numbers
    likely_fps: float = 30.0  # what a question about the rate is filled in with
    unit_m: float | None = 1.0  # metres in one unit of places; None: any unit, the clip is scaled to the body
    rate_keys: tuple[str, ...] = ()  # entries of its own that hold the rate; the usual names are known (`rates`)
    two_views: bool = False  # whether its files have the motion in the world and as the camera sees it
    keyed: bool = False  # whether the file's entries are named by its frames or people
    companions: tuple[str, ...] = ()  # files that lie beside its own, by their paths from there; `FILE/ENTRY` in fields
    marks: tuple[str, ...] = ()  # entries that only tell the format apart


def chosen_person(fields: Fields, ask: Ask, people: int) -> tuple[int, tuple[str, ...]]:
    """Who is read of a take with so many people, and what to warn of. Raises MotionError `motion.no_such_person`."""
    person = ask.person or 0
    if not 0 <= person < people:
        there = "The file has one person: leave it at 0." if people == 1 else f"The file has persons 0 to {people - 1}."
        raise MotionError("motion.no_such_person", f"{fields.name} has no person {person}.", there)
    if ask.person is None and people > 1:
        return 0, (f"The file has {people} people. Only person 0 was imported.",)
    return person, ()


def require_sample(fields: Fields, ask: Ask, samples: int, repetitions: int = 1) -> None:
    """Raises MotionError `motion.no_such_sample` where the file does not hold what is asked for."""
    if 0 <= ask.sample < samples and 0 <= ask.repetition < repetitions:
        return
    there = f"The file has samples 0 to {samples - 1} and repetitions 0 to {repetitions - 1}."
    raise MotionError(
        "motion.no_such_sample",
        f"{fields.name} has no sample {ask.sample}, repetition {ask.repetition}.",
        "The file has one motion: leave sample and repetition at 0." if samples * repetitions == 1 else there,
    )
