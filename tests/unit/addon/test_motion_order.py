"""The words of the commands that make a motion, and the names of its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from blender_addon.client.motion_order import ChangedMotion, FitOrder, TextMotion, motion_file, next_motion_file
from shared.errors import InputError


def test_a_text_goes_behind_the_options_and_may_begin_with_a_dash() -> None:
    words = TextMotion(" --help waves ", seconds=2.5, seed=7, guidance_scale=3.0, model="/m").words()
    assert words == (
        "motion", "--seconds", "2.5", "--seed", "7", "--guidance-scale", "3", "--model", "/m", "--", "--help waves",
    )  # fmt: skip


def test_what_is_left_to_the_model_is_not_said() -> None:
    assert TextMotion("waves").words() == ("motion", "--seed", "0", "--", "waves")


def test_a_motion_needs_a_text() -> None:
    with pytest.raises(InputError, match="no motion text"):
        TextMotion("  ").words()


def test_a_change_keeps_frames_or_the_lower_body_and_needs_no_text() -> None:
    source = Path("/a/b.npz")
    frames = ChangedMotion(source, TextMotion("jumps"), "0-20,60-80").words()
    assert frames == ("motion", "--edit", "/a/b.npz", "--keep", "0-20,60-80", "--seed", "0", "--", "jumps")
    assert ChangedMotion(source, TextMotion("")).words() == (
        "motion", "--edit", "/a/b.npz", "--upper-body", "--seed", "0",
    )  # fmt: skip


def test_a_fit_reads_the_file_as_it_was_imported() -> None:
    words = FitOrder(Path("/a/-b.npy"), 1, 2, 0, 29.97, "-y", (-1e-05, 0.5), "/body.npz").words()
    assert words[words.index("--") :] == ("--", "/a/-b.npy")
    assert {"--up=-y", "--betas=-1e-05,0.5", "29.97", "/body.npz"} <= set(words)


def test_files_are_named_after_the_text_and_none_is_overwritten(tmp_path: Path) -> None:
    first = next_motion_file(tmp_path, "A person waves, then JUMPS!")
    assert first == tmp_path / "motions" / "a-person-waves-then-jumps-001.npy"
    first.parent.mkdir()
    first.touch()
    assert next_motion_file(tmp_path, "a person waves then jumps").name == "a-person-waves-then-jumps-002.npy"
    first.with_name("a-person-waves-then-jumps-002.npz").touch()
    assert next_motion_file(tmp_path, "a person waves then jumps").name == "a-person-waves-then-jumps-003.npy"


@pytest.mark.parametrize(
    ("text", "name"), [("../..", "motion-x.npy"), ("走る人", "走る人-x.npy"), ("a" * 99, f"{'a' * 40}-x.npy")]
)
def test_a_text_names_no_other_folder(tmp_path: Path, text: str, name: str) -> None:
    assert motion_file(tmp_path, text, "x") == tmp_path / "motions" / name
