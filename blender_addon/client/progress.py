"""How far a shot is, for a progress bar and a line of text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..shared.methods import METHODS
from ..shared.protocol.stages import SAMPLING, Stage, stage_of

# Rendering the passes is a small part of the whole; the rest is shared evenly by the methods.
_PASSES_SHARE = 0.1
# Of a segment's time, the denoising; its frames are decoded after it.
_SAMPLING_SHARE = 0.9
_IN_MINUTES_S = 120.0
_IN_HOURS_S = 120.0 * 60.0


class GenerateState(Enum):
    """Where a shot is. The last three are ends."""

    RENDERING = "rendering"
    GENERATING = "generating"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing happens any more."""
        return self in (GenerateState.DONE, GenerateState.FAILED, GenerateState.CANCELLED)


@dataclass(frozen=True, slots=True)
class GenerateProgress:
    """How far a shot is. Counts of frames are of the method that is under way."""

    state: GenerateState
    frames: int
    methods: int
    segment_frames: int = 1
    fraction: float = 0.0  # 0..1, for the bar; it never goes back
    passes_done: int = 0
    passes_kept: int = 0  # of those: pose and camera had not changed since they were rendered
    methods_done: int = 0
    method: str = ""
    stage: str = ""
    step: int = 0
    steps: int = 0
    frame: int = 0
    seconds_left: float | None = None
    silent_minutes: int = 0  # whole minutes without a word from the worker, once that is too long
    trouble: str = ""  # a sentence on what went wrong and is being put right without the user

    def estimate(self) -> float:
        """How much of the whole is done, 0..1. Where a worker's figures jump back it does too; `fraction` does not."""
        if self.state is GenerateState.DONE:
            return 1.0
        passes = _PASSES_SHARE * self.passes_done / self.frames
        inside = float(self.frame)
        if self.stage == SAMPLING and self.steps:
            segment = min(self.segment_frames, self.frames - self.frame)
            inside += _SAMPLING_SHARE * segment * self.step / self.steps
        return passes + (1 - _PASSES_SHARE) * min(1.0, (self.methods_done + inside / self.frames) / self.methods)

    @property
    def warning(self) -> str:
        """What a user should know and decide; empty while all is well."""
        if self.state is not GenerateState.GENERATING:
            return ""
        if not self.silent_minutes:
            return self.trouble
        where = ", ".join(self._stage_words()) if self.stage else "before the first step"
        time = f"{self.silent_minutes} minute{'s' if self.silent_minutes > 1 else ''}"
        return f"No progress for {time} ({where}). Cancel, or wait longer."

    @property
    def kept(self) -> str:
        """What a cancel would keep now: the segment under way is denoised from its first step again."""
        whole = self.frame if self.frame >= self.frames else self.frame - self.frame % self.segment_frames
        kept = f"Cancel now keeps {whole} of {self.frames} frames"
        return kept if self.frames > self.segment_frames else f"{kept}: the shot is one segment"

    @property
    def text(self) -> str:
        """One line, for the panel and the terminal."""
        if self.state is GenerateState.RENDERING:
            kept = f", {self.passes_kept} unchanged" if self.passes_kept else ""
            return f"Rendering passes, frame {self.passes_done} of {self.frames}{kept}"
        if self.state is not GenerateState.GENERATING:
            return str(self.state.value).capitalize()
        words = self._stage_words() if self.stage else ["Waiting for the backend"]
        if self.stage:
            words += self._frame_words(stage_of(self.stage))
        if self.seconds_left is not None:
            words.append(f"about {duration_text(self.seconds_left)} left")
        line = ", ".join(words)
        return f"{_label(self.method)}: {line}" if self.methods > 1 else line

    def _stage_words(self) -> list[str]:
        stage = stage_of(self.stage)
        counted = [f"{stage.unit} {self.step} of {self.steps}"] if stage.unit and self.steps else []
        return [stage.label, *counted]

    def _frame_words(self, stage: Stage) -> list[str]:
        """Which frames of the shot the stage works on, counted from 1; `frame` of them are finished."""
        if not stage.covers or self.frame >= self.frames:
            return []
        first = self.frame + 1
        last = min(self.frame + self.segment_frames, self.frames) if stage.covers == "segment" else first
        which = f"frame {first}" if first == last else f"frames {first} to {last}"
        return [f"{which} of {self.frames}"]


def duration_text(seconds: float) -> str:
    """A duration as one says it: seconds up to two minutes, minutes up to two hours, then hours."""
    if seconds < _IN_MINUTES_S:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < _IN_HOURS_S else f"{seconds / 3600:.1f} h"


def _label(method: str) -> str:
    """A method as the panel calls it."""
    return METHODS[method].label if method in METHODS else method
