"""The methods that have no settings of their own: the baselines, and what they are compared with."""

from __future__ import annotations

from .spec import MethodSpec

TEXT2VIDEO_ZERO = MethodSpec(
    "text2video_zero", "Text2Video-Zero", "The baseline: every frame attends to the first frame", "first", 2
)
MASACTRL = MethodSpec(
    "masactrl", "MasaCtrl", "The other baseline: frames attend to the first frame from the fourth step on", "first", 2
)
SHARED_NOISE = MethodSpec("shared_noise", "Shared noise", "Frames share only their initial noise", "alone", 1)
PER_FRAME = MethodSpec("per_frame", "Each frame alone", "No consistency at all, for comparison", "alone", 0)
