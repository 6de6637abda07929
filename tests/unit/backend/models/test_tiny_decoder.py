"""The tiny decoder in guidance: its pictures and gradients are the plain module's, by boxes too, and it only steers."""

from __future__ import annotations

import copy
import dataclasses
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from torch import Tensor, nn

from backend.contract.values import Canvas, SampleSettings
from backend.correspondence.types import Matches, empty_matches
from backend.loop.memory import GradientThrough
from backend.loop.method import FrameReference
from backend.methods.latentman.cell_box import CellBox, Crop
from backend.methods.latentman.guidance import (
    AdaptiveGuidance,
    DecodeExtent,
)
from backend.methods.latentman.losses import joint_losses, single_losses
from backend.methods.latentman.method import LatentMan
from backend.methods.latentman.pixel_pairs import pixel_pairs, segment_pairs
from backend.methods.latentman.step_decoder import GuideDecoder, StepDecoder
from backend.methods.latentman.tiny_decode import decode_tiny
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import Components, load_components
from backend.models.sd15.fused.upsampling import fuse_doublings
from backend.models.sd15.tiny_decoder import join_tiny_decoder, with_tiny_decoder
from backend.models.sources import find_sources
from shared.errors import ModelError
from shared.models.files import ModelFiles
from tests.helpers.tiny_models import small_autoencoder, tiny_components, torch_module, write_tiny_model
from tests.helpers.tiny_shot import random_depth, random_matches, sample_in_segments, step_tools

CELLS = 30
BOXES = (CellBox(13, 12, 17, 18), CellBox(0, 3, 13, 30), CellBox(29, 0, 30, 1), CellBox(0, 0, 30, 30))


def with_small(dtype: torch.dtype = torch.float64) -> Components:
    return join_tiny_decoder(tiny_components(dtype=dtype), small_autoencoder())


