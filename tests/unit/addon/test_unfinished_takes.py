"""Takes that were begun and not finished, as they lie on disk: listed, chosen by name, deleted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from blender_addon.client.job_file import ShotFile
from blender_addon.client.request import placeholder_inputs
from blender_addon.shot import unfinished_takes as module
from blender_addon.shot.takes_on_disk import next_take_folder, take_request, write_request
from blender_addon.shot.unfinished_takes import (
    UnfinishedTake,
    UnfinishedTakes,
    delete_take,
    unfinished_folder,
    unfinished_takes,
)
from shared.errors import InputError, LatentManError
from shared.jobs.job import Job
from shared.methods.latentman import LatentManSettings

FRAMES = (1, 2, 3, 4, 5, 6)


def begun(base: Path, done: int = 0, *, finished: bool = False) -> Path:
    """The next take of an output folder, with its request and some frames."""
    job = Job("a robot", FRAMES, placeholder_inputs(len(FRAMES)), method="latentman", segment_frames=4)
    shot = ShotFile(job, {"latentman": LatentManSettings()}, "cycles")
    request = take_request(next_take_folder(base), shot, 24.0, "test")
    request.prepare_folders()
    write_request(request, shot)
    for frame in FRAMES[:done]:
        (request.frames_folder("latentman") / f"{frame:04d}.png").write_bytes(b"png")
    (request.frames_folder("latentman") / "atlas.png").write_bytes(b"no frame")
    if finished:
        (request.output / "result.json").write_text("{}")
    return request.output


def test_every_unfinished_take_is_listed_newest_first(tmp_path: Path) -> None:
    begun(tmp_path, 4)
    begun(tmp_path, 6, finished=True)
    begun(tmp_path)
    (tmp_path / "take-009").mkdir()  # somebody else's
    found = unfinished_takes(tmp_path)
    assert [take.text for take in found] == ["take-003, 0 of 6 frames", "take-001, 4 of 6 frames"]
    assert found[1].kept == "Frames of whole segments are kept"
    assert found[0].kept == "No segment was finished: Resume starts with the first"
    one_segment = UnfinishedTake(tmp_path, 0, frames=4, segment_frames=4)
    assert "Its only segment was not finished" in one_segment.kept


def test_a_take_is_chosen_by_its_name_and_the_newest_without_one(tmp_path: Path) -> None:
    first, finished, last = begun(tmp_path), begun(tmp_path, finished=True), begun(tmp_path)
    assert unfinished_folder(tmp_path, "") == last
    assert unfinished_folder(tmp_path, "take-001") == first
    assert unfinished_folder(tmp_path, "", under_way=last) == first
    for name in (finished.name, "take-007", "../take-001", str(first)):
        with pytest.raises(InputError, match="no unfinished take"):
            unfinished_folder(tmp_path, name)
    with pytest.raises(InputError, match="no unfinished take 'take-003'"):
        unfinished_folder(tmp_path, last.name, under_way=last)


def test_a_request_that_cannot_be_read_is_listed_so_that_it_can_be_deleted(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    (folder / "request.json").write_text("{")
    (take,) = unfinished_takes(tmp_path)
    assert take.text == "take-001, not readable"
    delete_take(folder)
    assert not folder.exists() and unfinished_takes(tmp_path) == ()
    with pytest.raises(LatentManError, match="cannot be used"):
        delete_take(folder)


def test_a_link_to_a_folder_is_no_take(tmp_path: Path) -> None:
    elsewhere = begun(tmp_path / "elsewhere")
    (tmp_path / "takes").mkdir()
    os.symlink(elsewhere, tmp_path / "takes" / "take-001")
    assert unfinished_takes(tmp_path / "takes") == ()


def test_the_list_is_read_again_only_where_a_folder_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.0)
    first, second = begun(tmp_path), begun(tmp_path)
    takes = UnfinishedTakes()
    found = takes.of(tmp_path)
    assert [take.folder for take in found] == [second, first]
    assert takes.of(tmp_path)[0] is found[0]  # nothing was read again
    assert takes.of(tmp_path, under_way=second) == found[1:]
    (first / "result.json").write_text("{}")  # by another program
    assert [take.folder for take in takes.of(tmp_path)] == [second]
    delete_take(second)
    assert takes.of(tmp_path) == ()


def test_within_a_moment_the_disk_is_not_looked_at_unless_it_is_told_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 3600.0)
    takes = UnfinishedTakes()
    assert takes.of(tmp_path) == ()
    begun(tmp_path)
    assert takes.of(tmp_path) == ()
    takes.forget()
    assert len(takes.of(tmp_path)) == 1
