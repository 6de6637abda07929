"""`config.json` of a motion model of ours: its network, and the actions and styles that it knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from backend.models.mdm.network import NetworkShape
from backend.motion.embedded.condition import ConditionLayout
from shared.errors import ModelError
from shared.files.safe_load import read_bytes
from shared.files.strict_json import StrictJSONError, convert, parse_json
from shared.motion.models.embedded import CONFIG_FILE

WEIGHTS_FILE: Final = "model.safetensors"
FORMAT: Final = 1
_HINT: Final = "Make it again: latentman train-motion export."


@dataclass(frozen=True, slots=True)
class KnownAction:
    """An action that the model was trained on."""

    name: str
    phrases: tuple[str, ...]  # by which the encoder knows it, beside the table of words
    loops: bool  # it fills the time that it is given
    sided: bool  # it can be done with the left or the right
    start: str  # the pose that it starts from: stand, seated, ...
    end: str
    seconds: float  # that it takes at its own speed, the mean over the training's clips


@dataclass(frozen=True, slots=True)
class MotionConfig:
    """What the file holds."""

    latentman_motion: int  # the format
    width: int
    layers: int
    heads: int
    feedforward: int
    steps: int
    guidance_scale: float
    styles: tuple[str, ...]
    actions: tuple[KnownAction, ...]
    trained_steps: int = 0

    @property
    def layout(self) -> ConditionLayout:
        """Which number of the condition means what."""
        return ConditionLayout(tuple(action.name for action in self.actions), self.styles)

    @property
    def shape(self) -> NetworkShape:
        """The network's shape."""
        return NetworkShape(
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            feedforward=self.feedforward,
            text_width=self.layout.width,
            mask_frames=True,
            token_on_frames=True,
            dropout=0.0,
        )

    @property
    def by_name(self) -> Mapping[str, KnownAction]:
        """The actions by their names."""
        return MappingProxyType({action.name: action for action in self.actions})


def read_config(folder: Path) -> MotionConfig:
    """The file of a folder. Raises ModelError where it is missing or wrong."""
    file = folder / CONFIG_FILE
    try:
        config: MotionConfig = convert(parse_json(read_bytes(file, error=ModelError)), MotionConfig)
    except StrictJSONError as error:
        raise ModelError("model.config", f"{file} is wrong: {error}.", _HINT) from error
    if config.latentman_motion != FORMAT:
        raise ModelError("model.config", f"{file} has the format {config.latentman_motion}, not {FORMAT}.", _HINT)
    return config


def write_config(folder: Path, config: MotionConfig) -> None:
    """Write the file."""
    (folder / CONFIG_FILE).write_text(json.dumps(asdict(config), indent=1, ensure_ascii=False) + "\n")
