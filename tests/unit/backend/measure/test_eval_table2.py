"""`latentman eval table2`: its plan, its cells on disk, its statistics, its text, and a run on a tiny model."""

from __future__ import annotations

import argparse
import json
import math
import re
import shlex
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image
from scipy import stats

from backend.cli import main
from backend.commands.evaluation import table2 as eval_table2
from backend.measure.eval.cell_store import CELLS_FILE, Cell, CellKey, CellStore
from backend.measure.eval.table2_plan import BASELINES, NEVER, ROWS, SCENES, Table2Plan
from backend.measure.eval.table2_summary import RowSummary, summarise
from backend.measure.eval.table2_text import HEADER, table2_markdown
from shared.errors import EXIT_BAD_ARGUMENTS, EXIT_DONE, InputError
from shared.methods.latentman import WINDOWS, published_settings
from shared.motion import SAMPLE_NAMES
from tests.helpers.factor8_model import write_factor8_model


def cell(baseline: str, row: str, scene: int, seed: int, h_mse: float | None, **values: Any) -> Cell:
    figures: dict[str, Any] = dict.fromkeys(
        ("surface_1", "surface_4", "surface_variance", "warp_error", "body_variance", "background", "h_mse_released")
    )
    return Cell(
        CellKey(baseline, row, scene, seed),
        "a robot",
        h_mse,
        **(figures | {"sharpness": 50.0, "seconds": 2.0} | values),
    )


def block(scene: int, seed: int, *h_mse: float, baseline: str = "text2video_zero") -> list[Cell]:
    """A cell of each row, in the rows' order."""
    return [cell(baseline, row.name, scene, seed, value) for row, value in zip(ROWS, h_mse, strict=True)]


def row_of(rows: list[RowSummary], name: str) -> RowSummary:
    return next(row for row in rows if row.row == name)


def test_the_scenes_are_ten_and_use_every_sample_motion_twice() -> None:
    motions = [motion for motion, _ in SCENES]
    assert sorted(motions) == sorted([*SAMPLE_NAMES, *SAMPLE_NAMES])
    assert len({scene for _, scene in SCENES}) == 10


@pytest.mark.parametrize("parity", ["ours", "paper", "released"])
def test_a_row_switches_the_parts_and_nothing_else(parity: Any) -> None:
    plan = Table2Plan(parity=parity)
    for baseline in BASELINES:
        align, guide = WINDOWS[baseline]
        spans = {row.name: plan.settings(baseline, row) for row in ROWS}
        assert {name: (s.align, s.guide) for name, s in spans.items()} == {
            "baseline": (NEVER, NEVER),
            "+SLA": (align, NEVER),
            "+PWG": (NEVER, guide),
            "+SLA +PWG": (align, guide),
        }
        if parity != "ours":
            assert spans["+SLA +PWG"] == published_settings(parity, baseline)
    assert [plan.steps_of(baseline) for baseline in BASELINES] == [100, 50]
    assert Table2Plan(steps=20).steps_of("masactrl") == 20
    assert len(list(plan.keys(3))) == 3 * 2 * 4


@pytest.mark.parametrize("values", [{"prompts": 0}, {"prompts": 11}, {"seeds": 0}, {"frames": 1}, {"steps": 0}])
def test_a_plan_that_cannot_be_run_is_refused(values: dict[str, int]) -> None:
    (name,) = values
    with pytest.raises(InputError, match=f"--{name} is"):
        Table2Plan(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("guide_decoder", "tiny", "Guidance uses the tiny decoder"),
        ("guide_through", "decoder", "before the UNet"),
        ("guide_extent", "all", "on all latent cells"),
    ],
)
def test_other_guidance_is_another_plan_of_our_own_settings(setting: str, value: str, words: str) -> None:
    changed: dict[str, Any] = {setting: value}
    plan = Table2Plan(**changed)
    assert {getattr(plan.settings(baseline, row), setting) for baseline in BASELINES for row in ROWS} == {value}
    assert plan.identity("0") != Table2Plan().identity("0")
    assert words in table2_markdown(plan, [])
    assert words not in table2_markdown(Table2Plan(), [])
    with pytest.raises(InputError, match="not among the settings of --parity paper"):
        Table2Plan(parity="paper", **changed)


def test_the_table_names_the_command_that_makes_it() -> None:
    rows = summarise(block(0, 0, 4.0, 3.0, 2.0, 1.0))
    plan = Table2Plan(prompts=2, seeds=1, steps=20, guidance_scale=3.0, guide_through="decoder", model="/my models/m")
    (command,) = re.findall(r"`(latentman eval table2[^`]*)`", table2_markdown(plan, rows))
    parser = argparse.ArgumentParser()
    eval_table2.add_arguments(parser)
    found = parser.parse_args(shlex.split(command)[3:])
    assert (found.prompts, found.seeds, found.steps, found.guidance, found.guide_through, found.model) == (
        (2, 1, 20, 3.0, "decoder", "/my models/m")
    )
    assert "`latentman eval table2`" in table2_markdown(Table2Plan(), rows)


