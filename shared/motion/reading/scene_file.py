"""Meshcapade's scenes (.mcs): glTF as JSON, with a .smpl archive a body and an animated camera, all in base64.

PromptHMR writes the same text as `world4d.mcs` and `world4d.glb`; smplcodec's `mcs.py` is the format's own program.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ...errors import MotionError
from ...files.safe_load import parse_npz
from ...files.strict_json import StrictJSONError, convert, parse_json

Array = npt.NDArray[np.float64]

BODY_ENTRIES: Final = (
    "bodyPose", "bodyTranslation", "shapeParameters", "frameRate", "frameCount", "smplVersion", "gender",
)  # fmt: skip
_EXTENSION: Final = "MC_scene_description"
_DATA: Final = "base64,"
_FLOAT32: Final = 5126
_WIDTHS: Final = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}


def is_scene_file(data: bytes) -> bool:
    """Whether the bytes are a glTF text of this kind."""
    return data.lstrip()[:1] == b"{" and _EXTENSION.encode() in data


def parse_scene_file(data: bytes, name: str) -> dict[str, object]:
    """The entries `smpl_bodies`, `camera`, `num_frames`, and `frameRate` of the first body.

    A body is a mapping: the arrays of its archive, and `frame_presence`; the camera is None where the scene has none.
    Raises MotionError `motion.scene_file` for anything that is not as the format says.
    """
    try:
        gltf = convert(parse_json(data), dict[str, Any])
        described = gltf["scenes"][0]["extensions"][_EXTENSION]
        bodies = [_body(gltf, one, f"{name} (body {index})") for index, one in enumerate(described["smpl_bodies"])]
        rate = next((one["frameRate"] for one in bodies if "frameRate" in one), None)
        return {
            "smpl_bodies": bodies,
            "camera": _camera(gltf),
            "num_frames": described.get("num_frames"),
            "frameRate": rate,
        }
    except (StrictJSONError, KeyError, IndexError, TypeError, AttributeError, ValueError, binascii.Error) as fault:
        what = f"{name} is not a valid Meshcapade scene: {fault}."
        raise MotionError("motion.scene_file", what, "Export it again.") from fault


def _body(gltf: Mapping[str, Any], described: Mapping[str, Any], name: str) -> dict[str, object]:
    content = _view(gltf, described["bufferView"])
    return {
        **parse_npz(content, BODY_ENTRIES, name=name, error=MotionError, pickles=False),
        "frame_presence": convert(described.get("frame_presence", [0, 0]), tuple[int, ...]),
    }


def _view(gltf: Mapping[str, Any], index: int) -> bytes:
    view = gltf["bufferViews"][_at(index)]
    uri = gltf["buffers"][_at(view["buffer"])]["uri"]
    content = base64.b64decode(uri[uri.index(_DATA) + len(_DATA) :], validate=True)
    start = _at(view.get("byteOffset", 0))
    return content[start : start + _at(view["byteLength"])]


def _at(index: object) -> int:
    if type(index) is not int or index < 0:
        raise ValueError(f"{index!r} is not a place in the file")
    return index


def _numbers(gltf: Mapping[str, Any], index: int) -> Array:
    """An accessor's numbers, (count, width)."""
    accessor = gltf["accessors"][_at(index)]
    if accessor["componentType"] != _FLOAT32:
        raise ValueError("its camera's numbers are not float32")
    width = _WIDTHS[accessor["type"]]
    count = _at(accessor["count"])
    raw = _view(gltf, accessor["bufferView"])[_at(accessor.get("byteOffset", 0)) :]
    return np.frombuffer(raw, "<f4", count * width).reshape(count, width).astype(np.float64)


def _camera(gltf: Mapping[str, Any]) -> dict[str, object] | None:
    """The first perspective camera: its angle, and its node's places and quaternions (x, y, z, w), frame by frame."""
    nodes = gltf.get("nodes", [])
    index = next((at for at, node in enumerate(nodes) if "camera" in node), None)
    if index is None:
        return None
    lens = gltf["cameras"][_at(nodes[index]["camera"])].get("perspective")
    if not lens:
        return None
    tracks = {
        "translation": np.array([nodes[index].get("translation", [0, 0, 0])], dtype=np.float64),
        "rotation": np.array([nodes[index].get("rotation", [0, 0, 0, 1])], dtype=np.float64),
    }
    for animation in gltf.get("animations", []):
        for channel in animation["channels"]:
            if channel["target"].get("node") == index and channel["target"]["path"] in tracks:
                tracks[channel["target"]["path"]] = _numbers(
                    gltf, animation["samplers"][_at(channel["sampler"])]["output"]
                )
    return {"yfov": float(lens["yfov"]), "aspectRatio": float(lens["aspectRatio"]), **tracks}
