"""Frames to a video file."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from shared.errors import InputError


def write_video(path: Path, frames: NDArray[np.uint8], fps: float) -> None:
    """Write an H.264 video that ordinary players open.

    frames: (frames, height, width, 3) RGB, height and width even. The file appears whole or not at all.
    """
    if frames.ndim != 4 or frames.shape[3] != 3 or not len(frames) or frames.shape[1] % 2 or frames.shape[2] % 2:
        raise InputError("report.frames", f"A video needs RGB frames of even size; these are {frames.shape}.")
    part = path.with_name(path.name + ".part")
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "14", "preset": "slow"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    os.replace(part, path)
