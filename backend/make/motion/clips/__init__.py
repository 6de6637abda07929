"""The sample motions, one a file; each function returns the clip's controls at 20 frames a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backend.make.motion.clips.dance import dance
from backend.make.motion.clips.jump import jump
from backend.make.motion.clips.squat import squat
from backend.make.motion.clips.walk import walk
from backend.make.motion.clips.wave import wave
from backend.make.motion.puppet import Controls


@dataclass(frozen=True, slots=True)
class Clip:
    """One sample motion: its name, MDM's text for it, and how it is posed."""

    name: str
    text: str
    make: Callable[[], Controls]


CLIPS = (
    Clip("walk", "a person walks forward at an easy pace.", walk),
    Clip("jump", "a person crouches, jumps forward and lands.", jump),
    Clip("wave", "a person waves hello with the right hand.", wave),
    Clip("dance", "a person dances, turns to the side and back, and strikes a pose.", dance),
    Clip("squat", "a person does two deep squats.", squat),
)
