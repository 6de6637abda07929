"""One frame's file: from what Blender rendered to the layers that the passes promise, and back for a check."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..shared.errors import RenderError
from ..shared.shot import DEPTH_CHANNEL, PART_CHANNEL, PART_COUNT, U_CHANNEL, V_CHANNEL
from .exr import read_attribute, read_channels, write_channels
from .geometry import CameraView

KEY_ATTRIBUTE = "latentmanKey"
CHANNELS = (DEPTH_CHANNEL, PART_CHANNEL, U_CHANNEL, V_CHANNEL)

# EEVEE keeps AOVs in half floats, whose spacing at 24 is 1/64: 23 comes back as 22.984. More is a mixture of labels.
_LABEL_TOLERANCE = 0.05
_KEY_VERSION = b"passes 2"


def frame_key(
    fixed: bytes, view: CameraView, vertices: NDArray[np.float32], drawn: tuple[bool, ...], others: bytes
) -> str:  # vertices (V, 3) metres
    """What a frame's passes depend on, as a digest.

    `fixed` stands for what is the same in all frames (size, engine, charts, Blender's version), `drawn` says which
    characters are rendered, `others` stands for the other objects of the scene. The key is stored in the frame's file;
    a file with an equal key need not be rendered again.
    """
    digest = hashlib.sha256(_KEY_VERSION)
    for part in (
        fixed,
        view.world_to_camera.tobytes(),
        view.intrinsics.tobytes(),
        np.array([view.clip_start_m, view.clip_end_m]).tobytes(),
        np.ascontiguousarray(vertices).tobytes(),
        bytes(drawn),
        others,
    ):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def passes_from_render(rendered: bytes, key: str) -> tuple[bytes, int]:
    """Turn Blender's EXR into the passes' EXR; returns its bytes and the number of pixels that show a character.

    Labels become exactly integers, the background gets its defined values. Raises RenderError if a label is a
    mixture, or a character's pixel has no distance.
    """
    planes = read_channels(rendered, CHANNELS)
    raw = planes[PART_CHANNEL]
    part = np.rint(raw)
    if not (np.abs(raw - part) <= _LABEL_TOLERANCE).all() or part.min() < 0 or part.max() > PART_COUNT:
        raise RenderError(
            "render.labels",
            "The rendered part labels are mixed between neighbouring parts.",
            "Render the passes with Cycles, and disable modifiers of the body that mix its labels.",
        )
    body = part > 0
    depth = planes[DEPTH_CHANNEL]
    if not (np.isfinite(depth[body]).all() and (depth[body] > 0).all()):
        raise RenderError("render.depth", "The rendered depth is not a distance everywhere on the character.")
    zero, infinity = np.float32(0), np.float32(np.inf)
    layers = {
        DEPTH_CHANNEL: np.where(body, depth, infinity),
        PART_CHANNEL: part + zero,  # no negative zero
        U_CHANNEL: np.where(body, np.clip(planes[U_CHANNEL], 0, 1), zero),
        V_CHANNEL: np.where(body, np.clip(planes[V_CHANNEL], 0, 1), zero),
    }
    return write_channels(layers, {KEY_ATTRIBUTE: key}), int(body.sum())


def body_pixels_of_equal_frame(path: Path, key: str) -> int | None:
    """Body pixels of the file at `path` if it is whole and was rendered with this key, else None."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    if read_attribute(data, KEY_ATTRIBUTE) != key:
        return None
    try:
        return int((read_channels(data, CHANNELS)[PART_CHANNEL] > 0).sum())
    except RenderError:
        return None
