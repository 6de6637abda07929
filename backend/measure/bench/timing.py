"""Cases timed side by side: one process, one after the other in turn, so that what slows the machine slows them all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from backend.measure.bench.live_bytes import LiveBytes

Report = Callable[[str], None]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to be timed."""

    name: str
    run: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Timing:
    """A case's times, in the order in which they were taken, and its peak memory beside what was there before."""

    name: str
    seconds: tuple[float, ...]
    peak_bytes: int

    @property
    def least_s(self) -> float:
        """The least of the times, which cases are compared by: whatever else the machine does only adds to it."""
        return min(self.seconds)

    @property
    def median_s(self) -> float:
        """The median of the times."""
        return statistics.median(self.seconds)


def alternate(cases: Sequence[Case], repeats: int, device: torch.device, report: Report) -> list[Timing]:
    """Time every case `repeats` times, forwards and backwards through the list in turn.

    The first run of each warms up and is the one whose memory is measured; it is not timed.
    """
    peaks: dict[str, int] = {}
    seconds: dict[str, list[float]] = {case.name: [] for case in cases}
    for case in cases:
        report(f"warming up: {case.name}")
        peaks[case.name] = peak_bytes(case.run, device)
    for turn in range(repeats):
        for case in cases if turn % 2 == 0 else reversed(cases):
            report(f"run {turn + 1} of {repeats}: {case.name}")
            seconds[case.name].append(_timed(case.run, device))
    return [Timing(case.name, tuple(seconds[case.name]), peaks[case.name]) for case in cases]


def peak_bytes(run: Callable[[], None], device: torch.device) -> int:
    """The most memory that a run takes: by the allocator of a GPU, else by counting tensors."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        torch.cuda.synchronize(device)
        return int(torch.cuda.max_memory_allocated(device) - before)
    memory = LiveBytes()
    with memory:
        run()
    return memory.peak


def thread_timed(run: Callable[[], Value]) -> tuple[float, Value]:
    """Processor time of this thread: what else the machine does and BLAS's idle threads do not count."""
    since = time.thread_time()
    value = run()
    return time.thread_time() - since, value


def _timed(run: Callable[[], None], device: torch.device) -> float:
    _synchronise(device)
    since = time.perf_counter()
    run()
    _synchronise(device)
    return time.perf_counter() - since


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
