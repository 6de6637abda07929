"""ST-LPIPS (Ghildyal and Liu, 2022, "Shift-tolerant perceptual similarity metric"), on consecutive frames of a clip.

The network is written here from the paper: AlexNet whose strides are blurred downsampling after a stride of 1, with
LPIPS's calibrated differences of its five feature maps. Its weights are read from the package `stlpips_pytorch` (BSD
2-Clause), tensors alone; none of its code is imported or run.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from backend.measure.metrics.followed import BackwardFlow
from backend.measure.metrics.scores import Score, score
from backend.measure.metrics.warp_error import pictures_to_warp, sampled_on_body
from backend.models.sd15.files.weight_file import read_weights
from shared.errors import ModelError

PACKAGE = "stlpips_pytorch"
WEIGHTS = Path("weights/vST0.0/alex_shift_tolerant.pth")
ABSENT = "ST-LPIPS was skipped: its weights are not installed. To get it, run: pip install 'latentman[lpips]'."

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of LPIPS's inputs in -1..1
LEAST_LENGTH = 1e-10  # added to the length of a pixel's features

# Stage by stage: the convolution's name in the file and its padding, whether a maximum over 3 x 3 and a blurred
# halving go before it, and whether one goes between it and its ReLU.
_STAGES = (
    ("net.slice1.0", 2, False, True),
    ("net.slice2.5", 2, True, False),
    ("net.slice3.9", 1, True, False),
    ("net.slice4.11", 1, False, False),
    ("net.slice5.13", 1, False, False),
)


@dataclass(frozen=True, slots=True, eq=False)
class StLpips:
    """The metric with its weights, by their names in the package's file."""

    weights: Mapping[str, Tensor]

    @torch.no_grad()
    def distance(self, one: Tensor, other: Tensor) -> Tensor:
        """The distance of pictures (n, 3, H, W) of 0..1, pair by pair: (n,). 0 = the same."""
        total = torch.zeros(len(one))
        for stage, (a, b) in enumerate(zip(self._features(one), self._features(other), strict=True)):
            weights = self.weights[f"lin{stage}.model.1.weight"]
            total += functional.conv2d((_unit(a) - _unit(b)) ** 2, weights).mean(dim=(1, 2, 3))
        return total

    def _features(self, pictures: Tensor) -> list[Tensor]:
        shift, scale = (torch.tensor(values)[None, :, None, None] for values in (SHIFT, SCALE))
        x, found = (2 * pictures - 1 - shift) / scale, []
        for name, padding, halved_before, halved_behind in _STAGES:
            if halved_before:
                x = _halved(functional.max_pool2d(x, 3, stride=1))
            x = functional.conv2d(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], padding=padding)
            x = functional.relu(_halved(x) if halved_behind else x)
            found.append(x)
        return found


def load_st_lpips() -> StLpips | None:
    """The metric, None where the package is not installed (`ABSENT` says so).

    Raises ModelError if its file holds other weights.
    """
    path = _weight_file()
    if path is None:
        return None
    weights = read_weights(path)
    wanted = [f"{name}.{kind}" for name, *_ in _STAGES for kind in ("weight", "bias")]
    wanted += [f"lin{stage}.model.1.weight" for stage in range(len(_STAGES))]
    missing = [name for name in wanted if name not in weights]
    if missing:
        raise ModelError(
            "model.kind", f"{path} contains no {missing[0]}.", "Install it again: pip install 'latentman[lpips]'."
        )
    return StLpips({name: weights[name].float() for name in wanted})


def st_lpips(images: ArrayLike, part: NDArray[np.uint8], flows: Sequence[BackwardFlow], metric: StLpips) -> Score:
    """ST-LPIPS between each frame and the frame before it, warped to it by exact flow on the body.

    `images` (frames, H, W, 3) 0..255, `part` (frames, H, W) the passes' labels, `flows[k]` from frame k + 1 to frame
    k. Where there is no flow (background, and what of the body was hidden before) the warped picture shows the frame
    itself, so that only the body counts; a large body counts for more. Raises InputError if they do not fit.
    """
    pictures = pictures_to_warp(images, part, flows)
    values: list[float | None] = []
    for k, flow in enumerate(flows):
        colours, whole = sampled_on_body(pictures[k], part[k] > 0, flow.position)
        warped = pictures[k + 1].copy()
        warped.reshape(-1, 3)[flow.pixel[whole]] = colours
        one, other = (torch.from_numpy(picture / 255).permute(2, 0, 1)[None] for picture in (pictures[k + 1], warped))
        values.append(float(metric.distance(one, other)) if whole.any() else None)
    return score(values)


def _weight_file() -> Path | None:
    """The package's file of weights, found without importing the package."""
    found = importlib.util.find_spec(PACKAGE)
    folders = [] if found is None else list(found.submodule_search_locations or [])
    return next((Path(folder) / WEIGHTS for folder in folders if (Path(folder) / WEIGHTS).is_file()), None)


def _halved(x: Tensor) -> Tensor:
    """Every second pixel of the binomial blur, the edge mirrored twice as far as the blur reaches (section 4)."""
    line = torch.tensor((0.25, 0.5, 0.25), dtype=x.dtype)
    kernel = (line[:, None] * line).expand(x.shape[1], 1, 3, 3)
    return functional.conv2d(functional.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, stride=2, groups=x.shape[1])


def _unit(x: Tensor) -> Tensor:
    """Features scaled to length 1, pixel by pixel."""
    length: Tensor = x.pow(2).sum(dim=1, keepdim=True).sqrt()
    return x / (length + LEAST_LENGTH)
