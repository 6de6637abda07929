"""The declarations of the methods: what a later segment needs follows from what an edit reaches."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from shared.errors import InputError
from shared.methods import METHODS, method_named
from shared.methods.setting import Choice, check_ranges, declared, setting


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


@dataclass(frozen=True, slots=True)
class Toy:
    """Settings of a method that a newcomer adds."""

    span: tuple[float, float] = setting((0.0, 0.5), "Span")
    weight: float = setting(1.0, "Weight", low=-1.0, high=2.0)
    kind: str = setting("a", "Kind", group="toy", choices=(Choice("a", "A"), Choice("b", "B")))


def test_settings_are_declared_in_order_with_their_places() -> None:
    assert list(declared(Toy)) == ["span", "weight", "kind"]
    assert [name for name, one in declared(Toy).items() if one.group] == ["kind"]
    assert Toy() == Toy((0.0, 0.5), 1.0, "a")


@pytest.mark.parametrize(
    ("values", "code", "said"),
    [
        (Toy(span=(0.6, 0.5)), "job.toy", r"toy.span is 0.6 to 0.5; it is a part of the steps, 0 to 1, rising"),
        (Toy(span=(0.0, float("nan"))), "job.toy", "toy.span"),
        (Toy(weight=2.5), "job.number", "toy.weight is 2.5; it must be from -1 to 2"),
        (Toy(weight=float("inf")), "job.number", "toy.weight"),
    ],
)
def test_a_number_outside_of_its_range_is_refused(values: Toy, code: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        check_ranges(values, "toy")
    assert caught.value.code == code


def test_numbers_at_their_limits_are_taken() -> None:
    check_ranges(Toy(span=(0.0, 1.0), weight=2.0), "toy")
    check_ranges(Toy(span=(0.3, 0.3), weight=-1.0), "toy")
