"""Where things are in a frame that is not shown: by their keys, without going there.

Going to a frame would undo a pose that is not keyed yet, and may take seconds. Keys of location, rotation and scale are
followed, through parents; what moves by constraints, drivers or NLA strips is taken as it stands now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mathutils import Euler, Matrix, Quaternion, Vector

from .. import compat

_Curves = Mapping[tuple[str, int], Any]


@dataclass(frozen=True, slots=True)
class KeyedPlaces:
    """A scene's objects in any frame; in the frame that is shown they are as they are shown."""

    shown: int

    def matrix(self, item: Any, frame: int) -> Any:
        """An object's place in the world: a 4x4 Matrix."""
        if frame == self.shown or not moves_by_keys(item):
            return item.matrix_world.copy()
        curves = _curves(item)
        own = _basis(item, curves, "", frame) if _has_place(curves) else item.matrix_basis
        if item.parent is None:
            return own
        return self.matrix(item.parent, frame) @ item.matrix_parent_inverse @ own

    def pose(self, armature: Any, frame: int) -> dict[str, Any]:
        """The bones' places in the armature's own axes: 4x4 Matrices by name."""
        if frame == self.shown or not posed_by_keys(armature):
            return {bone.name: bone.matrix.copy() for bone in armature.pose.bones}
        curves = _curves(armature)
        found: dict[str, Any] = {}
        for bone in armature.data.bones:  # parents before children
            posed = armature.pose.bones[bone.name]
            basis = _basis(posed, curves, f"{posed.path_from_id()}.", frame)
            around = {}
            if bone.parent is not None:
                around = {"parent_matrix": found[bone.parent.name], "parent_matrix_local": bone.parent.matrix_local}
            found[bone.name] = bone.convert_local_to_pose(basis, bone.matrix_local, **around)
        return found

    def flag(self, item: Any, name: str, frame: int) -> bool:
        """A property of an object that is true or false."""
        curve = None if frame == self.shown else _curves(item).get((name, 0))
        return bool(getattr(item, name) if curve is None else curve.evaluate(frame))


def posed_by_keys(armature: Any) -> bool:
    """Whether an armature's keys alone say how it is posed."""
    animation = armature.animation_data
    if animation is None or animation.action is None or armature.data.pose_position == "REST":
        return False
    by_strips = any(not track.mute for track in animation.nla_tracks)
    return not (by_strips or any(bone.constraints for bone in armature.pose.bones))


def moves_by_keys(item: Any) -> bool:
    """Whether an object moves over time, and its keys and those of its parents alone say how."""
    by_itself = not item.constraints and (item.parent is None or item.parent_type == "OBJECT")
    return by_itself and (_has_place(_curves(item)) or (item.parent is not None and moves_by_keys(item.parent)))


def _curves(owner: Any) -> _Curves:
    """The F-curves of an object that are not muted, by path and index."""
    return {(one.data_path, one.array_index): one for one in compat.fcurves_of(owner) if not one.mute}


def _has_place(curves: _Curves) -> bool:
    return any(path == "location" or path == "scale" or path.startswith("rotation_") for path, _ in curves)


def _basis(owner: Any, curves: _Curves, prefix: str, frame: int) -> Any:
    """An object's or a bone's own place: location, rotation and scale, those with keys by their keys."""

    def values(name: str) -> list[float]:
        rows = enumerate(getattr(owner, name))
        keyed = ((curves.get((prefix + name, index)), value) for index, value in rows)
        return [value if curve is None else curve.evaluate(frame) for curve, value in keyed]

    rotation: Any
    if owner.rotation_mode == "QUATERNION":
        rotation = Quaternion(values("rotation_quaternion")).normalized()
    elif owner.rotation_mode == "AXIS_ANGLE":
        angle, *axis = values("rotation_axis_angle")
        rotation = Quaternion(axis, angle)
    else:
        rotation = Euler(values("rotation_euler"), owner.rotation_mode).to_quaternion()
    return Matrix.LocRotScale(Vector(values("location")), rotation, Vector(values("scale")))
