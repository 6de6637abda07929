"""A job's prompts in the words of the embedded picture model, before they are encoded."""

from __future__ import annotations

from dataclasses import replace

from backend.models.sd15.modules import Tokenizer
from backend.words.encoder import VERSION, find_encoder
from backend.words.picture_words import drawn_prompt
from shared.jobs.job import Job
from shared.jobs.keyed_prompts import parse_prompts
from shared.models.files import EMBEDDED

_WORD_END = "</w>"


def in_models_words(job: Job, tokenizer: Tokenizer) -> tuple[Job, tuple[str, ...]]:
    """The job with its prompts in words that the embedded model has tokens for, and a sentence for each change.

    Jobs of other models stay as they are: those read any word.
    """
    if job.model != EMBEDDED:
        return job, ()
    whole = [token.removesuffix(_WORD_END) for token in tokenizer.get_vocab() if token.endswith(_WORD_END)]
    grammar = frozenset([*whole, *tokenizer.get_added_vocab()])  # the latter are words of textual inversions
    encoder = find_encoder()
    if not job.prompts:
        drawn = drawn_prompt(job.prompt, grammar, encoder)
        return (replace(job, prompt=drawn.prompt) if drawn.notes else job), drawn.notes
    keys = parse_prompts(job.prompts)
    mapped = [drawn_prompt(key.prompt, grammar, encoder) for key in keys]
    notes = tuple(dict.fromkeys(note for one in mapped for note in one.notes))
    if not notes:
        return job, ()
    lines = (f"{key.frame}: {one.prompt}" for key, one in zip(keys, mapped, strict=True))
    return replace(job, prompts="\n".join(lines)), notes


def words_stamp(notes: tuple[str, ...]) -> str:
    """What a record says of changed words: with another encoder they may become others. Empty where none was."""
    return f", words {VERSION}: {' '.join(notes)}" if notes else ""
