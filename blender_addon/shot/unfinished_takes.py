"""Takes that were started and not finished: each can be resumed, or removed. No bpy in here."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from ..client.job_file import ShotFile, read_job_file
from ..client.result_file import RESULT_FILE
from ..shared.errors import InputError, LatentManError
from ..shared.files.frame_files import file_error, frame_name
from .takes_on_disk import REQUEST_FILE, take_folders

LOOK_S = 0.5  # how old what is known may be


@dataclass(frozen=True, slots=True)
class UnfinishedTake:
    """A take folder: its frames that are there, of how many, and how many are made together. `frames` is 0 if its
    request cannot be read; Resume then says why."""

    folder: Path
    done: int = 0
    frames: int = 0
    segment_frames: int = 1

    @property
    def name(self) -> str:
        """The folder's name, `take-002`."""
        return self.folder.name

    @property
    def text(self) -> str:
        """One line for a list."""
        return f"{self.name}, {self.done} of {self.frames} frames" if self.frames else f"{self.name}, not readable"

    @property
    def kept(self) -> str:
        """What Resume goes on from."""
        if self.done or not self.frames:
            return "Frames of whole segments are kept"
        if self.frames <= self.segment_frames:
            return "Its only segment was not finished: Resume starts it again"
        return "No segment was finished: Resume starts with the first"


def unfinished_takes(base: Path) -> tuple[UnfinishedTake, ...]:
    """The takes below a folder that were started and not finished, newest first."""
    return tuple(_counted(folder) for folder in _unfinished_folders(base))


def unfinished_folder(base: Path, name: str, under_way: Path | None = None) -> Path:
    """The folder of an unfinished take, of the newest where no name is given. Raises InputError if there is none."""
    there = {folder.name: folder for folder in _unfinished_folders(base) if folder != under_way}
    folder = there.get(name) if name else next(iter(there.values()), None)
    if folder is None:
        what = f"unfinished take {name!r}" if name else "unfinished take"
        raise InputError("take.none", f"There is no {what} in {base}.", "Press Generate.")
    return folder


def delete_take(folder: Path) -> None:
    """Delete a take folder of `unfinished_folder` with all that is in it. Raises LatentManError `storage.*`."""
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise file_error(error) from error


class UnfinishedTakes:
    """The unfinished takes of output folders as they were a moment ago, for panels that are drawn often.

    A folder is looked at twice a second at most, and its takes are read again only where its own time, or that of an
    unfinished take's folder, has changed, or after `forget`.
    """

    def __init__(self) -> None:
        self._known: dict[Path, tuple[float, object, tuple[UnfinishedTake, ...]]] = {}

    def of(self, base: Path, under_way: Path | None = None) -> tuple[UnfinishedTake, ...]:
        """Those of an output folder, newest first, without the one that is being made."""
        now = time.monotonic()
        looked_at, marks, found = self._known.get(base, (0.0, None, ()))
        if marks is None or now - looked_at >= LOOK_S:
            present = _marks(base, found)
            if present != marks:
                found = unfinished_takes(base)
                present = _marks(base, found)
            self._known[base] = now, present, found
        return tuple(take for take in found if take.folder != under_way)

    def forget(self) -> None:
        """Look again at the next call: a take was started, ended or deleted."""
        self._known = {}


def _unfinished_folders(base: Path) -> list[Path]:
    newest_first = [folder for _, folder in sorted(take_folders(base), reverse=True)]
    return [folder for folder in newest_first if not folder.is_symlink() and _is_unfinished(folder)]


def _is_unfinished(folder: Path) -> bool:
    return (folder / REQUEST_FILE).exists() and not (folder / RESULT_FILE).exists()


def _counted(folder: Path) -> UnfinishedTake:
    try:
        shot = read_job_file(folder / REQUEST_FILE)
    except LatentManError:
        return UnfinishedTake(folder)
    frames = len(shot.job.frames) * len(shot.methods)
    return UnfinishedTake(folder, _frames_there(folder, shot), frames, shot.job.segment_frames)


def _frames_there(folder: Path, shot: ShotFile) -> int:
    names = {frame_name(frame) for frame in shot.job.frames}
    return sum(path.name in names for method in shot.methods for path in (folder / method).glob("*.png"))


def _marks(base: Path, found: tuple[UnfinishedTake, ...]) -> tuple[int, ...]:
    """The times at which the folders were changed; 0 for one that is not there."""
    return tuple(_changed_at(folder) for folder in (base, *(take.folder for take in found)))


def _changed_at(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
