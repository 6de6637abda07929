"""What happens to the finished frames of a job with any method, declared like a method's settings."""

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

    - `lock`: all frames show one surface texture, gathered from the pictures of the segments so far.
    - `background`: what is behind the body when the lock is on: each frame's own background, or one plate for all.
    - `upscale`: how many times wider and higher the frames are than the job's size.
    """

    lock: Literal["auto", "on", "off"] = setting(
        "auto",
        "Lock",
        "Give the body the same surface texture in every frame",
        group=FINISH,
        choices=(
            Choice("auto", "Automatic", "On for methods designed for it, such as SurfaceLock"),
            Choice("on", "On", "On for every method"),
            Choice("off", "Off", "Keep the frames as the method made them"),
        ),
        added=5,
        before="off",
    )
    background: Literal["auto", "keep", "plate"] = setting(
        "auto",
        "Background",
        "What to show behind the body when the lock is on",
        group=FINISH,
        choices=(
            Choice("auto", "Automatic", "A plate, unless it could cut off hair, clothes or props outside the body"),
            Choice("keep", "Keep", "Keep each frame's own background"),
            Choice("plate", "Plate", "Use one background picture for all frames"),
        ),
        added=5,
        before="auto",
    )
    upscale: Literal["off", "2", "4"] = setting(
        "off",
        "Upscale",
        "Enlarge the finished frames with Real-ESRGAN. They get sharper than with plain resizing, but flicker more. "
        "The backend must have its upscale extra installed",
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


FINISH_GROUP = SettingsGroup(FINISH, "What happens to finished frames with any method", FinishSettings)
NO_FINISH = FinishSettings(lock="off")


def is_locked(method: MethodSpec, finish: FinishSettings) -> bool:
    """Whether the frames of a job of this method are locked."""
    return method.locked if finish.lock == "auto" else finish.lock == "on"


def acting(method: MethodSpec, finish: FinishSettings) -> FinishSettings:
    """Equivalent settings in one normal form: the lock is on or off, and its other settings only count when on."""
    if is_locked(method, finish):
        return dataclasses.replace(finish, lock="on")
    return dataclasses.replace(NO_FINISH, upscale=finish.upscale)


def frame_size(finish: FinishSettings, width: int, height: int) -> tuple[int, int]:
    """Width and height of the finished frames of a job of this size."""
    factor = 1 if finish.upscale == "off" else int(finish.upscale)
    return width * factor, height * factor


def check_finish(finish: FinishSettings, width: int, height: int, most: int) -> None:
    """Refuse frames of more than `most` pixels a side; whether the backend can enlarge is not checked. InputError."""
    size = frame_size(finish, width, height)
    if finish.upscale != "off" and max(size) > most:
        raise InputError(
            "job.upscale",
            f"Enlarging {finish.upscale} times gives {size[0]}x{size[1]} pixels; the limit is {most} a side.",
            "Lower Upscale, or generate smaller frames.",
        )
