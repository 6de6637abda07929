"""What a method may put into the loop, each part by a toy method that has nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.contract.values import UNWATCHED, Callbacks, Canvas, Memory, SampleSettings, Segment, Step
from backend.loop.attending import Attend, AttentionRule, KeysValues, Layer, Source
from backend.loop.method import FrameMethod, Parts, StepTools
from backend.loop.model import ControlPictures, pictures_of
from backend.loop.noise import SHARED_NOISE, NoiseStream, draw
from backend.methods.per_frame.method import PerFrame
from backend.methods.shared_noise.method import SharedNoise
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import Components
from backend.models.sd15.model import StableDiffusion
from backend.models.sd15.text import encode_prompt
from shared.errors import CancelledError, JobError
from shared.methods import METHODS, MethodSpec
from tests.helpers.tiny_models import tiny_components, torch_module
from tests.helpers.tiny_shot import engine, first_of, random_depth, sample_in_segments
from tests.helpers.toy_finish import MeanFinish, mean_of

SIZE, LATENT, FRAMES, STEPS = 16, 8, 4, 5
SETTINGS = SampleSettings(STEPS, guidance_scale=3.0, controlnet_scale=0.9, seed=7, height=SIZE, width=SIZE)
DEPTH = random_depth(FRAMES, SIZE)
CHAINED = METHODS["latentman"]  # carries frame 0 and the frame before


@pytest.fixture(scope="module")
def components() -> Components:
    return tiny_components(dtype=torch.float64)


@dataclass(frozen=True, slots=True)
class Toy(FrameMethod):
    """A method of the parts that it is given, on one noise for all frames."""

    own: Parts
    pictures: Any = None
    last: Any = None

    spec: ClassVar[MethodSpec] = CHAINED

    def noise_stream(self, frame: int) -> NoiseStream:
        return SHARED_NOISE

    def prepare(self, segment: Segment, canvas: Canvas, callbacks: Callbacks = UNWATCHED) -> Parts:
        return self.own

    @property
    def control_pictures(self) -> ControlPictures | None:
        found: ControlPictures | None = self.pictures
        return found

    @property
    def finish(self) -> Any:
        return self.last


def sample(components: Components, method: FrameMethod, cuts: tuple[int, ...] = (0, FRAMES), **settings: int) -> Tensor:
    return sample_in_segments(components, method, DEPTH, dataclasses.replace(SETTINGS, **settings), cuts)


def test_a_method_without_parts_is_each_frame_on_its_own(components: Components) -> None:
    assert torch.equal(sample(components, Toy(Parts())), sample(components, SharedNoise()))


def _keys_and_zeros(size: tuple[int, ...], generator: torch.Generator) -> KeysValues:
    return torch.randn(size, generator=generator).double(), torch.zeros(size).double()


def test_a_bank_is_read_at_every_step(components: Components) -> None:
    shapes: dict[Layer, tuple[int, int]] = {}
    for layer in components.layers:
        attn = (components.unet if layer.model == "unet" else components.controlnet).get_submodule(layer.name)
        shapes[layer] = attn.heads, attn.to_k.weight.shape[0] // attn.heads
    asked: list[int] = []

    def bank(step: Step, tools: StepTools) -> Mapping[Layer, KeysValues]:
        asked.append(step.index)
        generator = torch.Generator().manual_seed(step.index)
        return {
            layer: (
                torch.randn(2, heads, 3, width, generator=generator).double(),
                torch.zeros(2, heads, 3, width).double(),
            )
            for layer, (heads, width) in shapes.items()
        }

    read = Toy(Parts(attention=reading(Attend((Source.OWN, Source.BANK))), bank=bank))
    unread = Toy(Parts(attention=reading(Attend((Source.OWN,))), bank=bank))
    plain = sample(components, SharedNoise())
    torch.testing.assert_close(sample(components, unread), plain, rtol=1e-9, atol=1e-9)
    assert (sample(components, read) - plain).abs().max() > 1e-3
    assert asked == [0, 1, 2, 3, 4] * 2


def test_a_bank_recorded_of_frame_0_is_attention_to_frame_0(components: Components) -> None:
    # The shared noise makes frame 0's x_T known; at the first step its recorded keys and values are those that the
    # baseline reads. One step is all that is sampled.
    noise = draw(SETTINGS.seed, SHARED_NOISE, (4, LATENT, LATENT))[None].double()

    def bank(step: Step, tools: StepTools) -> Mapping[Layer, KeysValues]:
        return tools.recorded(noise)

    read = Toy(Parts(attention=reading(Attend((Source.BANK,))), bank=bank))
    ours, baseline = (sample(components, method, steps=1) for method in (read, Text2VideoZero()))
    torch.testing.assert_close(ours, baseline, rtol=1e-9, atol=1e-9)
    assert (ours - sample(components, SharedNoise(), steps=1))[1:].abs().max() > 1e-6


def test_latents_start_where_the_method_says(components: Components) -> None:
    given = torch.randn(FRAMES, 4, LATENT, LATENT, dtype=torch.float64)
    asked: list[Step] = []

    def start(step: Step, noise: Tensor, tools: StepTools) -> Tensor:
        asked.append(step)
        assert noise.shape == given.shape and torch.equal(noise[0], noise[1])
        assert tools.encode(torch.zeros(1, 3, SIZE, SIZE, dtype=torch.float64)).shape == (1, 4, LATENT, LATENT)
        return given

    result = engine(components, Toy(Parts(initial_latents=start)), DEPTH, SETTINGS).sample(Segment(0, FRAMES))
    assert [step.index for step in asked] == [0]
    assert torch.equal(first_of(result).latents[0], given[0]) and torch.equal(result.last.latents[0], given[-1])


def reading(*attends: Attend) -> AttentionRule:
    return lambda layer, step: attends


def test_frame_0_by_the_general_way_is_the_plain_one(components: Components) -> None:
    # Two halves of the same softmax go another way through the code than the plain attention to frame 0.
    halves = Toy(Parts(attention=reading(Attend((Source.FIRST,), 0.5), Attend((Source.FIRST,), 0.5))))
    torch.testing.assert_close(sample(components, halves), sample(components, Text2VideoZero()), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_the_frame_before_is_read_in_any_micro_batches(components: Components, batch: int) -> None:
    method = Toy(Parts(attention=reading(Attend((Source.FIRST, Source.PREVIOUS)))))
    whole = sample(components, method, micro_batch=FRAMES)
    torch.testing.assert_close(sample(components, method, micro_batch=batch), whole, rtol=1e-9, atol=1e-9)
    assert (whole[2:] - sample(components, Text2VideoZero())[2:]).abs().max() > 1e-5


def test_a_later_segment_reads_the_frame_before_it(components: Components) -> None:
    # A carried frame reads itself for its own predecessor, so that the cut shows, but frame 1 has the same one.
    method = Toy(Parts(attention=reading(Attend((Source.PREVIOUS,)))))
    whole, cut = sample(components, method), sample(components, method, (0, 1, FRAMES))
    torch.testing.assert_close(cut[:2], whole[:2], rtol=1e-9, atol=1e-9)
    later = sample(components, method, (0, 2, FRAMES))
    torch.testing.assert_close(later[:2], whole[:2], rtol=1e-9, atol=1e-9)
    assert (later[2] - sample(components, SharedNoise())[2]).abs().max() > 1e-5


class ToOne:
    """Pulls every frame's clean latents to the first one's at the first two steps."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def acts(self, step: Step) -> bool:
        return step.index < 2

    def changed(self, step: Step, x0: Tensor, tools: StepTools) -> Tensor:
        assert tools.first_x0 is not None and tools.decode(x0[:1]).shape == (1, 3, SIZE, SIZE)
        self.asked.append(step.index)
        return (x0 + tools.first_x0) / 2


