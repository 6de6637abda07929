"""Frames that agree on one texture while they are denoised: when, by how much, and nothing beside the body."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from torch import Tensor

from backend.contract.values import Memory, Segment, Step
from backend.loop.method import StepTools
from backend.methods.surfacelock.consensus import EMPHASIS, Consensus, consensus_steps
from backend.models.sd15.components import Components
from backend.models.sd15.model import StableDiffusion
from backend.models.sd15.text import PromptEmbeds
from backend.surface.composite import composite, covered
from backend.surface.fuse import fuse
from backend.surface.light import LUMINANCE
from backend.surface.lock import SurfaceLock
from backend.surface.shot_surface import ShotSurface
from backend.surface.texture import Texture, no_light
from tests.helpers.painted_bodies import inner, pictures, plain, turning_ball
from tests.helpers.surface_bodies import with_moving_camera
from tests.helpers.tiny_models import tiny_components
from tests.helpers.tiny_shot import step_tools

FRAMES = 3
SEGMENT, STEP = Segment(0, FRAMES), Step(4, 20, 800, 0.1)
RED, BLUE = (0.7, 0.25, 0.2), (0.2, 0.3, 0.75)


@cache
def ball() -> ShotSurface:
    return turning_ball(FRAMES)


@cache
def components() -> Components:
    return tiny_components(dtype=torch.float64)


def consensus(*, background: bool = False, surface: ShotSurface | None = None) -> Consensus:
    return Consensus(surface or ball(), SEGMENT, (0.2, 0.6), 5, background)


class _Lossless:
    """An autoencoder that loses nothing: latents are pictures, and what it is asked to encode lies within 0..1."""

    def decode(self, latents: Tensor) -> Tensor:
        return latents

    def encode(self, given: Tensor) -> Tensor:
        assert given.min() >= 0 and given.max() <= 1
        return given


def lossless(memory: Memory | None = None) -> StepTools:
    whole: Any = _Lossless()
    return StepTools(whole, None, lambda latents: {}, lambda: None, memory)


def tensor(frames: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))


def body_mean(frames: Tensor, frame: int) -> NDArray[Any]:
    inside = inner(ball().passes, frame)
    return np.asarray(frames[frame].permute(1, 2, 0).numpy()[inside].mean(axis=0))


def apart(frames: Tensor) -> float:
    """How much the first and the last frame differ at texels that both see well."""
    values = np.full((2, ball().texels, 3), np.nan)
    for row, frame in enumerate((0, FRAMES - 1)):
        one = ball().segment(range(FRAMES)).frames[frame]
        good = one.view.quality > 0.3
        colours = one.sample @ frames[frame].permute(1, 2, 0).reshape(-1, 3).numpy()
        values[row, one.view.seen[good]] = colours[good]
    both = np.isfinite(values).all(axis=(0, 2))
    assert both.sum() > 300
    return float(np.linalg.norm(values[0] - values[1], axis=1)[both].mean())


def two_colours() -> Tensor:
    """Two red frames and a blue one."""
    red, blue = (pictures(ball(), plain(colour), no_light()) for colour in (RED, BLUE))
    return tensor(np.concatenate([red[:2], blue[2:]]))


@pytest.mark.parametrize(
    ("span", "count", "steps", "wanted"),
    [
        ((0.2, 0.6), 5, 20, (4, 6, 8, 10, 12)),
        ((0.2, 0.6), 5, 50, (10, 15, 20, 25, 30)),
        ((0.2, 0.6), 2, 20, (4, 12)),
        ((0.2, 0.6), 1, 20, (8,)),
        ((0.2, 0.6), 0, 20, ()),
        ((0.4, 0.4), 5, 20, ()),
        ((0.0, 1.0), 3, 10, (0, 5, 9)),
        ((0.2, 0.6), 20, 5, (1, 2, 3)),
        ((0.0, 0.5), 4, 1, (0,)),
    ],
)
def test_the_steps_of_consensus(span: tuple[float, float], count: int, steps: int, wanted: tuple[int, ...]) -> None:
    assert consensus_steps(span, count, steps) == wanted
    part = Consensus(ball(), SEGMENT, span, count, False)
    assert tuple(index for index in range(steps) if part.acts(Step(index, steps, 1, 0.5))) == wanted


def test_frames_that_agree_already_go_on_nearly_as_they_are() -> None:
    x0 = tensor(pictures(ball()))
    changed = consensus().changed(STEP, x0, lossless())
    for frame in range(FRAMES):
        inside = inner(ball().passes, frame)
        own = x0[frame].permute(1, 2, 0).numpy()[inside]
        assert np.abs((changed - x0)[frame].permute(1, 2, 0).numpy()[inside]).mean() < 0.1 * own.std()


def test_frames_that_differ_go_on_with_one_texture() -> None:
    changed = consensus().changed(STEP, two_colours(), lossless())
    assert apart(changed) < 0.2 * apart(two_colours())


def test_off_the_body_nothing_changes() -> None:
    x0 = two_colours()
    changed = consensus().changed(STEP, x0, lossless())
    for frame in range(FRAMES):
        off = torch.from_numpy(inner(ball().passes, frame, -1))
        assert torch.equal(changed[frame][:, off], x0[frame][:, off])


def flickering() -> Tensor:
    """A red ball before another grey in each frame."""
    greys = [np.full((*ball().passes.size, 3), grey, np.float32) for grey in (0.3, 0.4, 0.5)]
    return tensor(np.stack([pictures(ball(), plain(RED), no_light(), grey)[row] for row, grey in enumerate(greys)]))


def test_away_from_the_body_frames_agree_on_the_background_where_asked() -> None:
    x0 = flickering()
    changed = consensus(background=True).changed(STEP, x0, lossless())
    corner = changed[:, :, :4, :4]
    assert x0[:, :, :4, :4].std(dim=0).min() > 0.05
    assert corner.std(dim=0).max() < 0.01
    for frame, one in enumerate(ball().segment(range(FRAMES)).frames):
        body = covered(one, ball().passes.size)
        beside = torch.from_numpy(binary_dilation(body) & ~body)  # what goes with the body is left to the model
        assert torch.equal(changed[frame][:, beside], x0[frame][:, beside])


def test_a_moving_camera_sees_another_background_in_each_frame() -> None:
    motions = np.tile(np.eye(4), (FRAMES, 1, 1))
    motions[:, 0, 3] = 0.05 * np.arange(FRAMES)
    moving = ShotSurface(with_moving_camera(ball().passes, motions))
    changed = consensus(background=True, surface=moving).changed(STEP, flickering(), lossless())
    assert torch.equal(changed[:, :, :4, :4], flickering()[:, :, :4, :4])


def test_what_lies_beyond_black_and_white_is_kept_as_a_difference() -> None:
    """The decoder's pictures are cut off for the texture; what was cut comes back with x0, as in x0 + E(F) - E(I)."""
    x0 = two_colours()
    x0[..., :4] = 1.5
    x0[..., -4:] = -0.5
    changed = consensus().changed(STEP, x0, lossless())
    assert torch.equal(changed[..., :4], x0[..., :4]) and torch.equal(changed[..., -4:], x0[..., -4:])


