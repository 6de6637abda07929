"""A small shot as the add-on sends it: a square that moves past the camera, in real EXR files, and a job on it."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from backend.passes.exr import FramePasses
from backend.passes.shot_passes import Charts, ShotPasses
from shared.files.digest import sha256_bytes
from shared.jobs.job import Job, JobInputs
from shared.methods import MethodSettings
from shared.methods.latentman import LatentManSettings
from shared.shot import shot_json
from tests.helpers.synthetic_passes import render_passes

SIZE = 16


@dataclasses.dataclass(frozen=True, slots=True)
class ExrShot:
    """A job and the bytes of its inputs, passes first."""

    job: Job
    inputs: tuple[bytes, ...]


def write_exr(path: Path, frame: FramePasses) -> None:
    """One frame's passes under the names that Blender gives them."""
    labels, uv = frame.part.astype(np.float32), frame.uv
    channels = {"Depth.Z": frame.depth_m, "iuv.R": labels, "iuv.G": uv[..., 0], "iuv.B": uv[..., 1]}
    channels = {name: np.ascontiguousarray(values, np.float32) for name, values in channels.items()}
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, channels) as file:
        file.write(str(path))


def moving_square(frames: int) -> tuple[NDArray[Any], Charts]:
    """A square in front of the camera that moves by two pixels a frame: vertices (frames, 4, 3) and its charts."""
    corners = np.array([[-0.5, 0, -0.5], [0.5, 0, -0.5], [0.5, 0, 0.5], [-0.5, 0, 0.5]], np.float32)
    vertices = np.stack([corners + [0.2 * frame, 0, 0] for frame in range(frames)])
    uv = corners[:, [0, 2]] + 0.5
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return vertices, Charts(faces, np.array([2, 2], np.uint8), uv[faces].astype(np.float32))


def square_passes(vertices: NDArray[Any], charts: Charts) -> ShotPasses:
    """The passes of `moving_square`."""
    return render_passes(vertices, charts, size=(SIZE, SIZE), focal_px=20.0, camera_m=(0.3, -2.0, 0.0))


def exr_shot(scratch: Path, model: Path, method: str, frames: int, raised: tuple[int, ...] = ()) -> ExrShot:
    """A job of three steps in segments of two frames, with every part of the method at work.

    In the frames `raised`, counted from 0, the square stands a pixel higher.
    """
    vertices, charts = moving_square(frames)
    vertices[list(raised), :, 2] += 0.1
    passes = square_passes(vertices, charts)
    exrs = []
    for k in range(frames):
        write_exr(scratch / "frame.exr", passes.frame(k))
        exrs.append((scratch / "frame.exr").read_bytes())
    array, chart_file = io.BytesIO(), io.BytesIO()
    np.save(array, passes.vertices)
    np.savez(chart_file, f=charts.f, part=charts.part, chart_uv=charts.chart_uv)
    extra = (shot_json(passes.shot), array.getvalue(), chart_file.getvalue())
    own = LatentManSettings(align=(0.0, 0.7), guide=(0.3, 0.7)) if method == "latentman" else MethodSettings()
    job = Job(
        prompt="a red robot",
        frames=passes.shot.frames,
        inputs=JobInputs(tuple(map(sha256_bytes, exrs)), *map(sha256_bytes, extra)),
        method=method,
        model=str(model),
        steps=3,
        width=SIZE,
        height=SIZE,
        segment_frames=2,
        settings=own,
    )
    return ExrShot(job, (*exrs, *extra))
