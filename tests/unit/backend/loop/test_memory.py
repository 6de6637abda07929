"""Memory: what a frame takes, how it grows with a shot, and what is chosen by it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, ControlNetModel, UNet2DConditionModel

from backend.contract.values import NOTHING_CARRIED, Batches, Canvas, SampleSettings, Segment, Step
from backend.loop.attending import read_frame_zero, step_memory
from backend.loop.memory import FrameMemory, choose_batches, choose_micro_batch, fits_with_graph, free_bytes
from backend.loop.method import FrameMethod
from backend.loop.model import Frames, pictures_of
from backend.measure.bench.live_bytes import LiveBytes
from backend.methods.latentman.method import LatentMan
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import Components, assemble
from backend.models.sd15.conditioning import (
    KEPT_FRAMES,
    control_pictures,
    embed_pictures,
    embedded_pictures,
    segment_controls,
)
from backend.models.sd15.frame_memory import frame_memory
from backend.models.sd15.model import StableDiffusion
from backend.models.sd15.text import PromptEmbeds, encode_prompt
from shared.models.sd15 import TINY_VAE
from tests.helpers.tiny_models import TEXT_WIDTH, tiny_components, tiny_modules, tiny_scheduler_config
from tests.helpers.tiny_shot import engine, random_depth, random_matches

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
    text = torch.zeros(1, 3, TEXT_WIDTH)
    model = StableDiffusion(components, PromptEmbeds(text, text))
    latents = torch.zeros(frames, components.latent_channels, cells, cells, requires_grad=gradient)
    size = cells * components.latent_factor
    settings = dataclasses.replace(SETTINGS, height=size, width=size)
    rule = None if gradient else read_frame_zero
    memory_of_step = step_memory(rule, components.layers, Step(0, 1, 501, 0.5), 2)
    shown = Frames((), range(frames))
    with model.denoiser(
        settings, Segment(0, frames), pictures_of(np.zeros((frames, size, size), np.float32))
    ) as denoiser:
        with LiveBytes() as memory, torch.set_grad_enabled(gradient):
            copies = denoiser.copies(latents)
            _output = denoiser.predict_copies(copies, shown, 501, memory_of_step.call(shown.all))
    return int(memory.peak)


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
    judged = frame_memory(
        components, Canvas(cells, cells, cells * factor, cells * factor, CPU), 2, frozenset({TINY_VAE.name})
    )
    latents = torch.zeros(1, 4, cells, cells, requires_grad=True)
    with LiveBytes() as memory:
        _picture = tiny.decode(latents).sample
    assert 0.5 < judged.decoder_graph / memory.peak < 2 and judged.joint_decode


def peak_of_segment(components: Components, method: FrameMethod, frames: int) -> int:
    """Peak bytes of a shot's first segment."""
    whole = engine(components, method, random_depth(frames, SIZE), SETTINGS)
    with LiveBytes() as memory:
        whole.sample(Segment(0, frames))
    return int(memory.peak)


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
    method = LatentMan(random_matches(12, LATENT, LATENT), align=(0.0, 1.0), guide=(0.5, 1.0))
    shot, peaks, carried = engine(narrow, method, random_depth(12, SIZE), SETTINGS), [], NOTHING_CARRIED
    for start in range(0, 12, 3):
        with LiveBytes() as memory:
            result = shot.sample(Segment(start, start + 3), carried)
        peaks.append(memory.peak)
        carried = result.carried
    assert peaks[3] <= 1.01 * peaks[1]


def test_depth_that_is_embedded_again_is_the_same() -> None:
    components = tiny_components()
    depth = random_depth(KEPT_FRAMES + 5, SIZE)
    whole = embed_pictures(components, control_pictures(depth))
    source = segment_controls(components, SETTINGS, Segment(2, KEPT_FRAMES + 5), pictures_of(depth))
    assert len(source.kept) == KEPT_FRAMES
    with embedded_pictures(components):
        for start, stop in ((2, 6), (KEPT_FRAMES, KEPT_FRAMES + 4), (KEPT_FRAMES + 3, KEPT_FRAMES + 5)):
            assert torch.equal(source.of(Frames((), range(start, stop))), whole[start:stop])
        assert torch.equal(source.of(Frames((0, 1), range(2, 4))), whole[:4])
        assert torch.equal(source.of(Frames((0,), range(2, 2))), whole[:1])


def test_control_pictures_may_have_colours() -> None:
    components = tiny_components()
    grey = random_depth(2, SIZE)
    coloured = np.repeat(grey[:, None], 3, axis=1)
    assert torch.equal(control_pictures(coloured), control_pictures(grey))
    source = segment_controls(components, SETTINGS, Segment(0, 2), pictures_of(coloured))
    assert torch.equal(source.kept, embed_pictures(components, control_pictures(grey)))


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


def checkpointing(components: Components) -> list[bool]:
    """Whether UNet and autoencoder recompute instead of keeping."""
    return [components.unet.is_gradient_checkpointing, components.vae.is_gradient_checkpointing]


def test_a_graph_without_room_is_checkpointed() -> None:
    components = tiny_components()
    small, vast = Canvas(8, 8, 16, 16, CPU), Canvas(2**14, 2**14, 2**15, 2**15, CPU)
    open_settings, free = dataclasses.replace(SETTINGS, micro_batch=None), free_bytes(CPU)
    little, much = (frame_memory(components, canvas, 2) for canvas in (small, vast))
    assert choose_batches(little, "unet", free, CPU, open_settings) == Batches(8, 8)
    assert choose_batches(much, "unet", free, CPU, open_settings) == Batches(1, 1)
    assert choose_batches(much, "unet", free, CPU, SETTINGS).micro_batch == 4
    assert fits_with_graph(little, "unet", free) and not fits_with_graph(much, "unet", free)
    with StableDiffusion(components, encode_prompt(components, "a red robot")).recomputing():
        assert checkpointing(components) == [True, True]
    assert checkpointing(components) == [False, False]


def test_activations_computed_again_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    components = tiny_components()
    method = LatentMan(random_matches(3, LATENT, LATENT), align=(0.0, 1.0), guide=(0.0, 1.0))
    plain = engine(components, method, random_depth(3, SIZE), SETTINGS).sample(Segment(0, 3), batches=Batches(3, 1))
    monkeypatch.setattr("backend.loop.engine.free_bytes", lambda device: 0)
    again = engine(components, method, random_depth(3, SIZE), SETTINGS).sample(Segment(0, 3), batches=Batches(3, 1))
    assert (plain.latents - again.latents).abs().max() < 1e-5


def test_a_micro_batch_of_its_own_choice_changes_nothing() -> None:
    components = tiny_components()
    results = [
        engine(components, Text2VideoZero(), random_depth(3, SIZE), settings).sample(Segment(0, 3)).latents
        for settings in (SETTINGS, dataclasses.replace(SETTINGS, micro_batch=None))
    ]
    assert (results[0] - results[1]).abs().max() < 1e-4