def test_clean_latents_are_changed_with_the_noise_held(components: Components) -> None:
    # DDIM (eta 0): x_{t-1} = sqrt(a') x0 + sqrt(1 - a') eps, so that a change of x0 alone moves x_{t-1} by sqrt(a').
    part = ToOne()
    plain = engine(components, Toy(Parts()), DEPTH, SETTINGS).sample(Segment(0, FRAMES))
    moved = engine(components, Toy(Parts(clean_latents=part)), DEPTH, SETTINGS).sample(Segment(0, FRAMES))
    assert part.asked == [0, 1]
    scheduler = components.scheduler(STEPS)
    after = float(scheduler.alphas_cumprod[int(scheduler.timesteps[1])])
    x0 = [first_of(plain).x0[0], plain.last.x0[0]]
    wanted = plain.last.latents[1] + after**0.5 * ((x0[0] + x0[1]) / 2 - x0[1])
    torch.testing.assert_close(moved.last.latents[1], wanted, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(moved.last.x0[0], (x0[0] + x0[1]) / 2, rtol=1e-9, atol=1e-9)


def test_an_unchanged_x0_changes_nothing_at_the_last_step_either(components: Components) -> None:
    class Still:
        def acts(self, step: Step) -> bool:
            return True

        def changed(self, step: Step, x0: Tensor, tools: StepTools) -> Tensor:
            return x0

    assert torch.equal(sample(components, Toy(Parts(clean_latents=Still()))), sample(components, Toy(Parts())))


class MeanOverFrames:
    """A temporal layer that mixes every frame with the mean of all of them."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.blocks: set[str] = set()

    def after(self, block: str, hidden: Tensor, frames: int) -> Tensor:
        self.blocks.add(block)
        apart = hidden.reshape(-1, frames, *hidden.shape[1:])
        assert frames == FRAMES
        return torch.lerp(apart, apart.mean(dim=1, keepdim=True), self.share).reshape(hidden.shape)


def test_temporal_layers_see_all_frames_of_the_segment(components: Components) -> None:
    plain = sample(components, Toy(Parts()))
    nothing, mixed = MeanOverFrames(0.0), MeanOverFrames(1.0)
    torch.testing.assert_close(sample(components, Toy(Parts(temporal=nothing)), micro_batch=1), plain)
    assert any(block.startswith("mid_block") for block in nothing.blocks) and len(nothing.blocks) > 3
    assert (sample(components, Toy(Parts(temporal=mixed)), micro_batch=1) - plain).abs().max() > 1e-3
    assert torch.equal(sample(components, Toy(Parts())), plain)  # they are gone with the segment


def test_temporal_layers_refuse_frames_that_are_not_the_segments_own(components: Components) -> None:
    method = Toy(Parts(temporal=MeanOverFrames(0.0), attention=reading(Attend((Source.FIRST,)))))
    shot = engine(components, method, DEPTH, SETTINGS)
    first = shot.sample(Segment(0, FRAMES))
    with pytest.raises(RuntimeError, match="temporal layers support neither guidance"):
        shot.sample(Segment(FRAMES - 1, FRAMES), first.carried)


def test_a_later_segment_without_frame_0_is_not_given_another(components: Components) -> None:
    asked: list[Tensor | None] = []

    class Looking:
        def acts(self, step: Step) -> bool:
            return True

        def changed(self, step: Step, x0: Tensor, tools: StepTools) -> Tensor:
            asked.append(tools.first_x0)
            return x0

    @dataclass(frozen=True, slots=True)
    class Alone(Toy):
        spec: ClassVar[MethodSpec] = METHODS["per_frame"]

    result = engine(components, Alone(Parts(clean_latents=Looking())), DEPTH, SETTINGS).sample(Segment(2, FRAMES))
    assert asked == [None] * STEPS and result.first is None


def test_a_cancel_is_seen_while_frames_are_finished(components: Components) -> None:
    shot = engine(components, Toy(Parts(), last=MeanFinish()), DEPTH, SETTINGS)
    black = Memory({"count": torch.tensor(1), "total": torch.zeros(3, SIZE, SIZE)})
    latents = torch.zeros(FRAMES, 4, LATENT, LATENT, dtype=torch.float64)
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(len(asked))
        return len(asked) == 2

    with pytest.raises(CancelledError):
        list(shot.decode(Segment(0, FRAMES), latents, [0], black, Callbacks(cancelled=cancelled)))
    assert asked == [0, 1]


def test_control_pictures_may_be_the_methods_own(components: Components) -> None:
    other = pictures_of(np.repeat(DEPTH[::-1, None], 3, axis=1))
    own = sample(components, Toy(Parts(), pictures=other))
    backwards = sample_in_segments(components, SharedNoise(), DEPTH[::-1].copy(), SETTINGS, (0, FRAMES))
    torch.testing.assert_close(own, backwards)
    assert (own - sample(components, SharedNoise())).abs().max() > 1e-3


def test_a_finish_sees_a_segments_pictures_together_and_what_came_before(components: Components) -> None:
    first, second, finish = Segment(0, 3), Segment(3, FRAMES), MeanFinish()
    plain, shot = (engine(components, Toy(Parts(), last=last), DEPTH, SETTINGS) for last in (None, finish))
    before = shot.sample(first)
    after = shot.sample(second, before.carried)
    levels = np.stack([*plain.decode(first, before.latents, range(3)), *plain.decode(second, after.latents, [3])])
    assert before.memory is not None and after.memory is not None
    for memory, count in ((before.memory, 3), (after.memory, 4)):
        mean = mean_of(memory).permute(1, 2, 0).numpy()
        np.testing.assert_allclose(mean * 255, levels[:count].mean(axis=0), atol=0.5)
    pulled = np.stack(list(shot.decode(second, after.latents, [3], after.memory)))
    np.testing.assert_allclose(pulled[0], (levels[3] + levels.mean(axis=0)) / 2, atol=1.01)
    sizes = [(len(segment), 3, SIZE, SIZE) for segment in (first, second)]
    assert finish.seen == [
        ("learned", first, sizes[0]),
        ("learned", second, sizes[1]),
        ("finished", second, sizes[1]),
    ]
    assert shot.notes(after.memory) == ("The mean of 4 frames was taken.",) and set(shot.files(after.memory)) == {
        "atlas"
    }
    assert plain.notes(None) == () and dict(plain.files(None)) == {} and plain.sample(first).memory is None


def test_frames_are_decoded_once_to_be_learned_and_finished_and_again_elsewhere(components: Components) -> None:
    whole, method = Segment(0, FRAMES), Toy(Parts(), last=MeanFinish())
    shot, elsewhere = (engine(components, method, DEPTH, SETTINGS) for _ in range(2))
    decoded: list[int] = []
    handle = torch_module(components.vae.decoder).register_forward_hook(lambda *_: decoded.append(1))
    try:
        result = shot.sample(whole)
        here = list(shot.decode(whole, result.latents, range(FRAMES), result.memory))
        assert len(decoded) == FRAMES
        there = list(elsewhere.decode(whole, result.latents.clone(), range(FRAMES), result.memory))
        assert len(decoded) == 2 * FRAMES
    finally:
        handle.remove()
    np.testing.assert_array_equal(np.stack(here), np.stack(there))


def test_the_finish_of_the_job_goes_before_the_methods_own(components: Components) -> None:
    own, jobs = MeanFinish(), MeanFinish()
    shot = replace(engine(components, Toy(Parts(), last=own), DEPTH, SETTINGS), finish=jobs)
    shot.sample(Segment(0, FRAMES))
    assert own.seen == [] and [asked for asked, _, _ in jobs.seen] == ["learned"]


def test_a_segment_and_its_frames_need_the_memory_that_they_go_on_from(components: Components) -> None:
    shot = engine(components, Toy(Parts(), last=MeanFinish()), DEPTH, SETTINGS)
    first = shot.sample(Segment(0, 2))
    with pytest.raises(JobError, match="needs the memory of the segments before it"):
        shot.sample(Segment(2, FRAMES), replace(first.carried, memory=None))
    with pytest.raises(JobError, match="cannot be finished: its memory is missing"):
        list(shot.decode(Segment(0, 2), first.latents, [0]))


def test_a_step_has_the_memory_of_the_segments_before(components: Components) -> None:
    asked: list[Memory | None] = []

    class Looking:
        def acts(self, step: Step) -> bool:
            return step.index == 0

        def changed(self, step: Step, x0: Tensor, tools: StepTools) -> Tensor:
            asked.append(tools.memory)
            return x0

    shot = engine(components, Toy(Parts(clean_latents=Looking()), last=MeanFinish()), DEPTH, SETTINGS)
    first = shot.sample(Segment(0, 2))
    shot.sample(Segment(2, FRAMES), first.carried)
    assert asked == [None, first.memory]


def test_what_is_decoded_is_what_the_model_decodes(components: Components) -> None:
    model = StableDiffusion(components, encode_prompt(components, "a red robot"))
    pictures = torch.rand(1, 3, SIZE, SIZE, dtype=torch.float64)
    latents = model.encode(pictures)
    expected = components.vae.encode(pictures * 2 - 1).latent_dist.mode() * components.scaling_factor
    torch.testing.assert_close(latents, expected)
    assert model.preview(latents[0]).shape == (3, LATENT, LATENT)
    assert PerFrame().finish is None and PerFrame().control_pictures is None
