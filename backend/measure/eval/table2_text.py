"""The table as Markdown, the paper's numbers beside ours, and what differs said."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence

from backend.measure.eval.table2_plan import PAPER, PAPER_STEPS, PaperValue, Table2Plan
from backend.measure.eval.table2_summary import FigureSummary, Interval, RowSummary
from shared.models.files import EMBEDDED

_OPTIONS = {"guidance_scale": "guidance"}  # whose names differ from the plan's
HEADER = (
    "on",
    "row",
    "H_MSE (eq. 9)",
    "change",
    "paper",
    "paper's change",
    "lower in",
    "exact, lag 1",
    "exact, lag 4",
    "surface variance",
    "background",
    "sharpness",
    "as released (8-bit)",
    "time",
    "paper's time",
)


def table2_markdown(plan: Table2Plan, rows: Sequence[RowSummary]) -> str:
    """The whole section: how it was made, the table, how to read it, what differs from the paper."""
    lines = [
        "## The paper's Table 2",
        "",
        _made(plan, rows),
        "",
        "| " + " | ".join(HEADER) + " |",
        "|" + "---|" * len(HEADER),
        *("| " + " | ".join(_row(row)) + " |" for row in rows),
        "",
        "H_MSE is a mean squared difference on 0 to 255: the mean over prompts and its 95 % confidence interval",
        "(Student's t over prompts, seeds averaged first). All columns to its right are relative to the baseline's",
        "mean, paired by prompt: changes in per cent, sharpness and time as ratios; only the 8-bit figure is absolute.",
        "Background is the change between consecutive frames off the body, of the baseline as a value. A change whose",
        "interval contains 0 shows nothing. A row below the baseline in H_MSE and in sharpness has bought part of it",
        "with blur; one above it in background flickers where nothing should. The times mean something only if nothing",
        "else ran.",
        "",
        "What differs from the paper:",
        "",
        *(f"- {sentence}" for sentence in _differences(plan)),
        "",
    ]
    return "\n".join(lines)


def _made(plan: Table2Plan, rows: Sequence[RowSummary]) -> str:
    if not rows:
        return "No prompt and seed has been measured in all rows of a baseline."
    steps = {name: plan.steps_of(name) for name in PAPER_STEPS}
    return (
        f"`{_command(plan)}`. Prompts: {rows[0].prompts}; clips per row: {rows[0].clips}; frames per clip: "
        f"{plan.frames}; steps: {steps['text2video_zero']} and {steps['masactrl']}; model: `{plan.model}`; "
        f"settings: {plan.parity}."
    )


def _command(plan: Table2Plan) -> str:
    """What makes this table: the options that are not at their defaults."""
    usual = Table2Plan()
    options = []
    for field in dataclasses.fields(plan):
        value = getattr(plan, field.name)
        if value != getattr(usual, field.name):
            options.append(f"--{_OPTIONS.get(field.name, field.name.replace('_', '-'))} {shlex.quote(str(value))}")
    return " ".join(["latentman eval table2", *options])


def _row(row: RowSummary) -> tuple[str, ...]:
    figures = row.figures
    paper = PAPER.get((row.baseline, row.row), PaperValue())
    base = PAPER[row.baseline, "baseline"]
    first = row.row == "baseline"
    h_mse = figures.get("h_mse")
    return (
        row.baseline,
        row.row,
        "-" if h_mse is None else _value(h_mse.mean),
        _change(h_mse),
        "-" if paper.h_mse is None else f"{paper.h_mse:.2f}",
        "-" if first or not (paper.h_mse and base.h_mse) else f"{100 * (paper.h_mse / base.h_mse - 1):+.1f} %",
        "-" if h_mse is None or h_mse.lower_in is None else f"{h_mse.lower_in} of {row.prompts}",
        _change(figures.get("surface_1")),
        _change(figures.get("surface_4")),
        _change(figures.get("surface_variance")),
        _value_or_change(figures.get("background")),
        _ratio(figures.get("sharpness")),
        _plain(figures.get("h_mse_released")),
        _ratio(figures.get("seconds")),
        "-" if not (paper.runtime_s and base.runtime_s) else f"{paper.runtime_s / base.runtime_s:.2f}",
    )


def _value(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return f"{interval.estimate:.0f}"
    return f"{interval.estimate:.0f} ({interval.low:.0f} to {interval.high:.0f})"


def _change(figure: FigureSummary | None) -> str:
    """A ratio as a change in per cent."""
    if figure is None or figure.ratio is None:
        return "-"
    ratio = figure.ratio
    text = f"{100 * (ratio.estimate - 1):+.1f} %"
    if ratio.low is None or ratio.high is None:
        return text
    return f"{text} ({100 * (ratio.low - 1):+.1f} to {100 * (ratio.high - 1):+.1f})"


def _value_or_change(figure: FigureSummary | None) -> str:
    """The baseline's mean; the other rows show the change against it."""
    return _value(figure.mean) if figure is not None and figure.ratio is None else _change(figure)


def _plain(figure: FigureSummary | None) -> str:
    return "-" if figure is None else f"{figure.mean.estimate:.2f}"


def _ratio(figure: FigureSummary | None) -> str:
    if figure is None or figure.ratio is None:
        return "1" if figure is not None else "-"
    return f"{figure.ratio.estimate:.2f}"


def _differences(plan: Table2Plan) -> list[str]:
    """What a reader must know before comparing."""
    asked = {name: plan.steps_of(name) for name in PAPER_STEPS}
    shortened = [
        f"{asked[name]} steps on {name} (paper: {steps})" for name, steps in PAPER_STEPS.items() if asked[name] != steps
    ]
    model = (
        "The model is the embedded one at 256x256, not Stable Diffusion 1.5 with a depth ControlNet at 512x512."
        if plan.model == EMBEDDED
        else f"The model is `{plan.model}`, on shots of 256x256; the paper's is Stable Diffusion 1.5 at 512x512."
    )
    settings = {
        "ours": "LatentMan runs with this project's settings: exact surface correspondence instead of the assignment, "
        "and adaptive guidance steps"
        + (", only on the body's cells." if plan.guide_extent == "body" else ", on all latent cells."),
        "paper": "LatentMan runs with the paper's equations (`parity: paper`).",
        "released": "LatentMan runs with the published code's choices (`parity: released`).",
    }[plan.parity]
    return [
        model,
        *(
            ["Fewer or more steps: " + ", ".join(shortened) + "; the windows keep their fractions."]
            if shortened
            else []
        ),
        settings,
        *(["Guidance uses the tiny decoder."] if plan.guide_decoder == "tiny" else []),
        *(["Guidance's gradient ends at x0, before the UNet."] if plan.guide_through == "decoder" else []),
        "The paper's ten prompts, motions and seeds are not published; ours use the five sample motions twice.",
        "The paper prints one number per row, without an interval.",
        "H_MSE is equation 9 in float. The paper's values lie where its code's 8-bit arithmetic saturates; the column "
        "*as released* repeats that arithmetic on our own texture tiles. Compare changes, not values.",
        "On MasaCtrl the paper prints only the baseline and the whole method, and its code was not released.",
        "The paper's times were measured on an A100; ours are ratios on the machine that ran this.",
    ]
