"""Memory: what a frame takes, how it grows with a shot, and what is chosen by it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, ControlNetModel, UNet2DConditionModel

from backend.contract.values import Canvas
from backend.loop.conditioning import KEPT_FRAMES, embed_depth, embedded_depth, segment_depth
from backend.loop.denoiser import Denoiser
from backend.loop.memory import FrameMemory, choose_micro_batch, fit_to_memory, frame_memory, free_bytes
from backend.loop.method import Method
from backend.loop.segment import SampleSettings, Segment, sample_segment
from backend.measure.bench.live_bytes import LiveBytes
from backend.methods.latentman.method import LatentMan
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.attention import AnchorRecorder
from backend.models.sd15.components import Components, assemble
from backend.models.sd15.text import encode_prompt
from tests.helpers.tiny_models import TEXT_WIDTH, tiny_components, tiny_modules, tiny_scheduler_config
from tests.helpers.tiny_shot import random_depth, random_matches

CPU = torch.device("cpu")
SIZE, LATENT = 16, 8
SETTINGS = SampleSettings(
    steps=2, guidance_scale=3.0, controlnet_scale=0.9, seed=7, height=SIZE, width=SIZE, micro_batch=4
)


def random_components(widths: tuple[int, ...], layers: int, vae_layers: int) -> Components:
    """Stable Diffusion's blocks in other sizes; latents are half the picture's size."""
    down = ("CrossAttnDownBlock2D",) * (len(widths) - 1) + ("DownBlock2D",)
    up = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * (len(widths) - 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        unet = UNet2DConditionModel(
            block_out_channels=widths,
            down_block_types=down,
            up_block_types=up,
            layers_per_block=layers,
            norm_num_groups=8,
            attention_head_dim=8,
            cross_attention_dim=TEXT_WIDTH,
        )
        modules: dict[str, Any] = {
            **tiny_modules(),
            "unet": unet,
            "controlnet": ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(4, 8)),
            "vae": AutoencoderKL(
                down_block_types=("DownEncoderBlock2D",) * 2,
                up_block_types=("UpDecoderBlock2D",) * 2,
                block_out_channels=(8, 16),
                layers_per_block=vae_layers,
                norm_num_groups=8,
            ),
        }
    return assemble(**modules, scheduler_config=tiny_scheduler_config(), device=CPU, dtype=torch.float32)


@pytest.fixture(scope="module")
def narrow() -> Components:
    """Few blocks; a frame's embedded depth takes 12 times its latents."""
    return random_components((48, 48), 1, 1)


def peak_of_prediction(components: Components, frames: int, cells: int, gradient: bool) -> int:
    """Peak bytes of one guided prediction of `frames` frames."""
    control = components.controlnet.config.block_out_channels[0]
    denoiser = Denoiser(components, torch.zeros(2, 3, TEXT_WIDTH), 3.0, 1.0)
    latents = torch.zeros(frames, components.latent_channels, cells, cells, requires_grad=gradient)
    depth = torch.zeros(frames, control, cells, cells)
    recorder = AnchorRecorder(2, frozenset() if gradient else frozenset(components.layers), {})
    with embedded_depth(components), LiveBytes() as memory, torch.set_grad_enabled(gradient):
        _output = denoiser.predict(latents, depth, 501, recorder)
    return memory.peak


@pytest.mark.parametrize("kind", ["tiny", "as Stable Diffusion"])
def test_what_a_frame_takes_is_judged_within_a_factor_of_two(kind: str) -> None:
    components, cells = tiny_components() if kind == "tiny" else random_components((32, 64, 128, 128), 2, 2), 16
    factor = components.latent_factor
    judged = frame_memory(components, Canvas(cells, cells, cells * factor, cells * factor, CPU), 2)
    one, three = (peak_of_prediction(components, frames, cells, gradient=False) for frames in (1, 3))
    assert 0.5 < judged.prediction / ((three - one) / 2) < 2
    assert 0.5 < judged.unet_graph / peak_of_prediction(components, 1, cells, gradient=True) < 2
    latents = torch.zeros(1, 4, cells, cells, requires_grad=True)
    with LiveBytes() as memory:
        _picture = components.vae.decode(latents).sample
    assert 0.5 < judged.decoder_graph / memory.peak < 2


@pytest.mark.parametrize("levels", [2, 3])
def test_what_the_tiny_decoder_takes_is_judged_within_a_factor_of_two(levels: int) -> None:
    widths = (16,) * levels
    tiny = AutoencoderTiny(
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        num_encoder_blocks=(1,) * levels,
        num_decoder_blocks=(*(3,) * (levels - 1), 1),  # TAESD's
    )
    components = dataclasses.replace(tiny_components(), tiny_vae=tiny.requires_grad_(False))
    cells, factor = 16, 2 ** (levels - 1)
    judged = frame_memory(components, Canvas(cells, cells, cells * factor, cells * factor, CPU), 2, "tiny")
    latents = torch.zeros(1, 4, cells, cells, requires_grad=True)
    with LiveBytes() as memory:
        _picture = tiny.decode(latents).sample
    assert 0.5 < judged.decoder_graph / memory.peak < 2 and judged.joint_decode


