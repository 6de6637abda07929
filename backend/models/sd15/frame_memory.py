"""What one frame takes of memory in Stable Diffusion's networks, by their widths.

A frame is counted in its largest map of activations, by multiples that were measured on models of this architecture
from tiny to its own widths; they hold within a factor of two.
"""

from __future__ import annotations

from backend.contract.values import Canvas
from backend.loop.memory import FrameMemory
from backend.models.sd15.components import Components
from backend.models.sd15.tiny_decoder import tiny_autoencoder
from shared.models.sd15 import TINY_VAE

# In largest maps: what is alive at once inside a block, a UNet's graph, and the decoders'.
BLOCK_MAPS = 24
UNET_GRAPH_MAPS = 320
DECODER_GRAPH_MAPS = 24
TINY_GRAPH_MAPS = 10


def frame_memory(
    components: Components, canvas: Canvas, halves: int, parts: frozenset[str] = frozenset()
) -> FrameMemory:
    """What one frame takes at this size. A method that uses the tiny decoder looks through it, and decodes jointly."""
    tiny = TINY_VAE.name in parts
    cells, item = canvas.latent_height * canvas.latent_width, components.dtype.itemsize
    config = components.unet.config
    widths = list(config.block_out_channels)
    layers = config.layers_per_block
    depths = [layers] * len(widths) if isinstance(layers, int) else list(layers)
    largest = max(width * (cells >> 2 * level) for level, width in enumerate(widths))
    # Each level keeps its resnets' outputs and its downsampled one for the way up, in the UNet and in the ControlNet.
    levels = enumerate(zip(widths, depths, strict=True))
    kept = sum((depth + 1) * width * (cells >> 2 * level) for level, (width, depth) in levels)
    picture = _widest_tiny_map(components, canvas) if tiny else _widest_picture_map(components, canvas)
    return FrameMemory(
        prediction=halves * item * (2 * kept + BLOCK_MAPS * largest),
        unet_graph=halves * item * UNET_GRAPH_MAPS * largest,
        decoder_graph=item * (TINY_GRAPH_MAPS if tiny else DECODER_GRAPH_MAPS) * picture,
        joint_decode=tiny,
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
