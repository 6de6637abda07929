"""What the comparison of methods is made of: prompts, motions, the methods as rows, and the settings of a run."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.make.training.judging.trial_shot import STILL, Staging
from backend.make.training.prompts import Scene
from backend.make.training.renders.render import SIZE
from backend.measure.eval.cell_store import CellKey
from backend.measure.eval.table2_plan import SCENES
from shared.errors import InputError
from shared.files.strict_json import dump_json
from shared.jobs.job import Job, checked_job, job_values
from shared.jobs.reuse import segment_spans
from shared.methods import METHODS
from shared.models.files import EMBEDDED

BASELINE = "text2video_zero"
ANY_PROMPT = "anyone"  # of a job that is asked for its settings alone
NO_FILE = "0" * 64  # the job's inputs are in memory


@dataclass(frozen=True, slots=True)
class ShotMotion:
    """A motion, the word for it, and what the shot adds to it."""

    sample: str  # one of SAMPLE_NAMES
    action: str  # one of ACTION_WORDS
    staging: Staging = STILL


# A camera that moves, and a body that turns fast: 11 degrees a frame, so that half of it is seen by a few frames alone.
MOTIONS = (
    ShotMotion("dance", "dancing"),
    ShotMotion("walk", "walking", Staging(orbit=40.0)),
    ShotMotion("wave", "waving", Staging(turn=165.0)),
    ShotMotion("jump", "jumping"),
    ShotMotion("squat", "squatting"),
)
PROMPTS = tuple(scene for _, scene in SCENES)


@dataclass(frozen=True, slots=True)
class MethodRow:
    """A row of the table: a method, with what its jobs spell beside their defaults.

    `method` None is no method: the shot as the training's painter draws it, which holds still and is truly lit.
    """

    label: str
    method: str | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    finish: Mapping[str, Any] = field(default_factory=dict)

    @property
    def there(self) -> bool:
        """Whether this program has the method, and jobs have a finish if the row wants one."""
        finishes = not self.finish or any(one.name == "finish" for one in dataclasses.fields(Job))
        return self.method is None or (self.method in METHODS and finishes)


ROWS = (
    MethodRow("baseline", BASELINE),
    MethodRow("latentman", "latentman"),
    MethodRow("latentman + lock", "latentman", finish={"lock": "on"}),
    MethodRow("surfacelock", "surfacelock"),
    MethodRow("perfect painter", None),
)


@dataclass(frozen=True, slots=True)
class MethodsPlan:
    """All that the clips of one table have in common, and how many there are.

    Raises InputError for numbers that cannot be used.
    """

    prompts: int = len(PROMPTS)
    motions: int = len(MOTIONS)
    seeds: int = 2
    frames: int = 16
    steps: int = 20
    guidance_scale: float = 2.0
    model: str = EMBEDDED

    def __post_init__(self) -> None:
        for name, value, least, most in (
            ("prompts", self.prompts, 1, len(PROMPTS)),
            ("motions", self.motions, 1, len(MOTIONS)),
            ("seeds", self.seeds, 1, 1_000),
            ("frames", self.frames, 2, 30),
            ("steps", self.steps, 1, 1_000),
            ("guidance", self.guidance_scale, 0.0, 100.0),
        ):
            if not least <= value <= most:
                raise InputError("eval.plan", f"--{name} is {value}; it must be from {least} to {most}.")

    @property
    def rows(self) -> tuple[MethodRow, ...]:
        """The rows that this program can run."""
        return tuple(row for row in ROWS if row.there)

    @property
    def shots(self) -> tuple[int, ...]:
        """The numbers of the shots. A shot keeps its number where fewer prompts or motions are asked for."""
        return tuple(prompt * len(MOTIONS) + motion for prompt in range(self.prompts) for motion in range(self.motions))

    def keys(self, shot: int) -> Iterator[CellKey]:
        """The cells of one shot: every seed and row."""
        for seed in range(self.seeds):
            for row in self.rows:
                yield CellKey(BASELINE, row.label, shot, seed)

    def job(self, row: MethodRow, prompt: str, seed: int) -> Job:
        """The job of one clip. Raises InputError for settings that its method or finish does not have."""
        values: dict[str, Any] = {
            "prompt": prompt,
            "frames": list(range(1, self.frames + 1)),
            "inputs": {"passes": [NO_FILE] * self.frames, "shot": NO_FILE, "vertices": NO_FILE, "charts": NO_FILE},
            "seed": seed,
            "method": row.method,
            "model": self.model,
            "steps": self.steps,
            "guidance_scale": float(self.guidance_scale),
            "width": SIZE,
            "height": SIZE,
            "settings": dict(row.settings),
        }
        return checked_job(values | ({"finish": dict(row.finish)} if row.finish else {}))

    def steps_of(self, row: MethodRow) -> int:
        """The denoising steps of one clip, over all its segments."""
        if row.method is None:
            return 0
        return self.steps * len(segment_spans(self.frames, self.job(row, ANY_PROMPT, 0).segment_frames))

    def made_by(self, row: MethodRow) -> str:
        """A digest of the row's job but its prompt and seed: clips of other settings are made again."""
        if row.method is None:
            return ""
        return hashlib.sha256(dump_json(job_values(self.job(row, ANY_PROMPT, 0)))).hexdigest()

    def identity(self, model_sha256: str) -> dict[str, object]:
        """All that every cell depends on beside its key and its row."""
        return {
            "schema": 1,
            "table": "methods",
            "model": self.model,
            "model_sha256": model_sha256,
            "frames": self.frames,
            "guidance_scale": self.guidance_scale,
            "steps": self.steps,
        }


def shot_of(number: int) -> tuple[ShotMotion, Scene]:
    """The motion and the scene of a shot by its number."""
    prompt, motion = divmod(number, len(MOTIONS))
    return MOTIONS[motion], dataclasses.replace(PROMPTS[prompt], action=MOTIONS[motion].action)
