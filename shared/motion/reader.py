"""Opens a motion file of any format that the project knows; the content decides, not the file's name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import MotionError
from ..files.safe_load import is_npy, is_npz, is_pickle, npz_names, parse_npy, parse_npz, read_bytes, unpickle
from .assembly import assemble
from .model import SMPLMotion
from .readers.table import not_a_motion_file, opened_entries, reader_of
from .reading.clip import Ask, Take
from .reading.contents import Contents, contents
from .reading.fields import BARE, Fields
from .rest import RestJoints
from .up_axis import Up


def read_motion(
    path: str | Path,
    *,
    sample: int = 0,
    repetition: int = 0,
    person: int | None = None,
    fps: float | None = None,
    up: Up = "auto",
    unit_m: float | None = None,
    betas: npt.ArrayLike | None = None,  # (10,)
    rest_joints: RestJoints | None = None,  # (24, 3) metres, or what gives them for a shape
) -> SMPLMotion:
    """The motion that a file holds.

    `sample` and `repetition` choose one take of a file that holds several, `person` one of its people. `fps` replaces
    the file's rate, or its format's; `up` names the file's axis that points up, and "auto" decides by format and
    content; `unit_m` is the length of the file's unit; `betas` replaces the file's shape. `rest_joints` are those of
    the body that will show the motion, or its function from shape to joints (default: the free body's). No code in the
    file is run. What was assumed is in the motion's notes and warnings.
    Raises MotionError with the file, the entry at fault and what to do; `motion.no_rate` where `fps` must be given.
    """
    ask = Ask(sample, repetition, fps, up, unit_m, person, betas=betas)
    fields = _opened(Path(path))
    reader = reader_of(fields)
    return assemble(fields, reader, [reader.read(fields, ask)], ask, rest_joints)[0]


def read_people(path: str | Path, ask: Ask, rest_joints: RestJoints | None = None) -> tuple[SMPLMotion, ...]:
    """All people of the take that `ask` chooses, in one place; or the one person that it names.

    They are turned, lifted and scaled alike, and enter at their `first_frame`. Raises MotionError as `read_motion`.
    """
    fields = _opened(Path(path))
    reader = reader_of(fields)
    if ask.person is not None:
        return assemble(fields, reader, [reader.read(fields, ask)], ask, rest_joints)
    here = (one for one in reader.takes(fields) if (one.sample, one.repetition) == (ask.sample, ask.repetition))
    take = next(here, Take())  # the reader itself refuses a take that is not there
    people = [replace(ask, person=person) for person in range(len(take.people))]
    return assemble(fields, reader, [reader.read(fields, one) for one in people], ask, rest_joints)


def contents_of(path: str | Path) -> Contents:
    """What a file holds: takes, people, and its format's assumptions. Raises MotionError."""
    fields = _opened(Path(path))
    return contents(fields, reader_of(fields))


def _opened(path: Path) -> Fields:
    """The file's entries; an array without a name has the key `BARE`."""
    data = read_bytes(path, error=MotionError)
    if is_npz(data):
        entries = parse_npz(data, opened_entries(), name=path.name, error=MotionError)
        names = npz_names(data, name=path.name, error=MotionError)
        return Fields(path.name, entries, tuple(name for name in names if name not in entries))
    if is_npy(data):
        content = parse_npy(data, name=path.name, error=MotionError)
    elif is_pickle(data):
        content = unpickle(data, name=path.name, error=MotionError, encoding="latin1")
    else:
        raise not_a_motion_file(path.name, data[:16])
    if isinstance(content, list | tuple | np.ndarray) and len(content) == 1 and isinstance(content[0], dict):
        content = content[0]
    if isinstance(content, dict):
        return Fields(path.name, {str(key): value for key, value in content.items()})
    return Fields(path.name, {BARE: content})
