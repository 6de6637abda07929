"""Free words of a prompt become words that the embedded picture model knows."""

from __future__ import annotations

import pytest

from backend.make.training.prompts import COLOUR_WORDS, all_words
from backend.words.encoder import Encoder, find_encoder
from backend.words.picture_grammar import CHARACTER_WORDS, PLACE_WORDS
from backend.words.picture_words import _GRAMMAR, _TABLE, drawn_prompt

GRAMMAR = frozenset(all_words())


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    found = find_encoder()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("prompt", "wanted"),
    [
        ("a paladin waving at the seaside", "a knight waving on the beach"),
        ("a crimson robot", "a red robot"),
        ("Ein Ritter winkt im Wald", "Ein knight winkt in the forest"),
        ("a purple sorceress on mars, high quality", "a purple wizard on the moon, high quality"),
    ],
)
def test_words_of_the_table_are_replaced_with_and_without_the_encoder(
    prompt: str, wanted: str, encoder: Encoder
) -> None:
    assert drawn_prompt(prompt, GRAMMAR, encoder).prompt == wanted
    assert drawn_prompt(prompt, GRAMMAR, None).prompt == wanted


def test_the_encoder_knows_words_that_no_table_has(encoder: Encoder) -> None:
    assert "promenade" not in _TABLE
    assert drawn_prompt("a robot on the boulevard", GRAMMAR, encoder).prompt == "a robot in the street"
    assert drawn_prompt("a robot on the boulevard", GRAMMAR, None).notes == ()


def test_a_change_is_said() -> None:
    assert drawn_prompt("a paladin", GRAMMAR, None).notes == ("Paladin is drawn as knight.",)


@pytest.mark.parametrize(
    "prompt",
    [
        "a robot dancing on the moon",
        "a knight in shining armour waving",
        "a scientist running through the shopping mall",
        "an epic photograph, brave and handsome",
        "",
    ],
)
def test_other_words_stay_as_they_are(prompt: str, encoder: Encoder) -> None:
    assert drawn_prompt(prompt, GRAMMAR, encoder) == drawn_prompt(prompt, GRAMMAR, None)
    assert drawn_prompt(prompt, GRAMMAR, encoder).prompt == prompt


def test_a_prompt_with_a_character_keeps_its_other_characters(encoder: Encoder) -> None:
    assert drawn_prompt("a knight like a paladin", GRAMMAR, encoder).notes == ()


def test_the_tables_have_words_beside_the_grammar_for_names_of_the_grammar() -> None:
    assert _TABLE.keys().isdisjoint(GRAMMAR)
    for kind, names in (("character", CHARACTER_WORDS), ("place", PLACE_WORDS), ("colour", COLOUR_WORDS)):
        assert set(_GRAMMAR[kind][1]) == set(names)
