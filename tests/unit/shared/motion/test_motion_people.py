"""Several people of one take: one axis, one floor, one scale for the way between them, each at its time; and units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.motion import Ask, read_motion, read_people, resample
from shared.motion.assembly import assemble
from shared.motion.quality import motion_joints
from shared.motion.readers.amass import AMASS
from shared.motion.reading.clip import Clip, Positions, Rotations
from shared.motion.reading.fields import Fields
from shared.motion.units import UNITS_M, unit_label
from tests.unit.shared.motion.test_motion_decoration import standing
from tests.unit.shared.motion.test_motion_programs import kimodo, read
from tests.unit.shared.motion.test_motion_readers import FRAMES, amass, save, skeleton

Array = NDArray[Any]
TO_Z_UP = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]])
FILE = Fields("pair.npz", {"mocap_framerate": 30.0})


def clip(first_frame: int = 0, place: Array | None = None) -> Clip:
    """A body that stands in Z-up axes."""
    full, trans = standing()
    return Clip(Rotations(full[:, :24], trans if place is None else place, "transl"), first_frame=first_frame)


def test_a_person_that_enters_later_does_so_at_any_rate() -> None:
    first, second = assemble(FILE, AMASS, [clip(), clip(first_frame=15)], Ask(), skeleton())
    assert (first.first_frame, second.first_frame) == (0, 15)
    assert resample(second, 60.0).first_frame == 30 and resample(second, 20.0).first_frame == 10


def test_one_who_lies_is_turned_as_the_others_are_who_stand() -> None:
    """Alone it would be taken for one who stands along another axis."""
    lying = np.zeros((FRAMES, 24, 3))
    reader = replace(AMASS, up="y")
    alone = assemble(FILE, reader, [Clip(Rotations(lying, np.zeros((FRAMES, 3)), "transl"))], Ask(), skeleton())[0]
    assert alone.assumptions is not None and alone.assumptions.up == "y"
    pair = [clip(), clip(), Clip(Rotations(lying, np.zeros((FRAMES, 3)), "transl"))]
    people = assemble(FILE, reader, pair, Ask(), skeleton())
    axes = {one.assumptions.up for one in people if one.assumptions is not None}
    assert len(axes) == 1
    np.testing.assert_allclose(people[0].root, people[1].root)


def test_people_of_rotations_keep_their_places_exactly(tmp_path: Path) -> None:
    full, trans = standing()
    flat = full.reshape(FRAMES, 156)
    path = amass(tmp_path / "a.npz", poses=np.stack([flat, flat]), trans=np.stack([trans, trans + [0.5, 2.0, 0.0]]))
    first, second = read_people(path, Ask(), skeleton())
    np.testing.assert_allclose(second.root - first.root, np.tile([0.5, 0.0, -2.0], (FRAMES, 1)), atol=1e-12)


def test_people_of_positions_stand_as_far_apart_as_their_bodies_are_large_and_feet_stay_planted(tmp_path: Path) -> None:
    """A child of 60 % beside an adult: each is scaled to the body, the way between them by the mean."""
    adult = np.tile(skeleton()[:22] + [0.0, 1.15, 0.0], (FRAMES, 1, 1))
    child = 0.6 * adult + [1.0, 0.0, 0.0]
    path = save(
        tmp_path / "a.npy", {"motion": np.moveaxis(adult, 0, -1)[None], "motion2": np.moveaxis(child, 0, -1)[None]}
    )
    first, second = read_people(path, Ask(), skeleton())
    assert first.feet_residual_cm is not None and second.feet_residual_cm is not None
    assert max(first.feet_residual_cm, second.feet_residual_cm) < 0.01
    apart = motion_joints(second, skeleton())[0, 0, 0] - motion_joints(first, skeleton())[0, 0, 0]
    assert apart == pytest.approx((1.0 + 1.0 / 0.6) / 2.0, abs=1e-6)
    np.testing.assert_allclose(motion_joints(second, skeleton())[:, 10, 1], adult[:, 10, 1], atol=1e-6)


@pytest.mark.parametrize("unit", UNITS_M)
def test_places_in_another_unit_are_said_to_be(unit: str, tmp_path: Path) -> None:
    full, trans = standing()
    metres = read(amass(tmp_path / "a.npz", poses=full.reshape(FRAMES, 156), trans=trans))
    path = amass(tmp_path / "b.npz", poses=full.reshape(FRAMES, 156), trans=trans / UNITS_M[unit])
    got = read(path, unit_m=UNITS_M[unit], up="z")
    np.testing.assert_allclose(got.root, metres.root, atol=1e-9)
    assert got.assumptions is not None and got.assumptions.unit_from == "user"
    assert any(note == f"Unit: {UNITS_M[unit]:g} m, as set." for note in got.notes)


def test_a_unit_has_a_name_or_its_length() -> None:
    assert unit_label(0.01) == "Centimetres" and unit_label(0.9144) == "0.9144 m"


def test_positions_need_no_unit(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.tile(skeleton()[:22] + [0.0, 1.15, 0.0], (FRAMES, 1, 1)))
    plain, said = (read_motion(tmp_path / "a.npy", unit_m=unit, rest_joints=skeleton()) for unit in (None, 0.01))
    np.testing.assert_array_equal(plain.root, said.root)
    assert said.assumptions is not None and said.assumptions.unit_m is None


@pytest.mark.parametrize("said", ["z", "auto"])
def test_bones_with_z_up_are_turned_whole(said: str, tmp_path: Path) -> None:
    y_up = read(kimodo(tmp_path / "a.npz", 30))
    with np.load(tmp_path / "a.npz") as entries:
        turned = {
            "posed_joints": entries["posed_joints"] @ TO_Z_UP.T,
            "global_rot_mats": TO_Z_UP @ entries["global_rot_mats"],
        }
    np.savez(tmp_path / "b.npz", **turned)
    z_up = read(tmp_path / "b.npz", up=said)
    np.testing.assert_allclose(z_up.poses, y_up.poses, atol=1e-5)
    np.testing.assert_allclose(z_up.root, y_up.root, atol=1e-5)
    assert z_up.assumptions is not None
    assert (z_up.assumptions.up, z_up.assumptions.up_from) == ("z", "content" if said == "auto" else "user")


def test_the_records_say_whose_word_each_thing_is(tmp_path: Path) -> None:
    from_file = read(amass(tmp_path / "a.npz")).assumptions
    assert from_file is not None and (from_file.fps_from, from_file.format) == ("file", "AMASS")
    by_format = read(kimodo(tmp_path / "b.npz", 30)).assumptions
    assert by_format is not None
    assert (by_format.fps_from, by_format.up_from, by_format.unit_m) == ("format", "format", None)
    by_user = read(tmp_path / "b.npz", fps=24.0, up="y").assumptions
    assert by_user is not None and (by_user.fps, by_user.fps_from, by_user.up_from) == (24.0, "user", "user")


def test_positions_of_a_reader_are_scaled_alike_whoever_comes_first() -> None:
    body = np.tile(skeleton()[:22] + [0.0, 1.15, 0.0], (FRAMES, 1, 1))
    clips = [Clip(Positions(body)), Clip(Positions(100.0 * body + [50.0, 0.0, 0.0]))]
    one_way = assemble(FILE, AMASS, clips, Ask(fps=20.0, up="y"), skeleton())
    other_way = assemble(FILE, AMASS, clips[::-1], Ask(fps=20.0, up="y"), skeleton())
    np.testing.assert_allclose(one_way[0].root, other_way[1].root, atol=1e-12)
