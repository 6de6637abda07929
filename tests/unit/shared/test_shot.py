"""shot.json: a round trip, its projection, and refusals that name the key."""

from __future__ import annotations

import json

import numpy as np
import pytest

from shared.errors import PassesError
from shared.shot import SHOT_VERSION, Shot, ShotCamera, ShotCharacter, parse_shot, shot_json


def example(frames: tuple[int, ...] = (3, 5)) -> Shot:
    random = np.random.default_rng(0)
    count = len(frames)
    pose = np.tile(np.eye(4), (count, 1, 1))
    pose[:, :3, 3] = random.normal(size=(count, 3)) + (0, 0, 5)
    intrinsics = np.tile([[100.0, 0, 32], [0, 90, 24], [0, 0, 1]], (count, 1, 1))
    characters = tuple(
        ShotCharacter(name, start, 7, random.normal(size=(count, 24, 3)), random.normal(size=(count, 24, 2)))
        for name, start in (("one", 0), ("two", 7))
    )
    return Shot(SHOT_VERSION, 23.976, 64, 48, frames, 1.25, 3.5, ShotCamera(pose, intrinsics), characters)


def changed(path: tuple[str | int, ...], value: object) -> bytes:
    """The example's JSON with one value replaced, or removed where the value is Ellipsis."""
    document = json.loads(shot_json(example()))
    place = document
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(document).encode()


def test_round_trip_keeps_every_value_exactly() -> None:
    shot = example()
    found = parse_shot(shot_json(shot))
    for name in ("version", "fps", "width", "height", "frames", "near_m", "far_m"):
        assert getattr(found, name) == getattr(shot, name)
    assert np.array_equal(found.camera.world_to_camera, shot.camera.world_to_camera)
    assert np.array_equal(found.camera.intrinsics, shot.camera.intrinsics)
    for ours, theirs in zip(shot.characters, found.characters, strict=True):
        for name in ("name", "vertex_start", "vertex_count"):
            assert getattr(ours, name) == getattr(theirs, name)
        assert np.array_equal(ours.joints_world, theirs.joints_world)
        assert np.array_equal(ours.joints_picture, theirs.joints_picture)
    assert shot_json(found) == shot_json(shot)


def test_unknown_keys_are_ignored() -> None:
    assert parse_shot(changed(("later",), {"a": 1})).frames == (3, 5)


def test_projection_is_the_pinhole_formula() -> None:
    camera = ShotCamera(np.eye(4)[None], np.array([[[100.0, 0, 32], [0, 90, 24], [0, 0, 1]]]))
    picture, depth = camera.project(np.array([[[0.5, -0.2, 2.0], [0, 0, 4.0], [0, 0, -1.0]]]))
    assert np.allclose(picture[0, :2], np.array([[32 + 100 * 0.25, 24 - 90 * 0.1], [32, 24]]))
    assert depth[0].tolist() == [2.0, 4.0, -1.0]


@pytest.mark.parametrize(
    ("path", "value", "word"),
    [
        (("version",), 2, "version 2"),
        (("version",), "1", "'version'"),
        (("fps",), ..., "'fps'"),
        (("fps",), 0, "frame rate"),
        (("fps",), True, "'fps'"),
        (("frames",), [], "'frames'"),
        (("frames",), [3, 3], "'frames'"),
        (("frames",), [1, 2, 3], "'world_to_camera'"),
        (("near_m",), 4.0, "depth range"),
        (("near_m",), 0, "depth range"),
        (("width",), 0, "picture size"),
        (("camera",), [], "'world_to_camera'"),
        (("camera", "intrinsics"), [[1, 2]], "'intrinsics'"),
        (("camera", "intrinsics", 0, 0, 0), "a", "'intrinsics'"),
        (("characters",), [], "'characters'"),
        (("characters", 1, "vertex_start"), 6, "'two'"),
        (("characters", 0, "vertex_count"), 0, "'one'"),
        (("characters", 0, "joints_world"), ..., "'joints_world'"),
        (("characters", 0, "joints_picture", 0), [[0, 0]], "'joints_picture'"),
    ],
)
def test_a_wrong_value_is_named(path: tuple[str | int, ...], value: object, word: str) -> None:
    with pytest.raises(PassesError, match=word):
        parse_shot(changed(path, value))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version": NaN}', b"[" * 100_000])
def test_what_is_no_shot_is_refused(data: bytes) -> None:
    with pytest.raises(PassesError, match=r"shot\.json"):
        parse_shot(data)


def test_values_that_are_not_finite_cannot_be_written() -> None:
    shot = example()
    shot.camera.intrinsics[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="JSON"):
        shot_json(shot)
