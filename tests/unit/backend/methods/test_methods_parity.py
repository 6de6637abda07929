"""Paper and published code, choice by choice: fixed steps, the unconditional gradient, the chain, MasaCtrl's layers."""

from __future__ import annotations

import dataclasses
import json
from functools import cache

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from backend.contract.values import Canvas, SampleSettings, Segment, Step
from backend.correspondence.assignment import match_assignment
from backend.correspondence.chain import next_reference
from backend.correspondence.pairs import frame_iuv, pair_matches
from backend.loop.attending import read_frame_zero, step_memory
from backend.loop.frame_graph import GraphMaker
from backend.loop.method import FrameMethod, FrameReference
from backend.loop.model import Frames, pictures_of
from backend.loop.noise import SHARED_NOISE, draw
from backend.methods.latentman.cell_box import Crop
from backend.methods.latentman.fixed_guidance import FixedGuidance
from backend.methods.latentman.guidance import AdaptiveGuidance
from backend.methods.latentman.losses import frame_loss
from backend.methods.latentman.matches import LatentManMatches
from backend.methods.latentman.method import LatentMan
from backend.methods.latentman.pixel_pairs import PixelPairs
from backend.methods.latentman.shot_matcher import ShotMatches
from backend.methods.latentman.step_decoder import GuideDecoder
from backend.methods.masactrl.method import MasaCtrl
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.attention import install_attention, self_attention_layers
from backend.models.sd15.components import Components
from backend.models.sd15.conditioning import embedded_pictures, segment_controls
from backend.models.sd15.denoiser import SegmentDenoiser
from backend.models.sd15.segment_text import segment_text
from backend.models.sd15.text import encode_prompt
from shared.errors import InputError
from shared.methods.latentman import LatentManSettings, published_settings
from tests.helpers.clips import sliding_square
from tests.helpers.tiny_models import tiny_components
from tests.helpers.tiny_shot import body_everywhere, engine, random_depth, random_matches

SIZE, LATENT, FRAMES = 16, 8, 3
SETTINGS = SampleSettings(steps=5, guidance_scale=3.0, controlnet_scale=0.9, seed=7, height=SIZE, width=SIZE)
DEPTH = random_depth(FRAMES, SIZE)


def as_it_is(latents: Tensor, crop: Crop | None = None, decoder: GuideDecoder = "full") -> Tensor:
    """A decoder whose picture is the latents."""
    return latents


STEP = Step(3, 10, 500, 0.25)


@cache
def components() -> Components:
    return tiny_components(dtype=torch.float64)


def sampled(method: FrameMethod) -> Tensor:
    prompt = encode_prompt(components(), "a red robot", "blurry")
    return engine(components(), method, DEPTH, SETTINGS, prompt).sample(Segment(0, FRAMES)).latents


def built(settings: LatentManSettings) -> LatentMan:
    return LatentMan.with_matches(settings, random_matches(FRAMES, LATENT, SIZE), body_everywhere(SIZE))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("clamp", [False, True])
def test_a_fixed_step_is_delta_times_the_gradient_of_the_loss_as_set(reduction: str, clamp: bool) -> None:
    # The picture is x0 = 2 x_t: omega's gradient is 2 * 2 * range^2 * (2 x - r) at the matches, over their number.
    generator = torch.Generator().manual_seed(0)
    x, before = torch.rand(2, 1, 3, 4, 4, generator=generator, dtype=torch.float64)
    pairs = PixelPairs(torch.tensor([1, 5, 6]), torch.tensor([2, 5, 9]))
    settings = FixedGuidance(0.01, reduction, 25.0, clamp, "unet")  # type: ignore[arg-type]
    loss = frame_loss(2 * x, FrameReference(before), pairs, as_it_is, clamp=clamp)
    assert loss is not None
    guided = settings.guide(STEP, x * 0.5, loss, 2 * loss.gradient)
    picture = 2 * x.flatten(2)[..., pairs.current]
    alive = picture <= 1 if clamp else torch.ones_like(picture, dtype=torch.bool)
    shown = picture.clamp(0, 1) if clamp else picture
    gradient = 4 * 25.0**2 * (shown - before.flatten(2)[..., pairs.reference]) * alive
    expected = torch.zeros(1, 3, 16, dtype=torch.float64)
    expected[..., pairs.current] = 0.01 * gradient / (9 if reduction == "mean" else 1)
    torch.testing.assert_close(guided, x * 0.5 - expected.reshape(x.shape))
    assert torch.equal(loss.picture, 2 * x)
    if clamp:
        assert 0 < int((~alive).sum()) < alive.numel()


