"""One frame's passes, read from its OpenEXR file.

Conventions: one multilayer EXR a frame (`Depth.Z`, `iuv.R/G/B`); depth is planar distance from the camera in metres;
row 0 is the top of the picture; a pixel's centre is at +0.5.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from shared.errors import PassesError
from shared.shot import DEPTH_CHANNEL, PART_CHANNEL, PART_COUNT, U_CHANNEL, V_CHANNEL


@dataclass(frozen=True, slots=True, eq=False)
class FramePasses:
    """The passes of one frame, or of several frames with an axis for them in front."""

    depth_m: NDArray[np.float32]  # (..., height, width) metres, inf = background
    part: NDArray[np.uint8]  # (..., height, width) 0 = background, 1..24
    uv: NDArray[np.float32]  # (..., height, width, 2) 0..1 inside the part's chart


def read_frame(path: Path) -> FramePasses:
    """Read one frame's EXR. Raises PassesError naming the file and the layer at fault."""
    channels = _channels(path)
    depth = channels[_named(channels, DEPTH_CHANNEL, path)].astype(np.float32)
    labels = channels[_named(channels, PART_CHANNEL, path)].astype(np.float32)
    uv = np.stack([channels[_named(channels, name, path)].astype(np.float32) for name in (U_CHANNEL, V_CHANNEL)], -1)
    if not np.isin(labels, np.arange(PART_COUNT + 1)).all():
        raise PassesError(
            "passes.labels",
            f"{path.name}: layer {PART_CHANNEL} has part labels that are not whole numbers from 0 to {PART_COUNT}.",
            "Render the passes again with this add-on. A filter or denoiser may have changed them.",
        )
    part = labels.astype(np.uint8)
    body = part > 0
    if not np.isfinite(depth[body]).all() or (depth[body] <= 0).any():
        raise PassesError(
            "passes.depth",
            f"{path.name}: layer Depth.Z has a distance on the body that is not positive.",
            "Render the passes again.",
        )
    depth = np.where(body, depth, np.float32(np.inf)).astype(np.float32)
    return FramePasses(depth, part, np.clip(np.where(body[..., None], uv, 0), 0, 1).astype(np.float32))


def check_header(path: Path, height: int, width: int) -> None:
    """Look at a frame's header alone: whether it has each layer once, at this size. Raises PassesError if not."""
    with _opened(path, header_only=True) as file:
        headers = [dict(part.header) for part in file.parts]  # closing the file empties its own
    names = [channel.name for header in headers for channel in header["channels"]]
    for wanted in (DEPTH_CHANNEL, PART_CHANNEL, U_CHANNEL, V_CHANNEL):
        _named(names, wanted, path)
    for header in headers:
        low, high = header["dataWindow"]
        check_size(path, (int(high[1] - low[1]) + 1, int(high[0] - low[0]) + 1), (height, width))


def check_size(path: Path, found: tuple[int, ...], wanted: tuple[int, int]) -> None:
    """Raise PassesError if a frame's picture (height, width) is not of the shot's size."""
    if found != wanted:
        raise PassesError(
            "passes.size", f"{path.name} is {found[1]}x{found[0]}, but the shot is {wanted[1]}x{wanted[0]}."
        )


def _opened(path: Path, *, header_only: bool) -> Any:  # OpenEXR has no types
    try:
        return OpenEXR.File(os.fsencode(path), separate_channels=True, header_only=header_only)
    except (RuntimeError, ValueError, OSError) as error:
        raise _unreadable(path) from error


def _channels(path: Path) -> dict[str, NDArray[Any]]:
    """All channels of all parts of an EXR by full name; Blender 5 writes a part a pass, Blender 4 one part."""
    with _opened(path, header_only=False) as file:
        found = {name: np.asarray(channel.pixels) for part in file.parts for name, channel in part.channels.items()}
    if not found:  # OpenEXR leaves out a part that is cut short
        raise _unreadable(path)
    return found


def _unreadable(path: Path) -> PassesError:
    return PassesError("passes.unreadable", f"{path.name} is not a complete OpenEXR file.", "Render the passes again.")


def _named(names: Iterable[str], wanted: str, path: Path) -> str:
    """The channel whose name ends in `wanted`, whatever the view layer in front of it is called."""
    found = [name for name in names if name == wanted or name.endswith("." + wanted)]
    if len(found) != 1:
        raise PassesError(
            "passes.layer",
            f"{path.name} has {len(found)} layers named {wanted}; exactly one is needed.",
            "Render the passes again with this add-on.",
        )
    return found[0]
