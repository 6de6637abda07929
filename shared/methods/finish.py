"""What is done to the finished frames of a job, whatever its method: declared like a method's settings."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from ..errors import InputError
from .setting import Choice, MethodSettings, setting
from .spec import MethodSpec, SettingsGroup

FINISH = "finish"


@dataclass(frozen=True, slots=True)
class FinishSettings(MethodSettings):
    """Settings of every job's finish.

    - `lock`: frames show one surface, put together from the pictures of the segments so far.
    - `background`: with the lock, what stands behind the body: each frame's own, or one plate for all.
    - `upscale`: how many times wider and higher the frames are than the job's own size.
    """

    lock: Literal["auto", "on", "off"] = setting(
        "auto",
        "Lock",
        "Give the body the same surface in all frames",
        group=FINISH,
        choices=(
            Choice("auto", "Automatic", "On with methods made for it, such as SurfaceLock"),
            Choice("on", "On", "With any method"),
            Choice("off", "Off", "Frames as the method made them"),
        ),
        added=5,
        before="off",
    )
    background: Literal["auto", "keep", "plate"] = setting(
        "auto",
        "Background",
        "What the lock puts behind the body",
        group=FINISH,
        choices=(
            Choice("auto", "Automatic", "A plate, unless it would cut off something beside the body, such as a cape"),
            Choice("keep", "Keep", "Each frame's own"),
            Choice("plate", "Plate", "A plate: one picture for all frames"),
        ),
        added=5,
        before="auto",
    )
    upscale: Literal["off", "2", "4"] = setting(
        "off",
        "Upscale",
        "Enlarge the finished frames with a neural network: sharper, but less steady than plain enlarging. "
        "Needs the backend's extra latentman[upscale]",
        group=FINISH,
        choices=(
            Choice("off", "Off"),
            Choice("2", "2x", "Twice as wide and high"),
            Choice("4", "4x", "Four times as wide and high"),
        ),
        added=5,
        before="off",
        mends=("job.upscale", "Do Not Enlarge"),
    )


FINISH_GROUP = SettingsGroup(FINISH, "What is done to finished frames, whatever the method", FinishSettings)
NO_FINISH = FinishSettings(lock="off")


def is_locked(method: MethodSpec, finish: FinishSettings) -> bool:
    """Whether the frames of a job of this method are locked."""
    return method.locked if finish.lock == "auto" else finish.lock == "on"


def acting(method: MethodSpec, finish: FinishSettings) -> FinishSettings:
    """The settings that say the same in one way: the lock on or off, and no more of it where it is off."""
    if is_locked(method, finish):
        return dataclasses.replace(finish, lock="on")
    return dataclasses.replace(NO_FINISH, upscale=finish.upscale)


def frame_size(finish: FinishSettings, width: int, height: int) -> tuple[int, int]:
    """Width and height of the finished frames of a job of this size."""
    factor = 1 if finish.upscale == "off" else int(finish.upscale)
    return width * factor, height * factor


def check_finish(finish: FinishSettings, width: int, height: int, most: int) -> None:
    """Refuse frames of more than `most` pixels a side. Whether it can enlarge, a backend says. Raises InputError."""
    size = frame_size(finish, width, height)
    if finish.upscale != "off" and max(size) > most:
        raise InputError(
            "job.upscale",
            f"Frames enlarged {finish.upscale} times have {size[0]}x{size[1]} pixels; the limit is {most} a side.",
            "Choose a smaller Upscale, or smaller frames.",
        )
