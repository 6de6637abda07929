"""BVH files: any order of channels, several roots, both meanings of positions, and faults named by their lines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.errors import MotionError
from shared.motion.retarget.bvh import is_bvh, parse_bvh
from shared.rotations import axis_angle_to_matrix

Array = NDArray[Any]

SMALL = """HIERARCHY
ROOT Hips
{
  OFFSET 0 90 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine
  {
    OFFSET 0 10 0
    CHANNELS 3 Yrotation Zrotation Xrotation
    End Site
    {
      OFFSET 0 5 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
1 91 2 90 0 0 0 0 0
1 92 2 0 0 30 10 20 30
"""


def about(axis: int, degrees: float) -> Array:
    return np.asarray(axis_angle_to_matrix(np.radians(degrees) * np.eye(3)[axis]))


def read(text: str) -> Any:
    return parse_bvh(text.encode(), name="clip.bvh")


def test_the_hierarchy_the_rate_and_the_rest_pose_are_read() -> None:
    motion = read(SMALL)
    assert motion.skeleton.names == ("Hips", "Spine")
    assert motion.skeleton.parents == (-1, 0)
    assert motion.fps == 30.0
    np.testing.assert_allclose(motion.skeleton.heads, [[0, 90, 0], [0, 100, 0]])
    np.testing.assert_allclose(motion.skeleton.tails, [[0, 100, 0], [0, 105, 0]])


def test_rotations_are_the_product_of_the_channels_in_their_order() -> None:
    motion = read(SMALL)
    np.testing.assert_allclose(motion.rotations[0, 0], about(2, 90), atol=1e-12)
    np.testing.assert_allclose(motion.heads[0], [[1, 91, 2], [-9, 91, 2]], atol=1e-9)
    spine = about(1, 30) @ about(1, 10) @ about(2, 20) @ about(0, 30)
    np.testing.assert_allclose(motion.rotations[1, 1], spine, atol=1e-12)


def test_positions_may_be_the_whole_way_or_what_is_added_to_the_offset() -> None:
    added = SMALL.replace("1 91 2 90", "1 1 2 90").replace("1 92 2 0", "1 2 2 0")
    np.testing.assert_allclose(read(added).heads, read(SMALL).heads, atol=1e-9)


def test_a_joint_with_only_one_position_channel_keeps_the_rest_of_its_offset() -> None:
    text = SMALL.replace("CHANNELS 3 Yrotation Zrotation Xrotation", "CHANNELS 2 Xrotation Yposition")
    text = text.replace("0 0 0 0 0\n", "0 0 0 11\n").replace("30 10 20 30\n", "30 0 12\n")
    np.testing.assert_allclose(read(text).heads[0, 1], [1 - 11, 91, 2], atol=1e-9)


def test_several_roots_and_equal_names_are_told_apart() -> None:
    lines = SMALL.splitlines()
    two = "\n".join(
        [lines[0], *lines[1:15], *lines[1:15], "MOTION", "Frames: 1", "Frame Time: 0.1", " ".join(["0"] * 18)]
    )
    motion = read(two)
    assert motion.skeleton.names == ("Hips", "Spine", "Hips.001", "Spine.001")
    assert motion.skeleton.parents == (-1, 0, -1, 2)
    assert motion.fps == 10.0


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("ROOT Hips\n{", "ROOT Hips {").replace("JOINT Spine\n  {", "JOINT Spine {"),
        lambda text: text.replace("Xposition Yposition Zposition", "XPOSITION yposition zPosition"),
        lambda text: text.replace("Frames: 2", "Frames:\t2").replace("Frame Time: ", "Frame Time:\t"),
        lambda text: text + "\n\n",
    ],
    ids=["windows", "byte order mark", "braces", "case", "tabs", "empty lines"],
)
def test_what_programs_write_differently_is_read_alike(change: Any) -> None:
    assert is_bvh(change(SMALL).encode())
    np.testing.assert_array_equal(read(change(SMALL)).heads, read(SMALL).heads)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("OFFSET 0 90 0", "OFFSET 0 90", "line 4: OFFSET needs 3 numbers, not 2"),
        ("OFFSET 0 90 0", "OFFSET 0 x 0", "line 4: OFFSET has '0 x 0'"),
        ("CHANNELS 3", "CHANNELS 4", "line 9: CHANNELS of 'Spine'"),
        ("CHANNELS 3 Yrotation", "CHANNELS 3 Wrotation", "line 9: 'Wrotation' is not a channel"),
        ("JOINT Spine", "BONE Spine", "line 6: 'BONE' is not a word"),
        ("JOINT Spine", "ROOT Spine", "line 6: a ROOT is inside"),
        ("  JOINT Spine\n  {", "  JOINT Spine", "line 7: a { is missing"),
        ("}\nMOTION", "MOTION", "line 15: a } is missing"),
        ("}\nMOTION", "}\n}\nMOTION", "line 16: there is a } too many"),
        ("Frames: 2", "Frames: two", "line 17: MOTION must be followed by Frames"),
        ("Frames: 2", "Frames: 3", "line 20: the file ends after 2 of 3 frames"),
        ("Frames: 2", "Frames: 1", "line 20: there are more frames"),
        ("Frame Time: 0.0333333", "Frame Time: 0", "line 18: Frame Time is 0 seconds"),
        ("Frame Time: 0.0333333", "Frame Time: nan", "line 18: Frame Time is not finite"),
        ("1 92 2 0 0 30 10 20 30", "1 92 2 0 0 30 10 20", "line 20: the frame has 8 numbers"),
        ("1 92 2", "1 inf 2", "line 20: the frame has a number that is not finite"),
        ("1 92 2", "1 q 2", "line 20: the frame has a value that is not a number"),
    ],
)
def test_a_fault_is_named_with_its_line(old: str, new: str, says: str) -> None:
    assert old in SMALL
    with pytest.raises(MotionError) as caught:
        read(SMALL.replace(old, new, 1))
    assert caught.value.code == "motion.bvh"
    assert caught.value.message.startswith(f"clip.bvh, {says}")


@pytest.mark.parametrize("lines", range(1, 18))
def test_a_file_that_is_cut_short_is_refused(lines: int) -> None:
    with pytest.raises(MotionError) as caught:
        read("\n".join(SMALL.splitlines()[:lines]))
    assert caught.value.code == "motion.bvh"


def test_other_files_are_no_bvh() -> None:
    assert not is_bvh(b"Kaydara FBX Binary") and not is_bvh(b"") and not is_bvh(b"\x93NUMPY")
