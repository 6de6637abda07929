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

    - `particles`: the initial noise rides on the body; without it all frames share one noise, fixed to the picture.
    - `consensus`, `rounds`: the part of the denoising, as fractions of the steps, in which frames agree on one texture
      of the body, and at how many steps of it, the first and the last among them. None, or an empty span: they only
      get the lock at the end.
    - `background`: where the camera stands still they agree on the background too, away from the body, unless the
      finish keeps each frame's own.
    - `attention`: what the frames' self-attention reads beside their own.
    """

    particles: bool = setting(
        True,
        "Noise on the body",
        "The initial noise moves with the body instead of staying fixed to the picture",
        group="agree",
    )
    consensus: tuple[float, float] = setting(
        (0.2, 0.5),
        "Agree",
        "The part of the denoising in which all frames agree on one texture of the body, from and to",
        group="agree",
    )
    rounds: int = setting(
        4,
        "Rounds",
        "In how many steps the frames agree; each takes about as long as one and a half steps",
        group="agree",
        low=0,
        high=20,
    )
    background: bool = setting(
        True,
        "Agree on the background",
        "With a still camera, frames also agree on the background away from the body",
        group="agree",
    )
    attention: Attention = setting(
        "none",
        "Attention",
        "What each frame sees of other frames while it is denoised",
        group="agree",
        choices=(
            Choice("none", "Own", "Only itself"),
            Choice(TEXT2VIDEO_ZERO.name, TEXT2VIDEO_ZERO.label, "The first frame"),
            Choice(MASACTRL.name, MASACTRL.label, "The first frame from the fourth step on"),
        ),
    )


SURFACELOCK = MethodSpec(
    "surfacelock",
    "SurfaceLock",
    "The same character in every frame: all frames agree on one texture of the body and on its light",
    "chained",
    HELD,
    Needs(passes=("depth", "part"), matches=True, memory=True),
    settings=SurfaceLockSettings,
    presets=(
        Preset(
            "surface",
            "Standard",
            "Frames agree while they are denoised, then the lock is applied",
            SurfaceLockSettings(),
            steps=20,
        ),
        Preset(
            "surface_fast",
            "Fast",
            "Only the lock: as fast as the baseline, but it locks whatever the frames happened to show",
            SurfaceLockSettings(particles=False, rounds=0, attention="text2video_zero"),
            steps=20,
        ),
    ),
    locked=True,
)
