"""The memory that a worker holds, in bytes and in words; panel and command line say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_GIB = float(1 << 30)


@dataclass(frozen=True, slots=True)
class WorkerMemory:
    """One worker process and where its model lies.

    On a graphics card `held_bytes` is what the worker has reserved there and `peak_bytes` the most that its tensors
    took at once; on a CPU it is the memory of its process, programs and libraries included, whose peak is not known.
    `used_bytes` of `total_bytes` are taken by all programs together.
    """

    device: str
    kind: Literal["card", "process"]
    model_loaded: bool
    held_bytes: int
    used_bytes: int
    total_bytes: int
    peak_bytes: int | None = None

    @property
    def text(self) -> str:
        """One line for a person."""
        what = "the worker holds" if self.kind == "card" else "the worker's process holds"
        peak = "" if self.peak_bytes is None else f" (at most {_gib(self.peak_bytes)})"
        model = "" if self.model_loaded else ", no model loaded"
        everyone = f"{_gib(self.used_bytes)} of {_gib(self.total_bytes)} in use"
        return f"{self.device}: {what} {_gib(self.held_bytes)}{peak}{model}; {everyone}"


def _gib(count: int) -> str:
    return f"{count / _GIB:.1f} GiB"
