"""What the trainings share: processes, a budget, a learning-rate schedule, averaged weights, checkpoints."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn

from backend.machine.bfloat16 import mixed_precision
from backend.machine.freed_memory import keep_freed_memory

LARGEST_NORM = 1.0  # of the gradient
AVERAGE_EVERY = 2  # steps between updates of the averaged weights


@dataclass(frozen=True, slots=True)
class Budget:
    """A run ends after `minutes` of training, or after `steps`, whichever comes first."""

    minutes: float
    steps: int


@dataclass(frozen=True, slots=True)
class Rate:
    """Learning rate: linear warm-up, flat, cosine down to a hundredth."""

    peak: float
    warmup_steps: int = 100
    flat: float = 0.3  # share of the budget

    def at(self, step: int, progress: float) -> float:
        """The rate at a step, `progress` of the way through the budget."""
        late = min(max(0.0, (progress - self.flat) / (1 - self.flat)), 1.0)
        cosine = 0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * late))
        return float(self.peak * min(1.0, (step + 1) / self.warmup_steps) * cosine)


@dataclass(frozen=True, slots=True)
class Crew:
    """This process among the processes of a run."""

    rank: int
    size: int
    device: torch.device

    def autocast(self) -> torch.autocast:
        """bfloat16 mixed precision where the device computes in it, else float32: the sampler's choice too."""
        return mixed_precision(self.device)


class Averaged:
    """An exponential moving average of parameters, with a short memory at the start."""

    def __init__(self, parameters: Iterable[Tensor], decay: float) -> None:
        self._source = list(parameters)
        self.values = [p.detach().clone() for p in self._source]
        self._decay = decay

    def update(self, step: int) -> None:
        """Take in the present weights."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, [p.detach() for p in self._source], 1 - decay)

    def swap(self) -> None:
        """Exchange the averaged and the present weights (call again to exchange back)."""
        with torch.no_grad():
            for mine, theirs in zip(self.values, self._source, strict=True):
                kept = theirs.detach().clone()
                theirs.copy_(mine)
                mine.copy_(kept)


class Run:
    """One training run: step counter, elapsed time, optimiser, averaged weights, log and checkpoint."""

    def __init__(
        self, crew: Crew, folder: Path, modules: dict[str, nn.Module], budget: Budget, rate: Rate, decay: float
    ) -> None:
        self.crew, self.folder, self.modules, self.budget, self.rate = crew, folder, modules, budget, rate
        self.parameters = [p for m in modules.values() for p in m.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            self.parameters, lr=rate.peak, betas=(0.9, 0.99), weight_decay=0.01, fused=True
        )
        self.averaged = Averaged(self.parameters, decay)
        self._gradients = _shared_gradients(self.parameters)
        self.step, self.seconds = 0, 0.0
        self._mark = time.monotonic()
        self._sums: dict[str, float] = {}
        self._count = 0

    @property
    def progress(self) -> float:
        """0 at the start, 1 at the end of the budget."""
        return min(1.0, max(self.seconds / 60 / self.budget.minutes, self.step / self.budget.steps))

    def advance(self, loss: Tensor, terms: dict[str, float]) -> None:
        """Backward, average the gradients over the crew, one optimiser step."""
        torch.autograd.backward(loss)
        self._exchange()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate.at(self.step, self.progress)
        self.optimiser.step()
        self._gradients.zero_()
        if self.step % AVERAGE_EVERY == 0:
            self.averaged.update(self.step)
        self.step += 1
        self._count += 1
        for name, value in terms.items():
            self._sums[name] = self._sums.get(name, 0.0) + value

    def _exchange(self) -> None:
        """Mean gradients over all processes, clipped; the clock travels with them so that all agree on the progress."""
        now = time.monotonic()
        elapsed = self.seconds + now - self._mark
        self._mark = now
        self._gradients[-1] = elapsed
        if self.crew.size > 1:
            dist.all_reduce(self._gradients)
        self.seconds = float(self._gradients[-1]) / self.crew.size
        norm = float(self._gradients[:-1].norm()) / self.crew.size
        self._gradients *= min(1.0, LARGEST_NORM / (norm + 1e-6)) / self.crew.size

    def rest_clock(self) -> None:
        """Do not count the time since the last step (sheets, exports)."""
        self._mark = time.monotonic()

    def log(self, **extra: float) -> None:
        """One JSON line with the means since the last one."""
        if self.crew.rank == 0:
            line: dict[str, float] = {"step": self.step, "seconds": round(self.seconds, 1)}
            line |= {name: round(total / max(1, self._count), 5) for name, total in self._sums.items()}
            line |= {"lr": self.rate.at(self.step, self.progress), **extra}
            with (self.folder / "log.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
        self._sums, self._count = {}, 0

    def save(self) -> None:
        """Write a checkpoint beside the old one, then swap."""
        if self.crew.rank != 0:
            return
        state: dict[str, Any] = {
            "step": self.step,
            "seconds": self.seconds,
            "modules": {name: m.state_dict() for name, m in self.modules.items()},
            "averaged": self.averaged.values,
            "optimiser": self.optimiser.state_dict(),
        }
        partial = self.folder / "checkpoint.partial"
        torch.save(state, partial)
        os.replace(partial, self.folder / "checkpoint.pt")

    def resume(self) -> None:
        """Continue from the checkpoint, if there is one."""
        path = self.folder / "checkpoint.pt"
        if path.exists():
            state = torch.load(path, weights_only=True, map_location=self.crew.device)
            for name, module in self.modules.items():
                module.load_state_dict(state["modules"][name])
            for mine, stored in zip(self.averaged.values, state["averaged"], strict=True):
                mine.copy_(stored)
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.seconds = state["step"], state["seconds"]
        self.rest_clock()


def _shared_gradients(parameters: list[nn.Parameter]) -> Tensor:
    """One buffer that holds the gradients of all parameters, and one number more at its end."""
    sizes = [p.numel() for p in parameters]
    buffer = torch.zeros(sum(sizes) + 1, device=parameters[0].device)
    for p, part in zip(parameters, torch.split(buffer[:-1], sizes), strict=True):
        p.grad = part.as_strided(p.shape, p.stride())  # the fused optimiser needs the parameter's own strides
    return buffer


def pick_device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def launch(task: Callable[..., None], processes: int, threads: int, port: int, *arguments: object) -> None:
    """Run `task(crew, *arguments)` in `processes` processes of `threads` threads; a GPU gets one process."""
    device = pick_device()
    if processes == 1 or device.type == "cuda":
        torch.set_num_threads(threads)
        task(Crew(0, 1, device), *arguments)
        return
    # A killed parent must not leave members behind: SIGTERM becomes an exit, and an exit ends daemons.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    spawn(  # type: ignore[no-untyped-call]
        _member, (processes, threads, port, task, arguments), nprocs=processes, daemon=True
    )


def _member(
    rank: int, size: int, threads: int, port: int, task: Callable[..., None], arguments: tuple[object, ...]
) -> None:
    keep_freed_memory()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    dist.init_process_group(
        "gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=size, timeout=timedelta(minutes=20)
    )
    task(Crew(rank, size, torch.device("cpu")), *arguments)
    dist.destroy_process_group()
