"""A tremor gets smaller; contacts and given frames stay."""

from __future__ import annotations

import numpy as np

from backend.motion.embedded.steadying import steadied
from shared.motion.humanml.layout import CONTACTS, FEATURE_COUNT

FEATURES = np.random.default_rng(2).normal(size=(40, FEATURE_COUNT))
NONE = np.zeros(40, dtype=bool)


def test_a_tremor_gets_smaller_and_a_slow_motion_stays() -> None:
    time = np.arange(40.0)[:, None] + np.zeros(FEATURE_COUNT)
    tremor = np.where(time % 2 < 1, 1.0, -1.0)
    found = steadied(0.1 * time + tremor, NONE)[1:-1, : CONTACTS.start]
    np.testing.assert_allclose(found, (0.1 * time + 0.4 * tremor)[1:-1, : CONTACTS.start])


def test_contacts_and_given_frames_stay() -> None:
    given = NONE.copy()
    given[5:9] = True
    found = steadied(FEATURES, given)
    np.testing.assert_array_equal(found[:, CONTACTS], FEATURES[:, CONTACTS])
    np.testing.assert_array_equal(found[given], FEATURES[given])
