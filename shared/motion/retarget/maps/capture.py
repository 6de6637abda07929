"""Skeletons of motion capture and of motion data: CMU, Xsens, Rokoko, SOMA, HumanML3D, Bandai-Namco."""

from __future__ import annotations

from typing import Final

from .rig_names import RigNames

CMU: Final = RigNames(
    "CMU", "Hips", "LowerBack", "Spine", "Spine1", "Neck", "Head", "*UpLeg", "*Leg", "*Foot", "*ToeBase",
    "*Shoulder", "*Arm", "*ForeArm", "*Hand", "*FingerBase",
)  # fmt: skip
CMU_ANATOMICAL: Final = RigNames(
    "CMU, anatomical names", "Hips", "lowerback", "Chest", "Chest2", "lowerneck", "Head", "*Hip", "*Knee", "*Ankle",
    "*Toe", "*Collar", "*Shoulder", "*Elbow", "*Wrist", "",
)  # fmt: skip
XSENS_BVH: Final = RigNames(
    "Xsens BVH", "Hips", "Chest", "Chest2", "Chest4|Chest3", "Neck", "Head", "*Hip", "*Knee", "*Ankle", "*Toe",
    "*Collar", "*Shoulder", "*Elbow", "*Wrist", "",
)  # fmt: skip
XSENS: Final = RigNames(
    "Xsens", "Pelvis|Hips", "L5", "L3|T12", "T8", "Neck", "Head", "*UpperLeg", "*LowerLeg", "*Foot", "*Toe",
    "*Shoulder", "*UpperArm", "*ForeArm", "*Hand", "",
)  # fmt: skip
ROKOKO: Final = RigNames(
    "Rokoko", "Hips", "Spine1|Spine", "Spine2", "Spine4|Spine3", "Neck", "Head", "*Thigh|*UpLeg", "*Shin|*Leg",
    "*Foot", "*Toe|*ToeBase", "*Shoulder", "*Arm", "*ForeArm", "*Hand", "*Finger3Proximal|*HandMiddle1",
)  # fmt: skip
SOMA: Final = RigNames(
    "SOMA (Kimodo)", "Hips", "Spine1", "Spine2", "Chest", "Neck1", "Head", "*Leg", "*Shin", "*Foot", "*ToeBase",
    "*Shoulder", "*Arm", "*ForeArm", "*Hand", "*HandMiddle2",
)  # fmt: skip
HUMANML3D: Final = RigNames(
    "HumanML3D (MoMask)", "Hips", "Spine", "Spine1", "Spine2", "Neck", "Head", "*UpLeg", "*Leg", "*Foot", "*Toe",
    "*Shoulder", "*Arm", "*ForeArm", "*Hand", "",
)  # fmt: skip
BANDAI_NAMCO: Final = RigNames(
    "Bandai-Namco", "Hips", "Spine", "", "Chest", "Neck", "Head", "UpperLeg_*", "LowerLeg_*", "Foot_*", "Toes_*",
    "Shoulder_*", "UpperArm_*", "LowerArm_*", "Hand_*", "", ("L", "R"),
)  # fmt: skip

ROWS: Final = (CMU, CMU_ANATOMICAL, XSENS_BVH, XSENS, ROKOKO, SOMA, HUMANML3D, BANDAI_NAMCO)
