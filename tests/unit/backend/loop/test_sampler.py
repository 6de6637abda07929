"""The loop against diffusers' own pipeline, and its invariances."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionControlNetPipeline
from torch import Tensor, nn

from backend.contract.values import Callbacks, Carried, SampleSettings, Segment
from backend.loop.memory import GradientThrough
from backend.loop.method import FrameMethod
from backend.loop.noise import draw
from backend.methods.latentman.fixed_guidance import FixedGuidance
from backend.methods.latentman.guidance import AdaptiveGuidance
from backend.methods.latentman.matches import LatentManMatches
from backend.methods.latentman.method import LatentMan
from backend.methods.per_frame.method import PerFrame
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import Components
from backend.models.sd15.decode import decode_frames
from backend.models.sd15.text import PromptEmbeds, encode_prompt
from shared.errors import CancelledError, InputError, JobError
from tests.helpers.tiny_models import tiny_components, tiny_modules, tiny_scheduler_config, torch_module
from tests.helpers.tiny_shot import engine, random_depth, random_matches, sample_in_segments
from tests.reference import ddim

SIZE = 16
LATENT = 8
FRAMES = 5
PROMPT = "a red robot dancing on the moon"
SETTINGS = SampleSettings(
    steps=5, guidance_scale=3.0, controlnet_scale=0.9, seed=7, height=SIZE, width=SIZE, micro_batch=2
)
DEPTH = random_depth(FRAMES, SIZE)
BASELINE = Text2VideoZero()
# Both parts act, apart and together, within five steps.
LATENTMAN = LatentMan(random_matches(FRAMES, LATENT, LATENT), align=(0.0, 0.6), guide=(0.2, 0.8))


@pytest.fixture(scope="module")
def components() -> Components:
    return tiny_components()


@pytest.fixture(scope="module")
def prompt(components: Components) -> PromptEmbeds:
    return encode_prompt(components, PROMPT, "blurry")


@pytest.fixture(scope="module")
def whole(components: Components, prompt: PromptEmbeds) -> Callable[[FrameMethod], Tensor]:
    """A method's latents of the shot as one segment, computed once."""
    done: dict[str, Tensor] = {}

    def latents(method: FrameMethod) -> Tensor:
        if method.spec.name not in done:
            done[method.spec.name] = sample(components, method, prompt)
        return done[method.spec.name]

    return latents


