"""`latentman motion-repair`: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.cli import main
from shared.motion import read_motion, sample_path
from shared.motion.quality import measure_quality
from shared.motion.writers import write_motion, writer_named
from tests.helpers.worn_motions import rest_joints, sample, sinking, sliding


def test_a_file_is_checked_repaired_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    worn, mended = tmp_path / "worn.npz", tmp_path / "mended.npz"
    write_motion(worn, sinking(sliding(sample("walk"))), writer_named("amass"))
    assert main(["motion-repair", str(worn), "--plant-feet", "--put-on-floor", "--output", str(mended)]) == 0
    printed = capsys.readouterr()
    rows = {line[:18].strip(): line for line in printed.out.splitlines()}
    assert "0.0, 0 frames" in rows["Below the floor"] and "15 cm/s" in rows["Foot slide"]
    assert f"wrote {mended} (AMASS)" in printed.err
    before, after = (measure_quality(read_motion(file), rest_joints()) for file in (worn, mended))
    assert after.floor_penetration_cm < 0.1 < 5 < before.floor_penetration_cm


def test_without_a_repair_the_file_is_only_converted(tmp_path: Path) -> None:
    file = tmp_path / "clip.npz"
    assert main(["motion-repair", str(sample_path("wave")), "--output", str(file)]) == 0
    one, other = read_motion(file), sample("wave")
    assert np.allclose(one.root, other.root, atol=1e-6) and one.fps == other.fps
    assert main(["motion-repair", str(file), "--format", "bvh", "--output", str(tmp_path / "plain")]) == 0
    assert (tmp_path / "plain").read_text("ascii").startswith("HIERARCHY")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--smooth", "2"], "between 0 and 1"), (["--output", "clip.fbx"], "does not say in its name")],
)
def test_bad_arguments_end_with_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["motion-repair", str(sample_path("wave")), *arguments]) == 2
    assert said in capsys.readouterr().err
