from __future__ import annotations

import errno
from pathlib import Path

import pytest

from shared.errors import EXIT_BAD_ARGUMENTS, InputError, LatentManError, ProtocolError
from shared.files.frame_files import (
    PNG_SIGNATURE,
    file_error,
    frame_name,
    is_file,
    is_there,
    prepare_output_folder,
    put_frame,
    shown_path,
    storage_error,
    write_atomic,
)

PNG = PNG_SIGNATURE + b"the rest"


@pytest.mark.parametrize(("frame", "name"), [(0, "0000.png"), (7, "0007.png"), (12345, "12345.png")])
def test_names_are_composed_from_numbers(frame: int, name: str) -> None:
    assert frame_name(frame) == name
    assert frame_name(frame, ".exr") == name.replace("png", "exr")


@pytest.mark.parametrize("frame", [-1, 1_048_575])
def test_numbers_that_are_no_frames(frame: int) -> None:
    with pytest.raises(ProtocolError):
        frame_name(frame)


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    write_atomic(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.mkdir()
    with pytest.raises(LatentManError) as caught:
        write_atomic(target, b"new")
    assert caught.value.code == "storage.unwritable"
    assert list(tmp_path.iterdir()) == [target] and target.is_dir()


def test_a_full_disk_has_its_own_sentence(tmp_path: Path) -> None:
    error = storage_error(OSError(errno.ENOSPC, "No space left on device"), tmp_path)
    assert error.code == "storage.full"
    assert "full" in error.message and str(tmp_path) in error.message


def test_a_real_full_device() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError) as caught, full.open("wb", buffering=0) as file:
        file.write(b"x")
    assert storage_error(caught.value, full.parent).code == "storage.full"
    assert file_error(caught.value).message == "A disk is full."  # the system does not name the file of a failed write


def test_the_output_folder_is_made(tmp_path: Path) -> None:
    folder = prepare_output_folder(tmp_path / "a" / "b")
    assert folder.is_dir() and list(folder.iterdir()) == []


def test_an_output_folder_that_is_a_link_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("")
    for name, code in (("link", "output.symlink"), ("file", "output.not_a_folder"), ("file/x", "output.not_a_folder")):
        with pytest.raises(InputError) as caught:
            prepare_output_folder(tmp_path / name)
        assert caught.value.code == code
        assert caught.value.exit_code == EXIT_BAD_ARGUMENTS


@pytest.mark.parametrize("folder", ["/proc/nothing", "/sys/latentman"])
def test_an_output_folder_that_cannot_be_written(folder: str) -> None:
    with pytest.raises(InputError) as caught:
        prepare_output_folder(Path(folder))
    assert caught.value.code == "output.unwritable"
    assert folder in caught.value.message


def test_a_frame_is_put_in_place_and_only_a_png(tmp_path: Path) -> None:
    path = put_frame(tmp_path, 3, PNG)
    assert (path.name, path.read_bytes()) == ("0003.png", PNG)
    with pytest.raises(ProtocolError, match="not a PNG"):
        put_frame(tmp_path, 3, b"#!/bin/sh")
    assert path.read_bytes() == PNG


def test_a_frame_does_not_follow_a_link(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(b"precious")
    (tmp_path / "0003.png").symlink_to(target)
    with pytest.raises(InputError, match="symbolic link"):
        put_frame(tmp_path, 3, PNG)
    assert target.read_bytes() == b"precious"


def test_a_name_that_is_too_long_is_one_sentence(tmp_path: Path) -> None:
    for name in ("x" * 300, "/".join(["y" * 200] * 30)):
        with pytest.raises(InputError, match=r"cannot be written to: File name too long\.") as caught:
            prepare_output_folder(tmp_path / name)
        assert caught.value.hint == "Choose a shorter path." and len(caught.value.message) < 300
    assert not list(tmp_path.iterdir())


def test_a_folder_below_which_names_would_be_too_long_is_refused_before_it_is_made(tmp_path: Path) -> None:
    deep = tmp_path
    while len(str(deep)) < 3_950:  # the system takes 4,095 bytes; a job's files lie up to 160 deeper
        deep = deep / ("d" * 50)
    with pytest.raises(InputError, match="File name too long"):
        prepare_output_folder(deep)
    assert not list(tmp_path.iterdir())


def test_a_path_that_cannot_be_looked_up_is_not_there(tmp_path: Path) -> None:
    assert not is_there(tmp_path / ("x" * 300)) and not is_file(tmp_path / ("x" * 300))
    (tmp_path / "a").touch()
    assert is_there(tmp_path / "a") and is_file(tmp_path / "a") and not is_file(tmp_path)


def test_the_last_resort_names_the_file_and_the_reason(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    with pytest.raises(FileNotFoundError) as caught:
        missing.read_bytes()
    error = file_error(caught.value)
    assert (error.code, error.message) == ("storage.file", f"{missing} cannot be used: No such file or directory.")
    full = file_error(OSError(errno.ENOSPC, "No space left on device", str(missing)))
    assert (full.code, full.message) == ("storage.full", f"The disk with {tmp_path} is full.")
    assert file_error(OSError(errno.EIO, "Input/output error")).message == "A file cannot be used: Input/output error."


def test_a_very_long_path_is_shown_without_its_middle() -> None:
    assert shown_path(Path("/a/b")) == "/a/b"
    assert shown_path(Path("/" + "a" * 400 + "/end")) == "/" + "a" * 59 + "..." + "a" * 56 + "/end"
