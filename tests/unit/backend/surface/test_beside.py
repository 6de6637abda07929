"""What is drawn beside the body: a hat goes with the head and is steadied, a halo is background."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt

from backend.passes.exr import FramePasses
from backend.surface.beside import REACH, Ring, matte, rings, steadied
from backend.surface.limbs import LIMB_OF_PART
from backend.surface.plate import Plate
from shared.shot import ShotCharacter
from tests.helpers.hatted_head import (
    FRAMES,
    HEAD,
    SIZE,
    TORSO,
    Floats,
    around,
    background,
    hat,
    masks,
    painted,
    passes,
    pictures,
)

NOISE = 0.06
HEAD_LIMB, TORSO_LIMB = int(LIMB_OF_PART[HEAD]), int(LIMB_OF_PART[TORSO])


def plate() -> Plate:
    """What is really behind the body, known everywhere."""
    return Plate(background(), np.ones(SIZE, np.float32))


def mattes(shown: Floats) -> list[Floats]:
    steady = steadied(passes(), range(FRAMES), shown, around())
    return [matte(picture, plate(), ring) for picture, ring in zip(steady, around(), strict=True)]


def test_a_ring_holds_the_pixels_near_the_body_and_their_nearest_limbs() -> None:
    for ring, mask in zip(around(), masks(), strict=True):
        body = np.argwhere(mask)
        for y, x in [(5, 5), (20, 40), (48, 90), (90, 48), tuple(body[0]), tuple(body[0] - (3, 0))]:
            wanted = np.linalg.norm(body - (y, x), axis=1).min()
            assert ring.distance_px[y, x] == pytest.approx(wanted, abs=1e-4)
            assert (y * SIZE[1] + x in ring.pixel) == (0 < wanted <= REACH * SIZE[0])
        below, above = np.argwhere(mask)[-1] + (3, 0), np.argwhere(mask)[0] - (3, 0)
        assert ring.limbs[tuple(below)] == TORSO_LIMB and ring.limbs[tuple(above)] == HEAD_LIMB
        np.testing.assert_array_equal(ring.limb, ring.limbs.reshape(-1)[ring.pixel])


def test_a_frame_without_a_body_has_no_ring() -> None:
    empty = dataclasses.replace(passes(), source=_Nothing())
    (ring,) = rings(empty, range(1), [np.zeros(SIZE, bool)])
    assert ring.pixel.size == ring.limb.size == 0
    assert ring.distance_px.min() > REACH * SIZE[0]
    assert not matte(painted(0), plate(), ring).any()


class _Nothing:
    """Frames that show no body."""

    def frame(self, position: int) -> FramePasses:
        whole = passes().frame(position)
        return dataclasses.replace(whole, part=np.zeros_like(whole.part), depth_m=np.full_like(whole.depth_m, np.inf))


def test_a_hat_is_kept_whole() -> None:
    for frame, covered in enumerate(mattes(pictures(NOISE, hatted=True))):
        inside = binary_erosion(hat(frame), np.ones((3, 3)))
        assert inside.sum() > 40
        assert covered[inside].mean() > 0.97 and covered[inside].min() > 0.5


def test_a_hat_is_steadied() -> None:
    shown = pictures(NOISE, hatted=True)
    steady = steadied(passes(), range(FRAMES), shown, around())
    for frame, picture in enumerate(steady):
        inside = binary_erosion(hat(frame), np.ones((3, 3)))
        clean = painted(frame, hatted=True)[inside]
        before, after = (float(np.sqrt(((one - clean) ** 2).mean())) for one in (shown[frame][inside], picture[inside]))
        assert before == pytest.approx(NOISE, rel=0.2)
        # Seven frames, of which its own counts twice, would leave .4 of the noise.
        assert after < 0.65 * before


def test_pixels_off_the_ring_are_left_alone() -> None:
    shown = pictures(NOISE, hatted=True)
    for before, after, ring in zip(shown, steadied(passes(), range(FRAMES), shown, around()), around(), strict=True):
        off = np.ones(SIZE[0] * SIZE[1], bool)
        off[ring.pixel] = False
        np.testing.assert_array_equal(after.reshape(-1, 3)[off], before.reshape(-1, 3)[off])
        assert not np.array_equal(after, before)


def test_what_only_one_frame_shows_is_taken_back() -> None:
    shown = pictures()
    shown[3][hat(3)] = (0.1, 0.15, 0.7)
    steady = steadied(passes(), range(FRAMES), shown, around())
    was = np.abs(shown[3] - background())[hat(3)].mean()
    # Its own colour counts as two of eight, less as the others disagree.
    assert np.abs(steady[3] - background())[hat(3)].mean() < 0.25 * was
    assert np.abs(steady[2] - background())[hat(2)].max() < 0.25 * was


def boxed(reach_px: float) -> tuple[Floats, Plate, Ring, Floats]:
    """A body in the middle of a larger picture with a glow that far round it; last how far each pixel is from it."""
    body = np.zeros((200, 200), bool)
    body[70:130, 80:120] = True
    distance = np.asarray(distance_transform_edt(~body), np.float32)
    nothing = np.full((200, 200, 3), 0.4, np.float32)
    glowing = np.where(((distance > 0) & (distance <= reach_px))[..., None], np.float32(0.9), nothing)
    limbs = np.ones(body.shape, np.int64)
    pixel = np.flatnonzero((distance > 0) & (distance <= REACH * 200))
    ring = Ring(pixel, limbs.reshape(-1)[pixel], distance, limbs)
    return glowing, Plate(nothing, np.ones(body.shape, np.float32)), ring, distance


def test_a_halo_of_two_pixels_is_background_and_a_broad_rim_is_not() -> None:
    narrow, plain, ring, _ = boxed(2)
    np.testing.assert_array_equal(matte(narrow, plain, ring), 0)
    broad, plain, ring, distance = boxed(0.06 * 200)
    covered = matte(broad, plain, ring)
    assert covered[(distance > 0) & (distance <= 0.06 * 200 - 1)].min() > 0.99
    np.testing.assert_array_equal(covered[distance > 0.06 * 200 + 3], 0)


def test_noise_alone_is_background() -> None:
    for covered in mattes(pictures(0.03)):
        np.testing.assert_array_equal(covered, 0)


def test_nothing_stands_before_the_plate_far_away_or_on_the_body() -> None:
    shown = pictures(NOISE, hatted=True)
    shown[:, 60:80, 80:90] = 0  # something that is nowhere near
    for covered, ring, mask in zip(mattes(shown), around(), masks(), strict=True):
        assert not covered[mask].any()
        assert not covered[ring.distance_px > REACH * SIZE[0]].any()
        assert covered.min() >= 0 and covered.max() <= 1
    for frame, covered in enumerate(mattes(pictures(hatted=True))):
        assert not covered[~binary_dilation(hat(frame), np.ones((3, 3)), 2)].any()


def test_what_does_not_hang_together_with_the_body_is_background() -> None:
    shown = pictures()
    for frame, ring in enumerate(around()):
        floating = (ring.distance_px > 5) & (ring.distance_px < 9)
        shown[frame][floating] = 0
    for covered in mattes(shown):
        np.testing.assert_array_equal(covered, 0)


def test_where_the_plate_knows_nothing_the_frame_is_its_own_background() -> None:
    unknown = Plate(background(), np.zeros(SIZE, np.float32))
    assert not matte(painted(3, hatted=True), unknown, around()[3]).any()


def test_of_several_characters_pictures_come_back_as_they_are() -> None:
    one = passes().shot.characters[0]
    half = one.vertex_count // 2
    pair = tuple(ShotCharacter(str(start), start, half, one.joints_world, one.joints_picture) for start in (0, half))
    several = dataclasses.replace(passes(), shot=dataclasses.replace(passes().shot, characters=pair))
    shown = pictures(NOISE, hatted=True)
    np.testing.assert_array_equal(np.stack(steadied(several, range(FRAMES), shown, around())), shown)
