"""The benches: that what they compare does the same work, and that they count rightly. No times are judged."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from backend import cli
from backend.contract.values import Canvas, SampleSettings, Segment, Step
from backend.correspondence.chart_index import chart_index
from backend.correspondence.pairs import pair_matches
from backend.jobs.runners import load_runner
from backend.jobs.warm_model import warm_model
from backend.loop.method import Parts
from backend.loop.noise import SHARED_NOISE, draw
from backend.measure.bench.alignment import RUNS, alignment_seconds
from backend.measure.bench.correspondence import CorrespondenceBench, run_correspondence
from backend.measure.bench.diffusion import BASELINE, METHODS, STOCK, DiffusionBench, _rows, run_diffusion
from backend.measure.bench.enlarging import enlarged_flow
from backend.measure.bench.full_size import full_size_components
from backend.measure.bench.live_bytes import LiveBytes
from backend.measure.bench.shot import FRAMING, bench_shot, render_boxes
from backend.measure.bench.stock_pipeline import run_stock, stock_pipeline
from backend.measure.bench.surface import SurfaceBench, run_surface
from backend.measure.bench.timing import Case, Timing, alternate
from backend.measure.bench.waiting import WaitingBench, WaitingRow, run_waiting
from backend.measure.metrics.followed import BackwardFlow
from backend.measure.metrics.warp_error import warp_error
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.attention import SelfAttention
from backend.models.sd15.compiled import compile_blocks
from backend.models.sd15.conditioning import control_pictures
from backend.models.sd15.decode import decode_frames
from backend.models.sd15.text import encode_prompt
from shared.errors import EXIT_DONE, EXIT_FAILED, InputError
from shared.models.files import EMBEDDED, ModelFiles
from tests.helpers.synthetic_passes import _render as slow_render
from tests.helpers.synthetic_passes import all_parts
from tests.helpers.tiny_models import tiny_components
from tests.helpers.tiny_shot import engine, random_depth

CPU = torch.device("cpu")
SIZE, LATENT = 16, 8
SETTINGS = SampleSettings(
    steps=3, guidance_scale=3.0, controlnet_scale=0.9, seed=7, height=SIZE, width=SIZE, micro_batch=2
)


def test_live_bytes_by_hand() -> None:
    before = torch.zeros(50)
    with LiveBytes() as memory:
        view = before.view(5, 10)
        assert memory.live == 0
        ones = torch.ones(100)
        double = ones * 2
        part = double[:10]
        assert memory.live == memory.peak == 800
        del double
        assert memory.live == 800
        del part
        ones.add_(1)
        assert (memory.live, memory.peak) == (400, 800)
        leaf = torch.ones(100, requires_grad=True)
        root = (leaf.exp() * 2).sum()
        assert memory.live == 800 + 400 + 4  # the graph keeps exp's output; its double is gone
        del root
        assert memory.live == 800
    assert view.numel() == 50


def test_cases_take_turns() -> None:
    order: list[str] = []

    def runner(name: str) -> Case:
        def run() -> None:
            order.append(name)
            torch.zeros(100 if name == "a" else 300)

        return Case(name, run)

    timings = alternate([runner("a"), runner("b")], 3, CPU, lambda line: None)
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"
    assert [(timing.name, len(timing.seconds), timing.peak_bytes) for timing in timings] == [
        ("a", 3, 400),
        ("b", 3, 1200),
    ]
    assert timings[0].median_s == sorted(timings[0].seconds)[1]


def test_the_stock_pipeline_makes_the_same_frames() -> None:
    components, depth = tiny_components(), random_depth(3, SIZE)
    prompt = encode_prompt(components, "a red robot", "blurry")
    noise = draw(SETTINGS.seed, SHARED_NOISE, (4, LATENT, LATENT))
    pipeline = stock_pipeline(components, SETTINGS.steps)
    theirs = run_stock(pipeline, components, prompt, control_pictures(depth), noise, SETTINGS)
    result = engine(components, Text2VideoZero(), depth, SETTINGS, prompt).sample(Segment(0, 3))
    ours = decode_frames(components, result.latents)
    assert np.abs(ours - 255 * theirs.permute(0, 2, 3, 1).numpy()).max() < 1
    assert len(np.unique(ours)) > 20
    assert any(isinstance(processor, SelfAttention) for processor in components.unet.attn_processors.values())


def test_the_full_size_models_have_stable_diffusion_1_5s_weights() -> None:
    # Published: UNet 860 M, ControlNet 361 M, autoencoder 84 M, CLIP ViT-L/14 text 123 M parameters.
    components = full_size_components(torch.device("meta"), torch.float16)
    counts = {
        name: sum(parameter.numel() for parameter in getattr(components, name).parameters())
        for name in ("unet", "controlnet", "vae", "text_encoder")
    }
    assert counts == {
        "unet": 859_520_964,
        "controlnet": 361_279_120,
        "vae": 83_653_863,
        "text_encoder": 123_060_480,
    }
    assert (components.latent_factor, components.text_length) == (8, 77)


def test_the_shot_is_rasterised_as_the_slow_twin_does_it() -> None:
    passes = bench_shot(1, 40, "close-up")
    camera = passes.shot.camera
    local = passes.vertices[0].astype(float) @ camera.world_to_camera[0, :3, :3].T + camera.world_to_camera[0, :3, 3]
    for quick, slow in zip(
        render_boxes(local, passes.charts, camera.intrinsics[0], 40),
        slow_render(local, passes.charts, camera.intrinsics[0], (40, 40)),
        strict=True,
    ):
        assert isinstance(quick, np.ndarray) and isinstance(slow, np.ndarray)
        assert np.array_equal(np.isfinite(quick), np.isfinite(slow))
        shown = np.isfinite(slow)
        # A centre on the edge of two triangles may go to either.
        assert (np.abs(quick[shown].astype(float) - slow[shown]) > 1e-5).mean() < 0.01


@pytest.mark.parametrize("view", list(FRAMING))
def test_the_shot_fits_its_vertices_and_its_view(view: str) -> None:
    passes = bench_shot(2, 128, view)  # type: ignore[arg-type]
    parts = all_parts(passes)
    shown = (parts > 0).mean()
    assert 0.03 < shown < (0.15 if view == "full body" else 0.5)
    touched = parts[:, [0, -1]].any() or parts[:, :, [0, -1]].any()
    assert touched == (view == "close-up")
    matches = pair_matches(passes, 1, 0, 64, 64, method="surface", index=chart_index(passes.charts))
    assert len(matches) > 0.5 * (passes.frame(1).part[1::2, 1::2] > 0).sum()


def test_correspondence_rows() -> None:
    bench = CorrespondenceBench(sizes=(24,), repeats=2, surface_repeats=1)
    full, close = run_correspondence(bench, lambda line: None)
    assert (full.view, close.view, full.size) == ("full body", "close-up", 24)
    assert full.proof == close.proof == "the same cost"
    assert close.pixels > full.pixels > 0
    assert full.dense_s is not None
    assert full.dense_over_ours == pytest.approx(full.dense_s / full.ours_s)
    (alone,) = run_correspondence(
        CorrespondenceBench(sizes=(24,), views=("close-up",), surface_repeats=1, dense_bytes=1000), lambda line: None
    )
    assert alone.dense_s is None and alone.dense_over_ours is None
    assert "dense left out" in alone.note and alone.proof == "by duality, in the solver"


def test_surface_rows() -> None:
    full, close = run_surface(SurfaceBench(sizes=(32,), frames=2, repeats=2), lambda line: None)
    assert (full.view, close.view, full.size) == ("full body", "close-up", 32)
    assert full.proof == close.proof == "equal"
    assert close.pixels > full.pixels > 0 and full.texels > full.seen > 0 and close.texels > close.seen > 0
    assert full.boxes_over_ours == pytest.approx(full.boxes_ms / full.draw_ms)
    assert full.shot_s > full.texels_s and full.held_mb > 0


@pytest.mark.parametrize("case", ["+both, decoder only, body by frame 0", "+both, decoder only, tiny decoder"])
def test_diffusion_figures(case: str) -> None:
    bench = DiffusionBench(frames=2, steps=2, size=64, repeats=1, dtype="float32", device="cpu", cases=(case,))
    figures = run_diffusion(bench, lambda line: None)
    (row,) = figures.rows
    assert (row.case, figures.dtype, figures.size) == (case, "float32", 64)
    assert row.faster_than_stock is None and row.over_baseline is None
    assert row.peak_bytes > 0 and 0 < figures.body_part < 1 and figures.alignment_s > 0


def test_alignment_is_timed_over_all_steps_and_frames() -> None:
    """The method that is timed prepares once a run and meets every step, each with what the one before left."""
    seen: list[int] = []

    class Counting:
        def prepare(self, segment: Segment, canvas: Canvas) -> Parts:
            assert len(segment) == 3
            seen.append(-1)
            return Parts(before_unet=self.before_unet)

        def before_unet(self, step: Step, latents: torch.Tensor, previous: torch.Tensor | None) -> torch.Tensor:
            assert latents.shape == (3, 4, 8, 8) and previous is None
            seen.append(step.index)
            return latents

    method: Any = Counting()
    assert alignment_seconds(method, 3, 5, 4, Canvas(8, 8, 64, 64, torch.device("cpu"))) > 0
    assert seen[:6] == [-1, 0, 1, 2, 3, 4] and len(seen) == 6 * RUNS


def test_rows_compare_the_least_of_the_times() -> None:
    timings = [Timing(STOCK, (9.0, 3.0, 4.0), 70), Timing(BASELINE, (2.0, 1.0, 2.5), 50), Timing("+SLA", (2.5,), 50)]
    stock, baseline, aligned = _rows(timings, 8)
    assert (stock.least_s, stock.median_s, stock.faster_than_stock, stock.over_baseline) == (3.0, 4.0, 1.0, 2.0)
    assert (baseline.frames_per_s, baseline.faster_than_stock, baseline.over_baseline) == (8.0, 3.0, 0.0)
    assert (aligned.over_baseline, aligned.peak_bytes) == (1.5, 50)


def test_every_method_of_the_bench_is_another() -> None:
    built = [make(None, None) for make in METHODS.values()]  # type: ignore[arg-type]
    assert all(one != other for i, one in enumerate(built) for other in built[:i])


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InputError, match="no case 'fast'"):
        DiffusionBench(cases=("fast",))
    with pytest.raises(InputError, match="at least 2 frames"):
        DiffusionBench(frames=1)
    with pytest.raises(InputError, match="no view 'side'"):
        CorrespondenceBench(views=("side",))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no view 'side'"):
        SurfaceBench(views=("side",))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a frame and a repeat"):
        SurfaceBench(frames=0)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "correspondence", "--size", "16", "--view", "close-up", "--json"]) == EXIT_DONE
    (row,) = json.loads(capsys.readouterr().out)
    assert row["size"] == 16 and row["proof"] == "the same cost"
    assert cli.main(["bench", "correspondence", "--size", "16", "--view", "full body"]) == EXIT_DONE
    assert "the same cost" in capsys.readouterr().out
    assert cli.main(["bench", "surface", "--size", "16", "--frames", "1", "--repeats", "1"]) == EXIT_DONE
    assert "equal" in capsys.readouterr().out
    assert cli.main(["bench", "diffusion", "--frames", "1"]) != EXIT_DONE
    assert cli.main(["bench", "diffusion", "--device", "nowhere"]) in (EXIT_FAILED, 2)
    assert "nowhere" in capsys.readouterr().err


def test_residual_and_feed_forward_blocks_are_compiled_and_nothing_else() -> None:
    components = tiny_components()
    models = (components.unet, components.controlnet, components.vae.decoder)
    # Traced, and run as they are: what is tested is that a block can be traced, not torch's own compiler.
    count = compile_blocks(components, backend="eager")
    compiled = [m for model in models for m in model.modules() if m._compiled_call_impl is not None]
    assert len(compiled) == count and compile_blocks(components, backend="eager") == 0
    assert {type(module).__name__ for module in compiled} == {"FusedResnetBlock", "FeedForward"}
    block = components.vae.decoder.up_blocks[0].resnets[0]
    values = torch.randn(1, 8, 6, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(block(values, None), block.forward(values, None))


# torch's compiler, when it is imported, calls a function that torch itself has deprecated.
@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
def test_the_compiled_runner_compiles_the_model_that_the_worker_keeps() -> None:
    runner = load_runner("backend.jobs.compiled_runner")
    try:
        runner.prepare(EMBEDDED, ModelFiles())
        unet: Any = warm_model(EMBEDDED, ModelFiles(), compiled=True).components.unet
        assert unet.mid_block.resnets[0]._compiled_call_impl is not None
    finally:
        runner.release()  # or later tests would run compiled blocks


@pytest.mark.slow
def test_both_ways_of_waiting_are_timed_alone_and_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")  # of the user's shell; the bench sets its own
    said: list[str] = []
    before = set(psutil.Process().children())
    alone, beside = run_waiting(WaitingBench(repeats=1, others=1), said.append)
    assert (alone.others, beside.others) == (0, 1) and len(said) == 4
    assert all(len(times) == 1 and times[0] > 0 for row in (alone, beside) for times in (row.spinning_s, row.asleep_s))
    assert WaitingRow(1, (4.0, 9.0, 2.0), (2.0, 3.0, 2.0)).gain == 2.0
    assert set(psutil.Process().children()) <= before


@pytest.mark.parametrize("factor", [2, 4])
def test_the_flow_of_enlarged_frames_is_that_of_their_blocks(factor: int) -> None:
    """A picture that moves by a quarter of a pixel to the right: at 4 times the size by a whole one."""
    size = 6
    row, column = np.divmod(np.arange(size * size), size)
    flow = BackwardFlow(np.arange(size * size), np.stack([column + 0.25, row + 0.5], axis=-1))
    large = enlarged_flow(flow, size, factor)
    order = np.argsort(large.pixel)
    assert np.array_equal(large.pixel[order], np.arange((size * factor) ** 2))
    row, column = np.divmod(np.arange((size * factor) ** 2), size * factor)
    np.testing.assert_allclose(large.position[order], np.stack([column + 0.5 - factor / 4, row + 0.5], axis=-1))
    slope = column.reshape(size * factor, -1, 1) * np.ones(3)
    frames = 100 + np.stack([slope, slope - factor / 4])
    assert warp_error(frames, np.ones(frames.shape[:3], np.uint8), [large]).mean == pytest.approx(0, abs=1e-8)