def sample(
    components: Components,
    method: FrameMethod,
    prompt: PromptEmbeds,
    cuts: tuple[int, ...] = (0, FRAMES),
    settings: SampleSettings = SETTINGS,
) -> Tensor:
    """Latents of a shot sampled in the segments between `cuts`."""
    return sample_in_segments(components, method, DEPTH, settings, cuts, prompt)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("attention", [True, False])
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_one_frame_is_what_diffusers_pipeline_makes(prediction: str, attention: bool, scale: float) -> None:
    components = tiny_components(prediction_type=prediction, controlnet_attention=attention)
    settings = dataclasses.replace(SETTINGS, guidance_scale=scale)
    embeds = encode_prompt(components, PROMPT, "blurry")
    ours = engine(components, BASELINE, DEPTH, settings, embeds).sample(Segment(0, 1)).latents
    pipeline = StableDiffusionControlNetPipeline(
        **tiny_modules(controlnet_attention=attention),
        scheduler=DDIMScheduler(**tiny_scheduler_config(prediction)),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    theirs = pipeline(
        prompt=PROMPT,
        negative_prompt="blurry",
        image=torch.from_numpy(DEPTH[:1])[:, None].expand(-1, 3, -1, -1),
        num_inference_steps=settings.steps,
        guidance_scale=scale,
        controlnet_conditioning_scale=settings.controlnet_scale,
        latents=draw(settings.seed, BASELINE.noise_stream(0), (4, LATENT, LATENT))[None],
        output_type="latent",
    ).images
    assert (ours - theirs).abs().max() < 1e-4
    pictures = pipeline.vae.decode(theirs / 0.7).sample.detach().permute(0, 2, 3, 1).numpy() / 2 + 0.5
    expected = np.round(np.clip(pictures, 0, 1) * 255)
    assert np.abs(decode_frames(components, ours).astype(float) - expected).max() <= 1


def test_empty_spans_are_the_baseline_bit_for_bit(
    components: Components, prompt: PromptEmbeds, whole: Callable[[FrameMethod], Tensor]
) -> None:
    off = dataclasses.replace(LATENTMAN, align=(0.0, 0.0), guide=(0.0, 0.0))
    assert torch.equal(sample(components, off, prompt), whole(BASELINE))


@pytest.mark.parametrize("change", [{"align": (0.0, 0.0)}, {"guide": (0.0, 0.0)}])
def test_each_part_changes_every_frame_but_the_first(
    components: Components,
    prompt: PromptEmbeds,
    whole: Callable[[FrameMethod], Tensor],
    change: dict[str, Any],
) -> None:
    moved = sample(components, dataclasses.replace(LATENTMAN, **change), prompt) - whole(BASELINE)
    assert moved[0].abs().max() < 1e-4
    assert moved[1:].flatten(1).abs().amax(dim=1).min() > 1e-3


@pytest.mark.parametrize("method", [PerFrame(), BASELINE, LATENTMAN])
@pytest.mark.parametrize("size", [1, 3, FRAMES + 1])
def test_micro_batches_change_nothing(
    components: Components, prompt: PromptEmbeds, whole: Callable[[FrameMethod], Tensor], method: FrameMethod, size: int
) -> None:
    other = sample(components, method, prompt, settings=dataclasses.replace(SETTINGS, micro_batch=size))
    assert (other - whole(method)).abs().max() < 1e-4


@pytest.mark.parametrize("through", ["unet", "controlnet", "unconditional", "decoder"])
def test_frames_guided_together_are_those_guided_alone(through: GradientThrough) -> None:
    components = tiny_components(dtype=torch.float64)
    prompt = encode_prompt(components, PROMPT, "blurry")
    method = dataclasses.replace(LATENTMAN, guidance=FixedGuidance(delta=0.1, through=through))
    alone, together = (
        sample(components, method, prompt, settings=dataclasses.replace(SETTINGS, graph_batch=size))
        for size in (1, FRAMES)
    )
    torch.testing.assert_close(together, alone, rtol=1e-9, atol=1e-9)
    off = dataclasses.replace(method, guide=(0.0, 0.0))
    assert (alone - sample(components, off, prompt)).abs().max() > 1e-4


@pytest.mark.parametrize("through", ["unet", "controlnet", "decoder"])
def test_a_guided_step_predicts_and_decodes_every_frame_once(
    components: Components, prompt: PromptEmbeds, through: GradientThrough
) -> None:
    rows = {"unet": 0, "controlnet": 0, "decoder": 0}

    def count(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def add(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
            rows[name] += len(args[0])

        return add

    modules = {"unet": components.unet, "controlnet": components.controlnet, "decoder": components.vae.decoder}
    handles = [module.register_forward_hook(count(name)) for name, module in modules.items()]
    try:
        method = dataclasses.replace(LATENTMAN, guide=(0.0, 1.0), guidance=AdaptiveGuidance(through=through))
        sample(components, method, prompt)
    finally:
        for handle in handles:
            handle.remove()
    assert rows == {"unet": 2 * FRAMES * 5, "controlnet": 2 * FRAMES * 5, "decoder": FRAMES * 5}


def test_no_weight_takes_a_gradient(components: Components) -> None:
    models = (components.unet, components.controlnet, components.vae, components.text_encoder)
    assert not any(parameter.requires_grad for model in models for parameter in torch_module(model).parameters())


@pytest.mark.parametrize("method", [PerFrame(), BASELINE, LATENTMAN])
@pytest.mark.parametrize("cuts", [(0, 1, 2, 3, 4, 5), (0, 3, 5), (0, 1, 5), (0, 4, 5)])
def test_segments_change_nothing(
    components: Components,
    prompt: PromptEmbeds,
    whole: Callable[[FrameMethod], Tensor],
    method: FrameMethod,
    cuts: tuple[int, ...],
) -> None:
    assert (sample(components, method, prompt, cuts) - whole(method)).abs().max() < 1e-4


def test_gradient_checkpointing_changes_nothing(
    components: Components, prompt: PromptEmbeds, whole: Callable[[FrameMethod], Tensor]
) -> None:
    checkpointed = tiny_components(gradient_checkpointing=True)
    assert (sample(checkpointed, LATENTMAN, prompt) - whole(LATENTMAN)).abs().max() < 1e-5


def test_frames_are_the_same_in_a_longer_shot(
    components: Components, prompt: PromptEmbeds, whole: Callable[[FrameMethod], Tensor]
) -> None:
    assert (sample(components, LATENTMAN, prompt, (0, 3)) - whole(LATENTMAN)[:3]).abs().max() < 1e-4


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction", "sample"])
def test_steps_follow_the_written_out_ddim(prediction: str) -> None:
    components = tiny_components(prediction_type=prediction)
    scheduler = components.scheduler(SETTINGS.steps)
    alphas = ddim.alpha_bars(0.00085, 0.012, 1000)
    timesteps = ddim.leading_timesteps(1000, SETTINGS.steps, 1)
    assert [int(timestep) for timestep in scheduler.timesteps] == timesteps
    latents, output = np.random.default_rng(0).standard_normal((2, 1, 4, 3, 3))
    for timestep in timesteps:
        before = timestep - 1000 // SETTINGS.steps
        expected = ddim.ddim_step(latents, output, alphas[timestep], alphas[max(before, 0)], prediction)
        ours = scheduler.step(torch.from_numpy(output), timestep, torch.from_numpy(latents), return_dict=False)
        for got, wanted in zip(ours, expected, strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-4)


def test_each_step_is_told_with_its_clean_latents(components: Components, prompt: PromptEmbeds) -> None:
    told: list[tuple[int, int, tuple[int, ...]]] = []
    watch = Callbacks(on_step=lambda step, steps, x0: told.append((step, steps, tuple(x0.shape))))
    engine(components, BASELINE, DEPTH, SETTINGS, prompt).sample(Segment(0, 2), callbacks=watch)
    assert told == [(step, 5, (2, 4, LATENT, LATENT)) for step in range(1, 6)]


@pytest.mark.parametrize("method", [BASELINE, LATENTMAN])
def test_cancel_is_seen_before_the_next_call_of_the_model(
    components: Components, prompt: PromptEmbeds, method: FrameMethod
) -> None:
    steps: list[int] = []
    watch = Callbacks(on_step=lambda step, *_: steps.append(step), cancelled=lambda: len(steps) == 2)
    with pytest.raises(CancelledError):
        engine(components, method, DEPTH, SETTINGS, prompt).sample(Segment(0, FRAMES), callbacks=watch)
    assert steps == [1, 2]
    assert type(components.controlnet.controlnet_cond_embedding).__name__ == "ControlNetConditioningEmbedding"


def test_a_later_segment_needs_its_trajectories(components: Components, prompt: PromptEmbeds) -> None:
    baseline, latentman = (engine(components, method, DEPTH, SETTINGS, prompt) for method in (BASELINE, LATENTMAN))
    first, later = Carried(baseline.sample(Segment(0, 2)).first), Segment(2, 4)
    with pytest.raises(JobError, match="frame 0's"):
        baseline.sample(later)
    with pytest.raises(JobError, match="last frame's"):
        latentman.sample(later, first)
    fewer = engine(components, BASELINE, DEPTH, dataclasses.replace(SETTINGS, steps=4), prompt)
    with pytest.raises(JobError, match=r"\(5, 4, 8, 8\)"):
        fewer.sample(later, first)


def test_sizes_that_do_not_fit_are_refused(components: Components, prompt: PromptEmbeds) -> None:
    whole = Segment(0, FRAMES)
    with pytest.raises(InputError, match="multiple of 2"):
        odd = dataclasses.replace(SETTINGS, width=17)
        engine(components, BASELINE, DEPTH, odd, prompt).sample(whole)
    with pytest.raises(InputError, match=r"\(4, 16, 16\); they must be \(5, 16, 16\)"):
        engine(components, BASELINE, DEPTH[:4], SETTINGS, prompt).sample(whole)
    with pytest.raises(InputError, match="outside 0..1"):
        engine(components, BASELINE, DEPTH + 1, SETTINGS, prompt).sample(whole)
    with pytest.raises(InputError, match="too many"):
        many = dataclasses.replace(SETTINGS, steps=1001)
        engine(components, BASELINE, DEPTH, many, prompt).sample(whole)


def test_matches_that_do_not_fit_are_refused(components: Components, prompt: PromptEmbeds) -> None:
    few = LatentMan(random_matches(FRAMES - 1, LATENT, LATENT))
    with pytest.raises(InputError, match="3 pairs of frames; this segment needs 4"):
        sample(components, few, prompt)
    coarse = LatentMan(random_matches(FRAMES, LATENT // 2, LATENT))
    with pytest.raises(InputError, match="4x4; the latents are 8x8"):
        sample(components, coarse, prompt)


def test_values_that_are_not_finite_are_an_error(components: Components, prompt: PromptEmbeds) -> None:
    broken = PromptEmbeds(torch.full_like(prompt.positive, torch.nan), prompt.negative)
    with pytest.raises(JobError, match="NaN or infinity"):
        sample(components, BASELINE, broken)
    with pytest.raises(JobError, match="NaN or infinity"):
        decode_frames(components, torch.full((1, 4, LATENT, LATENT), torch.nan))


def test_frames_without_matches_pass_through(
    components: Components, prompt: PromptEmbeds, whole: Callable[[FrameMethod], Tensor]
) -> None:
    nothing = [matches for matches in random_matches(FRAMES, LATENT, LATENT).latent]
    empty = [dataclasses.replace(m, current=m.current[:0], reference=m.reference[:0]) for m in nothing]
    method = dataclasses.replace(LATENTMAN, matches=LatentManMatches(empty, empty))
    assert (sample(components, method, prompt) - whole(BASELINE)).abs().max() < 1e-4


def test_half_precision_stays_close(
    components: Components, prompt: PromptEmbeds, whole: Callable[[FrameMethod], Tensor]
) -> None:
    halved = tiny_components(dtype=torch.bfloat16)
    embeds = encode_prompt(halved, PROMPT, "blurry")
    ours, exact = sample(halved, LATENTMAN, embeds), whole(LATENTMAN)
    assert ours.dtype == torch.float32
    assert (ours - exact).square().mean() < 0.01 * exact.square().mean()
