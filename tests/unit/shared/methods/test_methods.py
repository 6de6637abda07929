"""The declarations of the methods: what a later segment needs follows from what an edit changes."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass

import pytest

from shared.errors import InputError
from shared.methods import METHODS, MethodSpec, method_named
from shared.methods.reading import check_settings, read_settings
from shared.methods.setting import Choice, MethodSettings, check_ranges, declared, setting
from shared.methods.table import presets
from shared.models.files import ModelFiles


@pytest.mark.parametrize(
    ("name", "first", "previous"),
    [("latentman", True, True), ("text2video_zero", True, False), ("shared_noise", False, False)],
)
def test_what_a_later_segment_needs_follows_from_the_dependence(name: str, first: bool, previous: bool) -> None:
    assert (METHODS[name].needs_first, METHODS[name].needs_previous) == (first, previous)


def test_names_are_the_tables_own_and_labels_are_for_people() -> None:
    assert all(name == method.name for name, method in METHODS.items())
    assert len({method.label for method in METHODS.values()}) == len(METHODS)
    assert all(method.description and not method.description.endswith(".") for method in METHODS.values())


def test_a_method_that_is_not_there_is_said_with_those_that_are() -> None:
    with pytest.raises(InputError, match="no method 'turbo'") as caught:
        method_named("turbo")
    assert caught.value.code == "job.method" and "latentman, text2video_zero" in caught.value.hint


@dataclass(frozen=True, slots=True)
class Toy(MethodSettings):
    """Settings of a method that a newcomer adds."""

    span: tuple[float, float] = setting((0.0, 0.5), "Span", "Where it acts")
    weight: float = setting(1.0, "Weight", "How strongly", low=-1.0, high=2.0)
    kind: str = setting("a", "Kind", "Of which kind", group="toy", choices=(Choice("a", "A"), Choice("b", "B")))


def test_settings_are_declared_in_order_with_their_places() -> None:
    assert list(declared(Toy)) == ["span", "weight", "kind"]
    assert [name for name, one in declared(Toy).items() if one.group] == ["kind"]
    assert Toy() == Toy((0.0, 0.5), 1.0, "a")


@pytest.mark.parametrize(
    ("values", "code", "said"),
    [
        (
            Toy(span=(0.6, 0.5)),
            "job.settings",
            r"settings.span of toy is 0.6 to 0.5; it must go from a smaller to a larger number within 0 to 1",
        ),
        (Toy(span=(0.0, float("nan"))), "job.settings", "settings.span of toy"),
        (Toy(weight=2.5), "job.number", "settings.weight of toy is 2.5; it must be from -1 to 2"),
        (Toy(weight=float("inf")), "job.number", "settings.weight of toy"),
    ],
)
def test_a_number_outside_of_its_range_is_refused(values: Toy, code: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        check_ranges(values, "toy")
    assert caught.value.code == code


def test_numbers_at_their_limits_are_taken() -> None:
    check_ranges(Toy(span=(0.0, 1.0), weight=2.0), "toy")
    check_ranges(Toy(span=(0.3, 0.3), weight=-1.0), "toy")


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_what_a_method_declares_fits_together(method: MethodSpec) -> None:
    kinds, known = typing.get_type_hints(method.settings), declared(method.settings)
    check_settings(method, method.settings(), 2, 2)
    for name, one in known.items():
        assert one.help and not one.help.endswith(".") and one.label
        chosen = typing.get_origin(kinds[name]) is typing.Literal
        assert {choice.value for choice in one.choices} == set(typing.get_args(kinds[name]) if chosen else ())
        if one.only_with is not None:
            other, value = one.only_with
            assert known[other].group and value in {choice.value for choice in known[other].choices}
        assert (one.before is not None) is (one.added > 0)
    for preset in method.presets:
        assert preset.description and not preset.description.endswith(".")
        check_settings(method, preset.settings, 2, 2)
    if method.sets is not None:
        assert method.sets.key not in known
        for name in method.sets.names:
            check_settings(method, read_settings(method, {method.sets.key: name}), 2, 2)
    assert set(method.needs.models) <= {field.name for field in dataclasses.fields(ModelFiles)}


def test_names_of_presets_are_the_tables_own() -> None:
    names = [preset.name for method in METHODS.values() for preset in method.presets]
    assert sorted(names) == sorted(presets())
