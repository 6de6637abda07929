"""Opens a motion file of any format that the project knows; the content decides, not the file's name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy.typing as npt

from .assembly import assemble
from .model import SMPLMotion
from .opening import Opener, opened, read_here, with_companions
from .readers.table import reader_of
from .reading.clip import Ask, Reader, Take, View
from .reading.contents import Contents, contents
from .reading.fields import Fields
from .rest import RestJoints
from .retarget.bone_map import BoneMap
from .up_axis import Up


@dataclass(frozen=True, slots=True)
class MotionFile:
    """A motion file that is open: what it holds can be looked at before it is read."""

    fields: Fields
    reader: Reader

    def contents(self) -> Contents:
        """Its takes, people, and its format's assumptions. Raises MotionError where they cannot be told."""
        return contents(self.fields, self.reader)

    def people(self, ask: Ask, rest_joints: RestJoints | None = None) -> tuple[SMPLMotion, ...]:
        """All people of the take that `ask` chooses, in one place; or the one person that it names.

        They are turned and lifted alike, and enter at their `first_frame`. Raises MotionError as `read_motion` does.
        """
        asked = [ask]
        if ask.person is None:
            takes = {(one.sample, one.repetition): one for one in self.reader.takes(self.fields)}
            take = takes.get((ask.sample, ask.repetition), Take())  # the reader itself refuses one that is not there
            asked = [replace(ask, person=person) for person in range(len(take.people))]
        clips = [self.reader.read(self.fields, one) for one in asked]
        return assemble(self.fields, self.reader, clips, ask, rest_joints)


def open_motion(path: str | Path, opener: Opener = read_here) -> MotionFile:
    """The file, its entries told apart; what must be unpickled is read by `opener`. Raises MotionError for what is no
    motion file."""
    fields = opened(Path(path), opener)
    reader = reader_of(fields)
    return MotionFile(with_companions(Path(path), fields, reader, opener), reader)


def read_motion(
    path: str | Path,
    *,
    sample: int = 0,
    repetition: int = 0,
    person: int | None = None,
    fps: float | None = None,
    up: Up = "auto",
    unit_m: float | None = None,
    view: View = "world",
    bones: BoneMap | None = None,
    betas: npt.ArrayLike | None = None,  # (10,)
    rest_joints: RestJoints | None = None,  # (24, 3) metres, or what gives them for a shape
) -> SMPLMotion:
    """The motion that a file holds.

    `sample` and `repetition` choose one take of a file that holds several, `person` one of its people. `fps` replaces
    the file's rate, or its format's; `up` names the file's axis that points up, and "auto" decides by format and
    content; `unit_m` is the length of the file's unit; `view` says whose axes a filmed motion has; `bones` says which
    bones of another skeleton are SMPL's joints; `betas` replaces the file's shape. `rest_joints` are those of the body
    that will show the motion, or its function from shape to joints (default: the free body's). No code in the file is
    run. What was assumed is in the motion's notes and warnings.
    Raises MotionError with the file, the entry at fault and what to do; `motion.no_rate` where `fps` must be given.
    """
    ask = Ask(sample, repetition, fps, up, unit_m, person, view=view, bones=bones, betas=betas)
    file = open_motion(path)
    return assemble(file.fields, file.reader, [file.reader.read(file.fields, ask)], ask, rest_joints)[0]


def read_people(path: str | Path, ask: Ask, rest_joints: RestJoints | None = None) -> tuple[SMPLMotion, ...]:
    """All people of the take that `ask` chooses: `MotionFile.people`."""
    return open_motion(path).people(ask, rest_joints)


def contents_of(path: str | Path) -> Contents:
    """What a file holds: `MotionFile.contents`."""
    return open_motion(path).contents()
