"""Bones are told by their names in any spelling, by common words, and by the skeleton's shape."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.body import free_body
from shared.errors import MotionError
from shared.motion.retarget.bone_map import REQUIRED, BoneMap, load_map, save_map
from shared.motion.retarget.guess import guess_map
from shared.motion.retarget.maps.rig_names import RigNames
from shared.motion.retarget.maps.table import RIGS
from shared.motion.retarget.naming import key_of, keys_of
from shared.motion.retarget.skeleton import Skeleton
from shared.motion.retarget.topology import by_shape
from shared.motion.skeleton import JOINT_NAMES
from tests.helpers.disguises import A_POSE, ARMS_DOWN, Disguise, disguised

Array = NDArray[Any]
BY_LABEL = {rig.label: rig for rig in RIGS}
# Their names have one form: the first of the two counts.
SAME = {"HumanML3D (MoMask)": "Mixamo"}


def skeleton_of(rig: RigNames, disguise: Disguise | None = None) -> Skeleton:
    rest = np.asarray(free_body().joints(np.zeros(10)))
    return disguised(np.zeros((1, 24, 3)), rest[:1], rest, rig, disguise or Disguise()).skeleton  # type: ignore[no-any-return]


def renamed(skeleton: Skeleton, names: list[str]) -> Skeleton:
    return replace(skeleton, names=tuple(names))


@pytest.mark.parametrize("rig", RIGS, ids=BY_LABEL)
def test_a_rig_is_known_by_its_own_names(rig: RigNames) -> None:
    skeleton = skeleton_of(rig)
    found = guess_map(skeleton)
    assert found.label == SAME.get(rig.label, rig.label)
    assert found.bones == {joint: spellings[0] for joint, spellings in rig.spellings().items()}
    assert found.missing == ()


@pytest.mark.parametrize(
    ("change", "label"),
    [
        (lambda name: f"mixamorig:{name}", "Mixamo"),
        (lambda name: f"mixamorig7:{name}", "Mixamo"),
        (lambda name: f"mixamorig{name}", "Mixamo"),
        (lambda name: f"Armature|{name}", "Mixamo"),
        (lambda name: f"hero_{name}", "Mixamo"),
        (lambda name: name.upper().replace("LEFT", "Left_").replace("RIGHT", "Right_"), "Mixamo"),
        (lambda name: name.replace("Left", "L_").replace("Right", "R_"), "Mixamo"),
        (lambda name: name.lower(), "Mixamo"),
    ],
)
def test_prefixes_namespaces_and_spellings_of_sides_do_not_matter(change: Any, label: str) -> None:
    skeleton = skeleton_of(BY_LABEL[label])
    names = [change(name) for name in skeleton.names]
    found = guess_map(renamed(skeleton, names))
    assert found.bones == {joint: change(bone) for joint, bone in guess_map(skeleton).bones.items()}


def test_a_number_behind_every_name_does_not_matter() -> None:
    skeleton = skeleton_of(BY_LABEL["Character Creator"])
    names = [f"{name}_{number:03}" for number, name in enumerate(skeleton.names)]
    assert len(guess_map(renamed(skeleton, names)).bones) == 24


def test_of_a_generated_rig_the_bones_that_deform_count() -> None:
    """Controls, ORG and DEF bones side by side, as Rigify generates them."""
    parts = [skeleton_of(BY_LABEL[label]) for label in ("Rigify controls", "Rigify (ORG)", "Rigify (DEF)")]
    names: list[str] = []
    parents: list[int] = []
    heads: list[Array] = []
    for part in parts:
        start = len(names)
        for name, parent, head in zip(part.names, part.parents, part.heads, strict=True):
            if name not in names:
                names.append(name)
                parents.append(parent + start if parent >= 0 else -1)
                heads.append(head)
    count = len(names)
    parents = [parent if parent < count else -1 for parent in parents]
    whole = Skeleton(tuple(names), tuple(parents), np.array(heads), np.array(heads), np.tile(np.eye(3), (count, 1, 1)))
    found = guess_map(whole)
    assert found.label == "Rigify (DEF)"
    assert all(bone.startswith("DEF-") for bone in found.bones.values())


@pytest.mark.parametrize("arms", [None, A_POSE, ARMS_DOWN], ids=["T-pose", "A-pose", "arms down"])
@pytest.mark.parametrize("label", ["Mixamo", "CMU", "Bandai-Namco", "Unreal mannequin"])
def test_bones_without_telling_names_are_known_by_the_shape(label: str, arms: Array | None) -> None:
    skeleton = skeleton_of(BY_LABEL[label], Disguise(arms=arms, unit=0.01))
    right = guess_map(skeleton).bones
    anonymous = {name: f"Bone{number:03}" for number, name in enumerate(skeleton.names)}
    found = guess_map(renamed(skeleton, [anonymous[name] for name in skeleton.names]))
    assert found.label == "shape"
    for joint in REQUIRED:
        assert found.bones[joint] == anonymous[right[joint]], joint


def test_common_words_name_an_unknown_rig() -> None:
    names = {
        "pelvis": "body_root", "spine1": "waist", "neck": "neck", "head": "skull", "left_hip": "femur_left",
        "right_hip": "femur_right", "left_knee": "tibia_left", "right_knee": "tibia_right",
        "left_ankle": "ankle_left", "right_ankle": "ankle_right", "left_shoulder": "humerus_left",
        "right_shoulder": "humerus_right", "left_elbow": "elbow_left", "right_elbow": "elbow_right",
    }  # fmt: skip
    names["pelvis"] = "pelvis"
    base = skeleton_of(BY_LABEL["SMPL"])
    kept = [joint for joint in JOINT_NAMES if joint in names]
    indices = [JOINT_NAMES.index(joint) for joint in kept]
    parents = []
    for index in indices:
        above = base.parents[index]
        while above >= 0 and above not in indices:
            above = base.parents[above]
        parents.append(indices.index(above) if above >= 0 else -1)
    skeleton = Skeleton(
        tuple(names[joint] for joint in kept), tuple(parents), base.heads[indices], base.tails[indices],
        base.rotations[indices],
    )  # fmt: skip
    found = guess_map(skeleton)
    assert found.bones == {joint: names[joint] for joint in kept}
    assert "left_wrist" in found.unmapped and found.missing == ()


def test_a_skeleton_that_is_no_person_has_no_map_and_says_what_is_missing() -> None:
    tail = Skeleton(
        tuple(f"tail.{n:03}" for n in range(12)), tuple(range(-1, 11)), np.arange(36.0).reshape(12, 3),
        np.arange(36.0).reshape(12, 3) + 1, np.tile(np.eye(3), (12, 1, 1)),
    )  # fmt: skip
    assert guess_map(tail).missing == REQUIRED
    assert by_shape(tail) == {}


def test_a_chain_of_very_many_bones_is_looked_through() -> None:
    places = np.arange(6000.0).reshape(2000, 3)
    chain = Skeleton(
        tuple(map(str, range(2000))), tuple(range(-1, 1999)), places, places + 1, np.tile(np.eye(3), (2000, 1, 1))
    )
    assert guess_map(chain).missing == REQUIRED


def test_names_have_one_form() -> None:
    same = ["mixamorig:LeftUpLeg", "upleg_L", "L UpLeg", "left_up_leg", "UpLeg.L", "leftUpLeg", "LUpLeg"]
    assert {key_of(name) for name in same} == {"l:upleg"}
    assert key_of("spine.001") == key_of("spine_01") == key_of("Spine1") == ":spine1"
    assert key_of("toe1-1.L") == "l:toe1.1"
    assert keys_of(["Spine"]) == [":spine"]


def test_a_map_is_kept_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "hero.json"
    kept = BoneMap("Hero", {"pelvis": "Hüfte", "left_hip": "Bein.L"})
    save_map(path, kept)
    assert load_map(path) == kept


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ('{"format": "latentman.bone_map", "version": 2, "bones": {}}', "version 1"),
        ('{"format": "latentman.bone_map", "version": 1, "bones": {"tail": "x"}}', "'tail' is not a joint"),
        ('{"format": "latentman.bone_map", "version": 1, "bones": {"pelvis": 3}}', r"\$.bones.pelvis"),
        ('{"format": "latentman.bone_map", "version": 1, "bones": {}, "joints": {}}', "'joints' is not a field"),
        ('{"format": "latentman.bone_map", "version": 1}', "'bones' is missing"),
        ('{"format": "latentman.bone_map", "version": 1, "bones": {"pelvis": "a", "pelvis": "b"}}', "twice"),
    ],
)
def test_a_file_that_is_no_map_is_refused_with_the_place(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MotionError, match=says) as caught:
        load_map(path)
    assert caught.value.code == "motion.bone_map" and caught.value.message.startswith("own.json")
