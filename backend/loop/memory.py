"""How many frames go through the model at once: as many as the device has room for.

What a frame takes is counted in its largest map of activations, by multiples that were measured on models of Stable
Diffusion's architecture from tiny to its own widths; they hold within a factor of two, so half of what is free is
planned with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import psutil
import torch

from backend.contract.values import Canvas, SampleSettings
from backend.loop.method import GradientThrough, GuideDecoder, Method
from backend.models.sd15.components import Components
from backend.models.sd15.tiny_decoder import tiny_autoencoder

# In largest maps: what is alive at once inside a block, a UNet's graph, and the decoders'.
BLOCK_MAPS = 24
UNET_GRAPH_MAPS = 320
DECODER_GRAPH_MAPS = {"full": 24, "tiny": 10}
PLANNED_PART = 0.5
# A GPU is full at about this many pictures. A CPU with matrix units gains up to 8 at 256x256, and nothing at 512x512.
MOST_FRAMES = {"cpu": 8}
MOST_FRAMES_ELSEWHERE = 16


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


def frame_memory(components: Components, canvas: Canvas, halves: int, decoder: GuideDecoder = "full") -> FrameMemory:
    """What one frame takes at this size, by the model's widths. The tiny decoder decodes jointly."""
    cells, item = canvas.latent_height * canvas.latent_width, components.dtype.itemsize
    config = components.unet.config
    widths = list(config.block_out_channels)
    layers = config.layers_per_block
    depths = [layers] * len(widths) if isinstance(layers, int) else list(layers)
    largest = max(width * (cells >> 2 * level) for level, width in enumerate(widths))
    # Each level keeps its resnets' outputs and its downsampled one for the way up, in the UNet and in the ControlNet.
    levels = enumerate(zip(widths, depths, strict=True))
    kept = sum((depth + 1) * width * (cells >> 2 * level) for level, (width, depth) in levels)
    picture = (_widest_picture_map if decoder == "full" else _widest_tiny_map)(components, canvas)
    return FrameMemory(
        prediction=halves * item * (2 * kept + BLOCK_MAPS * largest),
        unet_graph=halves * item * UNET_GRAPH_MAPS * largest,
        decoder_graph=item * DECODER_GRAPH_MAPS[decoder] * picture,
        joint_decode=decoder == "tiny",
    )


def _widest_picture_map(components: Components, canvas: Canvas) -> int:
    """Values of the decoder's largest map: a level starts with the channels of the one below it."""
    widths = list(components.vae.config.block_out_channels)
    pixels = canvas.height * canvas.width
    return max(int(max(widths[level : level + 2])) * (pixels >> 2 * level) for level in range(len(widths)))


def _widest_tiny_map(components: Components, canvas: Canvas) -> int:
    """Values of the tiny decoder's largest map; its widths run up to the picture's size."""
    widths = tiny_autoencoder(components).config.decoder_block_out_channels
    pixels = canvas.height * canvas.width
    return max(int(width) * (pixels >> 2 * level) for level, width in enumerate(reversed(widths)))


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


def fit_to_memory(components: Components, settings: SampleSettings, canvas: Canvas, method: Method) -> SampleSettings:
    """The settings with both batches, chosen by what is free where they leave them open.

    Where there is no room for a frame's graph either, the model is set to compute activations again on the way back
    (gradient checkpointing): slower, with the same result. It stays so.
    """
    through = method.gradient_through
    memory = frame_memory(components, canvas, settings.halves, method.guide_decoder)
    free = free_bytes(components.device)
    room = int(free * PLANNED_PART)
    if memory.graph(through) > room:
        for module in (components.unet, components.controlnet, components.vae):
            module.enable_gradient_checkpointing()
    batch = settings.micro_batch or choose_micro_batch(memory, free, components.device)
    graphs = settings.graph_batch or min(memory.frames_with_graph(through, room), batch)
    return replace(settings, micro_batch=batch, graph_batch=graphs)
