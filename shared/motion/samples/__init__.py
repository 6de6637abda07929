"""The sample motions that ship with the project, in MDM's own formats, 20 frames a second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ...errors import MotionError

SampleFormat = Literal["smpl_params", "results"]

SAMPLES_FOLDER: Final = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample motion: its name in file names, what a menu says of it, and its formats. The first is opened."""

    name: str
    label: str
    description: str  # a sentence without its full stop
    seconds: float
    formats: tuple[SampleFormat, ...]

    @property
    def path(self) -> Path:
        """The file in its first format."""
        return SAMPLES_FOLDER / f"{self.name}_{self.formats[0]}.npy"


SAMPLES: Final = (
    Sample("dance", "Dance", "Dances, turns aside and back, and strikes a pose", 6.0, ("smpl_params", "results")),
    Sample("walk", "Walk", "Walks forward at a relaxed pace", 4.4, ("smpl_params", "results")),
    Sample("jump", "Jump", "Crouches, jumps forward and lands", 3.8, ("results",)),
    Sample("wave", "Wave", "Waves hello with the right hand", 4.2, ("smpl_params",)),
    Sample("squat", "Squat", "Does two squats", 4.5, ("results",)),
)
SAMPLE_FORMATS: Final[dict[str, tuple[SampleFormat, ...]]] = {one.name: one.formats for one in SAMPLES}
SAMPLE_NAMES: Final[tuple[str, ...]] = tuple(SAMPLE_FORMATS)


def sample_path(name: str, form: SampleFormat | None = None) -> Path:
    """The file of a sample motion, in its first format or in `form`. Raises MotionError for an unknown name."""
    formats = SAMPLE_FORMATS.get(name, ())
    if not formats or (form is not None and form not in formats):
        asked = name if form is None else f"{name} as {form}"
        known = ", ".join(f"{key} ({' and '.join(forms)})" for key, forms in SAMPLE_FORMATS.items())
        raise MotionError("motion.no_such_sample", f"There is no sample motion {asked!r}.", f"There are: {known}.")
    return SAMPLES_FOLDER / f"{name}_{form or formats[0]}.npy"


def sample_at(path: Path) -> Sample | None:
    """The sample motion that a file is; None for other files."""
    return next((one for one in SAMPLES if one.path == path), None)
