"""Initial noise and the trajectories that carry it from segment to segment."""

from __future__ import annotations

import pytest
import torch

from backend.contract.trajectory import trajectory_from_bytes, trajectory_to_bytes
from backend.contract.values import SampleSettings, Segment, Trajectory
from backend.loop.noise import SHARED_NOISE, draw, frame_noise
from shared.errors import InputError, JobError

SHAPE = (4, 16, 16)


def test_noise_depends_on_seed_and_frame_alone() -> None:
    forward = [draw(3, frame_noise(frame), SHAPE) for frame in range(4)]
    backward = [draw(3, frame_noise(frame), SHAPE) for frame in reversed(range(4))]
    assert all(torch.equal(a, b) for a, b in zip(forward, reversed(backward), strict=True))
    torch.manual_seed(0)
    assert torch.equal(draw(3, frame_noise(2), SHAPE), forward[2])


def test_streams_and_seeds_differ() -> None:
    streams = [SHARED_NOISE, frame_noise(0), frame_noise(1)]
    drawn = [draw(seed, stream, SHAPE).flatten() for seed in (0, 1, 2**63 - 1) for stream in streams]
    correlation = torch.corrcoef(torch.stack(drawn)) - torch.eye(len(drawn))
    assert correlation.abs().max() < 0.15  # 1/sqrt(1024) is 0.03


def test_noise_is_standard_normal() -> None:
    noise = draw(5, SHARED_NOISE, (4, 64, 64))
    assert noise.dtype == torch.float32
    assert abs(float(noise.mean())) < 0.03
    assert float(noise.std()) == pytest.approx(1, abs=0.03)


def test_a_trajectory_survives_its_file() -> None:
    trajectory = Trajectory(torch.randn(3, *SHAPE), torch.randn(3, *SHAPE))
    read = trajectory_from_bytes(trajectory_to_bytes(trajectory))
    assert torch.equal(read.latents, trajectory.latents)
    assert torch.equal(read.x0, trajectory.x0)


def test_a_damaged_trajectory_is_refused() -> None:
    whole = trajectory_to_bytes(Trajectory(torch.zeros(3, *SHAPE), torch.zeros(3, *SHAPE)))
    odd = trajectory_to_bytes(Trajectory(torch.zeros(3, *SHAPE), torch.zeros(2, *SHAPE)))
    infinite = trajectory_to_bytes(Trajectory(torch.zeros(3, *SHAPE), torch.full((3, *SHAPE), torch.inf)))
    for data, said in ((whole[:-9], "damaged"), (b"", "damaged"), (odd, "wrong parts"), (infinite, "not finite")):
        with pytest.raises(JobError, match=said):
            trajectory_from_bytes(data)


@pytest.mark.parametrize("change", [{"steps": 0}, {"seed": -1}, {"seed": 2**63}, {"micro_batch": 0}, {"height": 0}])
def test_settings_that_cannot_be_used_are_refused(change: dict[str, int]) -> None:
    values = {"steps": 4, "seed": 0, "height": 8, "width": 8, "micro_batch": 1, **change}
    with pytest.raises(InputError):
        SampleSettings(guidance_scale=1.0, controlnet_scale=1.0, **values)


@pytest.mark.parametrize(("start", "stop"), [(2, 2), (3, 2), (-1, 2)])
def test_empty_segments_are_refused(start: int, stop: int) -> None:
    with pytest.raises(InputError):
        Segment(start, stop)
