"""Rigs of game engines and character makers: Mixamo, Unreal, Unity and VRM, Character Creator, Biped, Daz."""

from __future__ import annotations

from typing import Final

from .rig_names import RigNames

MIXAMO: Final = RigNames(
    "Mixamo", "Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "*UpLeg", "*Leg", "*Foot", "*ToeBase|*Toe",
    "*Shoulder", "*Arm", "*ForeArm", "*Hand", "*HandMiddle1",
)  # fmt: skip
UNREAL: Final = RigNames(
    "Unreal mannequin", "pelvis", "spine_01", "spine_02|spine_03", "spine_05|spine_03", "neck_01", "head", "thigh_*",
    "calf_*", "foot_*", "ball_*", "clavicle_*", "upperarm_*", "lowerarm_*", "hand_*", "middle_01_*", ("l", "r"),
)  # fmt: skip
UNITY: Final = RigNames(
    "Unity humanoid", "Hips", "Spine", "Chest", "UpperChest", "Neck", "Head", "*UpperLeg", "*LowerLeg", "*Foot",
    "*Toes|*ToeBase|*Toe", "*Shoulder", "*UpperArm", "*LowerArm", "*Hand", "*MiddleProximal|*Middle1",
)  # fmt: skip
VRM: Final = RigNames(
    "VRM", "J_Bip_C_Hips", "J_Bip_C_Spine", "J_Bip_C_Chest", "J_Bip_C_UpperChest", "J_Bip_C_Neck", "J_Bip_C_Head",
    "J_Bip_*_UpperLeg", "J_Bip_*_LowerLeg", "J_Bip_*_Foot", "J_Bip_*_ToeBase", "J_Bip_*_Shoulder",
    "J_Bip_*_UpperArm", "J_Bip_*_LowerArm", "J_Bip_*_Hand", "J_Bip_*_Middle1", ("L", "R"),
)  # fmt: skip
CHARACTER_CREATOR: Final = RigNames(
    "Character Creator", "CC_Base_Pelvis", "CC_Base_Waist", "CC_Base_Spine01", "CC_Base_Spine02",
    "CC_Base_NeckTwist01", "CC_Base_Head", "CC_Base_*_Thigh", "CC_Base_*_Calf", "CC_Base_*_Foot", "CC_Base_*_ToeBase",
    "CC_Base_*_Clavicle", "CC_Base_*_Upperarm", "CC_Base_*_Forearm", "CC_Base_*_Hand", "CC_Base_*_Mid1", ("L", "R"),
)  # fmt: skip
BIPED: Final = RigNames(
    "3ds Max Biped", "Bip001 Pelvis", "Bip001 Spine", "Bip001 Spine1", "Bip001 Spine2", "Bip001 Neck", "Bip001 Head",
    "Bip001 * Thigh", "Bip001 * Calf", "Bip001 * Foot", "Bip001 * Toe0", "Bip001 * Clavicle", "Bip001 * UpperArm",
    "Bip001 * Forearm", "Bip001 * Hand", "Bip001 * Finger2", ("L", "R"),
)  # fmt: skip
DAZ: Final = RigNames(
    "Daz Genesis", "pelvis|hip", "abdomenLower|abdomen", "abdomenUpper|abdomen2", "chestUpper|chestLower|chest",
    "neckLower|neck", "head", "*ThighBend|*Thigh", "*Shin", "*Foot", "*Toe", "*Collar", "*ShldrBend|*Shldr",
    "*ForearmBend|*ForeArm", "*Hand", "*Mid1", ("l", "r"),
)  # fmt: skip

ROWS: Final = (MIXAMO, UNREAL, UNITY, VRM, CHARACTER_CREATOR, BIPED, DAZ)
