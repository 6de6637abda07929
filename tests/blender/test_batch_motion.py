"""The batch command's `--repair` and `--export-motion`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import blender_addon
from blender_addon.cli import main
from blender_addon.cli.motion import asked_export, asked_repairs, export_motion, made_here
from blender_addon.rig.character import characters
from blender_addon.rig.stack.repair_motion import repairs_of
from shared.errors import InputError
from shared.motion import read_motion
from shared.motion.writers import write_motion, writer_named
from tests.blender.scenes import context, empty_scene
from tests.helpers.worn_motions import sample, sinking


@pytest.fixture
def clip(tmp_path: Path) -> Iterator[Path]:
    empty_scene(20)
    blender_addon.register()
    file = tmp_path / "worn.npz"
    write_motion(file, sinking(sample("wave")), writer_named("amass"))
    yield file
    blender_addon.unregister()


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[dict[str, Any]]]:
    code = main([*map(str, arguments), "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def test_the_imported_motion_is_repaired_in_the_order_given(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--motion", clip, "--prompt", "x", "--output", clip.parent / "out", "--fps", 20, "--dry-run")
    code, lines = run(capsys, *options, "--repair", "smooth-motion=0.2,put_on_floor", "--repair", "plant_feet")
    assert code == 0, lines
    said = [note for line in lines if line["event"] == "motion" for note in line["notes"]]
    assert any(note.startswith("Put on Floor: ") and "below the floor 10.0 to 0.0 cm" in note for note in said)
    (character,) = characters(context.scene)
    made = [(repair.name, done.strength) for repair, done in repairs_of(character.armature) if done is not None]
    assert made == [("smooth_motion", 0.2), ("put_on_floor", 1.0), ("plant_feet", 1.0)]
    file = clip.with_name("mended.npz")
    export = asked_export(file)
    assert export is not None
    told: list[str] = []
    export_motion(file, export, told.extend)
    assert told == [f"AMASS in {file}"] and read_motion(file).frame_count == 84
    assert np.ptp(read_motion(file).root[:, 1]) < 0.06 < np.ptp(read_motion(clip).root[:, 1])


def test_repairs_are_refused_with_one_sentence(clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for given in ("plant", "plant_feet=2", "plant_feet=a"):
        with pytest.raises(InputError) as caught:
            asked_repairs([given])
        assert caught.value.code == "arguments.repair"
    code, lines = run(capsys, "--prompt", "x", "--output", clip.parent / "out", "--dry-run", "--repair", "plant_feet")
    assert (code, lines[-1]["code"]) == (2, "arguments.repair")


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.npz", "amass"), ("results.npy", "mdm_results"), ("a_smpl_params.npy", "mdm_smpl_params"), ("A.GLB", "gltf")],
)
def test_the_name_of_the_file_says_the_format(name: str, form: str) -> None:
    export = asked_export(Path(name))
    assert export is not None and export.name == form and asked_export(None) is None


def test_the_motion_of_a_text_stays_with_the_shot_but_not_after_a_dry_run(tmp_path: Path) -> None:
    with made_here(argparse.Namespace(dry_run=False), tmp_path) as folder:
        assert folder == tmp_path
    with made_here(argparse.Namespace(dry_run=True), tmp_path) as folder:
        (folder / "motions").mkdir()
    assert not folder.exists() and list(tmp_path.iterdir()) == []


def test_an_ending_that_no_format_has_is_refused() -> None:
    with pytest.raises(InputError, match="does not say in its name"):
        asked_export(Path("clip.fbx"))
