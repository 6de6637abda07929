"""The finished cells of a table on disk: one JSON line each, so that a stopped run goes on where it was."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.errors import InputError
from shared.files.frame_files import prepare_output_folder, storage_error, write_atomic

PLAN_FILE = "plan.json"
CELLS_FILE = "cells.jsonl"
STRIPS_FOLDER = "strips"


class CellKey(msgspec.Struct, frozen=True):
    """Which clip a cell is."""

    baseline: str
    row: str
    scene: int  # index in the plan's scenes
    seed: int


class KeyedCell(msgspec.Struct, frozen=True):
    """One clip; each table has its own kind of cell with the figures."""

    key: CellKey
    prompt: str


class Cell(KeyedCell, frozen=True):
    """Table 2's figures of a clip, on 0..255 squared where they are differences; None = nothing to measure."""

    h_mse: float | None  # equation 9, assignment
    surface_1: float | None  # exact correspondence, lag 1
    surface_4: float | None  # lag 4
    surface_variance: float | None
    warp_error: float | None
    body_variance: float | None
    background: float | None
    h_mse_released: float | None
    sharpness: float | None
    seconds: float  # sampling and decoding


Kind = TypeVar("Kind", bound=KeyedCell)


class CellStore(Generic[Kind]):
    """The cells in a folder. Cells of another plan are never mixed in: the folder says which plan it holds."""

    def __init__(self, folder: Path, plan: dict[str, object], kind: type[Kind]) -> None:
        """Open or begin a table of this kind of cells.

        Raises InputError if the folder holds cells of another plan, or a broken line.
        """
        self._kind = kind
        self.folder = prepare_output_folder(folder)
        self._path = self.folder / CELLS_FILE
        self._keep_plan(plan)
        self.cells: dict[CellKey, Kind] = {cell.key: cell for cell in self._read()}

    def add(self, cell: Kind) -> None:
        """Append a cell; it is on disk when this returns. Raises LatentManError if it cannot be written."""
        try:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(cell) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise storage_error(error, self.folder) from error
        self.cells[cell.key] = cell

    def keep_strip(self, key: CellKey, pictures: NDArray[np.uint8]) -> None:
        """Write a clip's frames (frames, H, W, 3) side by side, to be looked at: figures alone do not see mush."""
        folder = prepare_output_folder(self.folder / STRIPS_FOLDER)
        row = "_".join(key.row.replace("+", "").lower().split())
        data = io.BytesIO()
        Image.fromarray(np.concatenate(list(pictures), axis=1)).save(data, "JPEG", quality=92)
        write_atomic(folder / f"{key.scene + 1:02d}_{key.seed}_{key.baseline}_{row}.jpg", data.getvalue())

    def _keep_plan(self, plan: dict[str, object]) -> None:
        path, wanted = self.folder / PLAN_FILE, msgspec.json.encode(plan, order="deterministic")
        if not path.exists():
            if self._path.exists():
                raise InputError(
                    "eval.plan", f"There is no {PLAN_FILE} next to {self._path}.", "Choose another --output folder."
                )
            write_atomic(path, wanted)
            return
        try:
            same = msgspec.json.encode(msgspec.json.decode(path.read_bytes()), order="deterministic") == wanted
        except (OSError, msgspec.DecodeError) as error:
            raise InputError("eval.plan", f"{path} cannot be read: {error}.", "Choose another folder.") from error
        if not same:
            raise InputError(
                "eval.plan",
                f"{self.folder} contains results of other settings or another model (see {PLAN_FILE}).",
                "Choose another --output folder, or give the same settings.",
            )

    def _read(self) -> list[Kind]:
        """The cells that are there; a last line without its end is what a kill left, and is cut off."""
        if not self._path.exists():
            return []
        data = self._path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        cells = []
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                cells.append(msgspec.json.decode(line, type=self._kind))
            except msgspec.DecodeError as error:
                raise InputError(
                    "eval.cells", f"Line {number} of {self._path} is not a result: {error}.", "Remove that line."
                ) from error
        if len(whole) < len(data):
            write_atomic(self._path, whole)
        return cells
