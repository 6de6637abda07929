"""What the job runner asks of an engine. It knows no model, no method and no loop beside this."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import UNWATCHED, Batches, Callbacks, Carried, Memory, Segment, SegmentResult


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What a result's record says of the engine. `prompt_cut` is the end of a prompt that its encoder had no room for;
    `machinery` names the hardware, the libraries and the model's files: equal inputs give equal bytes on equal ones."""

    device: str
    dtype: str
    prompt_cut: str
    machinery: str


class Engine(Protocol):
    """One job's model, method and inputs, opened: it samples segment after segment, and decodes them."""

    @property
    def facts(self) -> EngineFacts:
        """What is to be recorded."""
        ...

    def plan(self) -> Batches:
        """How many frames go through the model at once, by the memory that is free now."""
        ...

    def sample(
        self, segment: Segment, carried: Carried, batches: Batches | None = None, callbacks: Callbacks = UNWATCHED
    ) -> SegmentResult:
        """Denoise one segment.

        `carried` comes from the segments before. With the same `batches` (`plan` without) the result is the same, bit
        for bit. Raises InputError where sizes do not fit, JobError where something that must be carried is missing or
        the model gives values that are not finite, CancelledError soon after `callbacks.cancelled()` is true.
        """
        ...

    def decode(
        self,
        segment: Segment,
        latents: Tensor,
        frames: Sequence[int],
        memory: Memory | None = None,
        callbacks: Callbacks = UNWATCHED,
    ) -> Iterator[NDArray[np.uint8]]:
        """The finished pictures (height, width, 3) of the segment's `frames`, by their index in the shot, one by one;
        higher and wider than the job where it has them enlarged.

        `latents` (frames, channels, h, w) are all of the segment's, `memory` is what its sampling gave. Raises JobError
        for values that are not finite and for a memory that is missing, CancelledError before the next frame once the
        caller wants no more.
        """
        ...

    def files(self, memory: Memory | None) -> Mapping[str, bytes]:
        """The job's result files beside its frames, by what they are (`atlas`), from the last segment's memory."""
        ...

    def notes(self, memory: Memory | None) -> tuple[str, ...]:
        """What was chosen for the user, a sentence each, from the last segment's memory."""
        ...

    def preview(self, x0: Tensor) -> Tensor:
        """A quick picture (3, h, w) in 0..1, on the CPU, of one frame's clean latents (channels, h, w)."""
        ...
