"""What the paper's Table 2 is made of here: scenes, rows, the paper's own numbers, and the settings of a run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from backend.make.training.prompts import Scene
from backend.measure.eval.cell_store import CellKey
from shared.errors import InputError
from shared.methods.latentman import WINDOWS, Baseline, LatentManSettings, Parity, published_settings
from shared.models.files import EMBEDDED

NEVER = (0.0, 0.0)

# The paper does not list its prompts (section 4.3: "10 videos of diverse motions and characters"). These use each
# sample motion twice, and ten characters, colours and places of the embedded model's grammar.
SCENES: tuple[tuple[str, Scene], ...] = (
    ("dance", Scene("robot", "silver", "dancing", "moon")),
    ("walk", Scene("astronaut", "orange", "walking", "desert")),
    ("jump", Scene("superhero", "red", "jumping", "city")),
    ("wave", Scene("clown", "yellow", "waving", "stage")),
    ("squat", Scene("footballer", "green", "squatting", "field")),
    ("dance", Scene("ballerina", "pink", "dancing", "studio")),
    ("walk", Scene("knight", "gold", "walking", "mountains")),
    ("jump", Scene("ninja", "black", "jumping", "forest")),
    ("wave", Scene("wizard", "purple", "waving", "beach")),
    ("squat", Scene("cowboy", "brown", "squatting", "street")),
)


@dataclass(frozen=True, slots=True)
class PaperValue:
    """What the paper prints for a row: Tables 1 and 2; None where it prints nothing."""

    h_mse: float | None = None
    runtime_s: float | None = None  # an 8-frame video on an A100


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: which parts of LatentMan act."""

    name: str
    align: bool
    guide: bool


ROWS = (
    Row("baseline", False, False),
    Row("+SLA", True, False),
    Row("+PWG", False, True),
    Row("+SLA +PWG", True, True),
)
BASELINES: tuple[Baseline, ...] = ("text2video_zero", "masactrl")
PAPER: Mapping[tuple[str, str], PaperValue] = MappingProxyType(
    {
        ("text2video_zero", "baseline"): PaperValue(84.87, 28),
        ("text2video_zero", "+SLA"): PaperValue(78.90, 30),
        ("text2video_zero", "+PWG"): PaperValue(82.73, 49),
        ("text2video_zero", "+SLA +PWG"): PaperValue(76.41, 50),
        ("masactrl", "baseline"): PaperValue(88.19),
        ("masactrl", "+SLA +PWG"): PaperValue(79.88),
    }
)
# Section 4.1.
PAPER_STEPS: Mapping[Baseline, int] = MappingProxyType({"text2video_zero": 100, "masactrl": 50})


@dataclass(frozen=True, slots=True)
class Table2Plan:
    """All that the cells of one table have in common, and how many there are.

    `steps` None takes the paper's, 100 and 50. `parity` "ours" is the project's own settings with the paper's windows;
    only these may guide through the tiny decoder, through a decoder alone, or on all cells. Raises InputError for
    numbers that cannot be used.
    """

    prompts: int = len(SCENES)
    seeds: int = 3
    frames: int = 8
    steps: int | None = None
    guidance_scale: float = 2.0
    parity: Parity | Literal["ours"] = "ours"
    guide_decoder: Literal["full", "tiny"] = "full"
    guide_through: Literal["unet", "decoder"] = "unet"
    guide_extent: Literal["body", "all"] = "body"
    model: str = EMBEDDED

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("prompts", self.prompts, 1, len(SCENES)),
            ("seeds", self.seeds, 1, 1_000),
            ("frames", self.frames, 2, 30),
            ("steps", 1 if self.steps is None else self.steps, 1, 1_000),
            ("guidance", self.guidance_scale, 0.0, 100.0),
        ):
            if not least <= value <= most:
                raise InputError("eval.plan", f"--{name} is {value}; it must be from {least} to {most}.")
        own = (
            ("guide-decoder", self.guide_decoder, "full"),
            ("guide-through", self.guide_through, "unet"),
            ("guide-extent", self.guide_extent, "body"),
        )
        for name, chosen, usual in own:
            if chosen != usual and self.parity != "ours":
                raise InputError(
                    "eval.plan",
                    f"--{name} {chosen} is not among the settings of --parity {self.parity}.",
                    "Remove one of the two.",
                )

    def steps_of(self, baseline: Baseline) -> int:
        """How many steps a clip on this baseline takes."""
        return PAPER_STEPS[baseline] if self.steps is None else self.steps

    def settings(self, baseline: Baseline, row: Row) -> LatentManSettings:
        """LatentMan's settings in this row, on this baseline."""
        if self.parity == "ours":
            align, guide = WINDOWS[baseline]
            whole = LatentManSettings(
                align=align,
                guide=guide,
                baseline=baseline,
                guide_decoder=self.guide_decoder,
                guide_through=self.guide_through,
                guide_extent=self.guide_extent,
            )
        else:
            whole = published_settings(self.parity, baseline)
        return dataclasses.replace(
            whole, align=whole.align if row.align else NEVER, guide=whole.guide if row.guide else NEVER
        )

    def identity(self, model_sha256: str) -> dict[str, object]:
        """All that a cell depends on beside its key, as plain values: the plan without its extent."""
        return {
            "schema": 1,
            "model": self.model,
            "model_sha256": model_sha256,
            "frames": self.frames,
            "guidance_scale": self.guidance_scale,
            "steps": {baseline: self.steps_of(baseline) for baseline in BASELINES},
            "settings": {baseline: dataclasses.asdict(self.settings(baseline, ROWS[-1])) for baseline in BASELINES},
        }

    def keys(self, scene: int) -> Iterator[CellKey]:
        """The cells of one scene: every seed, baseline and row."""
        for seed in range(self.seeds):
            for baseline in BASELINES:
                for row in ROWS:
                    yield CellKey(baseline, row.name, scene, seed)
