"""Rigs made in Blender: Rigify, AutoRig Pro, MakeHuman's, the SMPL add-ons', and this add-on's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .rig_names import RigNames

_DOT: Final = ("L", "R")
_DOT_LOW: Final = ("l", "r")
_UNDERSCORE: Final = ("L", "R")

RIGIFY_DEFORM: Final = RigNames(
    "Rigify (DEF)", "DEF-spine", "DEF-spine.001", "DEF-spine.002", "DEF-spine.003", "DEF-spine.004", "DEF-spine.006",
    "DEF-thigh.*", "DEF-shin.*", "DEF-foot.*", "DEF-toe.*", "DEF-shoulder.*", "DEF-upper_arm.*", "DEF-forearm.*",
    "DEF-hand.*", "DEF-f_middle.01.*", _DOT,
)  # fmt: skip
RIGIFY_ORIGINAL: Final = RigNames(
    "Rigify (ORG)", "ORG-spine", "ORG-spine.001", "ORG-spine.002", "ORG-spine.003", "ORG-spine.004", "ORG-spine.006",
    "ORG-thigh.*", "ORG-shin.*", "ORG-foot.*", "ORG-toe.*", "ORG-shoulder.*", "ORG-upper_arm.*", "ORG-forearm.*",
    "ORG-hand.*", "ORG-f_middle.01.*", _DOT,
)  # fmt: skip
RIGIFY_METARIG: Final = RigNames(
    "Rigify metarig", "spine", "spine.001", "spine.002", "spine.003", "spine.004", "spine.006",
    "thigh.*", "shin.*", "foot.*", "toe.*", "shoulder.*", "upper_arm.*", "forearm.*", "hand.*", "f_middle.01.*", _DOT,
)  # fmt: skip
RIGIFY_CONTROLS: Final = RigNames(
    "Rigify controls", "spine_fk", "spine_fk.001", "spine_fk.002", "spine_fk.003", "neck", "head",
    "thigh_fk.*", "shin_fk.*", "foot_fk.*", "toe_fk.*|toe.*", "shoulder.*", "upper_arm_fk.*", "forearm_fk.*",
    "hand_fk.*", "f_middle.01.*", _DOT,
)  # fmt: skip
AUTORIG_DEFORM: Final = RigNames(
    "AutoRig Pro", "root.x", "spine_01.x", "spine_02.x", "spine_03.x", "neck.x", "head.x",
    "thigh_twist.*|thigh_stretch.*", "leg_stretch.*", "foot.*", "toes_01.*", "shoulder.*",
    "arm_twist.*|arm_stretch.*", "forearm_stretch.*", "hand.*", "middle1.*|c_middle1.*|c_middle1_base.*", _DOT_LOW,
)  # fmt: skip
AUTORIG_CONTROLS: Final = RigNames(
    "AutoRig Pro controls", "c_root.x", "c_spine_01.x", "c_spine_02.x", "c_spine_03.x", "c_neck.x", "c_head.x",
    "c_thigh_fk.*", "c_leg_fk.*", "c_foot_fk.*", "c_toes_fk.*", "c_shoulder.*", "c_arm_fk.*", "c_forearm_fk.*",
    "c_hand_fk.*", "c_middle1.*", _DOT_LOW,
)  # fmt: skip
MAKEHUMAN: Final = RigNames(
    "MakeHuman", "root", "spine05", "spine03", "spine01", "neck01", "head",
    "upperleg01.*", "lowerleg01.*", "foot.*", "toe1-1.*|toe3-1.*", "clavicle.*", "upperarm01.*", "lowerarm01.*",
    "wrist.*", "finger3-1.*", _DOT,
)  # fmt: skip
SMPL_ADDON: Final = RigNames(
    "SMPL", "Pelvis", "Spine1", "Spine2", "Spine3", "Neck", "Head",
    "*_Hip", "*_Knee", "*_Ankle", "*_Foot", "*_Collar", "*_Shoulder", "*_Elbow", "*_Wrist", "*_Hand", _UNDERSCORE,
)  # fmt: skip
SMPLX_ADDON: Final = replace(SMPL_ADDON, label="SMPL-X", hand="*_middle1")
REACT_IDLE: Final = RigNames(
    "Metarig without hands", "pelvis", "spine", "spine.001", "", "neck", "face",
    "thigh.*", "shin.*", "foot.*", "", "shoulder.*", "upper_arm.*", "forearm.*", "", "", _DOT,
)  # fmt: skip

ROWS: Final = (
    SMPL_ADDON, SMPLX_ADDON, RIGIFY_DEFORM, RIGIFY_ORIGINAL, RIGIFY_METARIG, RIGIFY_CONTROLS, AUTORIG_DEFORM,
    AUTORIG_CONTROLS, MAKEHUMAN, REACT_IDLE,
)  # fmt: skip
