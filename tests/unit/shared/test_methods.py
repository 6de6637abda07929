"""The declarations of the methods: what a later segment needs follows from what an edit reaches."""

from __future__ import annotations

import pytest

from shared.errors import InputError
from shared.methods import METHODS, method_named


def test_what_a_later_segment_needs_follows_from_the_dependence() -> None:
    needs = {name: (method.needs_first, method.needs_previous) for name, method in METHODS.items()}
    assert needs == {
        "latentman": (True, True),
        "text2video_zero": (True, False),
        "masactrl": (True, False),
        "shared_noise": (False, False),
        "per_frame": (False, False),
    }


def test_names_are_the_tables_own_and_labels_are_for_people() -> None:
    assert all(name == method.name for name, method in METHODS.items())
    assert len({method.label for method in METHODS.values()}) == len(METHODS)
    assert all(method.description and not method.description.endswith(".") for method in METHODS.values())


def test_a_method_that_is_not_there_is_said_with_those_that_are() -> None:
    with pytest.raises(InputError, match='no method "turbo"') as caught:
        method_named("turbo")
    assert caught.value.code == "job.method" and "latentman, text2video_zero" in caught.value.hint
