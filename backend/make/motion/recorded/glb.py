"""The animations of a glTF binary file (.glb) as moving skeletons: the first skin's joints, nothing else.

Khronos Group, "glTF 2.0 specification": the binary container, accessors, skins and animations.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt

from shared.errors import MotionError
from shared.motion.retarget.skeleton import Skeleton, SkeletonMotion, motion_of
from shared.rotations import quaternion_to_matrix, slerp

Array = npt.NDArray[np.float64]

FPS: Final = 60.0  # at which the curves are read
_MAGIC: Final = b"glTF"
_FLOAT: Final = 5126
_COUNTS: Final = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_STILL: Final = {"translation": (0.0, 0.0, 0.0), "rotation": (0.0, 0.0, 0.0, 1.0), "scale": (1.0, 1.0, 1.0)}
_SHORTEST_S: Final = 0.2  # shorter animations are poses
_GONE: Final = 1e-3  # scale of a bone


def read_glb(path: Path) -> Iterator[tuple[str, SkeletonMotion]]:
    """The name and the motion of each animation, Y up. Raises MotionError `motion.glb`."""
    document = _Document.of(path)
    joints = document.skin_joints()
    skeleton = _skeleton(document, joints)
    for animation in document.content.get("animations", ()):
        name = str(animation.get("name", "")).rpartition("|")[2]
        curves = document.curves(animation)
        seconds = max((float(times[-1]) for times, _, _ in curves.values()), default=0.0)
        if seconds < _SHORTEST_S:
            continue
        times = np.arange(round(seconds * FPS) + 1) / FPS
        world = document.world(curves, times)[:, joints]
        if np.linalg.norm(world[..., :3, :3], axis=-2).min() > _GONE:  # else the person grows out of nothing
            yield name, motion_of(skeleton, world, FPS, f"{path.name}, {name}")


@dataclass(frozen=True, slots=True, eq=False)
class _Document:
    """The file's two chunks."""

    name: str
    content: dict[str, Any]
    binary: bytes

    @classmethod
    def of(cls, path: Path) -> _Document:
        data = path.read_bytes()
        if data[:4] != _MAGIC or len(data) < 20:
            _fault(path.name, "is not a glTF binary file")
        (length,) = struct.unpack_from("<I", data, 12)
        try:
            content = json.loads(data[20 : 20 + length])
        except ValueError:
            _fault(path.name, "has no readable description in its first chunk")
        return cls(path.name, content, data[28 + length :])

    def skin_joints(self) -> list[int]:
        """The nodes of the first skin."""
        skins = self.content.get("skins", ())
        if not skins:
            _fault(self.name, "has no skin, and so no skeleton")
        return list(skins[0]["joints"])

    def values(self, accessor: int) -> Array:
        """The numbers of an accessor, (count, width)."""
        found = self.content["accessors"][accessor]
        width = _COUNTS.get(found["type"], 0)
        if found["componentType"] != _FLOAT or not width or "sparse" in found or "bufferView" not in found:
            _fault(self.name, "holds curves in another form than plain 32-bit numbers")
        view = self.content["bufferViews"][found["bufferView"]]
        start = view.get("byteOffset", 0) + found.get("byteOffset", 0)
        stride = view.get("byteStride", 4 * width)
        end = start + stride * (found["count"] - 1) + 4 * width
        if view.get("buffer", 0) != 0 or end > len(self.binary):
            _fault(self.name, "is cut short, or keeps its numbers in another file")
        rows: npt.NDArray[np.float32] = np.ndarray((found["count"], width), "<f4", self.binary, start, (stride, 4))
        return rows.astype(np.float64)

    def parents(self) -> list[int]:
        """Each node's parent, -1 for none."""
        found = [-1] * len(self.content["nodes"])
        for index, node in enumerate(self.content["nodes"]):
            for child in node.get("children", ()):
                found[child] = index
        return found

    def curves(self, animation: dict[str, Any]) -> dict[tuple[int, str], tuple[Array, Array, str]]:
        """Times (keys,), values (keys, width) and the way between keys, by node and property."""
        found = {}
        for channel in animation["channels"]:
            target, sampler = channel["target"], animation["samplers"][channel["sampler"]]
            way = sampler.get("interpolation", "LINEAR")
            if "node" not in target or target["path"] not in _STILL:
                continue
            if way not in ("LINEAR", "STEP"):
                _fault(self.name, f"has {way} curves; export it with sampled animations")
            times = self.values(sampler["input"])[:, 0]
            found[target["node"], target["path"]] = times, self.values(sampler["output"]), way
        return found

    def world(self, curves: dict[tuple[int, str], tuple[Array, Array, str]], times: Array) -> Array:
        """Every node's matrix, (times, nodes, 4, 4)."""
        nodes, parents = self.content["nodes"], self.parents()
        found = np.zeros((len(times), len(nodes), 4, 4))
        for index in _from_the_top(parents):
            own = _matrices(index, nodes[index], curves, times)
            found[:, index] = own if parents[index] < 0 else found[:, parents[index]] @ own
        return found


