"""MDM as a motion model: one window, with and without what is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from backend.contract.motion_model import KnownFeatures, MotionAsk, MotionModel
from backend.models.mdm.model import MDMModel, open_mdm
from shared.errors import InputError, JobError, ModelError
from shared.motion.humanml.decode import decode
from tests.helpers.tiny_mdm import DIP_ARGUMENTS, ENCODER_ARGUMENTS, humanml_statistics, write_model, write_statistics

Features = NDArray[Any]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def mdm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MDMModel]:
    yield open_mdm(write_model(tmp_path_factory.mktemp("mdm")), device=CPU)


@pytest.fixture(scope="module")
def dip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MDMModel]:
    yield open_mdm(write_model(tmp_path_factory.mktemp("dip"), DIP_ARGUMENTS), device=CPU)


def made(model: MotionModel, ask: MotionAsk, seed: int = 0) -> Features:
    return model.generate(ask, torch.Generator().manual_seed(seed), lambda _done: None)


def known_of(frames: int, given: slice, seed: int = 5) -> KnownFeatures:
    values = np.random.default_rng(seed).normal(size=(frames, 263)).astype(np.float32)
    mask = np.zeros((frames, 263), dtype=bool)
    mask[given] = True
    return KnownFeatures(values, mask)


def test_the_facts_are_those_of_the_files(mdm: MDMModel, dip: MDMModel) -> None:
    assert (mdm.facts.label, mdm.facts.longest, mdm.facts.paced, mdm.facts.steps) == ("MDM", 196, False, 4)
    assert mdm.facts.guidance_scale == 2.5
    assert (dip.facts.label, dip.facts.longest, dip.facts.context, dip.facts.paced) == ("DiP", 60, 20, True)
    assert dip.facts.guidance_scale == 7.5
    assert mdm.facts.source == "model000200000.pt"


def test_seed_text_and_guidance_decide_the_motion(mdm: MDMModel) -> None:
    ask = MotionAsk("a red robot", 30, 2.5)
    first = made(mdm, ask)
    assert first.shape == (30, 263)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(made(mdm, ask), first)
    for other in (made(mdm, ask, seed=1), made(mdm, replace(ask, text="on the moon"))):
        assert np.abs(other - first).max() > 1e-4
    assert np.abs(made(mdm, replace(ask, guidance_scale=9.0)) - first).max() > 1e-4


def test_guidance_0_and_an_empty_text_are_no_text(mdm: MDMModel) -> None:
    ask = MotionAsk("a red robot", 12, 0.0)
    without = made(mdm, ask)
    np.testing.assert_array_equal(made(mdm, replace(ask, text="on the moon")), without)
    np.testing.assert_array_equal(made(mdm, replace(ask, text="", guidance_scale=2.5)), without)


def test_guidance_is_the_difference_that_the_text_makes(mdm: MDMModel) -> None:
    one_step = replace(mdm, schedule=replace(mdm.schedule, **{
        name: getattr(mdm.schedule, name)[-1:] for name in ("kept", "from_clean", "from_noisy", "spread")
    }))  # fmt: skip
    without, plain, guided = (made(one_step, MotionAsk("a red robot", 8, scale)) for scale in (0.0, 1.0, 3.0))
    np.testing.assert_allclose(guided, without + 3.0 * (plain - without), atol=1e-5)


def test_a_model_that_was_never_without_text_is_not_guided(mdm: MDMModel) -> None:
    model = replace(mdm, guidable=False)
    ask = MotionAsk("a red robot", 8, 1.0)
    np.testing.assert_array_equal(made(model, replace(ask, guidance_scale=7.0)), made(mdm, ask))


def test_what_is_known_comes_back_bit_for_bit(mdm: MDMModel) -> None:
    known = known_of(30, slice(0, 10))
    known.mask[:, 5:40] = True
    got = made(mdm, MotionAsk("a red robot", 30, 2.5, known))
    np.testing.assert_array_equal(got[known.mask], known.values[known.mask])
    free = made(mdm, MotionAsk("a red robot", 30, 2.5))
    assert np.abs(got - free)[~known.mask].max() > 1e-4  # the rest goes along


def test_dip_goes_on_from_given_frames(dip: MDMModel) -> None:
    known = known_of(60, slice(0, 20))
    got = made(dip, MotionAsk("a red robot", 60, 2.5, known))
    assert got.shape == (60, 263)
    np.testing.assert_array_equal(got[:20], known.values[:20])
    other = made(dip, MotionAsk("a red robot", 60, 2.5, known_of(60, slice(0, 20), seed=6)))
    assert np.abs(got[20:] - other[20:]).max() > 1e-4


def test_dip_begins_with_a_standing_person(dip: MDMModel) -> None:
    assert dip.prefix is not None
    positions = decode(dip.statistics.restored(dip.prefix.numpy()))
    assert np.abs(positions - positions[:1]).max() < 1e-3
    assert positions[..., 1].min() == pytest.approx(0.0, abs=1e-4)
    assert 1.2 < positions[0, 15, 1] < 1.8  # the head
    short = made(dip, MotionAsk("a red robot", 25, 2.5))
    np.testing.assert_array_equal(short, made(dip, MotionAsk("a red robot", 40, 2.5))[:25])


def test_dip_goes_on_from_fewer_frames_after_a_standing_person(dip: MDMModel) -> None:
    known = known_of(45, slice(0, 5))
    got = made(dip, MotionAsk("a red robot", 45, 2.5, known))
    assert dip.prefix is not None
    before = np.concatenate([dip.prefix.numpy()[5:], known.values[:5]])
    whole = KnownFeatures(np.concatenate([before, np.zeros((40, 263), np.float32)]), known_of(60, slice(0, 20)).mask)
    np.testing.assert_array_equal(got[:5], known.values[:5])
    np.testing.assert_array_equal(got[5:], made(dip, MotionAsk("a red robot", 60, 2.5, whole))[20:])


def test_dip_keeps_what_is_known_behind_its_prefix(dip: MDMModel) -> None:
    known = known_of(60, slice(0, 20))
    known.mask[45:50] = True
    got = made(dip, MotionAsk("a red robot", 60, 2.5, known))
    np.testing.assert_array_equal(got[known.mask], known.values[known.mask])


def test_texts_are_read_whole(mdm: MDMModel) -> None:
    (clause,) = mdm.read("  a red robot ")
    assert (clause.text, clause.seconds, clause.note) == ("a red robot", None, "")
    (long,) = mdm.read(" ".join(["red"] * 22))
    assert '"red red" is left out' in long.note
    with pytest.raises(InputError) as caught:
        mdm.read("  ")
    assert caught.value.code == "motion.no_text"


def test_values_that_are_not_finite_are_told(mdm: MDMModel) -> None:
    broken = replace(mdm, schedule=replace(mdm.schedule, from_clean=mdm.schedule.from_clean * np.nan))
    with pytest.raises(JobError, match="not finite"):
        made(broken, MotionAsk("a", 8, 1.0))


def test_the_statistics_may_lie_around_the_checkpoint_or_elsewhere(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "mdm")
    for name in ("Mean.npy", "Std.npy"):
        (folder / name).unlink()
    with pytest.raises(ModelError, match=r"no Mean\.npy and Std\.npy"):
        open_mdm(folder, device=CPU)
    elsewhere = tmp_path / "stats"
    elsewhere.mkdir()
    write_statistics(elsewhere, humanml_statistics())
    np.testing.assert_allclose(open_mdm(folder, statistics=elsewhere, device=CPU).statistics.std[0], 0.01282556)
    (tmp_path / "HumanML3D").mkdir()
    write_statistics(tmp_path / "HumanML3D", humanml_statistics())
    assert open_mdm(folder, device=CPU).facts.label == "MDM"


def test_the_network_is_the_arguments(tmp_path: Path) -> None:
    folder = write_model(tmp_path, {**ENCODER_ARGUMENTS, "diffusion_steps": 25, "noise_schedule": "linear"})
    model = open_mdm(folder, device=CPU)
    assert model.schedule.steps == 25
    assert model.schedule.kept[0] == pytest.approx(1.0 - 0.1 / 25)
