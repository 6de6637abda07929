"""Prompts that change along the shot, from the text encoder to the frames on disk."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.contract.values import SampleSettings, Segment
from backend.jobs.folder import JobFolder
from backend.jobs.runner import RUNNER
from backend.loop.method import FrameMethod
from backend.methods.latentman.method import LatentMan
from backend.methods.per_frame.method import PerFrame
from backend.methods.text2video_zero.method import Text2VideoZero
from backend.models.sd15.components import Components, assemble
from backend.models.sd15.segment_text import segment_text
from backend.models.sd15.text import PromptEmbeds, encode_keyed_prompts, encode_prompt
from shared.errors import InputError
from shared.files.digest import sha256_bytes
from shared.jobs.job import Job, canonical_json
from shared.jobs.keyed_prompts import parse_prompts
from tests.helpers.exr_shot import exr_shot
from tests.helpers.tiny_models import tiny_components, tiny_modules, tiny_scheduler_config, write_tiny_model
from tests.helpers.tiny_shot import random_depth, random_matches, sample_in_segments

SIZE, FRAMES = 16, 6
DEPTH = random_depth(FRAMES, SIZE)
NUMBERS = tuple(range(1, FRAMES + 1))
# Frames 1 and 2 have the first prompt, 3 to 5 a mixture, 6 the second.
KEYS = parse_prompts("2: a red robot, 6: the moon")
SETTINGS = SampleSettings(3, 3.0, 0.9, 7, SIZE, SIZE, micro_batch=4)
LATENTMAN = LatentMan(random_matches(FRAMES, SIZE // 2, SIZE // 2), align=(0.0, 0.6), guide=(0.2, 0.8))


@pytest.fixture(scope="module")
def components() -> Components:
    return tiny_components()


@pytest.fixture(scope="module")
def keyed(components: Components) -> PromptEmbeds:
    return encode_keyed_prompts(components, KEYS, NUMBERS, "blurry")


def sample(
    components: Components,
    method: FrameMethod,
    prompt: PromptEmbeds,
    cuts: tuple[int, ...] = (0, FRAMES),
    settings: SampleSettings = SETTINGS,
) -> Tensor:
    return sample_in_segments(components, method, DEPTH, settings, cuts, prompt)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_embeddings_between_two_keys_are_those_of_a_numpy_twin(components: Components, scale: float) -> None:
    keyed = encode_keyed_prompts(components, KEYS, NUMBERS, "blurry")
    settings = dataclasses.replace(SETTINGS, guidance_scale=scale)
    first, second = (encode_prompt(components, text).positive[0].numpy() for text in ("a red robot", "the moon"))
    weights = np.interp(NUMBERS, [2, 6], [0, 1])
    expected = np.stack([(1 - weight) * first + weight * second for weight in weights])
    assert keyed.positive.shape[0] == 2  # the prompts, not the frames
    text = segment_text(components, keyed, settings, Segment(3, 6))
    rows = text.of((0, 3, 4, 5))
    rows = rows.reshape(settings.halves, 4, *rows.shape[1:])
    np.testing.assert_allclose(rows[-1].numpy(), expected[[0, 3, 4, 5]], atol=1e-6)
    if settings.halves == 2:
        negative = encode_prompt(components, "blurry").positive.expand(4, -1, -1)
        assert torch.equal(rows[0], negative)


def test_rows_of_one_prompt_come_once(components: Components, keyed: PromptEmbeds) -> None:
    text = segment_text(components, keyed, SETTINGS, Segment(0, FRAMES))
    assert text.of((0, 1)).shape[0] == 2
    assert text.of((0, 1, 2)).shape[0] == 6
    with pytest.raises(InputError, match="for 6 frames; this segment ends at frame 7"):
        segment_text(components, keyed, SETTINGS, Segment(4, 7))


@pytest.mark.parametrize("method", [PerFrame(), Text2VideoZero(), LATENTMAN])
def test_micro_batches_and_segments_change_nothing(
    components: Components, keyed: PromptEmbeds, method: FrameMethod
) -> None:
    whole = sample(components, method, keyed)
    for size in (1, 3):
        other = sample(components, method, keyed, settings=dataclasses.replace(SETTINGS, micro_batch=size))
        assert (other - whole).abs().max() < 1e-4
    for cuts in ((0, 1, 6), (0, 3, 6)):
        assert (sample(components, method, keyed, cuts) - whole).abs().max() < 1e-4


@pytest.mark.parametrize("method", [PerFrame(), Text2VideoZero(), LATENTMAN])
def test_frames_up_to_the_first_key_are_those_of_its_prompt(
    components: Components, keyed: PromptEmbeds, method: FrameMethod
) -> None:
    plain = sample(components, method, encode_prompt(components, "a red robot", "blurry"), (0, 2, 4, 6))
    ours = sample(components, method, keyed, (0, 2, 4, 6))
    assert torch.equal(ours[:2], plain[:2])
    assert all((ours[row] - plain[row]).abs().max() > 1e-2 for row in range(2, FRAMES))


def test_a_frame_at_a_key_has_that_keys_prompt_alone(components: Components, keyed: PromptEmbeds) -> None:
    last = sample(components, PerFrame(), encode_prompt(components, "the moon", "blurry"))
    assert (sample(components, PerFrame(), keyed)[5] - last[5]).abs().max() < 1e-4


def test_frame_0s_keys_and_values_are_those_of_its_own_prompt(components: Components) -> None:
    # Frame 0 alone has the first prompt; all others have the second. A segment of their own reads frame 0 again.
    keyed = encode_keyed_prompts(components, parse_prompts("1: a red robot, 2: the moon"), NUMBERS, "blurry")
    together = sample(components, Text2VideoZero(), keyed)
    apart = sample(components, Text2VideoZero(), keyed, (0, 1, FRAMES))
    assert (together - apart).abs().max() < 1e-4
    other = sample(components, Text2VideoZero(), encode_prompt(components, "the moon", "blurry"))
    assert (together[1:] - other[1:]).abs().max() > 1e-2


def test_a_unet_that_adds_the_prompt_to_its_time_has_each_frames_own() -> None:
    modules = tiny_modules()
    extra = {"addition_embed_type": "text", "addition_embed_type_num_heads": 2}
    torch.manual_seed(0)
    modules["unet"] = type(modules["unet"]).from_config({**modules["unet"].config, **extra}).eval()
    components = assemble(
        **modules,
        scheduler_config=tiny_scheduler_config(),
        device=torch.device("cpu"),
        dtype=torch.float32,
        gradient_checkpointing=False,
    )
    keyed = encode_keyed_prompts(components, KEYS, NUMBERS, "blurry")
    plain = encode_prompt(components, "a red robot", "blurry")
    for prompt in (keyed, plain):  # each frame in its own call has no company to be mixed up with
        alone = sample(components, Text2VideoZero(), prompt, settings=dataclasses.replace(SETTINGS, micro_batch=1))
        assert (sample(components, Text2VideoZero(), prompt) - alone).abs().max() < 1e-4


def finished(folder: Path, model: Path, **changes: Any) -> tuple[Job, list[bytes]]:
    """The frames of a tiny real job, run in its folder."""
    folder.mkdir()
    shot = exr_shot(folder, model, changes.pop("method", "latentman"), 5)
    job = dataclasses.replace(shot.job, **changes)
    (folder / "inputs").mkdir()
    for data in shot.inputs:
        (folder / "inputs" / sha256_bytes(data)).write_bytes(data)
    (folder / "job.json").write_bytes(canonical_json(job))
    RUNNER.run(folder, lambda event: None, lambda: False)
    return job, [JobFolder(folder).frame_path(frame).read_bytes() for frame in job.frames]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    write_tiny_model(folder)
    return folder


def test_the_same_prompt_at_every_key_is_the_plain_prompt_byte_for_byte(tmp_path: Path, model: Path) -> None:
    job, plain = finished(tmp_path / "plain", model)
    first = job.frames[0]
    _, same = finished(tmp_path / "same", model, prompts=f"{first}: {job.prompt}\n{first + 3}: {job.prompt}")
    assert same == plain


@pytest.mark.parametrize("method", ["per_frame", "latentman"])
def test_a_keyed_job_runs_from_file_to_frames(tmp_path: Path, model: Path, method: str) -> None:
    job, plain = finished(tmp_path / "plain", model, method=method)
    first = job.frames[0]
    prompts = f"{first + 1}: {job.prompt}, {first + 3}: the moon"
    _, keyed = finished(tmp_path / "keyed", model, method=method, prompts=prompts)
    assert keyed[:2] == plain[:2]  # a segment before the first mixed frame
    assert all(one != other for one, other in zip(keyed[2:], plain[2:], strict=True))
