"""A finish whose memory is the mean of all frames so far, towards which it pulls them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor

from backend.contract.values import Memory, Segment
from backend.loop.pictures import grey_levels


@dataclass(frozen=True, slots=True)
class MeanFinish:
    """Frames half way to the mean of all that were seen by the end of their segment; `seen` says what it was asked."""

    seen: list[tuple[str, Segment, tuple[int, ...]]] = field(default_factory=list)

    def learned(self, segment: Segment, pictures: Tensor, memory: Memory | None) -> Memory:
        """The mean with the segment's frames in it."""
        self.seen.append(("learned", segment, tuple(pictures.shape)))
        count, total = torch.tensor(len(pictures)), pictures.sum(dim=0).double().cpu()
        if memory is not None:
            count, total = count + memory.arrays["count"], total + memory.arrays["total"]
        return Memory({"count": count, "total": total})

    def finished(self, segment: Segment, pictures: Tensor, memory: Memory) -> Tensor:
        """Half way to the mean."""
        self.seen.append(("finished", segment, tuple(pictures.shape)))
        return (pictures + mean_of(memory).to(pictures)) / 2

    def files(self, memory: Memory) -> Mapping[str, bytes]:
        """The mean as a picture."""
        buffer = io.BytesIO()
        Image.fromarray(grey_levels(mean_of(memory))).save(buffer, "PNG")
        return {"atlas": buffer.getvalue()}

    def notes(self, memory: Memory) -> tuple[str, ...]:
        """How many frames the mean is of."""
        return (f"The mean of {int(memory.arrays['count'])} frames was taken.",)


def mean_of(memory: Memory) -> Tensor:
    """The mean of all frames so far, (3, height, width)."""
    return memory.arrays["total"] / memory.arrays["count"]
