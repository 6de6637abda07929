"""Spatial latent alignment against the written-out chain."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from backend.contract.values import Canvas, Segment, Step
from backend.methods.latentman.alignment import align_latents
from backend.methods.latentman.matches import LatentManMatches
from backend.methods.latentman.method import Alignment, LatentMan
from tests.helpers.tiny_shot import random_matches, shifted_pair
from tests.reference.sla import align_chain

SIZE = 6
CANVAS = Canvas(SIZE, SIZE, 2 * SIZE, 2 * SIZE, torch.device("cpu"))
FIRST_STEP = Step(0, 10, 900, 0.1)


def latents_of(frames: int, seed: int = 0) -> NDArray[Any]:
    return np.random.default_rng(seed).standard_normal((frames, 4, SIZE, SIZE)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(frames=st.integers(1, 7), seed=st.integers(0, 1000), cut=st.integers(1, 6))
def test_gather_is_the_sequential_chain_in_one_or_two_segments(frames: int, seed: int, cut: int) -> None:
    matches = random_matches(frames, SIZE, SIZE, seed)
    method = LatentMan(matches, guide=(0.0, 0.0))
    latents = latents_of(frames, seed)
    expected = align_chain(latents, matches.latent)
    whole = alignment(method, Segment(0, frames))(FIRST_STEP, torch.from_numpy(latents), None)
    np.testing.assert_array_equal(whole.numpy(), expected)
    if cut < frames:
        last = torch.from_numpy(expected[cut - 1])
        later = alignment(method, Segment(cut, frames))(FIRST_STEP, torch.from_numpy(latents[cut:]), last)
        np.testing.assert_array_equal(later.numpy(), expected[cut:])


def alignment(method: LatentMan, segment: Segment) -> Alignment:
    """The part of the method that aligns."""
    part = method.prepare(segment, CANVAS).before_unet
    assert isinstance(part, Alignment)
    return part


@pytest.mark.parametrize(("rows", "columns"), [(1, 0), (0, -2), (2, 1)])
def test_a_shift_by_whole_cells_shifts_the_latents(rows: int, columns: int) -> None:
    pair = shifted_pair(SIZE, rows, columns)
    method = LatentMan(LatentManMatches([pair], []), guide=(0.0, 0.0))
    latents = torch.from_numpy(latents_of(2))
    aligned = alignment(method, Segment(0, 2))(FIRST_STEP, latents, None)
    shifted = torch.roll(latents[0], (rows, columns), dims=(1, 2)).flatten(1)
    moved = torch.from_numpy(pair.current)
    assert torch.equal(aligned[1].flatten(1)[:, moved], shifted[:, moved])
    rest = torch.ones(SIZE * SIZE, dtype=torch.bool)
    rest[moved] = False
    assert torch.equal(aligned[1].flatten(1)[:, rest], latents[1].flatten(1)[:, rest])
    assert torch.equal(aligned[0], latents[0])


def test_alignment_keeps_the_input_and_acts_in_its_span_only() -> None:
    method = LatentMan(random_matches(3, SIZE, SIZE), align=(0.0, 0.4), guide=(0.0, 0.0))
    align = alignment(method, Segment(0, 3))
    latents = torch.from_numpy(latents_of(3))
    before = latents.clone()
    for index in range(10):
        step = dataclasses.replace(FIRST_STEP, index=index)
        assert torch.equal(align(step, latents, None), latents) == (index >= 4)
    assert torch.equal(latents, before)
    assert torch.equal(align_latents(latents, align.gather), align(FIRST_STEP, latents, None))


@pytest.mark.parametrize(
    ("span", "steps", "expected"),
    [
        ((0.0, 0.4), 100, range(40)),
        ((0.2, 0.7), 100, range(20, 70)),
        ((0.2, 0.7), 20, range(4, 14)),
        ((0.5, 0.5), 9, []),
    ],
)
def test_spans_are_the_papers_steps(span: tuple[float, float], steps: int, expected: range | list[int]) -> None:
    inside = [index for index in range(steps) if Step(index, steps, 0, 0.5).within(span)]
    assert inside == list(expected)
