"""The rendered passes of a shot, read into arrays.

Conventions: one multilayer EXR a frame (`Depth.Z`, `iuv.R/G/B`); depth is planar distance from the camera in metres;
row 0 is the top of the picture; a pixel's centre is at +0.5.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from shared.errors import PassesError
from shared.shot import DEPTH_CHANNEL, PART_CHANNEL, PART_COUNT, U_CHANNEL, V_CHANNEL, Shot, depth_levels, parse_shot


@dataclass(frozen=True, slots=True)
class Charts:
    """The body's topology with its DensePose-style parts: (part, u, v) names one surface point."""

    f: NDArray[np.int32]  # (faces, 3) vertex indices
    part: NDArray[np.uint8]  # (faces,) 1..24
    chart_uv: NDArray[np.float32]  # (faces, 3, 2) 0..1


@dataclass(frozen=True, slots=True)
class ShotPasses:
    """All that the backend knows of a shot's geometry."""

    depth_m: NDArray[np.float32]  # (frames, height, width) metres, inf = background
    part: NDArray[np.uint8]  # (frames, height, width) 0 = background, 1..24
    uv: NDArray[np.float32]  # (frames, height, width, 2) 0..1 inside the part's chart
    shot: Shot
    vertices: NDArray[np.float32]  # (frames, vertices, 3) world metres
    charts: Charts


def read_frame(path: Path) -> tuple[NDArray[np.float32], NDArray[np.uint8], NDArray[np.float32]]:
    """Read one frame's EXR: depth (H, W) metres with inf for background, part (H, W), uv (H, W, 2).

    Raises PassesError naming the file and the layer at fault.
    """
    channels = _channels(path)
    depth = _channel(channels, DEPTH_CHANNEL, path)
    labels = _channel(channels, PART_CHANNEL, path)
    uv = np.stack([_channel(channels, U_CHANNEL, path), _channel(channels, V_CHANNEL, path)], axis=-1)
    if not np.isin(labels, np.arange(PART_COUNT + 1)).all():
        raise PassesError(
            "passes.labels",
            f"{path.name}: layer {PART_CHANNEL} holds part labels that are not whole numbers from 0 to {PART_COUNT}.",
            "Render the passes again with this add-on; a filter or denoiser has touched them.",
        )
    part = labels.astype(np.uint8)
    body = part > 0
    if not np.isfinite(depth[body]).all() or (depth[body] <= 0).any():
        raise PassesError(
            "passes.depth",
            f"{path.name}: layer Depth.Z is not a positive distance everywhere on the body.",
            "Render the passes again.",
        )
    depth = np.where(body, depth, np.float32(np.inf)).astype(np.float32)
    return depth, part, np.clip(np.where(body[..., None], uv, 0), 0, 1).astype(np.float32)


def _channels(path: Path) -> dict[str, NDArray[np.float32]]:
    """All channels of all parts of an EXR by full name; Blender 5 writes a part a pass, Blender 4 one part."""
    try:
        with OpenEXR.File(os.fsencode(path), separate_channels=True) as file:
            return {name: np.asarray(channel.pixels) for part in file.parts for name, channel in part.channels.items()}
    except (RuntimeError, ValueError, OSError) as error:
        raise PassesError(
            "passes.unreadable", f"{path.name} is not a whole OpenEXR file.", "Render the passes again."
        ) from error


def _channel(channels: dict[str, NDArray[np.float32]], wanted: str, path: Path) -> NDArray[np.float32]:
    """The channel whose name ends in `wanted`, whatever the view layer in front of it is called."""
    found = [value for name, value in channels.items() if name == wanted or name.endswith("." + wanted)]
    if len(found) != 1:
        raise PassesError(
            "passes.layer",
            f"{path.name} has {len(found)} layers named {wanted}; exactly one is needed.",
            "Render the passes again with this add-on.",
        )
    return found[0].astype(np.float32)


def read_charts(path: Path) -> Charts:
    """Read `charts.npz`. Raises PassesError naming the key at fault."""
    try:
        with np.load(path, allow_pickle=False) as data:
            f, part, chart_uv = data["f"], data["part"], data["chart_uv"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise PassesError("passes.charts", f"The body's charts ({path.name}) cannot be read: {error}.") from error
    if f.ndim != 2 or f.shape[1] != 3 or part.shape != f.shape[:1] or chart_uv.shape != (*f.shape, 2):
        raise PassesError(
            "passes.charts",
            f"The body's charts ({path.name}) do not fit together: "
            f"f {f.shape}, part {part.shape}, chart_uv {chart_uv.shape}.",
        )
    return Charts(f.astype(np.int32), part.astype(np.uint8), chart_uv.astype(np.float32))


def read_vertices(path: Path, frames: int, count: int) -> NDArray[np.float32]:
    """Read `vertices.npy`: (frames, count, 3) world metres. Raises PassesError."""
    try:
        vertices = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise PassesError("passes.vertices", f"The body's vertices ({path.name}) cannot be read: {error}.") from error
    if vertices.shape != (frames, count, 3) or not np.isfinite(vertices).all():
        raise PassesError(
            "passes.vertices",
            f"The body's vertices ({path.name}) are {vertices.shape} or not finite; "
            f"the shot needs {(frames, count, 3)}.",
        )
    return np.asarray(vertices, np.float32)


def read_passes(frame_files: list[Path], shot_file: Path, vertices_file: Path, charts_file: Path) -> ShotPasses:
    """Read a shot's passes; `frame_files` in the order of the shot's frames. Raises PassesError."""
    try:
        shot = parse_shot(shot_file.read_bytes())
    except OSError as error:
        raise PassesError("passes.shot", f"{shot_file} cannot be read.", "Render the passes again.") from error
    if len(frame_files) != len(shot.frames):
        raise PassesError(
            "passes.count",
            f"The shot has {len(shot.frames)} frames, but {len(frame_files)} passes are given.",
            "A job has all frames of its shot.json: name them, or render the passes of the job's frames alone.",
        )
    size = (shot.height, shot.width)
    depth, part, uv = zip(*(read_frame(path) for path in frame_files), strict=True)
    for path, plane in zip(frame_files, part, strict=True):
        if plane.shape != size:
            raise PassesError(
                "passes.size", f"{path.name} is {plane.shape[1]}x{plane.shape[0]}, the shot {size[1]}x{size[0]}."
            )
    count = max(character.vertex_start + character.vertex_count for character in shot.characters)
    vertices = read_vertices(vertices_file, len(shot.frames), count)
    return ShotPasses(np.stack(depth), np.stack(part), np.stack(uv), shot, vertices, read_charts(charts_file))


def depth_pictures(passes: ShotPasses) -> NDArray[np.float32]:
    """ControlNet's depth pictures: (frames, height, width), `shared.shot.depth_levels` on bodies, background 0."""
    near, far = passes.shot.near_m, passes.shot.far_m
    body = passes.part > 0
    levels = depth_levels(np.where(body, passes.depth_m, far), near, far)
    return np.where(body, levels, 0).astype(np.float32)
