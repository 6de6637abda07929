"""Prompts that change along the shot: `1: a robot dancing, 30: a knight dancing`.

A key is a frame number of the scene, a colon, a space and the prompt; keys stand on lines of their own, or follow each
other behind commas. So a prompt may hold commas, colons and numbers, but not a comma followed by a key. Before the
first key the first prompt holds, after the last the last; between two keys the result goes from one to the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..files.frame_files import FIRST_FRAME, LAST_FRAME

MAX_KEYS = 1_000
MAX_TEXT_CHARACTERS = 200_000

_KEY = r"([0-9]{1,7}):(?=[\s,]|$)"
_AT_LINE_START = re.compile(rf"\s*{_KEY}")
_BEHIND_A_COMMA = re.compile(rf",\s*(?={_KEY})")
_END = re.compile(r"[\s,]+$")
_EXAMPLE = 'For example "1: a robot dancing, 30: a knight dancing".'


@dataclass(frozen=True, slots=True)
class PromptKey:
    """From this frame of the scene on, this prompt; empty text is a wish too."""

    frame: int
    prompt: str


@dataclass(frozen=True, slots=True)
class PromptMix:
    """One frame's place between two prompts: `weight` 0 is `before`, 1 would be `after`. Both count some prompts."""

    before: int
    after: int
    weight: float


def parse_prompts(text: str) -> tuple[PromptKey, ...]:
    """Read keyed prompts, at least one of which is not empty; frames rise.

    Raises InputError naming the line or the frame at fault.
    """
    if len(text) > MAX_TEXT_CHARACTERS or "\0" in text:
        raise _fault(
            f"are longer than {MAX_TEXT_CHARACTERS:,} characters, or contain a null character", "Shorten them."
        )
    keys: list[PromptKey] = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line.strip():
            keys.extend(_keys_of(line, number))
    _check(keys)
    return tuple(keys)


def read_prompts(path: Path) -> str:
    """Keyed prompts from a text file (UTF-8). Raises InputError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeError as error:
        raise InputError("arguments.prompts", f"The prompts in {path} are not UTF-8.", "Save them as UTF-8.") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError("arguments.prompts", f"The prompts in {path} cannot be read: {reason}.") from error
    parse_prompts(text)
    return text


def format_prompts(keys: Sequence[PromptKey]) -> str:
    """The one spelling of keyed prompts, which `parse_prompts` reads back: one key a line."""
    return "\n".join(f"{key.frame}: {key.prompt}".rstrip() for key in keys)


def prompt_mixes(keys: Sequence[PromptKey], frames: Sequence[int]) -> tuple[tuple[str, ...], tuple[PromptMix, ...]]:
    """The prompts that these frames of the scene need, each once, and for every frame how they are mixed.

    Between the keys at frames a and b the weight of frame f is (f - a) / (b - a).
    """
    pairs = [_between(keys, frame) for frame in frames]
    prompts = tuple(dict.fromkeys(prompt for before, after, _ in pairs for prompt in (before, after)))
    place = {prompt: index for index, prompt in enumerate(prompts)}
    return prompts, tuple(PromptMix(place[before], place[after], weight) for before, after, weight in pairs)


def _between(keys: Sequence[PromptKey], frame: int) -> tuple[str, str, float]:
    earlier = [key for key in keys if key.frame <= frame]
    before = earlier[-1] if earlier else keys[0]
    after = keys[len(earlier)] if len(earlier) < len(keys) else before
    if before.frame >= frame or before.prompt == after.prompt:
        return before.prompt, before.prompt, 0.0
    return before.prompt, after.prompt, (frame - before.frame) / (after.frame - before.frame)


def _keys_of(line: str, number: int) -> list[PromptKey]:
    if _AT_LINE_START.match(line) is None:
        raise _fault(f'have no frame at the start of line {number}, "{line.strip()[:40]}"', _EXAMPLE)
    starts = [0, *(match.end() for match in _BEHIND_A_COMMA.finditer(line)), len(line)]
    found = []
    for start, stop in zip(starts, starts[1:], strict=False):
        frame, _, prompt = line[start:stop].partition(":")
        found.append(PromptKey(int(frame), _END.sub("", prompt.lstrip())))
    return found


def _check(keys: Sequence[PromptKey]) -> None:
    if not keys:
        raise _fault("have no key", _EXAMPLE)
    if len(keys) > MAX_KEYS:
        raise _fault(f"have {len(keys):,} keys; the limit is {MAX_KEYS:,}", "Remove some.")
    if not any(key.prompt for key in keys):
        raise _fault("are all empty", "Describe the character's looks in at least one key.")
    for key in keys:
        if not FIRST_FRAME <= key.frame <= LAST_FRAME:
            raise _fault(f"have a key at frame {key.frame}, outside {FIRST_FRAME} to {LAST_FRAME}", "Change it.")
    for one, other in zip(keys, keys[1:], strict=False):
        if one.frame == other.frame:
            raise _fault(f"name frame {one.frame} twice", "Remove one of the two.")
        if one.frame > other.frame:
            raise _fault(f"have frame {other.frame} after frame {one.frame}", "Write the smaller frame first.")


def _fault(what: str, hint: str) -> InputError:
    return InputError("job.prompts", f"The keyed prompts {what}.", hint)
