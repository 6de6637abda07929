"""The output folder of a shot, as the add-on's batch command leaves it, read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from backend.measure.metrics.pictures import shrink_pictures
from backend.passes.shot_passes import ShotPasses, open_passes
from shared.errors import InputError
from shared.files.frame_files import frame_name
from shared.jobs.job import Job, parse_job
from shared.methods.finish import frame_size
from shared.shot import CHARTS_FILE, SHOT_FILE, VERTICES_FILE


class MethodEntry(msgspec.Struct, frozen=True):
    """One method in `result.json`."""

    method: str
    job_id: str
    seconds: float
    folder: str
    frames: dict[int, str]  # frame -> SHA-256 of the PNG file
    files: dict[str, str] = {}  # file beside the frames -> its SHA-256
    notes: tuple[str, ...] = ()  # what was chosen, a sentence each


class PassesEntry(msgspec.Struct, frozen=True):
    """The passes in `result.json`."""

    folder: str
    frames: dict[int, str]  # frame -> SHA-256 of the EXR file


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`result.json`."""

    schema: int
    server: str
    host: str = "unknown"
    engine: str
    frames: tuple[int, ...]
    fps: float
    width: int
    height: int
    seconds: dict[str, float]
    passes: PassesEntry
    methods: tuple[MethodEntry, ...]


@dataclass(frozen=True, slots=True)
class ResultFolder:
    """A shot's output folder and its `result.json`."""

    path: Path
    result: Result

    @classmethod
    def open(cls, path: Path) -> ResultFolder:
        """Read `result.json`. Raises InputError."""
        try:
            data = (path / "result.json").read_bytes()
            return cls(path, msgspec.json.decode(data, type=Result))
        except OSError as error:
            raise InputError(
                "report.folder", f"{path} has no result.json.", "Choose the --output folder of a finished shot."
            ) from error
        except msgspec.MsgspecError as error:
            raise InputError("report.result", f"{path / 'result.json'} cannot be read: {error}.") from error

    def passes(self) -> ShotPasses:
        """The rendered passes, which takes of one shot share one level up. Raises PassesError."""
        name = self.result.passes.folder
        folder = self._inside(name.removeprefix("../"), self.path.parent if name.startswith("../") else self.path)
        exrs = [folder / frame_name(frame, ".exr") for frame in self.result.frames]
        return open_passes(exrs, folder / SHOT_FILE, folder / VERTICES_FILE, folder / CHARTS_FILE)

    def job(self, entry: MethodEntry) -> Job:
        """The method's job."""
        return parse_job((self._inside(entry.folder, self.path) / "job.json").read_bytes())

    def pictures(self, entry: MethodEntry) -> NDArray[np.uint8]:
        """The method's frames, (frames, height, width, 3). Raises InputError naming a frame that is not there."""
        return np.stack([self.picture(entry, frame) for frame in self.result.frames])

    def picture(self, entry: MethodEntry, frame: int) -> NDArray[np.uint8]:
        """One frame of a method, (height, width, 3). Raises InputError where it is not there."""
        path = self._inside(entry.folder, self.path) / frame_name(frame)
        try:
            with Image.open(path) as image:
                return np.asarray(image.convert("RGB"))
        except (OSError, UnidentifiedImageError) as error:
            raise InputError("report.frame", f"{path} is missing or not a picture.", "Generate it again.") from error

    def frame_size(self, entry: MethodEntry) -> tuple[int, int]:
        """Width and height of the method's frames: its job's, or what they were enlarged to."""
        job = self.job(entry)
        return frame_size(job.finish, job.width, job.height)

    def compared(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Frames at the passes' size, at which figures are taken: block means of frames that were enlarged.

        Raises InputError for frames that do not consist of such blocks.
        """
        height, width = self.result.height, self.result.width
        if pictures.shape[1:3] == (height, width):
            return pictures
        means = [shrink_pictures(picture[None].astype(np.float32), height, width)[0] for picture in pictures]
        return np.asarray(np.rint(means), np.uint8)

    def size_note(self, pictures: NDArray[np.uint8]) -> str:
        """A sentence for frames that are not compared at their own size; empty for others."""
        shown, own = (self.result.width, self.result.height), (pictures.shape[2], pictures.shape[1])
        if own == shown:
            return ""
        return f"its {own[0]}x{own[1]} frames are compared at the passes' {shown[0]}x{shown[1]}, by block averages."

    def _inside(self, name: str, parent: Path) -> Path:
        """The folder `name` in `parent`. Raises InputError if it would lie anywhere else."""
        if Path(name).name != name or name in ("", ".", ".."):
            raise InputError("report.result", f"{self.path / 'result.json'} names a folder {name!r}.")
        return parent / name
