"""Sample sheets: fixed prompts and seeds on poses kept out of training, to be looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from diffusers import StableDiffusionControlNetPipeline
from numpy.typing import NDArray
from PIL import Image

from backend.machine.bfloat16 import mixed_precision
from backend.make.training.dataset import DEPTH_STEPS, PairStore, widened

# A prompt, and the pair of the held-out set whose first frame gives the pose.
PROMPTS = (
    "a robot dancing on the moon",
    "an astronaut walking on the beach",
    "a red ninja jumping in the forest",
    "a clown waving on stage",
    "a skeleton running in the city",
    "a blue knight in the mountains",
    "a pirate dancing in the street",
    "a purple wizard in the desert",
    "a green superhero in a field",
    "a pink ballerina in a disco",
    "an alien in space",
    "a firefighter in a studio",
)


def control_picture(store: PairStore, index: int, before_m: float = 0.2, behind_m: float = 0.5) -> NDArray[np.float32]:
    """The depth picture (256, 256) in 0..1 of a pair's first frame, under a wider range of the shot."""
    shot = store.shots[index]
    value = store.depth(index)[0].astype(np.float32) / DEPTH_STEPS
    return widened(value, shot.far_m - shot.near_m, before_m, behind_m)


def full_body_pairs(store: PairStore, count: int) -> list[int]:
    """The first pairs whose first frame shows a whole body of fair size."""
    chosen = []
    for index in range(len(store)):
        rows, columns = np.nonzero(store.depth(index)[0])
        inside = rows.size and rows.min() > 4 and rows.max() < 251 and columns.min() > 4 and columns.max() < 251
        if inside and np.ptp(rows) > 130:
            chosen.append(index)
        if len(chosen) == count:
            break
    return chosen


@torch.no_grad()
def sample_pictures(
    model: Path,
    prompts: tuple[str, ...],
    controls: list[NDArray[np.float32]],
    guidance: float,
    seed: int,
    steps: int = 20,
) -> list[NDArray[np.uint8]]:
    """One picture (256, 256, 3) a prompt, by diffusers' own pipeline."""
    pipeline = StableDiffusionControlNetPipeline.from_pretrained(model, dtype=torch.float32, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    pictures: list[NDArray[np.uint8]] = []
    for start in range(0, len(prompts), 4):
        part = slice(start, start + 4)
        control = torch.from_numpy(np.stack(controls[part]))[:, None].expand(-1, 3, -1, -1)
        generators = [torch.Generator().manual_seed(seed + start + k) for k in range(len(prompts[part]))]
        with mixed_precision(torch.device("cpu")):
            found = pipeline(
                list(prompts[part]),
                image=control,
                num_inference_steps=steps,
                guidance_scale=guidance,
                generator=generators,
                output_type="np",
            ).images
        pictures += [np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8) for picture in found]
    return pictures


def write_sheet(model: Path, held_out: Path, target: Path, guidance: float = 2.0, seed: int = 0) -> None:
    """Rows of six: depth above, the sample below."""
    store = PairStore(held_out)
    chosen = full_body_pairs(store, len(PROMPTS))
    controls = [control_picture(store, index) for index in chosen]
    samples = sample_pictures(model, PROMPTS, controls, guidance, seed)
    depth = [np.repeat((control * 255).astype(np.uint8)[..., None], 3, 2) for control in controls]
    rows = [np.concatenate(group[k : k + 6], 1) for k in range(0, len(PROMPTS), 6) for group in (depth, samples)]
    Image.fromarray(np.concatenate(rows, 0)).save(target)
