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
        "The initial noise moves with the body instead of standing on the picture",
        group="agree",
    )
    consensus: tuple[float, float] = setting(
        (0.2, 0.5),
        "Agree",
        "Part of the denoising in which all frames agree on one texture of the body",
        group="agree",
    )
    rounds: int = setting(
        4,
        "Rounds",
        "At how many steps they agree; each takes about as long as a step and a half",
        group="agree",
        low=0,
        high=20,
    )
    background: bool = setting(
        True,
        "Agree on the background",
        "Before a camera that stands still frames agree on the background too, away from the body",
        group="agree",
    )
    attention: Attention = setting(
        "none",
        "Attention",
        "What frames see of each other while they are denoised",
        group="agree",
        choices=(
            Choice("none", "Own", "Each frame its own"),
            Choice(TEXT2VIDEO_ZERO.name, TEXT2VIDEO_ZERO.label, "Every frame sees the first one"),
            Choice(MASACTRL.name, MASACTRL.label, "Frames see the first one from the fourth step on"),
        ),
    )


SURFACELOCK = MethodSpec(
    "surfacelock",
    "SurfaceLock",
    "One character in every frame: the body has one texture, and it is lit as the frames agree",
    "chained",
    HELD,
    Needs(passes=("depth", "part"), matches=True, memory=True),
    settings=SurfaceLockSettings,
    presets=(
        Preset(
            "surface",
            "Standard",
            "Frames agree while they are denoised, then the lock",
            SurfaceLockSettings(),
            steps=20,
        ),
        Preset(
            "surface_fast",
            "Fast",
            "The lock alone: as quick as the baseline, but what it locks is what the frames happened to show",
            SurfaceLockSettings(particles=False, rounds=0, attention="text2video_zero"),
            steps=20,
        ),
    ),
    locked=True,
)
