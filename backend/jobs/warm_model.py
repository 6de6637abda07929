"""The one model that a process keeps in memory from job to job."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch

from backend.machine.device_memory import give_back, measure_memory
from backend.models.sd15.compiled import compile_blocks
from backend.models.sd15.components import Components, load_components, resolve_device
from backend.models.sd15.latent_colours import LatentColours, fit_colours
from backend.models.sources import find_sources
from shared.models.files import ModelFiles
from shared.protocol.worker_memory import WorkerMemory


@dataclass(frozen=True, slots=True, eq=False)
class WarmModel:
    """A model in memory, and what its previews are made with."""

    components: Components
    colours: LatentColours


@functools.lru_cache(maxsize=1)
def _loaded(model: str, files: ModelFiles, _stamp: str, compiled: bool) -> WarmModel:
    components = load_components(model, "auto", "auto", files=files)
    colours = fit_colours(components)
    if compiled:
        compile_blocks(components)
    return WarmModel(components, colours)


def warm_model(model: str, files: ModelFiles, compiled: bool = False) -> WarmModel:
    """The model, kept in memory until another one is asked for or a file of it changed.

    Raises ModelError.
    """
    return _loaded(model, files, find_sources(model, files).stamp(), compiled)


def release(*, compiled: bool = False) -> None:
    """Forget the model and give its memory back; the next job loads it again. Also what was `compiled` for it."""
    _loaded.cache_clear()
    if compiled:
        torch.compiler.reset()
    give_back(resolve_device("auto"))


def memory() -> WorkerMemory:
    """What this process holds of the memory where the model lies."""
    return measure_memory(resolve_device("auto"), model_loaded=_loaded.cache_info().currsize > 0)
