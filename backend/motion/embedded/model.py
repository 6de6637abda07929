"""The embedded motion model: MDM's network, asked by action and style instead of by a text's code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Generator

from backend.contract.motion_model import Features, MotionAsk, MotionModelFacts, SpokenClause
from backend.models.mdm.diffusion import schedule_of
from backend.models.mdm.model import MDMModel
from backend.models.mdm.network import MDM, TextTokens
from backend.motion.embedded.condition import Request, Side
from backend.motion.embedded.config import WEIGHTS_FILE, KnownAction, MotionConfig, read_config
from backend.motion.embedded.planting import planted
from backend.motion.embedded.steadying import steadied
from backend.words.reading import ActionClause, read_clause, read_motion_text
from shared.errors import ModelError
from shared.motion.humanml.layout import LONGEST_FRAMES
from shared.motion.humanml.statistics import Statistics, read_statistics

EMBEDDED_FOLDER: Final = Path(__file__).resolve().parents[2] / "embedded" / "motion"
CONTEXT_FRAMES: Final = 16  # of the clause before, which the next one goes on from
_SPEEDS: Final = (0.7, 1.4)
_PAUSE_S: Final = 0.3  # behind an action that happens once
_LONGEST_S: Final = 9.0


@dataclass(frozen=True, slots=True, eq=False)
class ConditionEncoder:
    """Takes the place of MDM's text encoder."""

    config: MotionConfig
    device: torch.device

    def encode(self, text: str) -> TextTokens:
        """The condition of a clause, (1, 1, width); nothing is asked for by a text without words."""
        if not text.strip():
            return TextTokens(torch.zeros(1, 1, self.config.layout.width, device=self.device))
        request = request_of(read_clause(text, phrases_of(self.config), self.config.styles), self.config)
        return TextTokens(torch.from_numpy(self.config.layout.vectors([request]))[None].to(self.device))

    def cut(self, text: str) -> str:
        """Nothing is cut off."""
        return ""

    def to(self, device: torch.device) -> None:
        """Its vectors are made where they are used."""


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedMotionModel:
    """Implements `contract.motion_model.MotionModel`."""

    config: MotionConfig
    inner: MDMModel

    @property
    def facts(self) -> MotionModelFacts:
        """What the generator plans with."""
        return self.inner.facts

    @property
    def statistics(self) -> Statistics:
        """What the features are normalised by."""
        return self.inner.statistics

    def read(self, text: str) -> tuple[SpokenClause, ...]:
        """The clauses of a text. Raises InputError for an action that the model does not know."""
        clauses = read_motion_text(text, phrases_of(self.config), self.config.styles)
        return tuple(_between(clauses, self.config))

    def generate(self, ask: MotionAsk, noise: Generator, after_step: Callable[[int], None]) -> Features:
        """The features (frames, 263), normalised, steadied, with standing feet held; see `MotionModel.generate`."""
        made = self.inner.generate(ask, noise, after_step)
        given = np.zeros(made.shape, dtype=bool) if ask.known is None else ask.known.mask
        whole = given.all(axis=1)
        held = planted(steadied(self.statistics.restored(made), whole), whole)
        return np.where(given, made, self.statistics.normalised(held))


def open_embedded(place: Path = EMBEDDED_FOLDER, device: torch.device | None = None) -> EmbeddedMotionModel:
    """The model of a folder: the one that ships, or one of the same making. Raises ModelError."""
    config = read_config(place)
    where = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = _network(place, config).to(where)
    facts = MotionModelFacts(
        label="embedded motion model",
        longest=LONGEST_FRAMES,
        context=CONTEXT_FRAMES,
        paced=False,
        steps=config.steps,
        guidance_scale=config.guidance_scale,
        source=place.name,
    )
    inner = MDMModel(
        network=network,
        schedule=schedule_of(config.steps),
        encoder=ConditionEncoder(config, where),
        statistics=read_statistics(place),
        facts=facts,
        guidable=True,
        prefix=None,
        device=where,
    )
    return EmbeddedMotionModel(config, inner)


def _network(place: Path, config: MotionConfig) -> MDM:
    network = MDM(config.shape)
    try:
        weights = load_file(place / WEIGHTS_FILE)
        network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        what = str(error).splitlines()[0]
        raise ModelError("model.weights", f"{place / WEIGHTS_FILE} cannot be used: {what}.") from error
    return network.eval().requires_grad_(False)


def phrases_of(config: MotionConfig) -> dict[str, tuple[str, ...]]:
    """The phrases of each action."""
    return {action.name: action.phrases for action in config.actions}


def request_of(clause: ActionClause, config: MotionConfig) -> Request:
    """What the network is asked for to make a clause."""
    action, manner = config.by_name[clause.action], clause.manner
    return Request(
        action.name,
        manner.style or "neutral",
        min(max(manner.speed, _SPEEDS[0]), _SPEEDS[1]),
        side=_side(manner.side) if action.sided else "",
    )


def _side(said: str | None) -> Side:
    """The side that a text names, else the right: a side left open makes a bit of both."""
    return "left" if said == "left" else "right"


def _between(clauses: Sequence[ActionClause], config: MotionConfig) -> list[SpokenClause]:
    """The clauses with their times, an action that counts as often as it is said, and what leads from pose to pose."""
    spoken: list[SpokenClause] = []
    pose = ""
    for clause in clauses:
        action = config.by_name[clause.action]
        if spoken and pose != action.start:
            leading = _bridge(pose, action, config)
            if leading is not None and action.start != action.end and leading.end == action.end:
                action, clause = leading, replace(clause, text=leading.phrases[0])  # up, from where one is
            elif leading is not None:
                spoken.append(_told_bridge(leading, action))
        times = 1 if action.loops or action.start != action.end else clause.manner.count or 1
        one = SpokenClause(clause.text, _seconds(clause, action, config, times), clause.told)
        spoken += [one, *[replace(one, note="")] * (times - 1)]
        pose = action.end
    return spoken


def _bridge(pose: str, action: KnownAction, config: MotionConfig) -> KnownAction | None:
    """An action that goes from a pose to the one that another starts from, or ends in, such as standing up."""
    for end in (action.end, action.start) if action.start != action.end else (action.start,):
        found = next((one for one in config.actions if (one.start, one.end) == (pose, end)), None)
        if found is not None:
            return found
    return None


def _told_bridge(bridge: KnownAction, action: KnownAction) -> SpokenClause:
    names = [name.replace("_", " ") for name in (bridge.name, action.name)]
    return SpokenClause(
        bridge.phrases[0], bridge.seconds + _PAUSE_S, f"{names[0].capitalize()} comes before {names[1]}."
    )


def _seconds(clause: ActionClause, action: KnownAction, config: MotionConfig, times: int) -> float | None:
    """How long a clause is: as the text says, else as long as the action takes; None: as the generator likes."""
    if clause.manner.seconds is not None:
        return clause.manner.seconds / times
    if action.loops:
        return None
    speed = request_of(clause, config).speed
    return min(action.seconds / speed + _PAUSE_S, _LONGEST_S)
