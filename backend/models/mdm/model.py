"""MDM as a motion model: a text and what is known of the motion in, features out (`backend.contract.motion_model`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Generator, Tensor

from backend.contract.motion_model import Features, KnownFeatures, MotionAsk, MotionModelFacts, SpokenClause
from backend.models.mdm.checkpoint import Checkpoint, load_checkpoint
from backend.models.mdm.diffusion import Known, Schedule, guided, sample, schedule_of
from backend.models.mdm.network import MDM, TextTokens
from backend.models.mdm.standing import standing
from backend.models.mdm.text_encoders import TextEncoder, open_text_encoder
from shared.errors import InputError, JobError, ModelError
from shared.motion.humanml.layout import LONGEST_FRAMES
from shared.motion.humanml.statistics import Statistics, has_statistics, read_statistics

_GUIDANCE: Final = 2.5
_PACED_GUIDANCE: Final = 7.5  # DiP's
_CONTEXT_FRAMES: Final = 20
_STATISTICS_FOLDER: Final = "HumanML3D"


@dataclass(frozen=True, slots=True, eq=False)
class MDMModel:
    """An opened model. `generate` makes one window; `backend.motion.generate` makes motions of any length from them."""

    network: MDM
    schedule: Schedule
    encoder: TextEncoder
    statistics: Statistics
    facts: MotionModelFacts
    guidable: bool
    prefix: Tensor | None  # DiP: (context, 263) normalised, before a motion that begins from nothing
    device: torch.device

    def read(self, text: str) -> tuple[SpokenClause, ...]:
        """The text as one clause: MDM reads it whole. Raises InputError for none."""
        if not text.strip():
            raise InputError("motion.no_text", "The text is empty.", 'Write what happens, such as "a person waves".')
        cut = self.encoder.cut(text)
        note = f'The model reads only the beginning of a text: "{cut}" is left out.' if cut else ""
        return (SpokenClause(text.strip(), note=note),)

    @torch.no_grad()
    def generate(self, ask: MotionAsk, noise: Generator, after_step: Callable[[int], None]) -> Features:
        """The features (frames, 263), normalised. Raises JobError for values that are not finite."""
        prefix, context, frames = self._before(ask)
        known = None if ask.known is None else self._known(ask.known, context, frames)
        text = self.encoder.encode(ask.text)
        scale = self._scale(ask)

        def denoise(x: Tensor, steps: Tensor) -> Tensor:
            return self._guided(x, steps, text, prefix, scale)

        made = sample(
            denoise,
            (1, frames, self.network.shape.features),
            self.schedule,
            lambda shape: torch.randn(shape, generator=noise).to(self.device),
            known=known,
            after_step=after_step,
        )
        if not torch.isfinite(made).all():
            raise JobError(
                "motion.not_finite", "The motion model gave values that are not finite.", "Lower the guidance scale."
            )
        result: Features = made[0, : ask.frames - context].cpu().numpy()
        return result if context == 0 else np.concatenate([_values(ask.known)[:context], result])

    def _guided(self, x: Tensor, steps: Tensor, text: TextTokens, prefix: Tensor | None, scale: float) -> Tensor:
        """The clean motion, pushed away from what it would be without the text; both in one batch."""
        if scale in (0.0, 1.0):
            without = torch.full((1,), scale == 0.0, device=self.device)
            alone: Tensor = self.network(x, steps, text, without_text=without, prefix=prefix)
            return alone
        both = self.network(
            x.repeat(2, 1, 1),
            steps.repeat(2),
            TextTokens(text.tokens.repeat(1, 2, 1), None if text.padding is None else text.padding.repeat(2, 1)),
            without_text=torch.tensor([False, True], device=self.device),
            prefix=None if prefix is None else prefix.repeat(2, 1, 1),
        )
        return guided(both[:1], both[1:], scale)

    def _scale(self, ask: MotionAsk) -> float:
        """0 goes without the text, 1 with it; other scales need a model that was trained both ways."""
        if not self.guidable:
            return 1.0
        return ask.guidance_scale if ask.text else 0.0

    def _before(self, ask: MotionAsk) -> tuple[Tensor | None, int, int]:
        """DiP's clean frames, how many of the asked frames they are, and how many it makes.

        They are the known frames that the window begins with, after a person who stands if these are too few.
        """
        if self.prefix is None:
            return None, 0, ask.frames
        context = len(self.prefix)
        whole = np.zeros(0, dtype=bool) if ask.known is None else ask.known.mask[:context].all(axis=1)
        given = int(np.argmin(np.append(whole, False)))
        standing = self.prefix[given:]
        known = torch.from_numpy(_values(ask.known)[:given].copy()) if given else standing[:0]
        return torch.cat([standing, known])[None].to(self.device), given, self.facts.longest - context

    def _known(self, known: KnownFeatures, context: int, frames: int) -> Known | None:
        """What is given of the frames that are made; frames beyond the asked ones are free."""
        values = torch.zeros((1, frames, self.network.shape.features))
        mask = torch.zeros(values.shape, dtype=torch.bool)
        given = len(known.mask) - context
        values[0, :given] = torch.from_numpy(np.ascontiguousarray(known.values[context:]))
        mask[0, :given] = torch.from_numpy(np.ascontiguousarray(known.mask[context:]))
        return Known(values.to(self.device), mask.to(self.device)) if mask.any() else None


def _values(known: KnownFeatures | None) -> Features:
    assert known is not None
    return known.values


def open_mdm(
    place: Path,
    *,
    text_encoder: Path | None = None,
    statistics: Path | None = None,
    device: torch.device | None = None,
) -> MDMModel:
    """The model of a checkpoint's folder or file.

    CLIP or DistilBERT, Mean.npy and Std.npy lie beside it, in the folder around it, or where `text_encoder` and
    `statistics` say. Raises ModelError for what is missing or does not fit.
    """
    checkpoint = load_checkpoint(place)
    folder = checkpoint.file.parent
    places = (folder, folder.parent)
    found = _statistics(places, statistics)
    encoder = open_text_encoder(checkpoint.arguments.text_encoder, places, text_encoder)
    return assemble(checkpoint, encoder, found, device)


def assemble(
    checkpoint: Checkpoint, encoder: TextEncoder, statistics: Statistics, device: torch.device | None = None
) -> MDMModel:
    """The model from its parts, on the graphics card where there is one."""
    where = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    arguments = checkpoint.arguments
    context, predicted = arguments.shape.context_frames, arguments.predicted_frames
    encoder.to(where)
    return MDMModel(
        network=checkpoint.network.to(where),
        schedule=schedule_of(arguments.steps, arguments.schedule, arguments.small_variance),
        encoder=encoder,
        statistics=statistics,
        facts=MotionModelFacts(
            label="DiP" if context else "MDM",
            longest=context + predicted if context else LONGEST_FRAMES,
            context=context or _CONTEXT_FRAMES,
            paced=context > 0,
            steps=arguments.steps,
            guidance_scale=_PACED_GUIDANCE if context else _GUIDANCE,
            source=checkpoint.file.name,
            notes=checkpoint.notes,
        ),
        guidable=arguments.guidable,
        prefix=torch.from_numpy(standing(context, statistics)) if context else None,
        device=where,
    )


def _statistics(places: tuple[Path, ...], named: Path | None) -> Statistics:
    candidates = [path for place in places for path in (place, place / _STATISTICS_FOLDER)]
    folder = named or next(filter(has_statistics, candidates), None)
    if folder is None:
        raise ModelError(
            "model.statistics",
            f"{places[0]} has no Mean.npy and Std.npy, by which the model's motions are scaled.",
            f"Put those of the HumanML3D repository beside the checkpoint, or in a folder {_STATISTICS_FOLDER} there.",
        )
    return read_statistics(folder)
