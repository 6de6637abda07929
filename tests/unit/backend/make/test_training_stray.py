"""Frame 1 in another look: the picture, and how far its latents go there."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import binary_dilation

from backend.make.training.judging.stray import FULL_REACH, LEAST_REACH, OTHER_LOOK, STUCK_SHARE, drawn_to, strayed
from backend.make.training.prompts import rng_for
from backend.make.training.renders.figure import load_training_body
from backend.make.training.renders.render import render_pair


def test_stray_picture_is_frame_1_but_for_the_figure() -> None:
    body = load_training_body()
    changed = 0
    for index in range(3):
        plain, pair = render_pair(body, rng_for(5, index)), render_pair(body, rng_for(5, index), stray=True)
        assert plain.stray is None and pair.stray is not None
        assert np.array_equal(plain.rgb, pair.rgb) and np.array_equal(plain.depth_m, pair.depth_m)
        differs = (pair.stray != pair.rgb[1]).any(-1)
        bare = np.isfinite(pair.depth_m[1])
        near = binary_dilation(bare | pair.figure[1], iterations=64)  # its hat or cape may be another
        assert not differs[~near].any()
        changed += int(differs[bare].sum())
    assert changed > 1000


def test_latents_stray_between_the_looks_and_less_far_where_it_is_clean() -> None:
    own, other = torch.zeros(400, 2, 8, 8), torch.ones(400, 2, 8, 8)
    clean, noisy = (
        strayed(own, other, torch.full((400,), level), np.random.default_rng(0)) for level in (0.0, FULL_REACH)
    )
    assert clean.min() >= 0 and noisy.max() <= 1
    torch.testing.assert_close(clean, LEAST_REACH * noisy)
    assert noisy.mean((1, 2, 3)).std() > 0.1 and 0.45 < noisy.mean() < 0.55
    patchy = noisy.std((1, 2, 3)) > 1e-3
    assert 0.4 < patchy.float().mean() < 0.6


def test_equal_looks_do_not_stray() -> None:
    own = torch.randn(6, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(strayed(own, own, torch.rand(6), np.random.default_rng(1)), own)


def test_a_frame_1_is_drawn_to_another_look_or_to_frame_0_and_a_frame_0_nowhere() -> None:
    frames = np.repeat([0, 1], 1000)
    drawn = drawn_to(frames, np.random.default_rng(4))
    assert not drawn[:1000].any() and set(drawn[1000:]) == {0, OTHER_LOOK}
    assert abs((drawn[1000:] == 0).mean() - STUCK_SHARE) < 0.05
