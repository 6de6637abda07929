"""`latentman bench diffusion`: one shot by diffusers' stock pipeline and by each of our methods, in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backend.contract.values import Canvas, SampleSettings, Segment
from backend.correspondence.chart_index import chart_index
from backend.correspondence.pairs import pair_matches
from backend.correspondence.types import Matches
from backend.loop.engine import FrameEngine
from backend.loop.method import FrameMethod
from backend.loop.model import pictures_of
from backend.loop.noise import SHARED_NOISE, draw
from backend.measure.bench.alignment import alignment_seconds
from backend.measure.bench.full_size import full_size_components
from backend.measure.bench.shot import bench_shot
from backend.measure.bench.stock_pipeline import run_stock, stock_pipeline
from backend.measure.bench.timing import Case, Report, Timing, alternate
from backend.methods.latentman.body_cells import PartReader
from backend.methods.latentman.guidance import AdaptiveGuidance
from backend.methods.latentman.matches import LatentManMatches, guidance_size
from backend.methods.latentman.method import LatentMan
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.compiled import compile_blocks
from backend.models.sd15.components import Components, load_components, resolve_device, resolve_dtype
from backend.models.sd15.conditioning import control_pictures
from backend.models.sd15.decode import decode_frames
from backend.models.sd15.model import StableDiffusion
from backend.models.sd15.text import PromptEmbeds, encode_prompt
from backend.models.sd15.tiny_decoder import with_tiny_decoder
from backend.models.sources import find_sources
from backend.passes.shot_passes import ShotPasses, depth_pictures
from shared.errors import InputError
from shared.models.files import EMBEDDED

STOCK, BASELINE = "stock", "text2video_zero"
OFF = (0.0, 0.0)
PROMPT, NEGATIVE_PROMPT = "a robot dancing on the moon", "blurry"


Make = Callable[[LatentManMatches, PartReader], FrameMethod]


def _latentman(**settings: Any) -> Make:
    return lambda matches, parts: LatentMan(matches, parts=parts, **settings)


_DECODER = AdaptiveGuidance(through="decoder")
METHODS: Mapping[str, Make] = MappingProxyType(
    {
        BASELINE: lambda matches, parts: Text2VideoZero(),
        "+SLA": _latentman(guide=OFF),
        "+PWG": _latentman(align=OFF),
        "+both": _latentman(),
        "+both, body": _latentman(guidance=AdaptiveGuidance(decode="body")),
        "+both, body by frame 0": _latentman(guidance=AdaptiveGuidance(decode="body_first")),
        "+both, decoder only": _latentman(guidance=_DECODER),
        "+both, decoder only, body by frame 0": _latentman(
            guidance=AdaptiveGuidance(through="decoder", decode="body_first")
        ),
        "+both, tiny decoder": _latentman(guidance=AdaptiveGuidance(decoder="tiny")),
        "+both, decoder only, tiny decoder": _latentman(guidance=AdaptiveGuidance(through="decoder", decoder="tiny")),
    }
)
CASES = (STOCK, *METHODS)


@dataclass(frozen=True, slots=True)
class DiffusionBench:
    """What is run. `size` in pixels; None is the model's own: 256 embedded, 512 at full size."""

    frames: int = 8
    steps: int = 10
    size: int | None = None
    repeats: int = 3
    device: str = "auto"
    dtype: str = "auto"
    full_size: bool = False
    compiled: bool = False
    micro_batch: int | None = None
    guidance_scale: float = 7.5
    cases: tuple[str, ...] = CASES

    def __post_init__(self) -> None:
        unknown = [case for case in self.cases if case not in CASES]
        if unknown or not self.cases:
            asked = f"There is no case {unknown[0]!r}." if unknown else "No case is given."
            raise InputError("bench.cases", asked, f"The cases are: {'; '.join(CASES)}.")
        if self.frames < 2 or self.repeats < 1:
            raise InputError("bench.settings", "The bench needs at least 2 frames and 1 repeat.")


