"""Frames to a video file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from shared.errors import InputError
from shared.files.frame_files import storage_error
from shared.jobs.frame_rate import exact_rate


def write_video(path: Path, frames: NDArray[np.uint8], fps: float, held: Sequence[int] | None = None) -> None:
    """Write an H.264 video that ordinary players open.

    frames: (frames, height, width, 3) RGB, height and width even; `held` says for how many frames of the video each is
    shown, one where None. The file appears whole or not at all. Raises LatentManError `storage.*`.
    """
    if frames.ndim != 4 or frames.shape[3] != 3 or not len(frames) or frames.shape[1] % 2 or frames.shape[2] % 2:
        raise InputError("report.frames", f"A video needs RGB frames of even size; these are {frames.shape}.")
    part = path.with_name(path.name + ".part")
    try:
        _encode(part, frames, exact_rate(fps), held or (1,) * len(frames))
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise storage_error(error, path.parent) from error


def _encode(path: Path, frames: NDArray[np.uint8], rate: Fraction, held: Sequence[int]) -> None:
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "14", "preset": "slow"}
        for frame, times in zip(frames, held, strict=True):
            for _ in range(times):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
