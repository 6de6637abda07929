"""A method as a newcomer adds it: one declaration, with two settings, one of which another method has as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shared.errors import InputError
from shared.methods.setting import Choice, MethodSettings, setting
from shared.methods.spec import MethodSpec, Needs, Preset


@dataclass(frozen=True, slots=True)
class ToySettings(MethodSettings):
    """Settings of the method `toy`."""

    guide_strength: float = setting(
        2.0, "Toy strength", "How strongly the toy pulls", group="toy", high=8.0, unit="bricks"
    )
    colour: Literal["red", "blue"] = setting(
        "red",
        "Toy colour",
        "What the toy looks like",
        group="toy",
        choices=(Choice("red", "Red", "As a fire engine"), Choice("blue", "Blue")),
        added=4,
        before="blue",
    )


def _check(settings: ToySettings, frames: int, segment_frames: int) -> None:
    if settings.colour == "blue" and settings.guide_strength > 4:
        raise InputError("job.settings", "settings.guide_strength above 4 is for the red toy.", 'Set colour to "red".')


TOY = MethodSpec(
    "toy",
    "Toy",
    "Frames are made of bricks",
    "first",
    2,
    Needs(passes=("depth", "part")),
    settings=ToySettings,
    check=_check,
    presets=(Preset("toy_blue", "Blue toy", "A blue one", ToySettings(colour="blue"), steps=5),),
)
