"""The body's crop decoded alone: its pixels, its gradient and what they lack beside the whole decode."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn

import backend
from backend.contract.values import Canvas, SampleSettings
from backend.correspondence.types import Matches, empty_matches
from backend.methods.latentman.cell_box import CellBox, Crop
from backend.methods.latentman.crop_decode import decode_crop, measure_statistics
from backend.methods.latentman.guidance import AdaptiveGuidance
from backend.methods.latentman.method import LatentMan
from backend.methods.latentman.step_decoder import StepDecoder
from backend.models.sd15.components import Components
from backend.models.sd15.decode import decode_picture
from shared.errors import ModelError
from tests.helpers.tiny_models import tiny_components
from tests.helpers.tiny_shot import random_depth, random_matches, sample_in_segments, step_tools

EMBEDDED_VAE = Path(backend.__file__).parent / "embedded" / "vae"
CELLS = 24
BOXES = (CellBox(9, 9, 14, 15), CellBox(0, 3, 13, 24), CellBox(23, 0, 24, 1), CellBox(0, 0, 24, 24))


def autoencoder_components(vae: AutoencoderKL, dtype: torch.dtype) -> Components:
    """Components of which only the autoencoder is there."""
    vae.requires_grad_(False).eval()
    nn.Module.to(vae, dtype=dtype)
    nothing: Any = None
    return Components(nothing, nothing, vae, nothing, nothing, {}, torch.device("cpu"), dtype)


def random_autoencoder(attention: bool) -> AutoencoderKL:
    """Three levels, and norms whose weights are not all one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        vae = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            block_out_channels=(8, 8, 16),
            layers_per_block=1,
            latent_channels=4,
            norm_num_groups=4,
            scaling_factor=0.7,
            mid_block_add_attention=attention,
        )
        for module in vae.modules():
            if isinstance(module, nn.GroupNorm):
                nn.init.normal_(module.weight, 1.0, 0.3)
                nn.init.normal_(module.bias, 0.0, 0.3)
    return vae


def random_latents(components: Components, seed: int = 0, cells: int = CELLS) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    channels = components.latent_channels
    return torch.randn(1, channels, cells, cells, generator=generator, dtype=components.state_dtype)


def inside(picture: Tensor, box: CellBox, factor: int) -> Tensor:
    pixels = box.scaled(factor)
    return picture[..., pixels.top : pixels.bottom, pixels.left : pixels.right]


class HeldStatistics(nn.Module):
    """A group norm written out, whose mean and variance are constants on the way back."""

    def __init__(self, norm: nn.GroupNorm) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, values: Tensor) -> Tensor:
        grouped = values.reshape(self.norm.num_groups, -1)
        mean, variance = grouped.mean(1).detach(), grouped.var(1, correction=0).detach()
        plain = (grouped - mean[:, None]) / (variance[:, None] + self.norm.eps).sqrt()
        weight, bias = self.norm.weight[:, None, None], self.norm.bias[:, None, None]
        return plain.reshape(values.shape) * weight + bias


def with_held_statistics(components: Components) -> Components:
    """The same model; the statistics of its up blocks and of the last norm have no gradient."""
    vae = copy.deepcopy(components.vae)
    for block in vae.decoder.up_blocks:
        for resnet in block.resnets:
            resnet.norm1, resnet.norm2 = HeldStatistics(resnet.norm1), HeldStatistics(resnet.norm2)
    vae.decoder.conv_norm_out = HeldStatistics(vae.decoder.conv_norm_out)
    return dataclasses.replace(components, vae=vae)


def squared_gradient(latents: Tensor, decode: Any, box: CellBox, factor: int, target: Tensor) -> Tensor:
    """The gradient of the squared distance to `target` inside the box."""
    leaf = latents.clone().requires_grad_()
    loss = (inside(decode(leaf), box, factor) - inside(target, box, factor)).square().sum()
    (gradient,) = torch.autograd.grad(loss, leaf)
    return gradient


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("box", BOXES)
def test_the_crops_pixels_are_the_whole_decodes(attention: bool, box: CellBox) -> None:
    components = autoencoder_components(random_autoencoder(attention), torch.float32)
    latents = random_latents(components)
    whole = decode_picture(components, latents)
    crop = decode_crop(components, latents, box, None)
    assert crop.shape == whole.shape and crop.dtype == whole.dtype
    assert (inside(crop, box, 4) - inside(whole, box, 4)).abs().max() < 1e-5
    assert crop.count_nonzero() == inside(crop, box, 4).count_nonzero()


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_the_crops_gradient_is_the_whole_decodes_without_that_of_the_statistics(
    attention: bool, checkpointing: bool
) -> None:
    components = autoencoder_components(random_autoencoder(attention), torch.float64)
    held = with_held_statistics(components)
    if checkpointing:
        components.vae.enable_gradient_checkpointing()
    latents, box = random_latents(components), BOXES[0]
    target = torch.zeros(1, 3, CELLS * 4, CELLS * 4, dtype=torch.float64)
    cropped = squared_gradient(latents, lambda x: decode_crop(components, x, box, None), box, 4, target)
    twin = squared_gradient(latents, lambda x: decode_picture(held, x), box, 4, target)
    true = squared_gradient(latents, lambda x: decode_picture(components, x), box, 4, target)
    torch.testing.assert_close(cropped, twin, rtol=1e-9, atol=1e-12)
    assert (cropped - true).norm() > 0.01 * true.norm()