def peak_of_segment(components: Components, method: Method, frames: int) -> int:
    """Peak bytes of a shot's first segment."""
    depth, prompt = random_depth(frames, SIZE), encode_prompt(components, "a red robot", "blurry")
    with LiveBytes() as memory:
        sample_segment(components, method, prompt, depth, depth[0], SETTINGS, Segment(0, frames))
    return memory.peak


@pytest.mark.parametrize("guide", [(0.0, 0.0), (0.5, 1.0)])
def test_a_longer_segment_takes_a_few_latents_a_frame(narrow: Components, guide: tuple[float, float]) -> None:
    # Both with a whole micro-batch beyond those whose embedded depth is kept.
    few, many = KEPT_FRAMES + 4, KEPT_FRAMES + 8
    method = LatentMan(random_matches(many, LATENT, LATENT), align=(0.0, 1.0), guide=guide)
    growth = (peak_of_segment(narrow, method, many) - peak_of_segment(narrow, method, few)) / (many - few)
    latents = 4 * LATENT * LATENT * 4
    # x_t, x_{t-1} and x0 of this step and of the last one, and the alignment's copies; the gather and the matches
    # are int64, two for each cell. One frame's embedded depth would be 12 latents, a prediction hundreds.
    assert 0 < growth <= 9 * latents + 4 * LATENT * LATENT * 8
    assert peak_of_prediction(narrow, 1, LATENT, gradient=False) > 100 * latents


def test_a_longer_shot_in_segments_takes_no_more(narrow: Components) -> None:
    depth, prompt = random_depth(12, SIZE), encode_prompt(narrow, "a red robot", "blurry")
    method = LatentMan(random_matches(12, LATENT, LATENT), align=(0.0, 1.0), guide=(0.5, 1.0))
    peaks, anchor, last = [], None, None
    for start in range(0, 12, 3):
        piece = (depth[start : start + 3], depth[0], SETTINGS, Segment(start, start + 3), anchor, last)
        with LiveBytes() as memory:
            result = sample_segment(narrow, method, prompt, *piece)
        peaks.append(memory.peak)
        anchor, last = result.anchor, result.last
    assert peaks[3] <= 1.01 * peaks[1]


def test_depth_that_is_embedded_again_is_the_same() -> None:
    components = tiny_components()
    depth = random_depth(KEPT_FRAMES + 3, SIZE)
    whole, anchor = embed_depth(components, depth), embed_depth(components, depth[:1] * 0.5)
    source = segment_depth(components, depth, depth[0] * 0.5)
    assert len(source.kept) == KEPT_FRAMES
    with embedded_depth(components):
        for start, stop in ((0, 4), (KEPT_FRAMES - 2, KEPT_FRAMES + 2), (KEPT_FRAMES + 1, KEPT_FRAMES + 3)):
            assert torch.equal(source.rows(range(start, stop)), whole[start:stop])
        assert torch.equal(source.rows(range(-1, 2)), torch.cat([anchor, whole[:2]]))
        assert torch.equal(source.rows(range(-1, 0)), anchor)


def test_the_micro_batch_follows_what_is_free() -> None:
    memory = FrameMemory(prediction=100, unet_graph=1000, decoder_graph=300)
    gpu = torch.device("cuda")
    assert [choose_micro_batch(memory, free, gpu) for free in (0, 399, 400, 1000, 10**6)] == [1, 1, 2, 5, 16]
    assert choose_micro_batch(memory, 10**6, CPU) == 8
    assert [memory.graph(through) for through in ("decoder", "unet", "controlnet")] == [300, 1300, 1800]
    assert [memory.frames_with_graph("unet", room) for room in (0, 1300, 2299, 2300)] == [1, 1, 1, 2]
    assert memory.frames_with_graph("controlnet", 300 + 3 * 1500) == 3
    joint = dataclasses.replace(memory, joint_decode=True)
    assert [joint.frames_with_graph("unet", room) for room in (0, 1300, 2599, 2600)] == [1, 1, 1, 2]
    assert joint.frames_with_graph("decoder", 900) == 3
    assert free_bytes(CPU) > 2**20


def test_a_graph_without_room_is_checkpointed() -> None:
    components = tiny_components()
    settings = dataclasses.replace(SETTINGS, micro_batch=None)
    small, vast = Canvas(8, 8, 16, 16, CPU), Canvas(2**14, 2**14, 2**15, 2**15, CPU)
    guided = LatentMan(random_matches(2, LATENT, LATENT))
    fitted = fit_to_memory(components, settings, small, guided)
    assert (fitted.micro_batch, fitted.graph_batch) == (8, 8)
    assert not components.unet.is_gradient_checkpointing
    fitted = fit_to_memory(components, settings, vast, guided)
    assert (fitted.micro_batch, fitted.graph_batch) == (1, 1)
    assert components.unet.is_gradient_checkpointing and components.vae.is_gradient_checkpointing
    assert fit_to_memory(components, SETTINGS, vast, guided).micro_batch == 4


def test_a_micro_batch_of_its_own_choice_changes_nothing() -> None:
    components = tiny_components()
    depth, prompt = random_depth(3, SIZE), encode_prompt(components, "a red robot", "blurry")
    results = [
        sample_segment(components, Text2VideoZero(), prompt, depth, depth[0], settings, Segment(0, 3)).latents
        for settings in (SETTINGS, dataclasses.replace(SETTINGS, micro_batch=None))
    ]
    assert (results[0] - results[1]).abs().max() < 1e-4
