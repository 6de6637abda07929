"""Which engine runs a job: its model, method and inputs, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from backend.contract.engine import Engine
from backend.contract.values import SampleSettings
from backend.jobs.reuse import machinery
from backend.jobs.warm_model import warm_model
from backend.loop.engine import FrameEngine
from backend.loop.method import FrameMethod, MethodInputs
from backend.methods.table import METHOD_CLASSES
from backend.models.sd15.components import Components
from backend.models.sd15.model import StableDiffusion
from backend.models.sd15.text import PromptEmbeds, encode_keyed_prompts, encode_prompt
from backend.models.sd15.tiny_decoder import with_tiny_decoder
from backend.models.sources import ModelSources, find_sources
from backend.passes.shot_passes import ShotPasses, depth_pictures
from shared.errors import ModelError
from shared.jobs.job import Job
from shared.jobs.keyed_prompts import parse_prompts
from shared.models.sd15 import SD15, TINY_VAE

OpenEngine = Callable[[Job, ShotPasses, ModelSources], Engine]


def open_engine(job: Job, passes: ShotPasses) -> Engine:
    """The engine of a job on its passes. Raises ModelError, and InputError for what does not fit together."""
    sources = find_sources(job.model, job.model_files)
    opener = ENGINES.get(sources.family.name)
    if opener is None:
        raise ModelError("model.engine", f"This backend has no engine for {sources.family.label}.")
    return opener(job, passes, sources)


def _stable_diffusion(job: Job, passes: ShotPasses, sources: ModelSources) -> Engine:
    """Frame by frame, by Stable Diffusion 1.5 and a depth ControlNet."""
    warm = warm_model(job.model, job.model_files)
    inputs = MethodInputs(job.settings, passes, warm.components.latent_factor)
    method = METHOD_CLASSES[job.method].build(inputs)
    components = _with_parts(warm.components, method, sources)
    model = StableDiffusion(components, _prompt(components, job), warm.colours)
    settings = SampleSettings(job.steps, job.guidance_scale, job.controlnet_scale, job.seed, job.height, job.width)
    machine = machinery(components.device, components.dtype, sources.stamp())
    return FrameEngine(model, method, lambda frames: depth_pictures(passes, frames), settings, machine)


def _with_parts(components: Components, method: FrameMethod, sources: ModelSources) -> Components:
    """The model with the optional parts that the method uses; to read them takes no longer than to look whether they
    have changed."""
    return with_tiny_decoder(components, sources) if TINY_VAE.name in method.model_parts else components


def _prompt(components: Components, job: Job) -> PromptEmbeds:
    if job.prompts:
        return encode_keyed_prompts(components, parse_prompts(job.prompts), job.frames, job.negative_prompt)
    return encode_prompt(components, job.prompt, job.negative_prompt)


# A family's engine, by the family's name. A family of video models has an engine of its own here.
ENGINES: Mapping[str, OpenEngine] = MappingProxyType({SD15.name: _stable_diffusion})
