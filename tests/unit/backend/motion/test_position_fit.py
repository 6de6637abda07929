"""The position fit against its slow twin, on clips with noise, on other proportions, and on very short clips."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from backend.motion.fit import FitSettings, refine
from backend.motion.fit.contacts import floor_height, planted
from backend.motion.fit.energy import HINGES, Aim, Skeleton, energy
from shared.body import free_body
from shared.errors import CancelledError, MotionError
from shared.motion import read_motion, sample_path
from shared.motion.quality import motion_joints
from shared.rotations import axis_angle_to_matrix
from tests.reference.fit_energy import fit_energy

Array = npt.NDArray[np.float64]
FPS = 20.0
NOISE_M = 0.01


def rest(betas: npt.ArrayLike = (0,) * 10) -> Array:
    return free_body().joints(np.asarray(betas, np.float64))


def positions(name: str, frames: slice = slice(None), on: Array | None = None) -> Array:
    return motion_joints(read_motion(sample_path(name)), rest() if on is None else on)[frames, :22]


def noisy(joints: Array) -> Array:
    return joints + NOISE_M * np.random.default_rng(1).standard_normal(joints.shape)


@pytest.mark.parametrize("frames", [1, 2, 3, 6])
@pytest.mark.parametrize("joints", [22, 24])
def test_the_energy_is_that_of_the_slow_one_and_so_is_its_gradient(frames: int, joints: int) -> None:
    rng = np.random.default_rng(frames)
    settings = FitSettings()
    start = axis_angle_to_matrix(0.9 * rng.standard_normal((frames, 24, 3)))
    delta = torch.tensor(0.3 * rng.standard_normal((frames, 24, 3)), requires_grad=True)
    root = torch.tensor(0.1 * rng.standard_normal((frames, 3)), requires_grad=True)
    aim, surely = rng.standard_normal((frames, joints, 3)), rng.random((frames - 1, 2))
    skeleton = Skeleton(torch.from_numpy(rest()), torch.from_numpy(start))
    fitted = Aim(torch.from_numpy(aim), torch.from_numpy(surely), 0.02)
    value = energy(skeleton, fitted, delta, root, settings)

    def slow(turn: Array, place: Array) -> float:
        return fit_energy(rest(), axis_angle_to_matrix(turn) @ start, place, turn, aim, surely, 0.02, settings)

    turns, places = delta.detach().numpy(), root.detach().numpy()
    assert value.item() == pytest.approx(slow(turns, places), rel=1e-6)
    torch.autograd.backward(value)
    assert delta.grad is not None and root.grad is not None
    step = 1e-5
    for _ in range(8):
        toward = rng.standard_normal(turns.shape), rng.standard_normal(places.shape)
        ahead, behind = (slow(turns + s * step * toward[0], places + s * step * toward[1]) for s in (1, -1))
        slope = float((delta.grad.numpy() * toward[0]).sum() + (root.grad.numpy() * toward[1]).sum())
        assert slope == pytest.approx((ahead - behind) / (2 * step), rel=1e-4)


@pytest.mark.parametrize("name", ["walk", "jump"])
def test_noise_goes_and_the_motion_stays(name: str) -> None:
    true = positions(name)
    given = noisy(true)
    refined = refine(given, rest(), FPS)
    before, after = refined.before, refined.after
    assert after.residual_cm < before.residual_cm
    assert after.foot_slide_cm_per_s < 0.2 * before.foot_slide_cm_per_s
    assert after.jitter_m_per_s3 < 0.2 * before.jitter_m_per_s3
    far_cm = 100.0 * np.linalg.norm(motion_joints(refined.motion, rest())[:, :22] - true, axis=-1)
    assert far_cm.mean() < 100.0 * np.linalg.norm(given - true, axis=-1).mean()
    assert after.residual_cm == refined.motion.residual_cm


def test_a_clean_clip_is_left_nearly_alone() -> None:
    true = positions("dance")
    refined = refine(true, rest(), FPS)
    assert refined.after.residual_cm < 0.3
    assert refined.after.jitter_m_per_s3 <= refined.before.jitter_m_per_s3


def test_other_proportions_come_nearer_than_in_closed_form() -> None:
    refined = refine(positions("walk", on=rest((2, -2, 1, 0, 0, 0, 0, 0, 0, 0))), rest(), FPS)
    assert refined.after.residual_cm < refined.before.residual_cm


def test_knees_and_elbows_keep_their_hinges() -> None:
    refined = refine(noisy(positions("squat", slice(0, 45))), rest(), FPS)
    for joint, axis, sign in HINGES:  # 5 degrees: a straight limb may be a little over
        turns = axis_angle_to_matrix(refined.motion.poses)[:, joint]
        bend = 0.5 * (turns[:, (axis + 2) % 3, (axis + 1) % 3] - turns[:, (axis + 1) % 3, (axis + 2) % 3])
        assert (sign * bend).min() > np.sin(np.radians(-5.0))


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_clip_may_be_short(frames: int) -> None:
    assert refine(positions("wave", slice(0, frames)), rest(), FPS).motion.frame_count == frames


def test_planted_feet_are_those_that_stand_low_and_still() -> None:
    joints = np.zeros((4, 22, 3))
    joints[:, 11, 1] = (0.0, 0.0, 0.2, 0.2)  # the right foot is lifted,
    joints[:, 10, 2] = (0.0, 0.0, 0.0, 0.2)  # the left one slides away at the end
    assert floor_height(joints) == 0.0
    assert planted(joints, FPS).tolist() == [[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]]


def test_it_can_be_stopped_and_tells_how_far_it_is() -> None:
    seen = []

    def on_step(done: int, most: int) -> None:
        seen.append((done, most))
        if done:
            raise CancelledError("cancelled", "Stopped.")

    with pytest.raises(CancelledError):
        refine(noisy(positions("walk", slice(0, 20))), rest(), FPS, settings=FitSettings(steps=40), on_step=on_step)
    assert seen == [(0, 40), (10, 40)]


def test_points_that_are_no_skeleton_are_refused() -> None:
    with pytest.raises(MotionError, match="clip: the legs are 0.0000 m long"):
        refine(np.zeros((4, 22, 3)), rest(), FPS, name="clip")
