"""PHALP's and 4D-Humans' `demo_*.pkl` (Rajasegaran et al., "Tracking People by Predicting 3D Appearance, Location and
Pose", 2022; Goel et al., "Humans in 4D", 2023).

Written by joblib: an entry a video frame, with lists of what was seen in it, a track's number each. SMPL's rotations as
matrices, in the camera's axes (OpenCV's) alone. Depth is that of PHALP's own lens, 5000 pixels for a picture of 256.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from ..reading.clip import Ask, Clip, Filmed, Reader, Rotations, Take, chosen_person, require_sample
from ..reading.fields import Fields, as_numbers
from ..reading.shape import median_shape
from ..reading.tracked import CAMERA_UP, lens, part_of, poses_of, turned_joints, without_gaps

Array = npt.NDArray[np.float64]

_FOCAL: Final = 5000.0 / 256.0  # for a square picture of side 1
_DEPTH: Final = "PHALP guesses the lens, so the distance from the camera is a guess too."


@dataclass(slots=True)
class _Seen:
    """What the file has of one track."""

    frames: list[int] = field(default_factory=list)
    people: list[Fields] = field(default_factory=list)
    places: list[object] = field(default_factory=list)
    size: object = None  # height and width


def is_phalp(fields: Fields) -> bool:
    """Whether the file's entries are PHALP's video frames."""
    first = next(iter(fields.entries.values()), None)
    return isinstance(first, Mapping) and {"tid", "smpl", "camera"} <= first.keys()


def read_phalp(fields: Fields, ask: Ask) -> Clip:
    """One track's clip. Raises MotionError with the entry at fault."""
    require_sample(fields, ask, 1)
    tracks = _tracks(fields)
    if not tracks:
        raise fields.fault("motion.empty", next(iter(fields.entries)), "has no person, and neither has any other")
    person, warnings = chosen_person(fields, ask, len(tracks))
    number, seen = list(tracks.items())[person]
    one = Fields(f"{fields.name} (track {number})", {"camera": seen.places, "size": seen.size, "time": seen.frames})
    place = one.numbers("camera", (len(seen.frames), 3))
    matrices = np.stack([_matrices(person_seen) for person_seen in seen.people])
    poses = poses_of(turned_joints(one, "smpl", matrices).reshape(len(matrices), -1))
    track = without_gaps(one, "time", np.array(seen.frames, np.float64), poses, place)
    betas = median_shape(np.stack([person_seen.numbers("betas", (10,)) for person_seen in seen.people]))
    return Clip(
        Rotations(track.poses, track.place, "transl"),
        betas,
        notes=("The shape changes from frame to frame; its median was used.", _DEPTH, *filter(None, (track.note,))),
        warnings=warnings,
        camera=_filmed(one, len(fields.entries)),
        on_floor=ask.view == "world",
        first_frame=track.first_frame,
    )


def _matrices(person: Fields) -> Array:
    orient = person.numbers("global_orient", (1, 3, 3))
    return np.concatenate([orient, person.numbers("body_pose", (23, 3, 3))])


def _filmed(one: Fields, frames: int) -> Filmed:
    height, width = one.numbers("size", (2,))
    focal = np.full(frames, _FOCAL * max(width, height))
    centre = np.broadcast_to([width / 2.0, height / 2.0], (frames, 2))
    return Filmed(lens(focal, np.asarray(centre)), round(float(width)), round(float(height)))


def _tracks(fields: Fields) -> dict[int, _Seen]:
    """The tracks by number, in the frames in which each was detected: PHALP repeats the last one where it was not."""
    tracks: dict[int, _Seen] = {}
    for order, (key, content) in enumerate(fields.entries.items()):
        frame = part_of(fields, key, content)
        time = frame.whole("time") if "time" in frame else order
        numbers, people, places, sizes, ages = (
            _items(frame, name) for name in ("tid", "smpl", "camera", "size", "tracked_time")
        )
        for index, number in enumerate(numbers[: min(len(people), len(places))]):
            if index < len(ages) and not _is_zero(ages[index]):
                continue
            seen = tracks.setdefault(_number(frame, number), _Seen())
            seen.frames.append(order if time is None else time)
            seen.people.append(part_of(frame, "smpl", people[index]))
            seen.places.append(places[index])
            seen.size = sizes[index] if index < len(sizes) else seen.size
    return tracks


def _items(frame: Fields, key: str) -> Sequence[object]:
    value = frame.entries.get(key, ())
    if not isinstance(value, list | tuple | np.ndarray) or (isinstance(value, np.ndarray) and not value.ndim):
        raise frame.fault("motion.wrong_type", key, "is not a list")
    return list(value)


def _is_zero(value: object) -> bool:
    number = as_numbers(value)
    return number is not None and number.size == 1 and number.item() == 0


def _number(frame: Fields, value: object) -> int:
    number = as_numbers(value)
    if number is None or number.size != 1 or not np.isfinite(number).all():
        raise frame.fault("motion.wrong_type", "tid", "is not a list of numbers")
    return int(number.item())


def phalp_takes(fields: Fields) -> tuple[Take, ...]:
    """The one take, with its tracks."""
    tracks = _tracks(fields)
    longest = max((one.frames[-1] - one.frames[0] + 1 for one in tracks.values()), default=0)
    return (Take(frames=longest, people=tuple(f"track {number}" for number in tracks) or ("",)),)


PHALP: Final = Reader(
    name="PHALP",
    suffixes=("demo_*.pkl", ".pkl"),
    up=CAMERA_UP,
    fps=None,
    entries=("tid", "smpl", "camera", "size", "time", "tracked_time", "global_orient", "body_pose", "betas"),
    needless=(
        "uv", "appe", "loca", "embedding", "3d_joints", "2d_joints", "prediction_uv", "prediction_pose",
        "prediction_loca", "tracked_bbox", "tracked_ids", "mask", "center", "scale", "img_path", "img_name",
        "mask_name", "conf", "bbox", "shot", "frame",
    ),
    is_mine=is_phalp,
    read=read_phalp,
    keyed=True,
    takes=phalp_takes,
)  # fmt: skip
