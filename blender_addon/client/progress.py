"""How far a shot is, for a progress bar and a line of text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# Rendering the passes is a small part of the whole; the rest is shared evenly by the methods.
_PASSES_SHARE = 0.1
# Of a segment's time, the denoising; its frames are decoded after it.
LONG_STAGE = "sampling"
_LONG_STAGE_SHARE = 0.9


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

    def estimate(self) -> float:
        """How much of the whole is done, 0..1. Where a worker's figures jump back it does too; `fraction` does not."""
        if self.state is GenerateState.DONE:
            return 1.0
        passes = _PASSES_SHARE * self.passes_done / self.frames
        inside = float(self.frame)
        if self.stage == LONG_STAGE and self.steps:
            segment = min(self.segment_frames, self.frames - self.frame)
            inside += _LONG_STAGE_SHARE * segment * self.step / self.steps
        return passes + (1 - _PASSES_SHARE) * min(1.0, (self.methods_done + inside / self.frames) / self.methods)

    @property
    def warning(self) -> str:
        """What a user should know and decide; empty while all is well."""
        if not self.silent_minutes or self.state is not GenerateState.GENERATING:
            return ""
        where = f"{self.stage or 'start'}, step {self.step} of {self.steps}" if self.steps else self.stage or "start"
        time = f"{self.silent_minutes} minute{'s' if self.silent_minutes > 1 else ''}"
        return f"No progress for {time} ({self.method}: {where}). Cancel, or wait on."

    @property
    def kept(self) -> str:
        """What a cancel would keep now: the segment under way is denoised from its first step again."""
        whole = self.frame if self.frame >= self.frames else self.frame - self.frame % self.segment_frames
        kept = f"Cancel now keeps {whole} of {self.frames} frames"
        return kept if self.frames > self.segment_frames else f"{kept}: the shot is one segment"

    @property
    def text(self) -> str:
        """One line, for the status bar and the terminal."""
        if self.state is GenerateState.RENDERING:
            kept = f", {self.passes_kept} unchanged" if self.passes_kept else ""
            return f"Rendering passes, frame {self.passes_done} of {self.frames}{kept}"
        if self.state is not GenerateState.GENERATING:
            return str(self.state.value).capitalize()
        parts = [f"{self.method}: {self.stage or 'waiting for the backend'}"]
        if self.steps:
            parts.append(f"step {self.step} of {self.steps}")
        parts.append(f"frame {self.frame} of {self.frames}")
        if self.seconds_left is not None:
            parts.append(f"{self.seconds_left:.0f} s left")
        return ", ".join(parts)