@dataclass(frozen=True, slots=True)
class DiffusionRow:
    """One case: the least and the median of its times, and what follows from the least.

    Ratios are None where their base was not run.
    """

    case: str
    least_s: float
    median_s: float
    seconds: tuple[float, ...]
    frames_per_s: float
    faster_than_stock: float | None
    over_baseline: float | None  # 0.6 is 60 % more time than text2video_zero
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class DiffusionFigures:
    """The bench's outcome."""

    model: str
    device: str
    dtype: str
    threads: int
    torch: str
    frames: int
    steps: int
    size: int
    body_part: float  # how much of the picture the body's boxes take, on average
    alignment_s: float  # of a run, for alignment alone
    rows: tuple[DiffusionRow, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """What all cases share."""

    components: Components
    settings: SampleSettings
    prompt: PromptEmbeds
    depth: NDArray[np.float32]
    matches: LatentManMatches
    parts: PartReader


def run_diffusion(bench: DiffusionBench, report: Report) -> DiffusionFigures:
    """Run the bench. Raises InputError and ModelError for what cannot be run."""
    device = resolve_device(bench.device)
    dtype = resolve_dtype(bench.dtype, device)
    report("loading the model")
    if bench.full_size:
        components = full_size_components(device, dtype)
    else:
        components = with_tiny_decoder(load_components(EMBEDDED, device, dtype), find_sources(EMBEDDED))
    if bench.compiled:
        compile_blocks(components)
    size = bench.size or (512 if bench.full_size else 256)
    settings = SampleSettings(bench.steps, bench.guidance_scale, 1.0, 7, size, size, bench.micro_batch)
    report("rendering the shot and matching its frames")
    passes = bench_shot(bench.frames, size)
    job = _Job(
        components,
        settings,
        encode_prompt(components, PROMPT, NEGATIVE_PROMPT),
        depth_pictures(passes, passes.positions),
        _matches(passes, size, components.latent_factor),
        passes.parts,
    )
    timings = alternate([_case(name, job) for name in bench.cases], bench.repeats, device, report)
    return DiffusionFigures(
        model="Stable Diffusion 1.5 with random weights" if bench.full_size else EMBEDDED,
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        dtype=str(dtype).removeprefix("torch."),
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        frames=bench.frames,
        steps=bench.steps,
        size=size,
        body_part=_body_part(passes),
        alignment_s=_alignment_s(job),
        rows=_rows(timings, bench.frames),
    )


def _matches(passes: ShotPasses, size: int, factor: int) -> LatentManMatches:
    index = chart_index(passes.charts)

    def pairs(height: int, width: int) -> list[Matches]:
        frames = range(1, len(passes.shot.frames))
        return [pair_matches(passes, i, i - 1, height, width, method="surface", index=index) for i in frames]

    return LatentManMatches(pairs(size // factor, size // factor), pairs(*guidance_size(size, size)))


def _alignment_s(job: _Job) -> float:
    settings, components = job.settings, job.components
    cells = (settings.height // components.latent_factor, settings.width // components.latent_factor)
    canvas = Canvas(*cells, settings.height, settings.width, components.device)
    method = METHODS["+SLA"](job.matches, job.parts)
    return alignment_seconds(method, len(job.depth), settings.steps, components.latent_channels, canvas)


def _body_part(passes: ShotPasses) -> float:
    boxes = []
    for part in passes.parts(passes.positions):
        rows, columns = np.nonzero(part)
        boxes.append(float(np.ptp(rows) + 1) * float(np.ptp(columns) + 1) / part.size)
    return float(np.mean(boxes))


def _case(name: str, job: _Job) -> Case:
    if name == STOCK:
        return _stock_case(job)
    method = METHODS[name](job.matches, job.parts)
    frames = len(job.depth)

    engine = FrameEngine(StableDiffusion(job.components, job.prompt), method, pictures_of(job.depth), job.settings)

    def run() -> None:
        result = engine.sample(Segment(0, frames))
        decode_frames(job.components, result.latents)

    return Case(name, run)


def _stock_case(job: _Job) -> Case:
    components, settings = job.components, job.settings
    pipeline = stock_pipeline(components, settings.steps)
    pictures = components.to_model(control_pictures(job.depth))
    cells = settings.height // components.latent_factor
    noise = draw(settings.seed, SHARED_NOISE, (components.latent_channels, cells, cells))

    def run() -> None:
        run_stock(pipeline, components, job.prompt, pictures, noise, settings)

    return Case(STOCK, run)


def _rows(timings: list[Timing], frames: int) -> tuple[DiffusionRow, ...]:
    least = {timing.name: timing.least_s for timing in timings}
    stock, baseline = least.get(STOCK), least.get(BASELINE)
    return tuple(
        DiffusionRow(
            case=timing.name,
            least_s=timing.least_s,
            median_s=timing.median_s,
            seconds=timing.seconds,
            frames_per_s=frames / timing.least_s,
            faster_than_stock=None if stock is None else stock / timing.least_s,
            over_baseline=None if baseline is None else timing.least_s / baseline - 1,
            peak_bytes=timing.peak_bytes,
        )
        for timing in timings
    )
