"""SurfaceLock as a method, and the lock of every method's frames: what is off, what it is made of, and its memory."""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from backend.contract.kept_memory import memory_to_bytes
from backend.contract.values import NOTHING_CARRIED, Callbacks, Canvas, SampleSettings, Segment, SegmentResult
from backend.loop.engine import FrameEngine
from backend.loop.method import FrameMethod, MethodInputs
from backend.methods.surfacelock.method import ATTENTIONS, SurfaceLock
from backend.methods.table import METHOD_CLASSES
from backend.models.sd15.components import Components
from backend.passes.shot_passes import ShotPasses, depth_pictures
from backend.surface import lock as surface_lock
from backend.surface.shot_surface import ShotSurface
from shared.errors import JobError
from shared.methods import METHODS
from shared.methods.setting import MethodSettings
from shared.methods.surfacelock import Attention, SurfaceLockSettings
from tests.helpers.clips import sliding_square
from tests.helpers.tiny_models import LATENT_FACTOR, tiny_components
from tests.helpers.tiny_shot import engine

FRAMES, STEPS, SEED = 4, 2, 7
OFF = SurfaceLockSettings(particles=False, rounds=0)
FULL = SurfaceLockSettings(consensus=(0.0, 1.0), rounds=2)


@cache
def components() -> Components:
    return tiny_components(dtype=torch.float64)


@cache
def passes() -> ShotPasses:
    return sliding_square(FRAMES, 2.0)


@cache
def surface() -> ShotSurface:
    return ShotSurface(passes())


@cache
def depth() -> NDArray[np.float32]:
    return depth_pictures(passes(), range(FRAMES))


def job(micro_batch: int = 2, seed: int = SEED) -> SampleSettings:
    height, width = passes().size
    return SampleSettings(STEPS, 3.0, 0.9, seed, height, width, micro_batch=micro_batch)


def method(settings: MethodSettings, name: str = "surfacelock", seed: int = SEED) -> FrameMethod:
    return METHOD_CLASSES[name].build(MethodInputs(settings, passes(), LATENT_FACTOR, surface(), seed))


