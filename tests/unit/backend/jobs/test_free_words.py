"""A job of the embedded model is drawn in words that the model has, and says so; other jobs are not touched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from transformers import CLIPTokenizer

from backend.jobs.free_words import in_models_words, words_stamp
from backend.models.sources import EMBEDDED_FOLDER
from blender_addon.client.request import placeholder_inputs
from shared.jobs.job import Job

JOB = Job("a paladin waving at the seaside", (1, 2), placeholder_inputs(2))


@pytest.fixture(scope="module")
def tokenizer() -> CLIPTokenizer:
    return CLIPTokenizer.from_pretrained(EMBEDDED_FOLDER / "tokenizer")


def test_a_prompt_is_put_into_words_of_the_model(tokenizer: CLIPTokenizer) -> None:
    job, told = in_models_words(JOB, tokenizer)
    assert job == replace(JOB, prompt="a knight waving on the beach")
    assert told == ("Paladin is drawn as knight.", "Seaside is drawn as beach.")


def test_keyed_prompts_too_and_each_change_is_said_once(tokenizer: CLIPTokenizer) -> None:
    keyed = replace(JOB, prompts="1: a paladin\n2: a paladin dancing, sharp")
    job, told = in_models_words(keyed, tokenizer)
    assert job.prompts == "1: a knight\n2: a knight dancing, sharp"
    assert told == ("Paladin is drawn as knight.",)


def test_a_prompt_of_the_grammar_stays(tokenizer: CLIPTokenizer) -> None:
    plain = replace(JOB, prompt="a robot dancing on the moon")
    assert in_models_words(plain, tokenizer) == (plain, ())
    assert words_stamp(()) == ""


def test_the_prompts_of_other_models_stay(tokenizer: CLIPTokenizer) -> None:
    other = replace(JOB, model="/models/sd15")
    assert in_models_words(other, tokenizer) == (other, ())


def test_a_word_of_a_textual_inversion_is_the_models_own(tokenizer: CLIPTokenizer) -> None:
    own = CLIPTokenizer.from_pretrained(EMBEDDED_FOLDER / "tokenizer")
    own.add_tokens(["paladin"])
    job, _ = in_models_words(JOB, own)
    assert job.prompt == "a paladin waving on the beach"
