"""The comparison of methods as Markdown."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence

from backend.measure.eval.document_block import BEGIN, END
from backend.measure.eval.methods_plan import MOTIONS, ROWS, MethodsPlan
from backend.measure.eval.methods_summary import MethodSummary
from backend.measure.eval.table2_summary import Interval

_OPTIONS = {"guidance_scale": "guidance"}  # whose names differ from the plan's
HEADER = (
    "method",
    "1 frame apart",
    "4 apart",
    "8 apart",
    "sharpness",
    "shading kept",
    "mask IoU",
    "background",
    "across seams",
    "time",
    "floor, 1 apart",
)


def methods_markdown(plan: MethodsPlan, rows: Sequence[MethodSummary]) -> str:
    """The whole block, with the marks that it stands between in a document."""
    lines = [
        BEGIN,
        "## The methods",
        "",
        _made(plan, rows),
        "",
        "| " + " | ".join(HEADER) + " |",
        "|" + "---|" * len(HEADER),
        *("| " + " | ".join(_row(row)) + " |" for row in rows),
        "",
        "The first three columns are mean squared differences, 0 to 255, at the same surface points (exact",
        "correspondence): the mean of the baseline, and the change against it for the other rows. Sharpness, shading,",
        "background and time are ratios to the baseline, over the shots that have both. Brackets are 95 % intervals,",
        "by bootstrap over shots (seeds averaged first). Read the differences together with the columns to their",
        "right: blur, flat light and a figure that leaves its body lower them too. *Across seams* is the difference",
        "across the border of two segments over that inside segments. *Floor* is what comparing whole pixels leaves",
        "of a steady texture as sharp as the row's pictures. The *perfect painter* is not a method but the training's",
        "own renderer, steady and truly lit: its differences are those of the light, and its mask IoU is that of true",
        "outlines with hats and skirts.",
        *_left_out(plan),
        END,
        "",
    ]
    return "\n".join(lines)


def _made(plan: MethodsPlan, rows: Sequence[MethodSummary]) -> str:
    if not rows:
        return "No shot and seed has been measured in all rows."
    return (
        f"`{_command(plan)}`. Shots: {rows[0].shots}; prompts: {plan.prompts}; motions: {plan.motions}"
        f"{_staged(plan)}; clips per row: {rows[0].clips}; frames per clip: {plan.frames} of 256x256; "
        f"steps: {plan.steps}; model: `{plan.model}`; all in one run."
    )


def _staged(plan: MethodsPlan) -> str:
    """What the motions are beside samples."""
    shown = MOTIONS[: plan.motions]
    extras = [f"the body turns by {m.staging.turn:.0f} degrees in one" for m in shown if m.staging.turn]
    extras += [f"the camera moves by {m.staging.orbit:.0f} in another" for m in shown if m.staging.orbit]
    return f" ({', '.join(extras)})" if extras else ""


def _command(plan: MethodsPlan) -> str:
    """What makes this table: the options that are not at their defaults."""
    usual = MethodsPlan()
    options = []
    for item in dataclasses.fields(plan):
        value = getattr(plan, item.name)
        if value != getattr(usual, item.name):
            options.append(f"--{_OPTIONS.get(item.name, item.name)} {shlex.quote(str(value))}")
    return " ".join(["latentman eval methods", *options])


def _left_out(plan: MethodsPlan) -> list[str]:
    missing = [row.label for row in ROWS if row not in plan.rows]
    return ["", f"Not in this program, and left out: {', '.join(missing)}."] if missing else []


def _row(row: MethodSummary) -> tuple[str, ...]:
    baseline = row.row == ROWS[0].label
    means, ratios = row.means, row.ratios
    return (
        row.row,
        *(
            _interval(means.get(name), 0) if baseline else _change(ratios.get(name))
            for name in ("surface_1", "surface_4", "surface_8")
        ),
        *("1" if baseline else _interval(ratios.get(name), 2) for name in ("sharpness", "slope")),
        _interval(means.get("mask_iou"), 2),
        "1" if baseline else _interval(ratios.get("background"), 2),
        _interval(row.seam, 2),
        "1" if baseline else _interval(ratios.get("seconds"), 2),
        _interval(means.get("floor_1"), 0, alone=True),
    )


def _change(ratio: Interval | None) -> str:
    """A ratio as a change in per cent."""
    if ratio is None:
        return "-"
    shown = [f"{100 * (value - 1):+.1f}" for value in (ratio.estimate, ratio.low, ratio.high) if value is not None]
    return f"{shown[0]} % ({shown[1]} to {shown[2]})" if len(shown) == 3 else f"{shown[0]} %"


def _interval(interval: Interval | None, digits: int, *, alone: bool = False) -> str:
    if interval is None:
        return "-"
    if alone or interval.low is None or interval.high is None:
        return f"{interval.estimate:.{digits}f}"
    return f"{interval.estimate:.{digits}f} ({interval.low:.{digits}f} to {interval.high:.{digits}f})"
