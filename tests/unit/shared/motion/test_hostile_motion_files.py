"""Motion files that are damaged in ways of their own: each gives one sentence with a code, never a traceback."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shared.errors import MotionError
from shared.motion.opening import read_here, read_in_child
from shared.motion.reader import open_motion
from shared.motion.reading.clip import Ask
from tests.unit.shared.motion.test_trackers import gvhmr, phalp, prompthmr, wham

FRAMES = 5
_TOO_LARGE = 10**400  # for a float


def code_of(path: Path) -> str:
    with pytest.raises(MotionError) as caught:
        file = open_motion(path)
        file.contents()
        file.people(Ask(fps=30.0))
    assert path.name in str(caught.value)
    return caught.value.code


def poses(**change: object) -> dict[str, Any]:
    zeros = {"poses": np.zeros((FRAMES, 156)), "trans": np.zeros((FRAMES, 3)), "mocap_framerate": 30.0}
    return {**zeros, **change}


@pytest.mark.parametrize("number", [1e200, -1e30, np.inf])
@pytest.mark.parametrize("key", ["poses", "trans"])
def test_numbers_that_no_motion_has_are_named(key: str, number: float, tmp_path: Path) -> None:
    path = tmp_path / "large.npz"
    np.savez(path, **poses(**{key: poses()[key] + number}))
    assert code_of(path) == "motion.not_finite"


def test_a_whole_number_that_is_no_float_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "large.pkl"
    path.write_bytes(pickle.dumps(poses(trans=_TOO_LARGE)))
    assert code_of(path) == "motion.wrong_type"


@pytest.mark.parametrize("value", [3.0, np.float64(3.0), torch.tensor(3.0)])
def test_a_number_where_frames_should_be_is_named(value: object, tmp_path: Path) -> None:
    path = gvhmr(tmp_path)
    content = torch.load(path, weights_only=False)
    content["smpl_params_global"]["transl"] = value
    torch.save(content, path)
    assert code_of(path) == "motion.wrong_shape"


@pytest.mark.parametrize("group", [np.ones(3), np.array(["a", "b"])])
def test_an_array_where_a_group_should_be_is_named(group: object, tmp_path: Path) -> None:
    path = gvhmr(tmp_path)
    content = torch.load(path, weights_only=False)
    torch.save({**content, "smpl_params_incam": group}, path)
    assert code_of(path) == "motion.wrong_type"


@pytest.mark.parametrize("program", [wham, prompthmr, phalp])
@pytest.mark.parametrize("kept", [5, 10, 60])
def test_a_pickle_that_ends_early_is_damaged(program: Any, kept: int, tmp_path: Path) -> None:
    path = program(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    assert code_of(path).startswith(("file.", "motion."))


def test_an_array_of_one_number_is_no_motion(tmp_path: Path) -> None:
    path = tmp_path / "number.npy"
    np.save(path, np.array(3.0))
    assert code_of(path) == "motion.unknown_format"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
@pytest.mark.parametrize("opener", [read_here, read_in_child])
def test_a_pipe_is_not_waited_for(opener: Any, tmp_path: Path) -> None:
    path = tmp_path / "pipe.npy"
    os.mkfifo(path)
    with pytest.raises(MotionError, match="device"):
        open_motion(path, opener)
