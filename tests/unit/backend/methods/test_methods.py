"""The table of methods and what each declares."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from backend.contract.values import Canvas, SampleSettings, Segment, Step
from backend.loop.attending import FRAME_ZERO, Attend, Layer
from backend.loop.method import FrameMethod, MethodInputs
from backend.loop.noise import SHARED_NOISE
from backend.methods.latentman.guidance import AdaptiveGuidance
from backend.methods.latentman.method import LatentMan
from backend.methods.table import METHOD_CLASSES
from backend.surface.shot_surface import ShotSurface
from shared.methods import METHODS
from shared.methods.latentman import LatentManSettings
from tests.helpers.clips import sliding_square
from tests.helpers.tiny_models import tiny_components
from tests.helpers.tiny_shot import engine, first_of

SETTINGS = LatentManSettings(align=(0.1, 0.5), guide=(0.3, 0.6), guide_strength=0.4, guide_smooth=1.5, guide_around=2)
INPUTS = MethodInputs(SETTINGS, sliding_square(frames=2), 2, ShotSurface(sliding_square(frames=2)))
LAYER, STEP = Layer("unet", "layer", 0), Step(0, 10, 900, 0.1)


def attends(method: FrameMethod, layer: Layer, step: Step) -> tuple[Attend, ...]:
    """What the layer attends to in a shot of two frames."""
    height, width = INPUTS.passes.size
    canvas = Canvas(height // 2, width // 2, height, width, torch.device("cpu"))
    rule = method.prepare(Segment(0, 2), canvas).attention
    return () if rule is None else rule(layer, step)


def test_every_method_that_a_job_can_name_is_there() -> None:
    assert set(METHOD_CLASSES) == set(METHODS)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_builds_from_a_job_and_is_frozen(name: str) -> None:
    method = METHOD_CLASSES[name].build(dataclasses.replace(INPUTS, settings=METHODS[name].settings()))
    assert method.spec.name == name
    assert dataclasses.is_dataclass(method)
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        method.extra = 1  # type: ignore[attr-defined]


def test_per_frame_shares_nothing() -> None:
    method = METHOD_CLASSES["per_frame"].build(INPUTS)
    streams = {method.noise_stream(frame) for frame in range(5)}
    assert len(streams) == 5
    assert SHARED_NOISE not in streams
    assert attends(method, LAYER, STEP) == ()
    assert not (method.spec.needs_first or method.spec.needs_previous or method.spec.needs.matches)


def test_shared_noise_shares_noise_alone() -> None:
    method = METHOD_CLASSES["shared_noise"].build(INPUTS)
    assert {method.noise_stream(frame) for frame in range(5)} == {SHARED_NOISE}
    assert attends(method, LAYER, STEP) == ()
    assert not (method.spec.needs_first or method.spec.needs_previous or method.spec.needs.matches)


def test_masactrl_reads_frame_0_late_and_in_the_unets_decoder_alone() -> None:
    method = METHOD_CLASSES["masactrl"].build(INPUTS)
    early, late = Step(3, 50, 900, 0.1), Step(4, 50, 880, 0.1)
    blocks = [
        *(("down_blocks", index) for index in range(3)),
        ("mid_block", None),
        *(("up_blocks", index) for index in (1, 2, 3)),
    ]
    names = [f"{kind}.attentions.0" if index is None else f"{kind}.{index}.attentions.0" for kind, index in blocks]
    assert not any(attends(method, Layer("unet", name, 0), early) for name in names)
    read = [name for name in names if attends(method, Layer("unet", name, 0), late)]
    assert read == ["up_blocks.2.attentions.0", "up_blocks.3.attentions.0"]
    assert not any(attends(method, Layer("controlnet", name, 0), late) for name in names)
    assert {method.noise_stream(frame) for frame in range(5)} == {SHARED_NOISE}


def test_latentman_stands_on_either_baseline() -> None:
    settings = dataclasses.replace(SETTINGS, baseline="masactrl")
    method = METHOD_CLASSES["latentman"].build(dataclasses.replace(INPUTS, settings=settings))
    assert not attends(method, Layer("unet", "down_blocks.1.attentions.0", 0), Step(9, 10, 20, 0.9))
    assert attends(method, Layer("unet", "up_blocks.2.attentions.0", 0), Step(9, 10, 20, 0.9)) == FRAME_ZERO


@pytest.mark.parametrize("name", ["text2video_zero", "latentman"])
def test_the_baselines_share_noise_and_frame_0(name: str) -> None:
    method = METHOD_CLASSES[name].build(INPUTS)
    assert {method.noise_stream(frame) for frame in range(5)} == {SHARED_NOISE}
    assert attends(method, LAYER, STEP) == FRAME_ZERO
    assert method.spec.needs_first
    assert method.spec.needs.matches == method.spec.needs_previous == (name == "latentman")


def test_latentman_takes_its_settings_from_the_job() -> None:
    method = METHOD_CLASSES["latentman"].build(INPUTS)
    assert isinstance(method, LatentMan)
    assert (method.align, method.guide) == ((0.1, 0.5), (0.3, 0.6))
    assert method.guidance == AdaptiveGuidance(strength=0.4, smooth=1.5) and method.around == 2


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_finish_of_a_methods_own_is_declared(name: str) -> None:
    inputs = dataclasses.replace(INPUTS, settings=METHODS[name].settings())
    assert (METHOD_CLASSES[name].build(inputs).finish is not None) == METHODS[name].needs.memory


@pytest.mark.parametrize("name", sorted(METHODS))
def test_frame_0_depends_on_no_other_frame_unless_the_method_is_chained(name: str) -> None:
    """Reuse keys of a method that is not chained look at frame 0 alone."""
    spec, passes = METHODS[name], sliding_square(frames=3)
    height, width = passes.size
    settings = SampleSettings(3, 3.0, 0.9, 7, height, width, micro_batch=1)
    components = tiny_components(dtype=torch.float64)
    method = METHOD_CLASSES[name].build(
        MethodInputs(spec.settings(), passes, components.latent_factor, ShotSurface(passes))
    )
    depth = np.random.default_rng(0).random((3, height, width), np.float32)
    edited = depth.copy()
    edited[1:] = 1 - edited[1:]
    ways = [engine(components, method, shown, settings).sample(Segment(0, 3)) for shown in (depth, edited)]
    assert (ways[0].last.x0 - ways[1].last.x0).abs().max() > 1e-3
    if spec.dependence != "chained":
        torch.testing.assert_close(first_of(ways[0]).x0, first_of(ways[1]).x0, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(first_of(ways[0]).latents, first_of(ways[1]).latents, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("settings", [LatentManSettings(), LatentManSettings(guide_decoder="tiny")])
def test_the_parts_of_a_model_that_a_method_uses_are_declared(settings: LatentManSettings) -> None:
    method = METHOD_CLASSES["latentman"].build(dataclasses.replace(INPUTS, settings=settings))
    assert method.model_parts <= set(method.spec.needs.models)
    assert bool(method.model_parts) == (settings.guide_decoder == "tiny")
