"""The method `surfacelock`: its settings, this project's own method beyond the paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .plain import MASACTRL, TEXT2VIDEO_ZERO
from .setting import Choice, MethodSettings, setting
from .spec import HELD, MethodSpec, Needs, Preset

Attention = Literal["none", "text2video_zero", "masactrl"]


@dataclass(frozen=True, slots=True)
class SurfaceLockSettings(MethodSettings):
    """Settings of the method `surfacelock`.

    - `particles`: the initial noise moves with the body; otherwise all frames share one noise, fixed to the picture.
    - `consensus`, `rounds`: the part of the denoising, as fractions of the steps, in which the frames agree on one body
      texture, and the number of steps in it at which they do, the first and the last included. With 0 rounds or an
      empty span, only the lock acts, at the end.
    - `background`: if the camera stands still, frames also agree on the background away from the body, unless the
      finish keeps each frame's own.
    - `attention`: what the frames' self-attention reads in addition to their own keys and values.
    """

    particles: bool = setting(
        True,
        "Noise on the body",
        "Attach the initial noise to the body, so that it moves along, instead of to the picture",
        group="agree",
    )
    consensus: tuple[float, float] = setting(
        (0.2, 0.5),
        "Agree",
        "When during the denoising the frames are brought to one common body texture",
        group="agree",
    )
    rounds: int = setting(
        4,
        "Rounds",
        "How many steps in that range bring the frames together; each adds the time of about 1.5 steps",
        group="agree",
        low=0,
        high=20,
    )
    background: bool = setting(
        True,
        "Agree on the background",
        "If the camera stands still, give all frames a common background too",
        group="agree",
    )
    attention: Attention = setting(
        "none",
        "Attention",
        "Which frame each frame looks at while it is denoised",
        group="agree",
        choices=(
            Choice("none", "Own", "Only itself"),
            Choice(TEXT2VIDEO_ZERO.name, TEXT2VIDEO_ZERO.label, "The first frame, at every step"),
            Choice(MASACTRL.name, MASACTRL.label, "The first frame, from the fourth step on"),
        ),
    )


SURFACELOCK = MethodSpec(
    "surfacelock",
    "SurfaceLock",
    "The same character in every frame: one body texture for the whole shot, with matching light",
    "chained",
    HELD,
    Needs(passes=("depth", "part"), matches=True, memory=True),
    settings=SurfaceLockSettings,
    presets=(
        Preset(
            "surface",
            "Standard",
            "All frames share one body texture, agreed on while they are generated; best quality",
            SurfaceLockSettings(),
            steps=20,
        ),
        Preset(
            "surface_fast",
            "Fast",
            "One body texture, made only from the finished frames; quicker, but with less matching detail",
            SurfaceLockSettings(particles=False, rounds=0, attention="text2video_zero"),
            steps=20,
        ),
    ),
    locked=True,
)
