"""`latentman motion`: from a text to files, changes, progress, and what is said of bad orders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.cli import main
from backend.motion.make_clip import ClipOrder, make_clip
from backend.motion.models import open_motion_model
from shared.errors import EXIT_BAD_ARGUMENTS, EXIT_CANCELLED, EXIT_DONE, InputError
from shared.motion import read_motion, sample_path
from tests.helpers.tiny_mdm import ENCODER_ARGUMENTS, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


def entries(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = np.load(path, allow_pickle=True).item()
    return content


def test_a_text_becomes_a_motion_file(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target, amass = tmp_path / "clip.npy", tmp_path / "clip.npz"
    arguments = ["a red robot", "--seconds", "2", "--output", str(target), "--amass", str(amass), "--model", str(model)]
    assert main(["motion", *arguments]) == EXIT_DONE
    out, err = capfd.readouterr()
    assert out == ""
    assert f"wrote {target}" in err and "mean joint distance" in err
    assert read_motion(target).text == "a red robot"
    assert read_motion(target).frame_count == 40
    assert read_motion(amass).frame_count == 40


def test_the_same_order_gives_the_same_file(model: Path, tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        order = ["red", "--seconds", "1", "--seed", seed, "--output", str(tmp_path / f"{name}.npy")]
        assert main(["motion", *order, "--model", str(model)]) == EXIT_DONE
    same, again, other = ((tmp_path / f"{name}.npy").read_bytes() for name in "abc")
    assert same == again != other


def test_a_motion_is_changed_between_its_keys(model: Path, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{name}.npy" for name in "123")
    end = read_motion(sample_path("walk")).frame_count - 1
    order = ["dancing", "--edit", str(sample_path("walk")), "--keep", f"0-20,60-{end}", "--output", str(first)]
    assert main(["motion", *order, "--model", str(model)]) == EXIT_DONE
    again = ["--edit", str(first), "--keep", f"0-30,60-{end}", "--output", str(second)]
    assert main(["motion", *again, "--model", str(model)]) == EXIT_DONE
    before, after = (entries(path)["latentman_features"] for path in (first, second))
    np.testing.assert_array_equal(after[:31], before[:31])
    np.testing.assert_array_equal(after[60:], before[60:])
    assert np.abs(after[31:60] - before[31:60]).max() > 1e-4
    np.testing.assert_allclose(entries(second)["motion"][..., 60:], entries(first)["motion"][..., 60:], atol=1e-3)
    assert main(["motion", "--edit", str(first), "--upper-body", "--output", str(third), "--model", str(model)]) == 0
    np.testing.assert_array_equal(entries(third)["latentman_features"][:, :4], before[:, :4])


def test_progress_and_result_are_json_lines(model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "clip.npy"
    order = ["red", "--seconds", "1", "--output", str(target), "--model", str(model), "--json"]
    assert main(["motion", *order]) == EXIT_DONE
    *steps, last = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert steps[0]["stage"] == "loading"
    assert [(step["step"], step["steps"]) for step in steps[1:]] == [(done, 4) for done in range(1, 5)]
    assert last["written"] == str(target)


@pytest.mark.parametrize(
    ("change", "code", "kind"),
    [
        (["--model", "."], "model.family", "model"),
        (["--output", "clip.bvh"], "motion.output", "input"),
        (["--edit", "clip.npy", "--keep", "20-0"], "motion.spans", "input"),
    ],
)
def test_errors_are_json_lines_too(
    change: list[str],
    code: str,
    kind: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["motion", "red", "--output", "clip.npy", "--json", *change]) == EXIT_BAD_ARGUMENTS
    last = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert (last["code"], last["kind"]) == (code, kind)


@pytest.mark.parametrize("seconds", [float("nan"), 0.0, 1e6])
def test_an_edit_without_a_text_has_a_length_that_can_be(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(InputError) as caught:
        ClipOrder(tmp_path / "clip.npy", (), (seconds,), edit=sample_path("walk"), kept=((0, 5),))
    assert caught.value.code == "motion.seconds"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"texts": ()}, "motion.no_text"),
        ({"texts": ("red", " ")}, "motion.no_text"),
        ({"seconds": (0.0,)}, "motion.seconds"),
        ({"seconds": (1.0, float("nan"))}, "motion.seconds"),
        ({"texts": (), "edit": Path("a.npy"), "kept": ((0, 3),), "seconds": (1e9,)}, "motion.seconds"),
        ({"output": Path("clip.bvh")}, "motion.output"),
        ({"output": Path("missing/clip.npy")}, "motion.output"),
        ({"amass": Path("clip.npy")}, "motion.output"),
        ({"seed": -1}, "motion.seed"),
        ({"guidance_scale": float("nan")}, "motion.guidance"),
        ({"kept": ((0, 3),)}, "motion.edit"),
        ({"upper_body": True}, "motion.edit"),
        ({"edit": Path("clip.npy")}, "motion.edit"),
    ],
)
def test_orders_that_cannot_be_are_told_before_a_model_is_loaded(
    change: dict[str, Any], code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        ClipOrder(**{"output": Path("clip.npy"), "texts": ("red",), **change})
    assert caught.value.code == code
    assert caught.value.hint or code == "motion.seed"


def test_a_failed_order_leaves_the_file_that_was_there(model: Path, tmp_path: Path) -> None:
    target = tmp_path / "clip.npy"
    target.write_bytes(b"before")
    order = ClipOrder(target, ("red",), (1.0,), edit=sample_path("walk"), kept=((0, 500),))
    with pytest.raises(InputError):
        make_clip(open_motion_model(model), order)
    assert target.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["clip.npy"]


@pytest.mark.skipif(sys.platform == "win32", reason="a process is interrupted otherwise there")
def test_ctrl_c_stops_it_and_leaves_no_file(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", {**ENCODER_ARGUMENTS, "diffusion_steps": 4000, "pos_embed_max_len": 5000})
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-m", "backend", "motion", "red", "--seconds", "60", "--json"]
    with subprocess.Popen(
        [*command, "--output", str(out / "clip.npy"), "--model", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[4], env={**os.environ},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["step"]:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(timeout=60) == EXIT_CANCELLED
    assert json.loads(rest.splitlines()[-1])["kind"] == "cancelled"
    assert list(out.iterdir()) == []