def _from_the_top(parents: list[int]) -> list[int]:
    """Parents before their children."""
    order = [index for index, parent in enumerate(parents) if parent < 0]
    for index in order:  # grows while it is gone through
        order.extend(child for child, parent in enumerate(parents) if parent == index)
    return order


def _matrices(
    index: int, node: dict[str, Any], curves: dict[tuple[int, str], tuple[Array, Array, str]], times: Array
) -> Array:
    """A node's own matrices, (times, 4, 4)."""
    if "matrix" in node:
        return np.tile(np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T, (len(times), 1, 1))
    parts = {}
    for name, still in _STILL.items():
        resting = np.tile(np.array(node.get(name, still), dtype=np.float64), (len(times), 1))
        parts[name] = _sampled(*curves[index, name], times) if (index, name) in curves else resting
    found = np.tile(np.eye(4), (len(times), 1, 1))
    turns = quaternion_to_matrix(parts["rotation"][:, [3, 0, 1, 2]])
    found[:, :3, :3] = turns * parts["scale"][:, None, :]
    found[:, :3, 3] = parts["translation"]
    return found


def _sampled(keys: Array, values: Array, way: str, times: Array) -> Array:
    """A curve's values at these times, (times, width); before the first key and behind the last one they are held."""
    before = np.clip(np.searchsorted(keys, times + 1e-6, side="right") - 1, 0, len(keys) - 1)
    after = np.minimum(before + 1, len(keys) - 1)
    gap = np.maximum(keys[after] - keys[before], 1e-9)
    share = np.clip((times - keys[before]) / gap, 0.0, 1.0) if way == "LINEAR" else np.zeros(len(times))
    if values.shape[1] == 4:
        return np.asarray(slerp(values[before], values[after], share))
    return np.asarray(values[before] + share[:, None] * (values[after] - values[before]))


def _skeleton(document: _Document, joints: list[int]) -> Skeleton:
    """The skin's bind pose."""
    nodes, above = document.content["nodes"], document.parents()
    places = {node: index for index, node in enumerate(joints)}
    parents = []
    for node in joints:
        parent = above[node]
        while parent >= 0 and parent not in places:
            parent = above[parent]
        parents.append(places.get(parent, -1))
    skin = document.content["skins"][0]
    if "inverseBindMatrices" in skin:
        inverse = document.values(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(-1, -2)
        bind = np.linalg.inv(inverse)
    else:
        bind = document.world({}, np.zeros(1))[0, joints]
    heads = bind[:, :3, 3]
    tails = heads.copy()
    for index in range(len(joints)):
        ends = [heads[child] for child, parent in enumerate(parents) if parent == index]
        if ends:
            tails[index] = np.mean(ends, axis=0)
    turns = bind[:, :3, :3] / np.linalg.norm(bind[:, :3, :3], axis=-2, keepdims=True)
    names = tuple(str(nodes[node].get("name", f"joint {node}")) for node in joints)
    return Skeleton(names, tuple(parents), heads, tails, turns)


def _fault(name: str, what: str) -> NoReturn:
    raise MotionError("motion.glb", f"{name} {what}.", "Export it again as glTF binary with sampled animations.")
