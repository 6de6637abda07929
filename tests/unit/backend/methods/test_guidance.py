"""Pixel-wise guidance: its gradient against finite differences, its step and its place in the loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.values import SampleSettings, Segment, Step
from backend.correspondence.types import Matches, empty_matches
from backend.loop.attending import AttentionContext, StepMemory, read_frame_zero, step_memory
from backend.loop.frame_graph import FrameGraph
from backend.loop.memory import GradientThrough
from backend.loop.method import FrameReference
from backend.loop.model import Frames, pictures_of
from backend.loop.noise import SHARED_NOISE, draw
from backend.methods.latentman.cell_box import Crop
from backend.methods.latentman.guidance import AdaptiveGuidance, guidance_step
from backend.methods.latentman.losses import frame_loss, squared_differences
from backend.methods.latentman.method import LatentMan
from backend.methods.latentman.pixel_pairs import PixelPairs, pixel_pairs
from backend.methods.latentman.step_decoder import Decode, GuideDecoder
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import Components
from backend.models.sd15.conditioning import embedded_pictures, segment_controls
from backend.models.sd15.decode import decode_picture
from backend.models.sd15.denoiser import SegmentDenoiser
from backend.models.sd15.segment_text import segment_text
from backend.models.sd15.text import encode_prompt
from tests.helpers.tiny_models import tiny_components
from tests.helpers.tiny_shot import engine, first_of, random_depth, random_matches, random_pair

SIZE, LATENT = 16, 8
SETTINGS = SampleSettings(
    steps=4, guidance_scale=3.0, controlnet_scale=0.9, seed=7, height=SIZE, width=SIZE, micro_batch=2
)
DEPTH = random_depth(2, SIZE)
TIMESTEP = 501
Predict = Callable[[Tensor], Tensor]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ConstantControl(SegmentDenoiser):
    """A denoiser whose ControlNet residuals stay what they were."""

    residuals: tuple[tuple[Tensor, ...], Tensor] | None = None

    def _residuals(
        self, doubled: Tensor, pictures: Tensor, timestep: int, text: Tensor, context: AttentionContext
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        assert self.residuals is not None
        return self.residuals


def shot_denoiser(components: Components, depth: NDArray[np.float32]) -> SegmentDenoiser:
    """The denoiser of a whole shot as one segment."""
    prompt, whole = encode_prompt(components, "a red robot", "blurry"), Segment(0, len(depth))
    text = segment_text(components, prompt, SETTINGS, whole)
    controls = segment_controls(components, SETTINGS, whole, pictures_of(depth))
    return SegmentDenoiser(components, text, controls, SETTINGS)


def frames(start: int, stop: int) -> Frames:
    return Frames((), range(start, stop))


def reading_frame_zero(components: Components) -> StepMemory:
    return step_memory(read_frame_zero, components.layers, Step(0, 1, TIMESTEP, 0.5), 2)


@pytest.fixture(scope="module", params=["epsilon", "v_prediction", "sample"])
def components(request: pytest.FixtureRequest) -> Components:
    return tiny_components(dtype=torch.float64, prediction_type=request.param)


def clean_prediction(components: Components, through: GradientThrough, base: Tensor) -> tuple[Predict, FrameReference]:
    """x_t of frame 1 -> x0 (ControlNet constant at `base` unless through it), and frame 0 as the reference."""
    denoiser, memory = shot_denoiser(components, DEPTH), reading_frame_zero(components)
    scheduler = components.scheduler(SETTINGS.steps)
    latents = draw(3, SHARED_NOISE, (4, LATENT, LATENT))[None].double()
    context = memory.call((1,))
    with torch.no_grad(), embedded_pictures(components):
        output = denoiser.predict_copies(denoiser.copies(latents), frames(0, 1), TIMESTEP, memory.call((0,)))
        reference = FrameReference(scheduler.step(output, TIMESTEP, latents, return_dict=False)[1])
        if through == "unet":
            text, pictures = denoiser.text.of((1,)), denoiser.controls.of(frames(1, 2))
            residuals = denoiser._residuals(base.repeat(2, 1, 1, 1), pictures, TIMESTEP, text, context)
            denoiser = ConstantControl(components, denoiser.text, denoiser.controls, SETTINGS, residuals)

    def predict(x: Tensor) -> Tensor:
        with embedded_pictures(components):
            moved = denoiser.predict_copies(
                denoiser.copies(x), frames(1, 2), TIMESTEP, context, control_gradient=through == "controlnet"
            )
        x0: Tensor = scheduler.step(moved, TIMESTEP, x, return_dict=False)[1]
        return x0

    return predict, reference


def by(components: Components) -> Decode:
    """Whole pictures by the autoencoder."""

    def decode(latents: Tensor, crop: Crop | None = None, decoder: GuideDecoder = "full") -> Tensor:
        return decode_picture(components, latents)

    return decode


def mean_gradient(
    components: Components, x0: Tensor, leaf: Tensor, before: Tensor, pairs: PixelPairs
) -> tuple[float, Tensor]:
    """omega of one frame and its gradient with respect to `leaf`, by way of x0 as the loop has it."""
    loss = frame_loss(x0, FrameReference(x0, before), pairs, by(components))
    assert loss is not None
    gradient = FrameGraph(x0, x0.detach(), leaf).pull_back(loss.gradient)
    return loss.total / loss.terms, gradient / loss.terms


@pytest.mark.parametrize("through", ["unet", "controlnet"])
def test_gradient_is_that_of_finite_differences(components: Components, through: GradientThrough) -> None:
    base = draw(4, SHARED_NOISE, (4, LATENT, LATENT))[None].double()
    predict, reference = clean_prediction(components, through, base)
    pairs = pixel_pairs(random_pair(np.random.default_rng(0), 40, SIZE), SIZE, SIZE, components.device)
    before = decode_picture(components, reference.x0)

    def loss(x: Tensor) -> float:
        with torch.no_grad():
            return float(squared_differences(decode_picture(components, predict(x)), before, pairs).mean())

    leaf = base.clone().requires_grad_()
    value, gradient = mean_gradient(components, predict(leaf), leaf, before, pairs)
    assert value == pytest.approx(loss(base), rel=1e-12)
    for seed in range(4):
        direction = torch.from_numpy(np.random.default_rng(seed).standard_normal(base.shape))
        rise = (loss(base + 1e-5 * direction) - loss(base - 1e-5 * direction)) / 2e-5
        assert float((gradient * direction).sum()) == pytest.approx(rise, rel=1e-5)


@pytest.mark.parametrize("through", ["unet", "controlnet"])
def test_frame_by_frame_gradients_are_those_of_one_batch(components: Components, through: GradientThrough) -> None:
    # Equation 7 summed over three frames, each against a constant picture, in one graph through UNet and decoder.
    denoiser, memory = shot_denoiser(components, random_depth(3, SIZE)), reading_frame_zero(components)
    scheduler = components.scheduler(SETTINGS.steps)
    latents = torch.stack([draw(seed, SHARED_NOISE, (4, LATENT, LATENT)) for seed in range(3)]).double()
    pairs = [
        pixel_pairs(random_pair(np.random.default_rng(f), 40, SIZE), SIZE, SIZE, components.device) for f in (0, 1)
    ]
    before = torch.rand(2, 1, 3, SIZE, SIZE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def clean(leaf: Tensor, shown: Frames) -> Tensor:
        with embedded_pictures(components):
            control, context = through == "controlnet", memory.call(shown.all)
            output = denoiser.predict_copies(denoiser.copies(leaf), shown, TIMESTEP, context, control_gradient=control)
        x0: Tensor = scheduler.step(output, TIMESTEP, leaf, return_dict=False)[1]
        return x0

    with torch.no_grad(), embedded_pictures(components):
        denoiser.predict_copies(denoiser.copies(latents[:1]), frames(0, 1), TIMESTEP, memory.call((0,)))
    leaf = latents[1:].clone().requires_grad_()
    batch = decode_picture(components, clean(leaf, frames(1, 3)))
    losses = [squared_differences(batch[f : f + 1], before[f], pairs[f]).mean() for f in (0, 1)]
    (together,) = torch.autograd.grad(losses[0] + losses[1], leaf)
    for f in (0, 1):
        alone = latents[f + 1 : f + 2].clone().requires_grad_()
        x0 = clean(alone, frames(f + 1, f + 2))
        _, gradient = mean_gradient(components, x0, alone, before[f], pairs[f])
        torch.testing.assert_close(gradient, together[f : f + 1], rtol=1e-9, atol=1e-15)


def test_the_loss_is_in_float32_in_a_model_of_half_precision() -> None:
    halved = tiny_components(dtype=torch.bfloat16)
    latents = draw(3, SHARED_NOISE, (4, LATENT, LATENT))[None].requires_grad_()
    pairs = pixel_pairs(random_pair(np.random.default_rng(0), 40, SIZE), SIZE, SIZE, halved.device)
    black = FrameReference(latents, torch.zeros(1, 3, SIZE, SIZE))
    loss = frame_loss(latents, black, pairs, by(halved))
    assert loss is not None
    assert loss.picture.dtype == loss.gradient.dtype == torch.float32
    # A sum in half precision would be off by its eight bits.
    exact = loss.picture.double().flatten(2)[0][:, pairs.current].square().sum()
    assert loss.total == pytest.approx(float(exact), rel=1e-6)


def test_a_small_step_lowers_the_loss(components: Components) -> None:
    base = draw(4, SHARED_NOISE, (4, LATENT, LATENT))[None].double()
    predict, reference = clean_prediction(components, "unet", base)
    pairs = pixel_pairs(random_pair(np.random.default_rng(0), 40, SIZE), SIZE, SIZE, components.device)
    before = decode_picture(components, reference.x0)
    leaf = base.clone().requires_grad_()
    value, gradient = mean_gradient(components, predict(leaf), leaf, before, pairs)
    step = guidance_step(value, gradient, 0.5, AdaptiveGuidance(strength=0.05, limit=10.0))
    moved = squared_differences(decode_picture(components, predict(base - step)), before, pairs).mean()
    assert float(moved) == pytest.approx(0.95 * value, rel=0.02)


def test_the_loop_subtracts_the_step_at_the_guided_steps() -> None:
    components = tiny_components(dtype=torch.float64)
    prompt = encode_prompt(components, "a red robot", "blurry")
    matches = random_matches(2, LATENT, SIZE)
    guidance = AdaptiveGuidance(strength=0.7, limit=1e9)
    method = LatentMan(matches, align=(0.0, 0.0), guide=(0.75, 1.0), guidance=guidance)
    whole = Segment(0, 2)
    plain, guided = (engine(components, m, DEPTH, SETTINGS, prompt).sample(whole) for m in (Text2VideoZero(), method))
    x0 = [first_of(plain).x0[-1:].double(), plain.last.x0[-1:].double()]
    assert torch.equal(plain.last.latents, guided.last.latents)
    assert torch.allclose(plain.latents[0], guided.latents[0], atol=1e-12)
    moved = plain.latents[1] - guided.latents[1]
    pairs = pixel_pairs(matches.guidance[0], SIZE, SIZE, components.device)
    first, second = (decode_picture(components, x) for x in reversed(x0))
    loss = squared_differences(first, second, pairs).mean()
    # Along the gradient g the step is 0.7 loss / |g|: its scalar product with g is 0.7 loss.
    assert moved.abs().max() > 1e-6
    small = dataclasses.replace(method, guidance=dataclasses.replace(guidance, strength=0.35))
    half = plain.latents[1] - engine(components, small, DEPTH, SETTINGS, prompt).sample(whole).latents[1]
    torch.testing.assert_close(moved, 2 * half, rtol=1e-6, atol=1e-9)
    assert float(loss) > 0


def as_it_is(latents: Tensor, crop: Crop | None = None, decoder: GuideDecoder = "full") -> Tensor:
    """A decoder whose picture is the latents."""
    assert crop is None
    return latents


@pytest.mark.parametrize(("through", "slope"), [("unet", 2.0), ("decoder", 0.5)])
def test_guidance_on_a_model_that_can_be_worked_out(through: GradientThrough, slope: float) -> None:
    # x0 = 2 x_t and picture = x0: omega = mean (2 x - r)^2 over the matches; through the decoder alone the slope is
    # sqrt(alpha_bar) = 0.5.
    generator = torch.Generator().manual_seed(0)
    x, before = torch.randn(2, 1, 3, 4, 4, generator=generator, dtype=torch.float64)
    pairs = PixelPairs(torch.tensor([1, 5, 6]), torch.tensor([2, 5, 9]))
    settings = AdaptiveGuidance(strength=0.8, limit=1e9, through=through)
    step = Step(3, 10, 500, 0.25)
    loss = frame_loss(2 * x, FrameReference(before), pairs, as_it_is)
    assert loss is not None
    gradient = loss.gradient * (1 if through == "decoder" else 2)
    guided = settings.guide(step, x * 0.5, loss, gradient)
    difference = 2 * x.flatten(2)[..., pairs.current] - before.flatten(2)[..., pairs.reference]
    expected = torch.zeros(1, 3, 16, dtype=torch.float64)
    # With g = 2 slope d / n and omega = |d|^2 / n, the step (omega / |g|^2) g is d / (2 slope).
    expected[..., pairs.current] = 0.8 * difference / (2 * slope)
    torch.testing.assert_close(guided, x * 0.5 - expected.reshape(x.shape))
    assert torch.equal(loss.picture, 2 * x)
    assert not loss.picture.requires_grad


def test_the_step_means_the_same_for_any_number_of_pixels_and_any_scale() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 2, 4, 4, generator=generator, dtype=torch.float64)
    before = torch.randn(1, 2, 4, 4, generator=generator, dtype=torch.float64)

    def step(repeats: int, scale: float) -> Tensor:
        leaf = x.clone().requires_grad_()
        pictures = tuple(
            picture.repeat_interleave(repeats, 2).repeat_interleave(repeats, 3) * scale for picture in (leaf, before)
        )
        pairs = PixelPairs(*(torch.arange(16 * repeats**2),) * 2)
        omega = squared_differences(pictures[0], pictures[1], pairs).mean()
        (gradient,) = torch.autograd.grad(omega, leaf)
        return guidance_step(float(omega.detach()), gradient, 0.5, AdaptiveGuidance(limit=1e9))

    torch.testing.assert_close(step(3, 1.0), step(1, 1.0))
    torch.testing.assert_close(step(1, 255.0), step(1, 1.0))


def test_the_step_is_limited_and_zero_where_there_is_nothing_to_do() -> None:
    gradient = torch.zeros(1, 4, 3, 3)
    gradient[0, :, 1, 1] = 1e-6
    settings = AdaptiveGuidance(strength=1.0, limit=0.2)
    step = guidance_step(1.0, gradient, 0.19, settings)
    assert float(step[0, :, 1, 1].square().mean().sqrt()) == pytest.approx(0.2 * 0.9, rel=1e-5)
    assert guidance_step(0.0, gradient, 0.19, settings).abs().max() == 0
    assert guidance_step(1.0, torch.zeros_like(gradient), 0.19, settings).abs().max() == 0
    assert guidance_step(1.0, gradient, 0.19, dataclasses.replace(settings, strength=0.0)).abs().max() == 0


def test_a_frame_without_matches_is_not_judged() -> None:
    x = torch.ones(1, 3, 2, 2)
    pairs = pixel_pairs(empty_matches(2, 2), 2, 2, torch.device("cpu"))
    assert frame_loss(x, FrameReference(x), pairs, as_it_is) is None


def test_coarse_matches_name_the_top_left_pixels() -> None:
    matches = Matches(np.array([0, 3]), np.array([5, 2]), 2, 3)
    pairs = pixel_pairs(matches, 4, 9, torch.device("cpu"))
    # (0, 0) -> (0, 0); (1, 0) -> (2, 0); references (1, 2) -> (2, 6) and (0, 2) -> (0, 6), in rows of 9.
    assert pairs.current.tolist() == [0, 18]
    assert pairs.reference.tolist() == [24, 6]
