"""A motion that the backend is to make: the words of its command, and the file that it writes. No bpy in here."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from ..shared.errors import InputError
from ..shared.files.frame_files import is_file

MOTIONS_FOLDER = "motions"
MOTION_SUFFIX = ".npy"
_NOT_IN_A_NAME = re.compile(r"\W+")
_NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class TextMotion:
    """A motion from a text alone."""

    text: str
    seconds: float = 0.0  # 0: as long as the text's actions take
    seed: int = 0
    guidance_scale: float = 0.0  # 0: the model's own
    model: str = ""  # folder of a checkpoint; empty: the embedded model

    def words(self) -> tuple[str, ...]:
        """The command without its output. Raises InputError without a text."""
        if not self.text.strip():
            raise InputError(
                "motion.no_text", "There is no motion text.", 'Write what the character does: "a person waves".'
            )
        # Behind "--" a text may begin with a dash.
        return (*self.options(), "--", self.text.strip())

    def options(self) -> tuple[str, ...]:
        """The command without text and output."""
        seconds = ("--seconds", f"{self.seconds:g}") if self.seconds else ()
        model = ("--model", self.model) if self.model else ()
        scale = ("--guidance-scale", f"{self.guidance_scale:g}") if self.guidance_scale else ()
        return ("motion", *seconds, "--seed", str(self.seed), *scale, *model)


@dataclass(frozen=True, slots=True)
class ChangedMotion:
    """A motion with new frames, or a new upper body."""

    source: Path
    made: TextMotion  # an empty text leaves it to the model
    kept: str = ""  # frames that stay, 20 a second, such as 0-20,60-80; empty: the lower body stays

    def words(self) -> tuple[str, ...]:
        """The command without its output."""
        stays = ("--keep", self.kept) if self.kept else ("--upper-body",)
        words = self.made.options() if not self.made.text.strip() else self.made.words()
        return (words[0], "--edit", str(self.source), *stays, *words[1:])


@dataclass(frozen=True, slots=True)
class FitOrder:
    """A file of positions that is fitted by the optimiser, read as an import has read it."""

    file: Path
    sample: int
    repetition: int
    person: int
    fps: float
    up: str
    betas: tuple[float, ...]  # the shape of the body that shows it
    body: str = ""  # the body's file; empty for the free one

    def words(self) -> tuple[str, ...]:
        """The command without its output."""
        body = ("--body", self.body) if self.body else ()
        take = ("--sample", str(self.sample), "--repetition", str(self.repetition), "--person", str(self.person))
        shape = f"--betas={','.join(map(repr, self.betas))}"
        return ("fit", *take, "--motion-fps", f"{self.fps!r}", f"--up={self.up}", shape, *body, "--", str(self.file))


def next_motion_file(folder: Path, text: str) -> Path:
    """`FOLDER/motions/a-person-waves-001.npy`: the first number after all that are there. Nothing is made."""
    files = (motion_file(folder, text, f"{number:03d}") for number in itertools.count(1))
    return next(file for file in files if not is_file(file) and not is_file(file.with_suffix(".npz")))


def motion_file(folder: Path, text: str, mark: str) -> Path:
    """`FOLDER/motions/a-person-waves-MARK.npy`."""
    name = _NOT_IN_A_NAME.sub("-", text.lower()).strip("-_")[:_NAME_LENGTH].strip("-_") or "motion"
    return folder / MOTIONS_FOLDER / f"{name}-{mark}{MOTION_SUFFIX}"
