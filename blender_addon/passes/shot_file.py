"""The files beside the frames: shot.json, vertices.npy and charts.npz, written before the first frame is rendered."""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..shared.errors import InputError
from ..shared.files.frame_files import PART_SUFFIX, storage_error, write_atomic
from ..shared.shot import (
    CHARTS_FILE,
    SHOT_FILE,
    SHOT_VERSION,
    VERTICES_FILE,
    Shot,
    ShotCamera,
    ShotCharacter,
    shot_json,
)
from .geometry import CameraView, SurfaceCharts
from .spec import PassSpec

BEHIND, CLIPPED, BESIDE = "behind", "clipped", "beside"

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class FrameGeometry:
    """What one frame adds to the shot."""

    view: CameraView
    vertices: tuple[NDArray[np.float32], ...]  # a character each: (V, 3) metres
    joints: NDArray[np.float64]  # (characters, 24, 3) metres
    drawn: tuple[bool, ...]  # whether the frame renders it, a character each


class ShotWriter:
    """Collects the frames of a shot and writes its three files.

    The vertices go to disk frame by frame, so that the memory does not grow with the shot's length.
    """

    def __init__(self, spec: PassSpec, fps: float, names: list[str]) -> None:
        self._spec = spec
        self._fps = fps
        self._names = names
        self._counts: list[int] = []
        self._folder = Path(spec.output)
        self._views: list[CameraView] = []
        self._joints: list[NDArray[np.float64]] = []
        self._near_m, self._far_m = np.inf, 0.0
        self._unseen: set[str] = set()
        self._part = self._folder / f"{VERTICES_FILE}{PART_SUFFIX}"
        self._vertices: Any = None

    def add(self, geometry: FrameGeometry) -> None:
        """Take the next frame of the spec. Raises InputError if a body's vertex count has changed."""
        index = len(self._views)
        counts = [len(one) for one in geometry.vertices]
        if index == 0:
            self._begin(counts)
        for name, count, first in zip(self._names, counts, self._counts, strict=True):
            if count != first:
                raise InputError(
                    "render.topology",
                    f"The body of {name!r} has {count} vertices in frame {self._spec.frames[index]}, but {first} in "
                    f"frame {self._spec.frames[0]}.",
                    "Disable modifiers that change the body's mesh over time.",
                )
        self._vertices[index] = np.concatenate(geometry.vertices)
        self._views.append(geometry.view)
        self._joints.append(geometry.joints)
        self._measure(geometry)

    def finish(self, charts: SurfaceCharts) -> Shot:
        """Write the three files and return the shot. Raises InputError if no frame shows a body."""
        self._vertices.flush()
        self._vertices = None  # lets go of the file, without which Windows cannot rename it
        if self._far_m <= 0:
            self.discard()
            raise self._out_of_view()
        shot = self._shot()
        os.replace(self._part, self._folder / VERTICES_FILE)
        write_atomic(self._folder / CHARTS_FILE, charts_npz(charts))
        write_atomic(self._folder / SHOT_FILE, shot_json(shot))
        return shot

    def discard(self) -> None:
        """Remove what is not finished."""
        self._vertices = None
        with contextlib.suppress(FileNotFoundError):
            self._part.unlink()

    def _begin(self, counts: list[int]) -> None:
        self._counts = counts
        shape = (len(self._spec.frames), sum(counts), 3)
        try:
            self._vertices = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]  # numpy has no types for it
                self._part, mode="w+", dtype=np.float32, shape=shape
            )
        except OSError as error:
            raise storage_error(error, self._folder) from error

    def _measure(self, geometry: FrameGeometry) -> None:
        """Widen the depth range by the vertices in the picture of those that the frame renders."""
        for vertices, drawn in zip(geometry.vertices, geometry.drawn, strict=True):
            if drawn:
                size = self._spec.width, self._spec.height
                near, far = visible_range_m(geometry.view, vertices, *size)
                self._near_m, self._far_m = min(self._near_m, near), max(self._far_m, far)
                if far <= 0:
                    self._unseen.add(why_unseen(geometry.view, vertices, *size))

    def _out_of_view(self) -> InputError:
        view = self._views[0]
        clip = f"{view.clip_start_m:g} to {view.clip_end_m:g} m"
        causes = {BEHIND: "behind it", CLIPPED: f"outside its clip range of {clip}", BESIDE: "beside its picture"}
        where = " or ".join(text for cause, text in causes.items() if cause in self._unseen)
        clipped = self._unseen == {CLIPPED}
        return InputError(
            "passes.out_of_view",
            f"The character is out of the camera's view in every frame: {view.name!r} has it {where}.",
            "Widen the camera's clip range." if clipped else "Move the camera, or frame the shot.",
        )

    def _shot(self) -> Shot:
        camera = ShotCamera(
            world_to_camera=np.stack([view.world_to_camera for view in self._views]),
            intrinsics=np.stack([view.intrinsics for view in self._views]),
        )
        joints = np.stack(self._joints)  # (frames, characters, 24, 3)
        starts = np.concatenate([[0], np.cumsum(self._counts)[:-1]])
        characters = tuple(
            ShotCharacter(name, int(start), count, joints[:, index], camera.project(joints[:, index])[0])
            for index, (name, start, count) in enumerate(zip(self._names, starts, self._counts, strict=True))
        )
        return Shot(
            version=SHOT_VERSION,
            fps=self._fps,
            width=self._spec.width,
            height=self._spec.height,
            frames=self._spec.frames,
            near_m=float(self._near_m),
            far_m=float(self._far_m),
            camera=camera,
            characters=characters,
        )


def visible_range_m(
    view: CameraView, vertices: NDArray[np.float32], width: int, height: int
) -> tuple[float, float]:  # vertices (V, 3) world metres
    """The nearest and farthest depth of the vertices inside the picture; (inf, 0) where none is."""
    z, pictured = _projected(view, vertices, width, height)
    seen = (z >= view.clip_start_m) & (z <= view.clip_end_m) & pictured
    return (float(z[seen].min()), float(z[seen].max())) if seen.any() else (np.inf, 0.0)


def why_unseen(
    view: CameraView, vertices: NDArray[np.float32], width: int, height: int
) -> str:  # vertices (V, 3) world metres
    """BEHIND the camera, CLIPPED by its range, or BESIDE the picture; for vertices of which none is seen."""
    z, pictured = _projected(view, vertices, width, height)
    front = z > 0
    if not front.any():
        return BEHIND
    return CLIPPED if (front & pictured).any() else BESIDE


def _projected(
    view: CameraView, vertices: NDArray[np.float32], width: int, height: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:  # vertices (V, 3) world metres
    """The vertices' depth in metres, and whether they lie on the picture's lines of sight, (V,) each."""
    camera = ShotCamera(view.world_to_camera[None], view.intrinsics[None])
    picture, depth = camera.project(np.asarray(vertices, np.float64)[None])
    x, y = picture[0, :, 0], picture[0, :, 1]
    return depth[0], (x >= 0) & (x <= width) & (y >= 0) & (y <= height)


def charts_npz(charts: SurfaceCharts) -> bytes:
    """The charts as an npz file whose bytes depend on nothing else: no time of day in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in _arrays(charts).items():
            member = io.BytesIO()
            np.save(member, values, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())
    return buffer.getvalue()


def _arrays(charts: SurfaceCharts) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {"f": charts.f, "part": charts.part, "chart_uv": charts.chart_uv}
    return arrays if charts.rest is None else {**arrays, "rest": charts.rest}
