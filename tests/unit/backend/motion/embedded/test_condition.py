"""What is asked for, as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from backend.motion.embedded.condition import ConditionLayout, Request

LAYOUT = ConditionLayout(("walk", "wave"), ("neutral", "happy"))


def test_each_part_of_a_request_has_its_own_number() -> None:
    plain, other = LAYOUT.vectors([Request("walk"), Request("wave", "happy", speed=2.0**0.5, side="left")])
    assert plain.tolist() == [4, 0, 4, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(other, [0, 4, 0, 4, 4, 0, 4, 0], atol=1e-6)


def test_slow_and_fast_are_as_far_from_the_usual_speed() -> None:
    slow, fast = LAYOUT.vectors([Request("walk", speed=0.8), Request("walk", speed=1.25)])
    np.testing.assert_allclose(slow[4], -fast[4], atol=1e-6)


def test_what_the_model_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        LAYOUT.vectors([Request("moonwalk")])
