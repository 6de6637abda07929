"""`latentman bench waiting`: the sampler with threads that spin while they wait or sleep, alone and beside others."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from backend.measure.bench.timing import Report
from shared.errors import BackendError, InputError

SPINNING, ASLEEP = "spinning", "asleep"
# What OpenMP's threads do of their own accord, spelled out; and nothing, so that the program's own choice holds.
WAYS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {SPINNING: {"GOMP_SPINCOUNT": "300000", "KMP_BLOCKTIME": "200"}, ASLEEP: {}}
)
_ENVIRONMENT = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_NUM_THREADS")
_CASE = ("--frames", "4", "--steps", "4", "--repeats", "1", "--case", "text2video_zero", "--device", "cpu", "--json")
_BUSY = (sys.executable, "-c", "while True: pass")


@dataclass(frozen=True, slots=True)
class WaitingBench:
    """What is run: `others` busy programs beside the sampler in the second half, by default one for each processor."""

    repeats: int = 3
    others: int = os.cpu_count() or 1

    def __post_init__(self) -> None:
        if self.repeats < 1 or self.others < 1:
            raise InputError("bench.settings", "The bench needs at least 1 repeat and 1 other program.")


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """The sampler's times beside so many other programs, by how its threads wait."""

    others: int
    spinning_s: tuple[float, ...]
    asleep_s: tuple[float, ...]

    @property
    def gain(self) -> float:
        """The median of the ratios of the pairs, spinning over asleep: above 1 sleeping is the quicker."""
        return statistics.median(a / b for a, b in zip(self.spinning_s, self.asleep_s, strict=True))


def run_waiting(bench: WaitingBench, report: Report) -> tuple[WaitingRow, ...]:
    """Both ways in turn, each in a process of its own, because OpenMP reads its environment once.

    Raises BackendError where the sampler's process fails.
    """
    rows = []
    for others in (0, bench.others):
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        with busy_programs(others):
            for turn in range(bench.repeats):
                for way in WAYS:
                    report(f"run {turn + 1} of {bench.repeats} beside {others} other programs: {way}")
                    seconds[way].append(_sample(WAYS[way]))
        rows.append(WaitingRow(others, tuple(seconds[SPINNING]), tuple(seconds[ASLEEP])))
    return tuple(rows)


@contextlib.contextmanager
def busy_programs(count: int) -> Iterator[None]:
    """Keep so many programs computing."""
    programs = [subprocess.Popen(_BUSY) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def _sample(way: Mapping[str, str]) -> float:
    """Seconds of one case of the sampler's bench."""
    environment = {name: value for name, value in os.environ.items() if name not in _ENVIRONMENT}
    command = [sys.executable, "-m", "backend", "bench", "diffusion", *_CASE]
    result = subprocess.run(command, env={**environment, **way}, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BackendError("bench.waiting", f"The sampler's bench failed: {result.stderr.strip()[-500:]}")
    return float(json.loads(result.stdout)["rows"][0]["least_s"])
