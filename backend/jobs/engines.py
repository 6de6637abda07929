"""Which engine runs a job: its model, method and inputs, put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from backend.contract.engine import Engine
from backend.contract.values import SampleSettings
from backend.jobs.free_words import in_models_words, words_stamp
from backend.jobs.job_finish import first_prompts, job_finish, job_upscaler
from backend.jobs.reuse import computing_code, machinery
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
from backend.surface.shot_surface import ShotSurface
from shared.errors import ModelError
from shared.jobs.job import Job
from shared.jobs.keyed_prompts import parse_prompts
from shared.methods import method_named
from shared.methods.finish import acting
from shared.models.files import ModelFiles
from shared.models.sd15 import SD15, TINY_VAE
from shared.models.table import FAMILIES

OpenEngine = Callable[[Job, ShotPasses, ModelSources, bool], Engine]  # the last: with compiled blocks


@dataclass(frozen=True, slots=True)
class FamilyEngine:
    """How a family's jobs are run: `opens` the engine of one, `loads` a model ahead (its blocks compiled or not)."""

    opens: OpenEngine
    loads: Callable[[str, ModelFiles, bool], object]


def prepare_engine(model: str, files: ModelFiles, *, compiled: bool = False) -> None:
    """Load a model ahead of its job. Raises ModelError."""
    _engine_of(find_sources(model, files)).loads(model, files, compiled)


def open_engine(job: Job, passes: ShotPasses, *, compiled: bool = False) -> Engine:
    """The engine of a job on its passes, its model's blocks `compiled` or not.

    Raises ModelError, and InputError for what does not fit together.
    """
    sources = find_sources(job.model, job.model_files)
    return _engine_of(sources).opens(job, passes, sources, compiled)


def _engine_of(sources: ModelSources) -> FamilyEngine:
    engine = ENGINES.get(sources.family.name)
    if engine is None:
        raise ModelError(
            "model.engine",
            f"This backend has no engine for {sources.model}, a {sources.family.label} model.",
            f"Supported models: {', '.join(family.label for family in FAMILIES if family.name in ENGINES)}.",
        )
    return engine


def _stable_diffusion(job: Job, passes: ShotPasses, sources: ModelSources, compiled: bool) -> Engine:
    """Frame by frame, by Stable Diffusion 1.5 and a depth ControlNet."""
    enlarge = job_upscaler(job)  # first: a job that cannot be finished is refused before a model is loaded
    warm = warm_model(job.model, job.model_files, compiled)
    job, told = in_models_words(job, warm.components.tokenizer)
    surface = ShotSurface(passes)
    background = acting(method_named(job.method), job.finish).background
    factor = warm.components.latent_factor
    inputs = MethodInputs(job.settings, passes, factor, surface, job.seed, first_prompts(job), background)
    method = METHOD_CLASSES[job.method].build(inputs)
    components = _with_parts(warm.components, method, sources)
    model = StableDiffusion(components, _prompt(components, job), warm.colours)
    settings = SampleSettings(job.steps, job.guidance_scale, job.controlnet_scale, job.seed, job.height, job.width)
    finish = job_finish(job, surface)
    finishing = tuple(type(one).__module__ for one in (finish, enlarge) if one is not None)
    code = computing_code(type(method), (*COMPUTING, *finishing), compiled=compiled)
    files = sources.stamp() if enlarge is None else f"{sources.stamp()}, {enlarge.stamp}"
    machine = machinery(components.device, components.dtype, files + words_stamp(told), code)
    depth = partial(depth_pictures, passes)
    return FrameEngine(model, method, depth, settings, machine, finish, enlarge, told)


def _with_parts(components: Components, method: FrameMethod, sources: ModelSources) -> Components:
    """The model with the optional parts that the method uses; to read them takes no longer than to look whether they
    have changed."""
    return with_tiny_decoder(components, sources) if TINY_VAE.name in method.model_parts else components


def _prompt(components: Components, job: Job) -> PromptEmbeds:
    if job.prompts:
        return encode_keyed_prompts(components, parse_prompts(job.prompts), job.frames, job.negative_prompt)
    return encode_prompt(components, job.prompt, job.negative_prompt)


# What makes a picture of Stable Diffusion's, with all that these modules import.
COMPUTING = (
    "backend.loop.engine",
    "backend.models.sd15.components",
    "backend.models.sd15.model",
    "backend.models.sd15.text",
    "backend.models.sd15.tiny_decoder",
    "backend.passes.shot_passes",
)

# A family's engine, by the family's name. A family of video models has an engine of its own here.
ENGINES: Mapping[str, FamilyEngine] = MappingProxyType({SD15.name: FamilyEngine(_stable_diffusion, warm_model)})