def random_latents(cells: int = CELLS) -> Tensor:
    return 2 * torch.randn(1, 4, cells, cells, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def gradient_of(picture: Tensor, leaf: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    (gradient,) = torch.autograd.grad(
        (picture * torch.randn(picture.shape, generator=generator, dtype=picture.dtype)).sum(), leaf
    )
    return gradient


def test_values_and_gradient_are_the_plain_modules() -> None:
    components, plain = with_small(), small_autoencoder().double()
    found, expected = (random_latents().requires_grad_() for _ in range(2))
    picture, twin = decode_tiny(components, found), (plain.decode(expected / 0.8).sample + 1) / 2
    # A fused doubling's kernel is summed in the files' own precision, float32.
    torch.testing.assert_close(picture, twin, rtol=1e-5, atol=1e-6)
    assert picture.shape == (1, 3, 2 * CELLS, 2 * CELLS) and picture.std() > 0.01
    torch.testing.assert_close(gradient_of(picture, found), gradient_of(twin, expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("statistics", ["own", "first"])
def test_a_box_is_the_whole_decodes_and_so_is_its_gradient(box: CellBox, statistics: Any) -> None:
    decode = StepDecoder(step_tools(with_small()))
    pixels = box.scaled(2)
    mask = torch.zeros(1, 1, 2 * CELLS, 2 * CELLS, dtype=torch.float64)
    mask[..., pixels.top : pixels.bottom, pixels.left : pixels.right] = 1
    found, expected = (random_latents().requires_grad_() for _ in range(2))
    part = decode(found, Crop(box, statistics), "tiny")
    whole = decode(expected, None, "tiny") * mask
    torch.testing.assert_close(part, whole, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(gradient_of(part, found), gradient_of(whole, expected), rtol=1e-9, atol=1e-9)


def test_a_small_box_leaves_most_of_the_picture_undone() -> None:
    components = with_small()
    seen: list[torch.Size] = []
    assert components.tiny_vae is not None
    components.tiny_vae.decoder.layers[-1].register_forward_hook(lambda _, args, out: seen.append(out.shape))
    decode_tiny(components, random_latents(), BOXES[0])
    # Above the last doubling two convolutions are left of a block of three and the end: 8 rows and 5 more on each side.
    assert seen[0][2] * seen[0][3] < 0.25 * (2 * CELLS) ** 2


@pytest.mark.parametrize("kind", ["nearest", "bilinear"])
def test_only_plain_doublings_are_fused(kind: str) -> None:
    plain = nn.Sequential(
        nn.Upsample(scale_factor=2, mode=kind), nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Upsample(scale_factor=2)
    ).double()
    fused = copy.deepcopy(plain)
    assert fuse_doublings(fused) == (kind == "nearest")
    values = torch.randn(2, 3, 6, 7, dtype=torch.float64)
    torch.testing.assert_close(fused(values), plain(values), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("empty", [None, 0, 1])
def test_frames_judged_together_are_those_judged_alone(known: bool, empty: int | None) -> None:
    decode = partial(StepDecoder(step_tools(with_small())), decoder="tiny")
    frames, canvas = 4, Canvas(CELLS, CELLS, 2 * CELLS, 2 * CELLS, torch.device("cpu"))
    matches = list(random_matches(frames, CELLS, 2 * CELLS).guidance)
    matches = [_within(pair, 2 * index, 20 + 9 * index) for index, pair in enumerate(matches)]
    if empty is not None:
        matches[empty] = empty_matches(2 * CELLS, 2 * CELLS)
    pairs = segment_pairs(matches, canvas, "own")
    x0 = torch.cat([random_latents() * (1 + frame / 4) for frame in range(frames)])
    reference = FrameReference(x0[:1], decode(x0[:1]) if known else None)
    alone, together = (judge(x0[1:], reference, pairs, decode) for judge in (single_losses, joint_losses))
    assert [loss is None for loss in together] == [index == empty for index in range(frames - 1)]
    for one, other in zip(alone, together, strict=True):
        if one is not None and other is not None:
            assert other.total == pytest.approx(one.total, rel=1e-9) and other.terms == one.terms
            torch.testing.assert_close(other.gradient, one.gradient, rtol=1e-9, atol=1e-9)
            assert not other.picture.requires_grad


def test_frames_without_a_match_are_not_decoded_together() -> None:
    nothing = [pixel_pairs(empty_matches(4, 4), 4, 4, torch.device("cpu"))] * 2

    def unused(latents: Tensor, crop: Crop | None = None, decoder: GuideDecoder = "full") -> Tensor:
        raise AssertionError

    x0 = torch.zeros(2, 4, 2, 2)
    assert joint_losses(x0, FrameReference(x0[:1]), nothing, unused) == [None, None]


def _within(pair: Matches, low: int, high: int) -> Matches:
    """The matches of a square picture whose pixels lie in rows and columns `low` to `high` in both frames."""
    both = np.stack([np.divmod(side, pair.width) for side in (pair.current, pair.reference)])
    kept = ((both >= low) & (both < high)).all(axis=(0, 1))
    return Matches(pair.current[kept], pair.reference[kept], pair.height, pair.width)


SIZE, LATENT, FRAMES = 32, 16, 3
SETTINGS = SampleSettings(
    steps=3, guidance_scale=3.0, controlnet_scale=0.9, seed=7, height=SIZE, width=SIZE, micro_batch=2
)


def sampled(
    components: Components,
    guidance: AdaptiveGuidance | None,
    cuts: tuple[int, ...] = (0, FRAMES),
    settings: SampleSettings = SETTINGS,
) -> Tensor:
    """The latents of a shot, guided at all steps or by the baseline alone."""
    method: Any = Text2VideoZero()
    if guidance is not None:
        method = LatentMan(random_matches(FRAMES, LATENT, SIZE), (0.0, 0.0), (0.0, 1.0), guidance)
    return sample_in_segments(components, method, random_depth(FRAMES, SIZE), settings, cuts)


class _Standing:
    """The model's own autoencoder, called as a tiny one is."""

    def __init__(self, vae: Any) -> None:
        widths = vae.config.block_out_channels
        self.config = SimpleNamespace(**vae.config, decoder_block_out_channels=widths[::-1])
        self.decode = vae.decode


THROUGH: tuple[GradientThrough, ...] = ("decoder", "unet", "controlnet")


@pytest.mark.parametrize("through", THROUGH)
def test_guidance_by_the_autoencoder_under_the_other_name_is_the_same(through: GradientThrough) -> None:
    alone = dataclasses.replace(SETTINGS, graph_batch=1)
    full, tiny = AdaptiveGuidance(through=through), AdaptiveGuidance(through=through, decoder="tiny")
    for dtype in (torch.float32, torch.float64):
        components = tiny_components(dtype=dtype)
        stand_in: Any = _Standing(components.vae)
        standing = dataclasses.replace(components, tiny_vae=stand_in)
        expected = sampled(components, full, settings=alone)
        assert torch.equal(sampled(standing, tiny, settings=alone), expected)  # bit for bit, a frame at a time
    # Frames that are decoded together are rounded otherwise.
    torch.testing.assert_close(sampled(standing, tiny), expected, rtol=1e-9, atol=1e-9)
    assert (sampled(with_small(), tiny) - expected).norm() > 1e-3


@pytest.mark.parametrize("through", THROUGH)
@pytest.mark.parametrize("extent", ["whole", "body"])
def test_guided_by_the_tiny_decoder(through: GradientThrough, extent: DecodeExtent) -> None:
    components = with_small()
    guidance = AdaptiveGuidance(through=through, decode=extent, decoder="tiny")
    plain, guided = sampled(components, None), sampled(components, guidance)
    still = sampled(components, dataclasses.replace(guidance, strength=0.0))
    torch.testing.assert_close(still, plain, rtol=0, atol=1e-12)
    torch.testing.assert_close(guided[0], plain[0], rtol=0, atol=1e-12)
    assert all((guided[k] - plain[k]).abs().max() > 1e-5 for k in (1, 2))
    whole = sampled(components, dataclasses.replace(guidance, decode="whole"))
    torch.testing.assert_close(guided, whole, rtol=1e-7, atol=1e-8)
    torch.testing.assert_close(sampled(components, guidance, (0, 1, FRAMES)), guided, rtol=1e-7, atol=1e-8)


def test_a_model_without_one_does_not_fall_back_to_its_autoencoder() -> None:
    with pytest.raises(ModelError, match=r"without the tiny decoder.*guide_decoder"):
        sampled(tiny_components(), AdaptiveGuidance(decoder="tiny"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    write_tiny_model(folder)
    return folder


def joined(model: Path, place: Path) -> Components:
    files = ModelFiles(tiny_vae=str(place))
    components = load_components(str(model), "cpu", "float32", files=files)
    return with_tiny_decoder(components, find_sources(str(model), files))


def test_it_is_read_from_a_folder_of_its_own(model: Path, tmp_path: Path) -> None:
    tiny = small_autoencoder()
    tiny.half().save_pretrained(tmp_path / "taesd")
    loaded = joined(model, tmp_path / "taesd")
    latents = random_latents().float()
    expected = tiny.float().decode(latents / 0.8).sample / 2 + 0.5
    torch.testing.assert_close(decode_tiny(loaded, latents), expected, rtol=1e-5, atol=1e-5)
    assert not any(parameter.requires_grad for parameter in torch_module(loaded.tiny_vae).parameters())


def test_where_there_is_none_the_folder_and_the_setting_are_named(model: Path) -> None:
    components = load_components(str(model), "cpu", "float32")
    with pytest.raises(ModelError) as caught:
        with_tiny_decoder(components, find_sources(str(model)))
    assert f"has none in {model / 'tiny_vae'}." in str(caught.value) and "guide_decoder" in str(caught.value)


@pytest.mark.parametrize(
    ("tiny", "words"),
    [
        (lambda: small_autoencoder(latent_channels=6), "expects 6 latent channels, the autoencoder 4"),
        (lambda: small_autoencoder(levels=3), "4 times its latents' size, the autoencoder's 2 times"),
        (
            lambda: AutoencoderTiny(
                decoder_block_out_channels=(4, 4), num_decoder_blocks=(1, 1), upsample_fn="bilinear"
            ),
            "enlarges by 2 \\(bilinear\\), not by 2 \\(nearest\\)",
        ),
        (lambda: tiny_components().vae, "holds a AutoencoderKL, not a AutoencoderTiny"),
    ],
)
def test_one_that_does_not_belong_is_refused_with_both_numbers(
    model: Path, tmp_path: Path, tiny: Any, words: str
) -> None:
    tiny().save_pretrained(tmp_path / "other")
    with pytest.raises(ModelError, match=words):
        joined(model, tmp_path / "other")
