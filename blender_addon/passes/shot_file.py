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

from ..shared.errors import InputError, RenderError
from ..shared.frame_files import PART_SUFFIX, storage_error, write_atomic
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

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class FrameGeometry:
    """What one frame adds to the shot."""

    view: CameraView
    vertices: NDArray[np.float32]  # (V, 3) metres, all characters
    joints: NDArray[np.float64]  # (characters, 24, 3) metres


class ShotWriter:
    """Collects the frames of a shot and writes its three files.

    The vertices go to disk frame by frame, so that the memory does not grow with the shot's length.
    """

    def __init__(self, spec: PassSpec, fps: float, names: list[str], counts: list[int]) -> None:
        self._spec = spec
        self._fps = fps
        self._names = names
        self._counts = counts
        self._folder = Path(spec.output)
        self._views: list[CameraView] = []
        self._joints: list[NDArray[np.float64]] = []
        self._near_m, self._far_m = np.inf, 0.0
        self._part = self._folder / f"{VERTICES_FILE}{PART_SUFFIX}"
        try:
            self._vertices: Any = np.lib.format.open_memmap(
                self._part, mode="w+", dtype=np.float32, shape=(len(spec.frames), sum(counts), 3)
            )
        except OSError as error:
            raise storage_error(error, self._folder) from error

    def add(self, geometry: FrameGeometry) -> None:
        """Take the next frame of the spec. Raises RenderError where a body's vertex count has changed."""
        index = len(self._views)
        if len(geometry.vertices) != self._vertices.shape[1]:
            raise RenderError(
                "render.topology",
                f"A body has another number of vertices in frame {self._spec.frames[index]} than in frame "
                f"{self._spec.frames[0]}.",
                "Disable modifiers that change the body's mesh over time.",
            )
        self._vertices[index] = geometry.vertices
        self._views.append(geometry.view)
        self._joints.append(geometry.joints)
        near, far = visible_range_m(geometry.view, geometry.vertices, self._spec.width, self._spec.height)
        self._near_m, self._far_m = min(self._near_m, near), max(self._far_m, far)

    def finish(self, charts: SurfaceCharts) -> Shot:
        """Write the three files and return the shot. Raises InputError where no frame shows a body."""
        self._vertices.flush()
        self._vertices = None  # lets go of the file, without which Windows cannot rename it
        if self._far_m <= 0:
            self.discard()
            raise InputError(
                "passes.out_of_view",
                "The character is out of the camera's view in every frame.",
                "Move the camera, or frame the shot from the LatentMan panel.",
            )
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
    camera = ShotCamera(view.world_to_camera[None], view.intrinsics[None])
    picture, depth = camera.project(np.asarray(vertices, np.float64)[None])
    x, y, z = picture[0, :, 0], picture[0, :, 1], depth[0]
    inside = (z >= view.clip_start_m) & (z <= view.clip_end_m) & (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    return (float(z[inside].min()), float(z[inside].max())) if inside.any() else (np.inf, 0.0)


def charts_npz(charts: SurfaceCharts) -> bytes:
    """The charts as an npz file whose bytes depend on nothing else: no time of day in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in (("f", charts.f), ("part", charts.part), ("chart_uv", charts.chart_uv)):
            member = io.BytesIO()
            np.lib.format.write_array(member, values, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())
    return buffer.getvalue()