def canvas() -> Canvas:
    height, width = passes().size
    return Canvas(height // LATENT_FACTOR, width // LATENT_FACTOR, height, width, torch.device("cpu"))


def latents(of: FrameMethod, frames: int = 3, settings: SampleSettings | None = None) -> Tensor:
    return engine(components(), of, depth(), settings or job()).sample(Segment(0, frames)).latents


def locking(of: FrameMethod) -> FrameEngine:
    """An engine with the job's lock on."""
    lock = surface_lock.SurfaceLock(surface(), background="plate")
    return dataclasses.replace(engine(components(), of, depth(), job()), finish=lock)


def in_segments(of: FrameEngine, cuts: tuple[int, ...]) -> list[tuple[Segment, SegmentResult, list[NDArray[np.uint8]]]]:
    """Each segment between `cuts` with its result and finished pictures."""
    out, carried = [], NOTHING_CARRIED
    for start, stop in pairwise(cuts):
        segment = Segment(start, stop)
        result = of.sample(segment, carried)
        shown = list(of.decode(segment, result.latents, range(start, stop), result.memory))
        out.append((segment, result, shown))
        carried = result.carried
    return out


def test_off_it_is_shared_noise_bit_for_bit() -> None:
    baseline = latents(METHOD_CLASSES["shared_noise"].build(MethodInputs(OFF, passes(), LATENT_FACTOR, surface())))
    assert torch.equal(latents(method(OFF)), baseline)
    empty = dataclasses.replace(FULL, particles=False, consensus=(0.5, 0.5))
    assert torch.equal(latents(method(empty)), baseline)


@pytest.mark.parametrize("attention", ["text2video_zero", "masactrl"])
def test_off_with_an_attention_it_is_that_method_bit_for_bit(attention: Attention) -> None:
    theirs = latents(METHOD_CLASSES[attention].build(MethodInputs(OFF, passes(), LATENT_FACTOR, surface())))
    assert torch.equal(latents(method(dataclasses.replace(OFF, attention=attention))), theirs)


def test_every_attention_that_a_job_can_name_is_there() -> None:
    (field,) = (field for field in dataclasses.fields(SurfaceLockSettings) if field.name == "attention")
    assert set(ATTENTIONS) == {choice.value for choice in field.metadata["setting"].choices}


def test_each_part_changes_the_frames() -> None:
    ways = [latents(method(settings)) for settings in (OFF, dataclasses.replace(FULL, rounds=0), FULL)]
    ways.append(latents(method(dataclasses.replace(FULL, particles=False))))
    for one in range(4):
        for other in range(one):
            assert (ways[one] - ways[other]).abs().max() > 1e-3


@pytest.mark.parametrize("attention", sorted(ATTENTIONS))
def test_any_micro_batch_gives_the_same(attention: Attention) -> None:
    settings = dataclasses.replace(FULL, attention=attention)
    one, all_ = (latents(method(settings), settings=job(micro_batch)) for micro_batch in (1, 5))
    # Textures are single precision.
    torch.testing.assert_close(one, all_, rtol=1e-4, atol=1e-4)


def test_one_frame_alone_runs_and_off_is_shared_noises() -> None:
    assert torch.isfinite(latents(method(FULL), 1)).all()
    baseline = METHOD_CLASSES["shared_noise"].build(MethodInputs(OFF, passes(), LATENT_FACTOR, surface()))
    assert torch.equal(latents(method(OFF), 1), latents(baseline, 1))


def test_the_seed_decides_the_particles() -> None:
    particles = dataclasses.replace(FULL, rounds=0)
    again, other = latents(method(particles)), latents(method(particles, seed=8))
    assert torch.equal(again, latents(method(particles)))
    assert (again - other).abs().max() > 1e-2


def test_parts_that_are_off_are_left_out() -> None:
    one = Segment(0, 2)
    off = method(OFF).prepare(one, canvas())
    assert off.initial_latents is None and off.clean_latents is None and off.attention is None
    full = method(FULL).prepare(one, canvas())
    assert full.initial_latents is not None and full.clean_latents is not None
    only = method(dataclasses.replace(FULL, rounds=0, attention="masactrl")).prepare(one, canvas())
    assert only.initial_latents is not None and only.clean_latents is None and only.attention is not None


@pytest.mark.parametrize(
    "background, prompt, agrees",
    [
        ("auto", "a robot", True),
        ("auto", "a hero with a cape", False),
        ("keep", "a robot", False),
        ("plate", "a cape", True),
    ],
)
def test_frames_agree_on_the_background_only_where_the_finish_may_have_a_plate(
    background: Literal["auto", "keep", "plate"], prompt: str, agrees: bool
) -> None:
    inputs = MethodInputs(FULL, passes(), LATENT_FACTOR, surface(), SEED, (prompt,), background)
    assert SurfaceLock.build(inputs).background is agrees
    alone = dataclasses.replace(inputs, settings=dataclasses.replace(FULL, background=False))
    assert SurfaceLock.build(alone).background is False


def test_progress_is_told_of_each_frame_whose_surface_is_read() -> None:
    told: list[tuple[str, int]] = []
    fresh = SurfaceLock.build(MethodInputs(FULL, passes(), LATENT_FACTOR, ShotSurface(passes()), SEED))
    fresh.prepare(Segment(1, 4), canvas(), Callbacks(on_frame=lambda stage, frame: told.append((stage, frame))))
    assert told == [("surface", 1), ("surface", 2), ("surface", 3)]


def test_without_the_jobs_lock_frames_stay_as_decoded_and_still_go_on_from_one_texture() -> None:
    of = engine(components(), method(FULL), depth(), job())
    one, two = in_segments(of, (0, 2, 4))
    bare = engine(components(), method(OFF, "shared_noise"), depth(), job())
    for segment, result, shown in (one, two):
        frames = range(segment.start, segment.stop)
        plain = list(bare.decode(segment, result.latents, frames))
        assert all(np.array_equal(mine, theirs) for mine, theirs in zip(shown, plain, strict=True))
        assert result.memory is not None
        assert of.notes(result.memory) == () and set(of.files(result.memory)) == {"atlas"}
    forgetful = dataclasses.replace(one[1].carried, memory=None)
    with pytest.raises(JobError):
        of.sample(Segment(2, 4), forgetful)


def test_a_later_segment_goes_on_from_the_texture_of_those_before() -> None:
    of = engine(components(), method(FULL), depth(), job())
    carried = of.sample(Segment(0, 2)).carried
    other = engine(components(), method(FULL), depth(), job(seed=11)).sample(Segment(0, 2)).carried
    mine, theirs = (
        of.sample(Segment(2, 4), dataclasses.replace(carried, memory=one.memory)) for one in (carried, other)
    )
    assert (mine.latents - theirs.latents).abs().max() > 1e-3


@pytest.mark.parametrize("name", sorted(METHODS))
def test_the_lock_finishes_any_methods_frames_and_its_memory_is_flat(name: str) -> None:
    of = locking(method(METHODS[name].settings(), name))
    sizes = []
    for segments in (2, 4):
        run = in_segments(of, tuple(range(0, FRAMES + 1, FRAMES // segments)))
        shown = [picture for *_, pictures in run for picture in pictures]
        assert len(shown) == FRAMES
        assert all(picture.shape == (*passes().size, 3) and picture.dtype == np.uint8 for picture in shown)
        memory = run[-1][1].memory
        assert memory is not None
        sizes.append(len(memory_to_bytes(memory)))
        assert len(of.notes(memory)) == 1 and of.files(memory)["atlas"].startswith(b"\x89PNG")
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_locked_body_slides_through_a_segment_with_one_texture(name: str) -> None:
    of = method(METHODS[name].settings(), name)
    ((_, result, locked),) = in_segments(locking(of), (0, 3))
    plain = list(
        engine(components(), of, depth(), job()).decode(Segment(0, 3), result.latents, range(3), result.memory)
    )

    def apart(pictures: list[NDArray[np.uint8]]) -> int:
        """By how many grey levels at most the square's inside, which moves by two pixels, differs from frame 0's."""
        inside = [picture[13:35, 16 + 2 * frame : 38 + 2 * frame].astype(int) for frame, picture in enumerate(pictures)]
        return int(max(np.abs(one - inside[0]).max() for one in inside))

    assert apart(plain) > 20
    assert apart(locked) <= 2  # rounding
