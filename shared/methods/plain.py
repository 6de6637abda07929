"""The methods that have no settings of their own: the baselines, and what they are compared with."""

from __future__ import annotations

from .spec import MethodSpec

TEXT2VIDEO_ZERO = MethodSpec(
    "text2video_zero", "Text2Video-Zero", "A simple baseline: every frame takes its look from the first one", "first", 2
)
MASACTRL = MethodSpec(
    "masactrl",
    "MasaCtrl",
    "Another baseline: frames take their look from the first one, from the fourth step on",
    "first",
    2,
)
SHARED_NOISE = MethodSpec(
    "shared_noise", "Shared noise", "Frames start from the same noise and share nothing else", "alone", 1
)
PER_FRAME = MethodSpec("per_frame", "Each frame alone", "No consistency between frames; for comparison", "alone", 0)