def test_cells_are_kept_and_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    plan: dict[str, object] = {"steps": 2}
    store = CellStore(tmp_path, plan, Cell)
    first, second = block(0, 0, 4.0, 3.0, 2.0, 1.0)[:2]
    store.add(first)
    store.add(second)
    path = tmp_path / CELLS_FILE
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    assert CellStore(tmp_path, plan, Cell).cells == {first.key: first, second.key: second}
    assert path.read_bytes() == whole


def test_cells_of_another_plan_and_broken_lines_are_refused(tmp_path: Path) -> None:
    CellStore(tmp_path, {"steps": 2, "frames": [1, 2]}, Cell)
    CellStore(tmp_path, {"frames": (1, 2), "steps": 2}, Cell)  # the same plan, spelled otherwise
    with pytest.raises(InputError, match="other settings or another model"):
        CellStore(tmp_path, {"steps": 3, "frames": [1, 2]}, Cell)
    (tmp_path / CELLS_FILE).write_bytes(b'{"key": 1}\n')
    with pytest.raises(InputError, match="Line 1 of .* is not a result"):
        CellStore(tmp_path, {"steps": 2, "frames": [1, 2]}, Cell)
    (tmp_path / "plan.json").unlink()
    with pytest.raises(InputError, match="There is no plan.json next to"):
        CellStore(tmp_path, {"steps": 2}, Cell)


def test_seeds_are_averaged_before_prompts_are_counted() -> None:
    cells = [
        *block(0, 0, 100, 90, 80, 70), *block(0, 1, 120, 90, 80, 70), *block(1, 0, 200, 150, 160, 110),
        *block(1, 1, 180, 150, 160, 110), *block(2, 0, 60, 66, 50, 40), *block(2, 1, 40, 44, 50, 40),
    ]  # fmt: skip
    rows = summarise(cells)
    assert [(row.baseline, row.row, row.prompts, row.clips) for row in rows] == [
        ("text2video_zero", row.name, 3, 6) for row in ROWS
    ]
    base = np.array([110.0, 190.0, 50.0])
    mean = row_of(rows, "baseline").figures["h_mse"].mean
    low, high = stats.t.interval(0.95, 2, base.mean(), stats.sem(base))
    assert (mean.estimate, mean.low, mean.high) == pytest.approx((base.mean(), low, high))
    assert row_of(rows, "baseline").figures["h_mse"].ratio is None
    aligned = row_of(rows, "+SLA").figures["h_mse"]
    own = np.array([90.0, 150.0, 55.0])
    ratio = own.sum() / base.sum()
    half = stats.t.ppf(0.975, 2) * stats.sem(own - ratio * base) / base.mean()
    assert aligned.ratio is not None
    assert (aligned.ratio.estimate, aligned.ratio.low, aligned.ratio.high) == pytest.approx(
        (ratio, ratio - half, ratio + half)
    )
    assert aligned.lower_in == 2


def test_the_interval_of_a_ratio_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(120):
        base = rng.uniform(50, 150, 10)
        own = 0.9 * base + rng.normal(0, 8, 10)
        cells = [c for k in range(10) for c in block(k, 0, base[k], own[k], own[k], own[k])]
        ratio = row_of(summarise(cells), "+SLA").figures["h_mse"].ratio
        assert ratio is not None and ratio.low is not None and ratio.high is not None
        covered += ratio.low <= 0.9 <= ratio.high
    assert 0.89 <= covered / 120 <= 1.0  # 0.95, and three standard errors of 120 trials


def test_only_what_all_rows_have_is_compared() -> None:
    cells = [*block(0, 0, 100, 90, 80, 70), *block(1, 0, 10, 10, 10, 10)[:3]]
    rows = summarise(cells)
    assert {(row.prompts, row.clips) for row in rows} == {(1, 1)}
    figure = row_of(rows, "+PWG").figures["h_mse"]
    assert figure.mean.estimate == 80 and figure.mean.low is None
    assert figure.ratio is not None and figure.ratio.estimate == 0.8 and figure.ratio.high is None
    assert "surface_1" not in row_of(rows, "+PWG").figures
    assert summarise(cells[1:4]) == []


