"""How many frames go through the model at once: as many as the device has room for.

What a frame takes is the model family's to say, within a factor of two; so half of what is free is planned with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import psutil
import torch

from backend.contract.values import Batches, SampleSettings

PLANNED_PART = 0.5
# A GPU is full at about this many pictures. A CPU with matrix units gains up to 8 at 256x256, and nothing at 512x512.
MOST_FRAMES = {"cpu": 8}
MOST_FRAMES_ELSEWHERE = 16

GradientThrough = Literal["decoder", "unet", "controlnet", "unconditional"]
"""What a gradient runs through, and so what it is taken with respect to.

"decoder": the decoder alone, with respect to x0; "unet": UNet and decoder, with respect to x_t; "controlnet": the
ControlNet too; "unconditional": as "unet", but with respect to the copy of x_t that the UNet sees without the prompt,
taken for an input of its own, x_t itself being a constant.
"""


@dataclass(frozen=True, slots=True)
class FrameMemory:
    """Bytes that one frame takes beside the model's weights."""

    prediction: int  # UNet and ControlNet, without gradients
    unet_graph: int  # from x_t to x0
    decoder_graph: int  # from x0 to the picture, by what guidance looks through
    joint_decode: bool = False  # whether the decoder's graphs of a batch are alive at once

    def graph(self, through: GradientThrough) -> int:
        """What a frame's graph takes where the gradient runs that far; a ControlNet has half a UNet's."""
        return self._unet_graph(through) + self.decoder_graph

    def frames_with_graph(self, through: GradientThrough, room: int) -> int:
        """How many frames' graphs fit into `room` bytes, at least one.

        Unless decoded jointly, the decoder's graphs are made and dropped frame after frame.
        """
        if self.joint_decode:
            return max(room // self.graph(through), 1)
        return max((room - self.decoder_graph) // max(self._unet_graph(through), 1), 1)

    def _unet_graph(self, through: GradientThrough) -> int:
        unets = {"decoder": 0.0, "unet": 1.0, "controlnet": 1.5, "unconditional": 1.0}[through]
        return int(unets * self.unet_graph)


def free_bytes(device: torch.device) -> int:
    """Memory that tensors on the device can still take."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device))
    return int(psutil.virtual_memory().available)


def choose_micro_batch(memory: FrameMemory, free: int, device: torch.device) -> int:
    """How many frames to predict at once with `free` bytes left; at least one."""
    most = MOST_FRAMES.get(device.type, MOST_FRAMES_ELSEWHERE)
    return int(min(max(free * PLANNED_PART // memory.prediction, 1), most))


def fits_with_graph(memory: FrameMemory, through: GradientThrough, free: int) -> bool:
    """Whether one frame's graph has room in `free` bytes; where it has none, activations must be computed again."""
    return memory.graph(through) <= int(free * PLANNED_PART)


def choose_batches(
    memory: FrameMemory, through: GradientThrough, free: int, device: torch.device, wanted: SampleSettings
) -> Batches:
    """Both batches, as `free` bytes have room for them where the settings leave them open."""
    batch = wanted.micro_batch or choose_micro_batch(memory, free, device)
    graphs = wanted.graph_batch or min(memory.frames_with_graph(through, int(free * PLANNED_PART)), batch)
    return Batches(batch, graphs)