def test_with_a_real_autoencoder_it_is_the_residual_of_the_encodings() -> None:
    generator = torch.Generator().manual_seed(0)
    x0 = torch.randn(FRAMES, 4, 18, 24, generator=generator, dtype=torch.float64)
    tools = step_tools(components())
    changed = consensus().changed(STEP, x0, tools)
    model = StableDiffusion(components(), PromptEmbeds(torch.zeros(1, 1, 1), torch.zeros(1, 1, 1)))
    with torch.no_grad():
        shown = model.decode(x0).clamp(0, 1)
        frames = shown.permute(0, 2, 3, 1).float().numpy()
        seen = ball().segment(range(FRAMES))
        texture = fuse(ball(), seen, frames, None, None, EMPHASIS)
        for row, one in enumerate(seen.frames):
            body, drawn = texture.drawn(one)
            target = composite(one, np.clip(body, 0, 1), drawn, frames[row])
            wanted = x0[row] + (model.encode(tensor(target[None]).double()) - model.encode(shown[row : row + 1]))[0]
            torch.testing.assert_close(changed[row], wanted, rtol=1e-4, atol=1e-4)
    assert changed.dtype == torch.float64
    assert (changed - x0).abs().max() > 0.01


def test_a_frame_without_a_body_is_left_alone_by_a_real_autoencoder() -> None:
    away = turning_ball(1, shift_m=30.0, start=1)
    x0 = torch.randn(1, 4, 18, 24, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    changed = Consensus(away, Segment(0, 1), (0.2, 0.6), 5, False).changed(STEP, x0, step_tools(components()))
    torch.testing.assert_close(changed, x0, rtol=0, atol=1e-5)


def test_segments_before_have_the_greater_say() -> None:
    red, blue = (tensor(pictures(ball(), plain(colour), no_light())) for colour in (RED, BLUE))
    memory = SurfaceLock(ball()).learned(SEGMENT, red, None)
    changed = consensus().changed(STEP, blue, lossless(memory))
    for frame in range(FRAMES):
        np.testing.assert_allclose(body_mean(changed, frame), RED, atol=0.12)


def test_the_light_is_kept_from_one_time_to_the_next() -> None:
    """A frame's shading does not fade away where the same frames agree again and again."""
    x0 = tensor(pictures(ball()))
    part, shades = consensus(), []
    for index in range(6):
        x0 = part.changed(Step(index, 20, 800, 0.1), x0, lossless())
        inside = inner(ball().passes, 0)
        shades.append(float((x0[0].permute(1, 2, 0).numpy()[inside] @ LUMINANCE).std()))
    assert shades[-1] > 0.8 * shades[0]


def test_the_light_is_found_by_the_first_segment_that_shows_the_body() -> None:
    count = ball().texels
    black, never = np.zeros((count, 3), np.float32), np.zeros(count, np.float32)
    empty = Memory(Texture(black, black, never, never, no_light()).arrays("texture."))
    x0 = tensor(pictures(ball()))
    after, alone = (consensus().changed(STEP, x0, lossless(memory)) for memory in (empty, None))
    torch.testing.assert_close(after, alone, rtol=0, atol=1e-3)


def test_it_stops_where_the_caller_wants_no_more() -> None:
    def stop() -> None:
        raise SimpleStop

    whole: Any = SimpleNamespace(decode=lambda latents: latents, encode=lambda given: given)
    with pytest.raises(SimpleStop):
        consensus().changed(STEP, two_colours(), StepTools(whole, None, lambda latents: {}, stop))


class SimpleStop(Exception):
    """The caller's."""