def test_the_text_has_the_papers_numbers_beside_ours() -> None:
    cells = [
        *block(0, 0, 100, 90, 95, 80), *block(1, 0, 120, 100, 120, 90),
        *block(0, 0, 100, 90, 95, 80, baseline="masactrl"),
    ]  # fmt: skip
    lines = table2_markdown(Table2Plan(steps=20), summarise(cells)).splitlines()
    table = [[value.strip() for value in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    found = {(row[0], row[1]): dict(zip(HEADER, row, strict=True)) for row in table[1:]}
    aligned, whole = found["text2video_zero", "+SLA"], found["masactrl", "+SLA +PWG"]
    assert (aligned["paper"], aligned["paper's change"], aligned["paper's time"]) == ("78.90", "-7.0 %", "1.07")
    assert aligned["change"].startswith("-13.6 % (") and aligned["lower in"] == "2 of 2"
    assert (whole["paper"], whole["paper's change"], whole["change"]) == ("79.88", "-9.4 %", "-20.0 %")
    assert found["masactrl", "+SLA"]["paper"] == "-"
    text = "\n".join(lines)
    assert "20 steps on text2video_zero (paper: 100)" in text and "256x256" in text
    assert "Fewer or more steps" not in table2_markdown(Table2Plan(), summarise(cells))


def test_the_background_stands_beside_h_mse() -> None:
    cells = [*block(0, 0, 100, 90, 95, 80), *block(0, 0, 100, 90, 95, 80, baseline="masactrl")]
    changes = {"baseline": 20.0, "+SLA": 21.0, "+PWG": 37.0, "+SLA +PWG": 19.0}
    measured = [
        msgspec.structs.replace(c, background=changes[c.key.row]) if c.key.baseline == "text2video_zero" else c
        for c in cells
    ]
    lines = table2_markdown(Table2Plan(), summarise(measured)).splitlines()
    table = [[value.strip() for value in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    found = {(row[0], row[1]): dict(zip(HEADER, row, strict=True))["background"] for row in table[1:]}
    shown = [found["text2video_zero", row.name] for row in ROWS]
    assert shown == ["20", "+5.0 %", "+85.0 %", "-5.0 %"]
    assert {found["masactrl", row.name] for row in ROWS} == {"-"}  # the camera moved


def test_a_table_is_made_resumed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_factor8_model(tmp_path / "model")
    out = tmp_path / "out"
    command = ["eval", "table2", "--model", str(tmp_path / "model"), "--output", str(out)]
    command += ["--prompts", "1", "--seeds", "1", "--frames", "2", "--steps", "2"]
    assert main(command) == EXIT_DONE
    lines = (out / CELLS_FILE).read_bytes().splitlines(keepends=True)
    cells = [msgspec.json.decode(line, type=Cell) for line in lines]
    assert [c.key for c in cells] == list(Table2Plan(seeds=1).keys(0))
    by_row = {(c.key.baseline, c.key.row): c.h_mse for c in cells}
    assert len(set(by_row.values())) > 4  # the rows are not the same clip
    document = json.loads((out / "table2.json").read_text())
    assert [row["row"] for row in document["rows"]] == [row.name for row in ROWS] * 2
    figure = document["rows"][1]["figures"]["h_mse"]
    expected = (by_row["text2video_zero", "+SLA"] or 0) / (by_row["text2video_zero", "baseline"] or math.nan)
    assert figure["ratio"]["estimate"] == pytest.approx(expected)
    assert (out / "table2.md").read_text() in capsys.readouterr().out
    strips = sorted(path.name for path in (out / "strips").iterdir())
    assert len(strips) == 8 and strips[-1] == "01_0_text2video_zero_sla_pwg.jpg"
    with Image.open(out / "strips" / strips[0]) as strip:
        assert strip.size == (2 * 256, 256)

    (out / CELLS_FILE).write_bytes(b"".join(lines[:6]) + lines[6][:30])  # as a kill leaves it
    assert main(command) == EXIT_DONE
    again = (out / CELLS_FILE).read_bytes().splitlines(keepends=True)
    assert again[:6] == lines[:6]
    redone = [msgspec.json.decode(line, type=Cell) for line in again[6:]]
    assert [msgspec.structs.replace(c, seconds=0) for c in redone] == [
        msgspec.structs.replace(c, seconds=0) for c in cells[6:]
    ]
    assert main(command) == EXIT_DONE
    assert (out / CELLS_FILE).read_bytes() == b"".join(again)
    capsys.readouterr()
    assert main([*command, "--parity", "paper"]) == EXIT_BAD_ARGUMENTS
    assert "contains results of other settings" in capsys.readouterr().err
    tiny = [*command, "--guide-decoder", "tiny", "--output", str(tmp_path / "tiny")]
    assert main(tiny) != EXIT_DONE
    assert "uses a tiny decoder for guidance, but the model has none" in capsys.readouterr().err
