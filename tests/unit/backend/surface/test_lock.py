"""The lock: frames of one body stay, frames that differ agree, segments go over into each other, memory travels."""

from __future__ import annotations

import dataclasses
import io
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from backend.contract.kept_memory import memory_from_bytes, memory_to_bytes
from backend.contract.values import Memory, Segment
from backend.passes.shot_passes import FramesInMemory
from backend.surface.composite import composite
from backend.surface.light import LUMINANCE
from backend.surface.lock import PLATE, PLATE_BEFORE, TEXTURE, TEXTURE_BEFORE, SurfaceLock
from backend.surface.off_body import BackgroundChoice
from backend.surface.plate import Plate, blended_plate
from backend.surface.shot_surface import ShotSurface
from backend.surface.texture import Texture, blended, no_light
from tests.helpers import hatted_head
from tests.helpers.painted_bodies import LIGHT, inner, picture, pictures, plain, scenery, spots, turning_ball
from tests.helpers.surface_bodies import with_moving_camera

Floats = NDArray[np.float32]

WHOLE, FIRST, SECOND = Segment(0, 6), Segment(0, 3), Segment(3, 6)
RED, BLUE = (0.7, 0.25, 0.2), (0.2, 0.3, 0.75)


@cache
def ball() -> ShotSurface:
    return turning_ball(6)


def tensor(frames: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))


def array(frames: Tensor) -> Floats:
    return np.asarray(frames.permute(0, 2, 3, 1).numpy())


@cache
def shots() -> Tensor:
    """A ball with one paint under one light."""
    return tensor(pictures(ball()))


@cache
def flickering() -> Tensor:
    """The same, but the paint's colours are others in each frame."""
    passes, frames = ball().passes, []
    for frame in passes.positions:
        off = np.random.default_rng(frame).normal(0, 0.12, 3)
        frames.append(picture(passes, frame, partial(_off, off), LIGHT, scenery(passes.size)))
    return tensor(np.stack(frames))


