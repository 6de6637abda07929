"""Correspondence along a whole shot: which frame each frame is matched to, and the chain of copies as one gather."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np

from backend.correspondence.assignment import match_assignment
from backend.correspondence.features import Features
from backend.correspondence.types import IUV, Matches, RootMap
from shared.errors import PassesError

# The names are those of the published code, whose default is "prev_new"; the paper describes "prev".
ReferenceMode = Literal["prev", "prev_new", "first"]
REFERENCE_MODES: tuple[ReferenceMode, ...] = ("prev", "prev_new", "first")


def next_reference(current: IUV, reference: IUV, matches: Matches, mode: ReferenceMode) -> IUV:
    """The frame that the frame after `current` is matched to, `reference` being the one `current` was matched to.

    `prev`: `current` as it is. `prev_new`: `current`, its matched pixels carrying the labels of the reference, so that
    frame 0's labels travel down the chain. `first`: the reference, which is frame 0. Raises PassesError for another
    name.
    """
    if mode == "prev":
        return current
    if mode == "first":
        return reference
    if mode != "prev_new":
        raise PassesError(
            "correspondence.reference_mode",
            f"There is no reference mode named {mode!r}; use one of {', '.join(REFERENCE_MODES)}.",
        )
    part, uv = current.part.copy(), current.uv.copy()
    part.reshape(-1)[matches.current] = reference.part.reshape(-1)[matches.reference]
    uv.reshape(-1, 2)[matches.current] = reference.uv.reshape(-1, 2)[matches.reference]
    return IUV(part, uv)


def match_chain(
    frames: Iterable[IUV], *, features: Features = "paper", reference_mode: ReferenceMode = "prev"
) -> Iterator[Matches]:
    """Assignment matches of the second frame, the third, ... with its reference frame, each made when asked for.

    With `reference_mode="first"` that is the first frame, otherwise the one before. Raises PassesError if the frames
    differ in size.
    """
    reference: IUV | None = None
    for current in frames:
        if reference is None:
            reference = current
            continue
        matches = match_assignment(current, reference, features=features)
        yield matches
        reference = next_reference(current, reference, matches, reference_mode)


def root_map(pairs: Sequence[Matches], cells: int, *, reference_mode: ReferenceMode = "prev") -> RootMap:
    """Compose the copies `x[i][current] = x[i - 1][reference]`, in the order i = 1, 2, ..., into one gather.

    Frame i - 1 has received its own copies when frame i reads it (LatentMan, equation 6, as its code applies it), so
    `x_new = x[root.frame, root.cell]` equals the sequence of copies bit for bit. `pairs` are those of frames 1 to
    F - 1, `cells` is a frame's number of pixels. With `reference_mode="first"` every frame reads frame 0. Raises
    PassesError if a pair is of another size.
    """
    frame = np.repeat(np.arange(len(pairs) + 1)[:, None], cells, axis=1)
    cell = np.repeat(np.arange(cells)[None], len(pairs) + 1, axis=0)
    for i, matches in enumerate(pairs, start=1):
        if matches.height * matches.width != cells:
            raise PassesError(
                "correspondence.size",
                f"Matches of frame {i} are for {matches.width}x{matches.height} pixels, not for {cells} in all.",
            )
        source = 0 if reference_mode == "first" else i - 1
        frame[i, matches.current] = frame[source, matches.reference]
        cell[i, matches.current] = cell[source, matches.reference]
    return RootMap(frame, cell)
