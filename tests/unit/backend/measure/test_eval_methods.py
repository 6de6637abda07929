"""`latentman eval methods`: its plan, its statistics, its text and document, and a run on a tiny model."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from backend.cli import main
from backend.commands.evaluation import methods as eval_methods
from backend.measure.eval import methods_plan
from backend.measure.eval.cell_store import CELLS_FILE, CellKey, CellStore
from backend.measure.eval.document_block import BEGIN, END, filled_document, with_block
from backend.measure.eval.methods_plan import BASELINE, MOTIONS, PROMPTS, ROWS, MethodRow, MethodsPlan, shot_of
from backend.measure.eval.methods_run import MethodCell, missing_keys, missing_steps
from backend.measure.eval.methods_summary import FIGURES, MethodSummary, summarise_methods
from backend.measure.eval.methods_text import HEADER, methods_markdown
from shared.errors import EXIT_DONE, InputError
from shared.motion import SAMPLE_NAMES
from tests.helpers.factor8_model import write_factor8_model

TWO = ("baseline", "latentman")


def cell(row: str, shot: int, seed: int, surface_1: float | None, **values: Any) -> MethodCell:
    figures: dict[str, Any] = dict.fromkeys((*FIGURES, "across_seams", "inside_segments"))
    return MethodCell(
        CellKey(BASELINE, row, shot, seed), "a robot", "", **(figures | {"surface_1": surface_1} | values)
    )


def pair(shot: int, seed: int, base: float, own: float) -> list[MethodCell]:
    return [cell(TWO[0], shot, seed, base), cell(TWO[1], shot, seed, own)]


def rows_by_name(rows: Sequence[MethodSummary]) -> dict[str, MethodSummary]:
    return {row.row: row for row in rows}


def table_of(text: str) -> dict[str, dict[str, str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    cells = [[one.strip() for one in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(HEADER, row, strict=True)) for row in cells}


def test_the_shots_are_fifty_with_every_motion_a_fast_turn_and_a_moving_camera() -> None:
    plan = MethodsPlan()
    assert plan.shots == tuple(range(50))
    assert sorted(motion.sample for motion in MOTIONS) == sorted(SAMPLE_NAMES)
    assert [motion.sample for motion in MOTIONS if motion.staging.orbit] == ["walk"]
    assert any(motion.staging.turn / plan.frames > 10 for motion in MOTIONS)
    scenes = [shot_of(shot)[1] for shot in plan.shots]
    assert len(set(scenes)) == 50 and {scene.character for scene in scenes[:5]} == {PROMPTS[0].character}
    assert [scene.action for scene in scenes[:5]] == [motion.action for motion in MOTIONS]


def test_a_smaller_run_has_some_of_the_same_shots() -> None:
    plan = MethodsPlan(prompts=2, motions=3, seeds=1)
    assert plan.shots == (0, 1, 2, 5, 6, 7)
    assert [key.row for key in plan.keys(0)] == [row.label for row in plan.rows]
    assert plan.identity("0") == MethodsPlan().identity("0")
    for values in ({"prompts": 11}, {"motions": 0}, {"seeds": 0}, {"frames": 1}):
        with pytest.raises(InputError, match=f"--{next(iter(values))} is"):
            MethodsPlan(**values)  # type: ignore[arg-type]


def test_rows_are_jobs_of_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = MethodRow("of tomorrow", "method_of_tomorrow")
    wanting = MethodRow("without a part", "latentman", settings={"guide": [0.0, 0.0]})
    monkeypatch.setattr(methods_plan, "ROWS", (ROWS[0], unknown, wanting, ROWS[-1]))
    plan = MethodsPlan(frames=10, steps=4)
    assert plan.rows == (ROWS[0], wanting, ROWS[-1])
    job = plan.job(wanting, "a robot", 3)
    assert (job.method, job.seed, len(job.frames), job.steps) == ("latentman", 3, 10, 4)
    assert job.settings.guide == (0.0, 0.0)  # type: ignore[attr-defined]
    assert plan.steps_of(wanting) == 2 * 4  # two segments of at most eight frames
    assert plan.steps_of(ROWS[-1]) == 0
    assert plan.made_by(wanting) != plan.made_by(ROWS[1])
    with pytest.raises(InputError):
        plan.made_by(MethodRow("wrong", "latentman", settings={"no_such_setting": 1}))


def test_clips_of_other_settings_are_made_again(tmp_path: Path) -> None:
    plan = MethodsPlan(prompts=1, motions=1, seeds=1)
    store = CellStore(tmp_path, plan.identity("0"), MethodCell)
    for row in plan.rows:
        made_by = "other settings" if row.label == "latentman" else plan.made_by(row)
        store.add(msgspec.structs.replace(cell(row.label, 0, 0, 1.0), made_by=made_by))
    assert [key.row for key in missing_keys(plan, store)] == ["latentman"]
    assert missing_steps(plan, store) == plan.steps_of(ROWS[1])


def test_seeds_are_averaged_and_shots_drawn() -> None:
    cells = [*pair(0, 0, 90, 10), *pair(0, 1, 110, 30), *pair(1, 0, 300, 40), *pair(1, 1, 300, 40)]
    rows = rows_by_name(summarise_methods(cells, TWO))
    own = rows["latentman"]
    assert (own.shots, own.clips) == (2, 4)
    assert own.ratios["surface_1"].estimate == pytest.approx((20 + 40) / (100 + 300))
    # Of two shots a draw has one twice, or both: 20/100, 40/300 or 60/400, of which the outer two bound the interval.
    assert own.ratios["surface_1"].low == pytest.approx(40 / 300)
    assert own.ratios["surface_1"].high == pytest.approx(20 / 100)
    assert rows["baseline"].means["surface_1"].estimate == 200
    assert "sharpness" not in own.means


def test_the_bootstrap_covers_a_ratio_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(100):
        base = rng.uniform(50, 150, 30)
        own = 0.2 * base + rng.normal(0, 8, 30)
        cells = [one for k in range(30) for one in pair(k, 0, base[k], own[k])]
        ratio = summarise_methods(cells, TWO)[1].ratios["surface_1"]
        assert ratio.low is not None and ratio.high is not None
        covered += ratio.low <= 0.2 <= ratio.high
    assert 0.87 <= covered / 100 <= 1.0  # 0.95, less what percentiles of 30 shots lack, and three standard errors


def test_only_shots_that_have_a_figure_count_for_it() -> None:
    values: dict[str, Any] = {"background": 5.0, "slope": 10.0}
    cells = [
        cell(TWO[0], 0, 0, 100.0, **values), cell(TWO[1], 0, 0, 50.0, background=10.0, slope=4.0),
        cell(TWO[0], 1, 0, 100.0), cell(TWO[1], 1, 0, 30.0, background=99.0),  # the camera moves
        cell(TWO[0], 2, 0, 100.0, **values),  # not in all rows
    ]  # fmt: skip
    own = rows_by_name(summarise_methods(cells, TWO))["latentman"]
    assert own.shots == 2 and own.ratios["background"].estimate == 2.0 and own.ratios["background"].low is None
    assert own.ratios["slope"].estimate == pytest.approx(0.4)
    assert own.seam is None
    seams = [cell(row, 0, 0, 1.0, across_seams=6.0, inside_segments=4.0) for row in TWO]
    assert rows_by_name(summarise_methods(seams, TWO))["latentman"].seam.estimate == 1.5  # type: ignore[union-attr]
    assert summarise_methods(cells[1:2], TWO) == []


def test_the_text_says_what_was_measured_and_how_to_make_it() -> None:
    cells = [one for k in range(3) for one in pair(k, 0, 100.0 + k, 10.0)]
    plan = MethodsPlan(prompts=3, seeds=1, guidance_scale=3.0, model="/my models/m")
    text = methods_markdown(plan, summarise_methods(cells, TWO))
    table = table_of(text)
    assert table["baseline"]["1 frame apart"].startswith("101 (") and table["baseline"]["sharpness"] == "1"
    assert table["latentman"]["1 frame apart"].startswith("-90.1 % (-90.2 to -90.0)")
    (command,) = re.findall(r"`(latentman eval methods[^`]*)`", text)
    parser = argparse.ArgumentParser()
    eval_methods.add_arguments(parser)
    found = parser.parse_args(shlex.split(command)[3:])
    assert (found.prompts, found.seeds, found.guidance, found.model) == (3, 1, 3.0, "/my models/m")
    absent = [row.label for row in ROWS if not row.there]
    assert ("left out" in text) == bool(absent) and all(label in text for label in absent)


def test_a_document_gets_the_block_between_its_marks() -> None:
    block = methods_markdown(MethodsPlan(), [])
    assert block.startswith(BEGIN) and block.rstrip().endswith(END)
    document = f"# Figures\n\n{BEGIN}\nold\n{END}\n\n## More\n"
    once = with_block(document, block)
    assert "old" not in once and once.endswith("\n\n## More\n") and once.startswith("# Figures\n\n")
    assert with_block(once, block) == once
    for wrong in ("# Figures\n", f"{END}\n{BEGIN}\n"):
        with pytest.raises(InputError, match="no place"):
            with_block(wrong, block)
    with pytest.raises(InputError, match="cannot be read"):
        filled_document(Path("no such folder/figures.md"), block)


def test_a_table_is_made_resumed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_factor8_model(tmp_path / "model")
    out, document = tmp_path / "out", tmp_path / "figures.md"
    document.write_text(f"# Figures\n\n{BEGIN}\n{END}\n")
    command = ["eval", "methods", "--model", str(tmp_path / "model"), "--output", str(out), "--into", str(document)]
    command += ["--prompts", "1", "--motions", "2", "--seeds", "1", "--frames", "2", "--steps", "2"]
    plan = MethodsPlan(prompts=1, motions=2, seeds=1, frames=2, steps=2)
    assert main(command) == EXIT_DONE
    lines = (out / CELLS_FILE).read_bytes().splitlines(keepends=True)
    cells = [msgspec.json.decode(line, type=MethodCell) for line in lines]
    assert [one.key for one in cells] == [key for shot in plan.shots for key in plan.keys(shot)]
    still, moving = ([one for one in cells if one.key.scene == shot] for shot in (0, 1))
    assert all(one.background is not None for one in still) and all(one.background is None for one in moving)
    assert all((one.seconds is None) == (one.key.row == "perfect painter") for one in cells)
    assert len({one.surface_1 for one in still}) == len(plan.rows)
    rows = json.loads((out / "methods.json").read_text())["rows"]
    assert [row["row"] for row in rows] == [row.label for row in plan.rows]
    shown = (out / "methods.md").read_text()
    assert shown in capsys.readouterr().out and shown.rstrip("\n") in document.read_text()
    assert len(list((out / "strips").iterdir())) == len(cells)

    (out / CELLS_FILE).write_bytes(b"".join(lines[:3]) + lines[3][:30])  # as a kill leaves it
    assert main(command) == EXIT_DONE
    again = (out / CELLS_FILE).read_bytes().splitlines(keepends=True)
    assert again[:3] == lines[:3] and len(again) == len(lines)