def test_a_fixed_step_through_the_decoder_ends_at_x0() -> None:
    x, before = torch.rand(2, 1, 3, 4, 4, dtype=torch.float64)
    pairs = PixelPairs(torch.tensor([0, 7]), torch.tensor([3, 7]))
    settings = FixedGuidance(0.1, "sum", 1.0, False, "decoder")
    loss = frame_loss(3 * x, FrameReference(before), pairs, as_it_is)
    assert loss is not None
    guided = settings.guide(STEP, x * 0.5, loss, loss.gradient)
    expected = torch.zeros(1, 3, 16, dtype=torch.float64)
    difference = 3 * x.flatten(2)[..., pairs.current] - before.flatten(2)[..., pairs.reference]
    expected[..., pairs.current] = 0.1 * 2 * difference * 0.25**0.5
    torch.testing.assert_close(guided, x * 0.5 - expected.reshape(x.shape))


class Unguided(SegmentDenoiser):
    """The half without the prompt alone: classifier-free guidance of scale 0."""

    def _guide(self, output: Tensor) -> Tensor:
        return output.chunk(2)[0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_unconditional_gradient_is_that_of_the_copy_without_the_prompt(dtype: torch.dtype) -> None:
    # eps = (1 - w) u + w c and x0 = (x - s eps) / a: the copy without the prompt has the gradient
    # -(s / a) (1 - w) J_u^T v with v = d loss / d x0. J_u comes from a denoiser that gives u alone.
    model = components() if dtype == torch.float64 else tiny_components(dtype=dtype)
    prompt, whole = encode_prompt(model, "a red robot", "blurry"), Segment(0, FRAMES)
    text = segment_text(model, prompt, SETTINGS, whole)
    controls = segment_controls(model, SETTINGS, whole, pictures_of(DEPTH))
    denoiser = SegmentDenoiser(model, text, controls, SETTINGS)
    base = draw(4, SHARED_NOISE, (4, LATENT, LATENT))[None].to(dtype)
    wanted = draw(5, SHARED_NOISE, (4, LATENT, LATENT))[None].to(dtype)
    memory = step_memory(read_frame_zero, model.layers, Step(0, 1, 501, 0.5), 2)
    first, second = Frames((), range(1)), Frames((), range(1, 2))
    with embedded_pictures(model):
        with torch.no_grad():
            denoiser.predict_copies(denoiser.copies(base), first, 501, memory.call(first.all))
        context = memory.call(second.all)
        scheduler = model.scheduler(SETTINGS.steps)
        graph = GraphMaker(denoiser, scheduler, "unconditional").graph(base, second, 501, context)
        alpha_bar = float(scheduler.alphas_cumprod[501])
        a, s, w = alpha_bar**0.5, (1 - alpha_bar) ** 0.5, SETTINGS.guidance_scale
        v = 2 * (graph.x0.detach() - wanted)
        found, other = graph.pull_back(v), base.clone().requires_grad_()
        copies = denoiser.copies(other)
        u = Unguided(model, text, controls, SETTINGS).predict_copies(copies, second, 501, context)
        (expected,) = torch.autograd.grad((u * v * (-(s / a) * (1 - w))).sum(), other)
    torch.testing.assert_close(found, expected, rtol=1e-3 if dtype == torch.float32 else 1e-9, atol=1e-6)
    assert found.abs().max() > 1e-3


@pytest.mark.parametrize("parity", ["paper", "released"])
def test_a_parity_off_is_the_baseline_and_on_it_is_not(parity: str) -> None:
    settings = published_settings(parity)  # type: ignore[arg-type]
    plain = sampled(Text2VideoZero())
    off = dataclasses.replace(settings, align=(0.0, 0.0), guide=(0.0, 0.0))
    assert torch.equal(sampled(built(off)), plain)
    still = dataclasses.replace(settings, align=(0.0, 0.0), guide_strength=0.0)
    torch.testing.assert_close(sampled(built(still)), plain, rtol=0, atol=1e-12)
    guided = sampled(built(dataclasses.replace(settings, align=(0.0, 0.0))))
    torch.testing.assert_close(guided[0], plain[0], rtol=0, atol=1e-12)  # frame 0 is never guided
    assert all((guided[k] - plain[k]).abs().max() > 1e-6 for k in (1, 2))


def test_what_a_gradient_runs_through_is_what_the_loop_keeps() -> None:
    through = {name: built(published_settings(name)).gradient_through for name in ("paper", "released")}
    assert through == {"paper": "controlnet", "released": "unconditional"}
    assert built(LatentManSettings(guide_through="decoder")).gradient_through == "decoder"
    cropped = built(LatentManSettings(guide_decode="body_first")).guidance
    assert isinstance(cropped, AdaptiveGuidance) and cropped.decode == "body_first"
    assert built(LatentManSettings(guide_decoder="tiny")).guidance.decoder == "tiny"
    with pytest.raises(InputError, match="needs fixed steps"):
        built(LatentManSettings(guide_through="unconditional"))


def test_alignment_alone_needs_no_guidance_matches_and_the_other_way_round() -> None:
    matches, part = random_matches(FRAMES, LATENT, SIZE), body_everywhere(SIZE)
    aligned = LatentManSettings(guide=(0.0, 0.0)), LatentManMatches(matches.latent, [])
    guided = LatentManSettings(align=(0.0, 0.0)), LatentManMatches([], matches.guidance)
    plain = sampled(Text2VideoZero())
    for settings, found in (aligned, guided):
        assert not torch.equal(sampled(LatentMan.with_matches(settings, found, part)), plain)


def test_reference_mode_first_copies_from_frame_0() -> None:
    settings = LatentManSettings(align=(0.0, 1.0), guide=(0.0, 0.0), reference_mode="first")
    method = built(settings)
    latents = torch.randn(FRAMES, 4, LATENT, LATENT)
    canvas = Canvas(LATENT, LATENT, SIZE, SIZE, torch.device("cpu"))
    align = method.prepare(Segment(0, FRAMES), canvas).before_unet
    assert align is not None
    moved = align(Step(0, 5, 900, 0.1), latents, None)
    for frame, pair in enumerate(method.matches.latent, start=1):
        expected = latents[frame].flatten(1).clone()
        expected[:, pair.current] = latents[0].flatten(1)[:, pair.reference]
        assert torch.equal(moved[frame].flatten(1), expected)
    with pytest.raises(InputError, match="needs the shot in one segment"):
        method.prepare(Segment(1, FRAMES), canvas)


@pytest.mark.parametrize("parity", ["paper", "released"])
def test_matches_of_a_parity_are_those_of_its_chain(parity: str) -> None:
    passes = sliding_square(frames=4)
    settings = published_settings(parity)  # type: ignore[arg-type]
    found = list(ShotMatches(passes, settings, 12, 16))
    assert len(found) == 3
    reference = frame_iuv(passes, 0, 12, 16)
    for k, one in enumerate(found, start=1):
        current = frame_iuv(passes, k, 12, 16)
        other = match_assignment(current, reference, features=settings.features)
        reference = next_reference(current, reference, other, settings.reference_mode)
        assert np.array_equal(one.current, other.current) and np.array_equal(one.reference, other.reference)
        assert len(one) > 0


def test_matches_that_carry_labels_are_the_same_in_any_order() -> None:
    passes = sliding_square(frames=6)
    settings = published_settings("released")
    assert (settings.correspondence, settings.reference_mode) == ("assignment", "prev_new")
    in_turn = list(ShotMatches(passes, settings, 12, 16))
    matches = ShotMatches(passes, settings, 12, 16)
    for item in (3, 4, 1, -1):  # 4 goes on from 3, 1 begins again, the last goes on from 1
        assert np.array_equal(matches[item].reference, in_turn[item].reference)
    assert [len(one) for one in matches[1:3]] == [len(one) for one in in_turn[1:3]]
    with pytest.raises(IndexError):
        matches[5]


@pytest.mark.parametrize("mode", ["prev", "first"])
def test_surface_matches_follow_the_reference_mode(mode: str) -> None:
    passes = sliding_square(frames=4)
    found = list(ShotMatches(passes, LatentManSettings(reference_mode=mode), 48, 64))  # type: ignore[arg-type]
    references = (0, 1, 2) if mode == "prev" else (0, 0, 0)
    expected = [pair_matches(passes, k, before, 48, 64, method="surface") for k, before in enumerate(references, 1)]
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one.current, other.current) and np.array_equal(one.reference, other.reference)
    shift = found[2].current - found[2].reference
    assert (shift == (1 if mode == "prev" else 3)).all()


def test_masactrl_reads_frame_0_in_blocks_10_to_15_of_stable_diffusion() -> None:
    config = dict(cross_attention_dim=768, attention_head_dim=8, norm_num_groups=4)
    with torch.device("meta"):
        unet = UNet2DConditionModel(block_out_channels=(32, 64, 64, 64), **config)  # SD 1.5's blocks, fewer channels
    install_attention(unet, "unet")
    layers = self_attention_layers(unet)
    assert [layer.block for layer in layers] == list(range(16))
    for index, expected in ((3, []), (4, list(range(10, 16))), (49, list(range(10, 16)))):
        read = [layer.block for layer in layers if MasaCtrl().attends(layer, Step(index, 50, 500, 0.5))]
        assert read == expected


def test_settings_reach_the_result_as_plain_values() -> None:
    value = json.loads(json.dumps(dataclasses.asdict(published_settings("released"))))
    assert value["guide_through"] == "unconditional" and value["align"] == [0.0, 0.4]