def test_what_the_crop_leaves_out_is_small_in_a_trained_decoder() -> None:
    vae = AutoencoderKL.from_pretrained(EMBEDDED_VAE, local_files_only=True)
    components = autoencoder_components(vae, torch.float32)
    latents, box, factor = random_latents(components, cells=32), CellBox(8, 12, 24, 20), components.latent_factor
    # The frame before: the same picture, a fifth of it changed.
    before = latents + 0.2 * random_latents(components, seed=1, cells=32)
    target = decode_picture(components, before)
    true = squared_gradient(latents, lambda x: decode_picture(components, x), box, factor, target)
    own = squared_gradient(latents, lambda x: decode_crop(components, x, box, None), box, factor, target)
    assert (own - true).norm() < 0.1 * true.norm()
    statistics = measure_statistics(components, before)
    whole, crop = decode_picture(components, latents), decode_crop(components, latents, box, statistics)
    error = (inside(crop, box, factor) - inside(whole, box, factor)).square().mean().sqrt()
    assert error < 0.1 * (inside(whole, box, factor) - inside(target, box, factor)).square().mean().sqrt()


def test_frame_0_is_decoded_by_its_own_statistics_whichever_is_asked_for() -> None:
    components = autoencoder_components(random_autoencoder(True), torch.float64)
    first, box = random_latents(components), BOXES[0]
    decode = StepDecoder(step_tools(components, first))
    assert torch.equal(decode(first), decode_picture(components, first))
    torch.testing.assert_close(decode(first, Crop(box, "first")), decode(first, Crop(box, "own")))
    other = random_latents(components, seed=1)
    assert not torch.allclose(decode(other, Crop(box, "first")), decode(other, Crop(box, "own")))
    with pytest.raises(RuntimeError, match="frame 0"):
        StepDecoder(step_tools(components))(first, Crop(box, "first"))


def test_a_decoder_of_another_kind_is_refused() -> None:
    vae = random_autoencoder(False)
    vae.decoder.up_blocks[1].resnets[0] = nn.Identity()
    components = autoencoder_components(vae, torch.float32)
    with pytest.raises(ModelError, match="not like Stable Diffusion's"):
        decode_crop(components, random_latents(components), BOXES[0], None)


def test_a_frames_crop_covers_its_own_matches_and_the_next_frames() -> None:
    canvas = Canvas(4, 4, 8, 8, torch.device("cpu"))

    def pair(current: tuple[int, int], reference: tuple[int, int]) -> Matches:
        here, there = (np.array([row * 8 + column]) for row, column in (current, reference))
        return Matches(here, there, 8, 8)

    matches = (pair((2, 3), (0, 0)), empty_matches(8, 8), pair((7, 7), (6, 1)), pair((1, 1), (4, 5)))
    pairs = AdaptiveGuidance(decode="body_first").pairs(matches, canvas)
    boxes = [[crop and crop.box for crop in (p.current_crop, p.reference_crop)] for p in pairs]
    assert boxes == [
        [CellBox(1, 1, 2, 2), CellBox(0, 0, 1, 1)],
        [CellBox(3, 0, 4, 1), None],
        [CellBox(2, 2, 4, 4), CellBox(3, 0, 4, 1)],
        [CellBox(0, 0, 1, 1), CellBox(2, 2, 3, 3)],
    ]
    assert {crop.statistics for p in pairs for crop in (p.current_crop, p.reference_crop) if crop} == {"first"}
    whole = AdaptiveGuidance().pairs(matches, canvas)
    assert all(p.current_crop is None and p.reference_crop is None for p in whole)
    assert AdaptiveGuidance(decode="body").pairs((), canvas) == ()


SIZE, LATENT, FRAMES = 32, 16, 4
SETTINGS = SampleSettings(
    steps=2, guidance_scale=3.0, controlnet_scale=0.9, seed=7, height=SIZE, width=SIZE, micro_batch=2
)


def guided(method: LatentMan, cuts: tuple[int, ...], components: Components) -> Tensor:
    """The latents of a shot of four frames, in the segments between `cuts`."""
    return sample_in_segments(components, method, random_depth(FRAMES, SIZE), SETTINGS, cuts)


@pytest.mark.parametrize("through", ["unet", "decoder"])
def test_guided_shots_by_crops(through: Any) -> None:
    components = tiny_components()
    wide = random_matches(FRAMES, LATENT, SIZE)
    # Matches in the middle rows and columns of the picture only.
    middle = [_kept(pair, 12, 20) for pair in wide.guidance]
    method = LatentMan(dataclasses.replace(wide, guidance=middle), align=(0.0, 0.0), guide=(0.0, 0.5))
    results = {}
    for extent in ("whole", "body", "body_first"):
        settings = AdaptiveGuidance(decode=extent, through=through)
        chosen = dataclasses.replace(method, guidance=settings)
        results[extent] = guided(chosen, (0, FRAMES), components)
        if extent == "body_first":
            assert (guided(chosen, (0, 1, 3, FRAMES), components) - results[extent]).abs().max() < 1e-4
    plain = guided(dataclasses.replace(method, guide=(0.0, 0.0)), (0, FRAMES), components)
    moved = (results["whole"] - plain).norm()
    assert moved > 1e-2
    assert 0 < (results["body"] - results["whole"]).norm() < 0.5 * moved
    assert 0 < (results["body_first"] - results["whole"]).norm() < 0.5 * moved


def _kept(matches: Matches, low: int, high: int) -> Matches:
    """The matches whose pixels lie in rows and columns low to high - 1 in both frames."""
    rows_and_columns = [axis for flat in (matches.current, matches.reference) for axis in np.divmod(flat, SIZE)]
    keep = np.all([(axis >= low) & (axis < high) for axis in rows_and_columns], axis=0)
    return Matches(matches.current[keep], matches.reference[keep], SIZE, SIZE)
