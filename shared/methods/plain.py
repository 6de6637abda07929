"""The methods that have no settings of their own: the baselines, and what they are compared with."""

from __future__ import annotations

from .spec import MethodSpec

TEXT2VIDEO_ZERO = MethodSpec(
    "text2video_zero", "Text2Video-Zero", "The baseline: every frame attends to the first one", "first", 2
)
MASACTRL = MethodSpec(
    "masactrl", "MasaCtrl", "The other baseline: frames attend to the first one from the fourth step on", "first", 2
)
SHARED_NOISE = MethodSpec("shared_noise", "Shared noise", "Frames share their noise and nothing else", "alone", 1)
PER_FRAME = MethodSpec("per_frame", "Each frame alone", "No consistency at all, to compare with", "alone", 0)
