"""What a self-attention layer may attend to: the declarations that a method makes, and what one step keeps of them.

The networks' processors (`backend.models`) read these values and hold no state of their own, so that any micro-batch
and gradient checkpointing's second run give the same result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal, Protocol

from torch import Tensor

from backend.contract.values import Step

KeysValues = tuple[Tensor, Tensor]
"""Keys and values of one frame in one layer: each (halves, heads, tokens, head width), without a graph."""


@dataclass(frozen=True, slots=True, eq=False)
class LastFrame:
    """The keys and values of the frame that ran last, each (halves, heads, tokens, head width)."""

    frame: int
    keys: Tensor
    values: Tensor


@dataclass(frozen=True, slots=True)
class Layer:
    """One self-attention layer. `block` counts its model's transformer blocks in the order they run, from 0."""

    model: Literal["unet", "controlnet"]
    name: str
    block: int


class Source(Enum):
    """Whose keys and values are read.

    PREVIOUS is the frame before, in the order of the shot; frame 0 reads its own, and so does a carried frame, whose
    predecessor does not run again. BANK is what the method's `bank` gives for the layer.
    """

    OWN = "own"
    FIRST = "first"
    PREVIOUS = "previous"
    BANK = "bank"


class TokenMask(Protocol):
    """Which tokens of a layer take part."""

    def __call__(self, frames: tuple[int, ...], tokens: int) -> Tensor:
        """(frames, tokens) bool for frames of the shot, in a layer that has so many tokens a frame."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Attend:
    """One softmax over the tokens of `sources`, laid end to end; a layer adds several up, each times its `weight`.

    `keys` says which tokens of each frame that is read are seen (a bank's are all seen); where a frame would see none,
    it sees all. `queries` says which tokens of the frame itself take this one's result, None for all.
    """

    sources: tuple[Source, ...]
    weight: float = 1.0
    keys: TokenMask | None = None
    queries: TokenMask | None = None

    @property
    def frame_zero_alone(self) -> bool:
        """Whether this is the plain attention to frame 0 (Text2Video-Zero, equation 7)."""
        return self.sources == (Source.FIRST,) and self.weight == 1 and self.keys is None and self.queries is None


AttentionRule = Callable[[Layer, Step], tuple[Attend, ...]]
"""What a layer attends to at a step; nothing is the model's own self-attention."""


def read_frame_zero(layer: Layer, step: Step) -> tuple[Attend, ...]:
    """Every layer's keys and values are frame 0's, at every step (Text2Video-Zero, section 3.3.2)."""
    return FRAME_ZERO


FRAME_ZERO = (Attend((Source.FIRST,)),)


@dataclass(frozen=True, slots=True, eq=False)
class StepMemory:
    """What one step keeps for its own later calls; each step makes its own.

    `first` are frame 0's keys and values, `last` those of the frame that ran last, by layer. Both are filled by the
    processors, frame 0's once, and then only read.
    """

    halves: int
    reads: Mapping[Layer, tuple[Attend, ...]]  # of the layers that do not attend to themselves alone
    bank: Mapping[Layer, KeysValues] = field(default_factory=dict)
    first: dict[Layer, KeysValues] = field(default_factory=dict)
    last: dict[Layer, LastFrame] = field(default_factory=dict)

    def reads_from(self, source: Source) -> bool:
        """Whether any layer reads from the source at this step."""
        return any(source in attend.sources for reads in self.reads.values() for attend in reads)

    def call(self, frames: tuple[int, ...]) -> AttentionContext:
        """The context of one model call on these frames of the shot, in rising order."""
        return AttentionContext(self, frames, dict(self.last))


@dataclass(frozen=True, slots=True, eq=False)
class AttentionContext:
    """Read by every attention of one model call, whose batch holds `halves` blocks of `frames`."""

    memory: StepMemory
    frames: tuple[int, ...]
    last: Mapping[Layer, LastFrame]  # as it was before the call, so that a second run of it reads the same
    own_text: bool = False

    @property
    def halves(self) -> int:
        """Blocks of the batch: without and with the prompt, or one."""
        return self.memory.halves

    def reads(self, layer: Layer) -> tuple[Attend, ...]:
        """What the layer attends to; nothing is its own self-attention."""
        return self.memory.reads.get(layer, ())

    def with_own_text(self) -> AttentionContext:
        """The same for a batch whose frames have prompts of their own."""
        return replace(self, own_text=True)


def step_memory(
    rule: AttentionRule | None,
    layers: tuple[Layer, ...],
    step: Step,
    halves: int,
    bank: Mapping[Layer, KeysValues] | None = None,
) -> StepMemory:
    """What a step starts with: the layers' rules, and the method's bank. Without a rule all attend to themselves."""
    found = {} if rule is None else {layer: rule(layer, step) for layer in layers}
    reads = {layer: attends for layer, attends in found.items() if attends}
    return StepMemory(halves, reads, {} if bank is None else bank)
