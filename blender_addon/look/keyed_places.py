"""Where things are in a frame that is not shown: by their keys, without going there.

Going to a frame would undo a pose that is not keyed yet, and may take seconds. Keys of location, rotation and scale are
followed, through parents, those of layers too; what moves by constraints, drivers or other NLA strips is taken
as it is now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mathutils import Euler, Matrix, Quaternion, Vector

from ..rig.stack.layers import keyed_layers

_Curves = Mapping[tuple[str, int], Any]
_Layers = tuple[_Curves, ...]
_UNCHANGED = {  # what a layer has if it has no key
    "location": (0.0, 0.0, 0.0),
    "rotation_quaternion": (1.0, 0.0, 0.0, 0.0),
    "rotation_axis_angle": (0.0, 0.0, 1.0, 0.0),
    "rotation_euler": (0.0, 0.0, 0.0),
    "scale": (1.0, 1.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class KeyedPlaces:
    """A scene's objects in any frame; in the frame that is shown they are as they are shown."""

    shown: int

    def matrix(self, item: Any, frame: int) -> Any:
        """An object's place in the world: a 4x4 Matrix."""
        if frame == self.shown or not moves_by_keys(item):
            return item.matrix_world.copy()
        layers = _layers(item)
        own = _basis(item, layers, "", frame) if any(map(_has_place, layers)) else item.matrix_basis
        if item.parent is None:
            return own
        return self.matrix(item.parent, frame) @ item.matrix_parent_inverse @ own

    def pose(self, armature: Any, frame: int) -> dict[str, Any]:
        """The bones' places in the armature's own axes: 4x4 Matrices by name."""
        if frame == self.shown or not posed_by_keys(armature):
            return {bone.name: bone.matrix.copy() for bone in armature.pose.bones}
        layers = _layers(armature)
        found: dict[str, Any] = {}
        for bone in armature.data.bones:  # parents before children
            posed = armature.pose.bones[bone.name]
            basis = _basis(posed, layers, f"{posed.path_from_id()}.", frame)
            around = {}
            if bone.parent is not None:
                around = {"parent_matrix": found[bone.parent.name], "parent_matrix_local": bone.parent.matrix_local}
            found[bone.name] = bone.convert_local_to_pose(basis, bone.matrix_local, **around)
        return found

    def flag(self, item: Any, name: str, frame: int) -> bool:
        """A property of an object that is true or false."""
        curve = None if frame == self.shown else next((one[name, 0] for one in _layers(item) if (name, 0) in one), None)
        return bool(getattr(item, name) if curve is None else curve.evaluate(frame))


def posed_by_keys(armature: Any) -> bool:
    """Whether an armature's keys alone say how it is posed."""
    animation = armature.animation_data
    if animation is None or armature.data.pose_position == "REST":
        return False
    return bool(keyed_layers(armature)) and not any(bone.constraints for bone in armature.pose.bones)


def moves_by_keys(item: Any) -> bool:
    """Whether an object moves over time, and its keys and those of its parents alone say how."""
    by_itself = not item.constraints and (item.parent is None or item.parent_type == "OBJECT")
    return by_itself and (
        any(map(_has_place, _layers(item))) or (item.parent is not None and moves_by_keys(item.parent))
    )


def _layers(owner: Any) -> _Layers:
    """The F-curves of an object that are not muted, by path and index: its motion's, then those of each layer."""
    return tuple(
        {(one.data_path, one.array_index): one for one in curves if not one.mute} for curves in keyed_layers(owner)
    )


def _has_place(curves: _Curves) -> bool:
    return any(path == "location" or path == "scale" or path.startswith("rotation_") for path, _ in curves)


def _basis(owner: Any, layers: _Layers, prefix: str, frame: int) -> Any:
    """An object's or a bone's own place: location, rotation and scale, those with keys by their keys.

    As the NLA combines them: locations add up, scales multiply, rotations follow one another.
    """
    name = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}.get(
        owner.rotation_mode, "rotation_euler"
    )
    edited = {key for curves in layers[1:] for key in curves}
    location, scale, rotation = Vector((0, 0, 0)), Vector((1, 1, 1)), Quaternion()
    for level, curves in enumerate(layers):

        def values(name: str, level: int = level, curves: _Curves = curves) -> list[float]:
            found = []
            for index, (shown, unchanged) in enumerate(zip(getattr(owner, name), _UNCHANGED[name], strict=True)):
                key = (prefix + name, index)
                still = unchanged if level or key in edited else shown
                found.append(curves[key].evaluate(frame) if key in curves else still)
            return found

        location = location + Vector(values("location"))
        scale = scale * Vector(values("scale"))
        rotation = rotation @ _rotation(owner.rotation_mode, values(name))
    return Matrix.LocRotScale(location, rotation, scale)


def _rotation(mode: str, values: list[float]) -> Any:
    if mode == "QUATERNION":
        return Quaternion(values).normalized()
    if mode == "AXIS_ANGLE":
        angle, *axis = values
        return Quaternion(axis, angle)
    order: Any = mode
    return Euler(values, order).to_quaternion()