def _off(by: NDArray[Any], place: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(spots(place) + by)


def locked(lock: SurfaceLock, frames: Tensor, segment: Segment = WHOLE) -> Tensor:
    return lock.finished(segment, frames, lock.learned(segment, frames, None))


def in_two(lock: SurfaceLock, frames: Tensor, *, carried: bool = False) -> tuple[Memory, Memory]:
    """The memories of a shot in two segments; `carried` as bytes between them."""
    one = lock.learned(FIRST, frames[:3], None)
    handed = memory_from_bytes(memory_to_bytes(one)) if carried else one
    return one, lock.learned(SECOND, frames[3:], handed)


def two_colours() -> Tensor:
    """Red frames 0 to 2, blue ones 3 to 5, before other backgrounds."""
    bright = np.float32(0.2) + scenery(ball().passes.size)
    red = pictures(ball(), plain(RED), no_light())
    return tensor(np.concatenate([red[:3], pictures(ball(), plain(BLUE), no_light(), bright)[3:]]))


def test_frames_of_one_textured_body_change_little() -> None:
    after = array(locked(SurfaceLock(ball()), shots()))
    for frame, before in enumerate(array(shots())):
        inside, outside = inner(ball().passes, frame), inner(ball().passes, frame, -1)
        error = np.abs(after[frame] - before)
        # Resampling alone: a tenth of what the paint differs across the body.
        assert error[inside].mean() < 0.1 * before[inside].std()
        # The plate is kept in half precision, and beside the body filled from two or three pixels around.
        assert error[outside].mean() < 1e-3 and error[outside].max() < 0.03


@pytest.mark.parametrize("frame", [0, 3])
def test_a_single_frame_stays_itself(frame: int) -> None:
    surface = turning_ball(1, start=frame)
    before = pictures(surface)
    after = array(locked(SurfaceLock(surface), tensor(before), Segment(0, 1)))
    inside = inner(surface.passes, 0)
    assert np.abs(after - before)[0][inside].mean() < 0.1 * before[0][inside].std()
    assert np.abs(after - before)[0].mean() < 0.01


def drift(frames: Tensor) -> float:
    """How much places of the body change from frame to frame, where they are seen well."""
    values = np.full((6, ball().texels, 3), np.nan)
    for frame, one in enumerate(ball().segment(range(6)).frames):
        good = one.view.quality > 0.3
        values[frame, one.view.seen[good]] = (one.sample @ array(frames)[frame].reshape(-1, 3))[good]
    shared = np.isfinite(values[..., 0]).sum(axis=0) >= 4
    assert shared.sum() > 500
    return float(np.nanstd(values[:, shared], axis=0).mean())


def test_frames_that_differ_come_to_agree() -> None:
    floor = drift(shots())  # the light that stays where it is as the body turns
    assert drift(flickering()) > 2 * floor
    assert drift(locked(SurfaceLock(ball()), flickering())) < 1.5 * floor


def test_where_it_is_not_applied_pictures_are_as_they_were_decoded() -> None:
    lock = SurfaceLock(ball(), applied=False)
    memory = lock.learned(WHOLE, shots(), None)
    assert lock.finished(WHOLE, shots(), memory) is shots()
    assert lock.notes(memory) == ()
    applied = SurfaceLock(ball()).learned(WHOLE, shots(), None)
    assert memory_to_bytes(memory) == memory_to_bytes(applied)


def test_a_segment_is_finished_alike_in_another_process() -> None:
    """From the stored memory and a surface of its own, that has seen other segments before, the bytes are the same."""
    here, elsewhere = SurfaceLock(ball()), SurfaceLock(turning_ball.__wrapped__(6))
    elsewhere.surface.segment(range(1, 2))
    one, two = in_two(here, flickering())
    _, again = in_two(elsewhere, flickering(), carried=True)
    assert memory_to_bytes(two) == memory_to_bytes(again)
    for segment, memory in ((FIRST, one), (SECOND, two)):
        frames = flickering()[segment.start : segment.stop]
        stored = memory_from_bytes(memory_to_bytes(memory))
        found, wanted = elsewhere.finished(segment, frames, stored), here.finished(segment, frames, memory)
        assert found.numpy().tobytes() == wanted.numpy().tobytes()
    assert here.files(two) == elsewhere.files(memory_from_bytes(memory_to_bytes(two)))


def test_the_body_of_a_later_segment_goes_over_to_its_own_texture_frame_by_frame() -> None:
    lock, frames = SurfaceLock(ball(), background="keep"), two_colours()
    _, memory = in_two(lock, frames)
    before = Texture.from_arrays(memory.arrays, TEXTURE_BEFORE)
    after = Texture.from_arrays(memory.arrays, TEXTURE)
    assert np.abs(before.colour - after.colour).max() > 0.01
    found = array(lock.finished(SECOND, frames[3:], memory))
    for row, seen in enumerate(ball().segment(range(3, 6)).frames):
        body, drawn = blended(before, after, (row + 1) / 3).drawn(seen)
        wanted = composite(seen, np.clip(body, 0, 1), drawn, array(frames)[3 + row])
        np.testing.assert_allclose(found[row], wanted, atol=1e-6)


def test_the_plate_of_a_later_segment_goes_over_frame_by_frame() -> None:
    lock, frames = SurfaceLock(ball(), background="plate"), two_colours()
    _, memory = in_two(lock, frames)
    before, after = (Plate.from_arrays(memory.arrays, prefix) for prefix in (PLATE_BEFORE, PLATE))
    assert (after.colour - before.colour).max() > 0.01
    found = array(lock.finished(SECOND, frames[3:], memory))
    for row in range(3):
        far = inner(ball().passes, 3 + row, -8)
        wanted = blended_plate(before, after, (row + 1) / 3).colour
        assert far.sum() > 100
        np.testing.assert_allclose(found[row][far], wanted[far], atol=1e-6)


def test_nothing_jumps_where_a_segment_ends() -> None:
    lock, frames = SurfaceLock(ball(), background="plate"), two_colours()
    one, two = in_two(lock, frames)
    found = array(torch.cat([lock.finished(FIRST, frames[:3], one), lock.finished(SECOND, frames[3:], two)]))
    grey = [found[frame][inner(ball().passes, frame)].mean(axis=0) @ LUMINANCE for frame in range(6)]
    asked = [array(frames)[frame][inner(ball().passes, frame)].mean(axis=0) @ LUMINANCE for frame in range(6)]
    assert np.abs(np.diff(grey)).max() < 0.5 * np.abs(np.diff(asked)).max()


def test_the_first_segment_is_remembered_in_the_second() -> None:
    one, two = in_two(SurfaceLock(ball()), two_colours())
    for name in ("colour", "low", "quality", "weight", "light"):
        assert torch.equal(two.arrays[f"{TEXTURE_BEFORE}{name}"], one.arrays[f"{TEXTURE}{name}"])
    assert not any(name.startswith(TEXTURE_BEFORE) for name in one.arrays)


def test_memory_does_not_grow_with_the_shot() -> None:
    lock = SurfaceLock(ball())
    sizes, memory = [], None
    for start in range(6):
        memory = lock.learned(Segment(start, start + 1), shots()[start : start + 1], memory)
        sizes.append(len(memory_to_bytes(memory)))
        assert all(values.device.type == "cpu" for values in memory.arrays.values())
    assert sizes[0] < sizes[1] and len(set(sizes[1:])) == 1


def test_pictures_come_back_in_their_own_shape_and_precision_within_bounds() -> None:
    lock = SurfaceLock(ball())
    memory = lock.learned(WHOLE, 2 * shots() - 0.5, None)
    for dtype in (torch.float32, torch.float16, torch.float64):
        found = lock.finished(WHOLE, shots().to(dtype), memory)
        assert found.dtype == dtype and found.shape == shots().shape and torch.isfinite(found).all()
    body = array(lock.finished(WHOLE, shots(), memory))[0][inner(ball().passes, 0)]
    assert body.min() >= 0 and body.max() <= 1


def test_with_a_moving_camera_each_frame_keeps_its_own_background() -> None:
    motions = np.tile(np.eye(4), (6, 1, 1))
    motions[:, 0, 3] = 0.05 * np.arange(6)
    surface = ShotSurface(with_moving_camera(ball().passes, motions))
    lock = SurfaceLock(surface, background="plate")
    memory = lock.learned(WHOLE, flickering(), None)
    assert not any(name.startswith(PLATE) for name in memory.arrays)
    assert lock.notes(memory) == (BackgroundChoice.MOVING_CAMERA.sentence(()),)
    before, after = array(flickering()), array(lock.finished(WHOLE, flickering(), memory))
    for frame in range(6):
        outside = inner(surface.passes, frame, -1)
        assert after[frame][outside].tobytes() == before[frame][outside].tobytes()
    still = SurfaceLock(ball(), background="keep")
    kept = array(locked(still, flickering()))
    inside = inner(surface.passes, 0)
    # The same bodies before the same picture: the camera's way through the world makes no difference to them.
    np.testing.assert_allclose(after[0][inside].mean(axis=0), kept[0][inside].mean(axis=0), atol=0.01)


def test_a_camera_that_moves_later_changes_no_segment_before() -> None:
    motions = np.tile(np.eye(4), (6, 1, 1))
    motions[3:, 0, 3] = 0.05
    moving = SurfaceLock(ShotSurface(with_moving_camera(ball().passes, motions)))
    (one, two), (plain, _) = in_two(moving, flickering()), in_two(SurfaceLock(ball()), flickering())
    assert memory_to_bytes(one) == memory_to_bytes(plain) and f"{PLATE}colour" in one.arrays
    assert moving.notes(two) == (BackgroundChoice.MOVING_CAMERA.sentence(()),)
    assert not any(name.startswith(PLATE) for name in two.arrays)


def test_each_of_several_characters_has_its_own_texture() -> None:
    pair = turning_ball(3, bodies=2)
    red, blue = (pictures(pair, plain(colour), no_light()) for colour in (RED, BLUE))
    right = np.arange(red.shape[2]) >= red.shape[2] / 2
    frames = np.where(right[:, None], blue, red)
    found = array(locked(SurfaceLock(pair), tensor(frames), FIRST))
    for frame in range(3):
        inside = inner(pair.passes, frame)
        assert inside[:, right].sum() > 50
        np.testing.assert_allclose(found[frame][inside], frames[frame][inside], atol=0.03)


def test_a_body_that_comes_in_later_is_lit_as_the_frames_that_show_it() -> None:
    """What a first segment without it agreed on is nothing, and not that there is no light."""
    passes = ball().passes
    away, nobody = passes.vertices.copy(), passes.read(passes.positions)
    away[:3] += np.float32(50)
    nobody.depth_m[:3], nobody.part[:3], nobody.uv[:3] = np.inf, 0, 0
    surface = ShotSurface(dataclasses.replace(passes, vertices=away, source=FramesInMemory(nobody)))
    frames = shots().clone()
    frames[:3] = tensor(scenery(passes.size)[None])
    lock = SurfaceLock(surface)
    empty, later = in_two(lock, frames)
    assert not empty.arrays[f"{TEXTURE}weight"].any()
    alone = lock.learned(SECOND, frames[3:], None)
    assert alone.arrays[f"{TEXTURE}light"].abs().max() > 0.02
    for name in ("light", "colour"):
        torch.testing.assert_close(later.arrays[TEXTURE + name], alone.arrays[TEXTURE + name])


def test_what_becomes_of_the_background_is_decided_once_and_told() -> None:
    lock = SurfaceLock(ball(), prompts=("a robot", "a hero with a cape"))
    one, two = in_two(lock, shots())
    assert lock.notes(one) == lock.notes(two) == (BackgroundChoice.NAMED.sentence(lock.prompts),)
    assert not any(name.startswith(PLATE) for name in (*one.arrays, *two.arrays))
    plated = SurfaceLock(ball(), prompts=("a robot",))
    later = plated.learned(SECOND, shots()[3:], one)  # the first segment's choice, whatever the prompts say now
    assert int(later.arrays["background"]) == BackgroundChoice.NAMED.value
    asked = dataclasses.replace(lock, background="plate")
    assert asked.notes(asked.learned(FIRST, shots()[:3], None)) == (BackgroundChoice.ASKED_PLATE.sentence(()),)


def test_a_noisy_background_holds_still_on_the_plate_and_the_hat_stays() -> None:
    lock = SurfaceLock(hatted_head.surface())
    segment = Segment(0, hatted_head.FRAMES)
    before = hatted_head.pictures(0.05, hatted=True)
    memory = lock.learned(segment, tensor(before), None)
    assert lock.notes(memory) == (BackgroundChoice.PLATE.sentence(()),)
    after = array(lock.finished(segment, tensor(before), memory))
    edge = np.abs(np.arange(hatted_head.SIZE[1]) - 47) > 40
    assert before[:, :, edge].std(axis=0).mean() > 0.04
    np.testing.assert_array_equal(after[:, :, edge].std(axis=0), 0)
    for frame in range(hatted_head.FRAMES):
        clean, hat = hatted_head.painted(frame, hatted=True), hatted_head.hat(frame)
        assert np.abs(after[frame] - clean)[hat].mean() < 0.5 * np.abs(hatted_head.background() - clean)[hat].mean()


def test_frames_with_much_beside_the_body_keep_their_backgrounds() -> None:
    surface = hatted_head.surface()
    before = hatted_head.pictures(0.0)
    for frame, shown in enumerate(before):
        place = hatted_head.on_head(frame)
        spikes = (np.abs(place.real[..., None] - (-0.2, 0, 0.2)).min(axis=-1) < 0.035) & (place.imag < 0)
        shown[spikes & ~hatted_head.masks()[frame]] = (0.9, 0.1, 0.1)  # they reach further than can be followed
    lock, segment = SurfaceLock(surface), Segment(0, hatted_head.FRAMES)
    memory = lock.learned(segment, tensor(before), None)
    assert lock.notes(memory) == (BackgroundChoice.STANDS_OFF.sentence(()),)
    after = array(lock.finished(segment, tensor(before), memory))
    for frame, mask in enumerate(hatted_head.masks()):
        assert after[frame][~mask].tobytes() == before[frame][~mask].tobytes()


def test_the_atlas_is_a_picture_of_the_last_texture() -> None:
    lock = SurfaceLock(ball())
    _, two = in_two(lock, shots())
    files = lock.files(two)
    assert set(files) == {"atlas"}
    with Image.open(io.BytesIO(files["atlas"])) as atlas:
        assert atlas.mode == "RGBA"
    one, _ = in_two(lock, shots())
    assert lock.files(one) != files
