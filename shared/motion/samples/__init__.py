"""The sample motions that ship with the project, in MDM's own formats, 20 frames a second."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from ...errors import MotionError

SampleFormat = Literal["smpl_params", "results"]

SAMPLES_FOLDER: Final = Path(__file__).resolve().parent
# The first format of a clip is the one that it is opened with.
SAMPLE_FORMATS: Final[dict[str, tuple[SampleFormat, ...]]] = {
    "dance": ("smpl_params", "results"),
    "walk": ("smpl_params", "results"),
    "jump": ("results",),
    "wave": ("smpl_params",),
    "squat": ("results",),
}
SAMPLE_NAMES: Final[tuple[str, ...]] = tuple(SAMPLE_FORMATS)


def sample_path(name: str, form: SampleFormat | None = None) -> Path:
    """The file of a sample motion, in its first format or in `form`. Raises MotionError for an unknown name."""
    formats = SAMPLE_FORMATS.get(name, ())
    if not formats or (form is not None and form not in formats):
        asked = name if form is None else f"{name} as {form}"
        known = ", ".join(f"{key} ({' and '.join(forms)})" for key, forms in SAMPLE_FORMATS.items())
        raise MotionError("motion.no_such_sample", f"There is no sample motion {asked!r}.", f"There are: {known}.")
    return SAMPLES_FOLDER / f"{name}_{form or formats[0]}.npy"
