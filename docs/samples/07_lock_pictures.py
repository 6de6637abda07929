"""SurfaceLock on pictures of your own: one texture for all of them, and the texture as a file.

python docs/samples/07_lock_pictures.py PASSES PICTURES OUTPUT

PICTURES has 0001.png and so on, of the passes' frames and size, whatever made them.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from backend.contract.values import Segment
from backend.passes.shot_passes import open_passes
from backend.surface.lock import SurfaceLock
from backend.surface.shot_surface import ShotSurface

folder, pictures, output = map(Path, sys.argv[1:])
output.mkdir(parents=True, exist_ok=True)

frames = json.loads((folder / "shot.json").read_bytes())["frames"]
exrs = [folder / f"{frame:04d}.exr" for frame in frames]
passes = open_passes(exrs, folder / "shot.json", folder / "vertices.npy", folder / "charts.npz")

lock = SurfaceLock(ShotSurface(passes), background="keep")
images = np.stack([np.asarray(Image.open(pictures / f"{frame:04d}.png").convert("RGB")) for frame in frames])
tensor = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255  # (frames, 3, height, width), 0 to 1

whole = Segment(0, len(frames))  # a long shot goes segment by segment, each with the memory of the one before
memory = lock.learned(whole, tensor, None)
locked = lock.finished(whole, tensor, memory)

for frame, image in zip(frames, locked, strict=True):
    rounded = (255 * image).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(rounded).save(output / f"{frame:04d}.png")
(output / "atlas.png").write_bytes(lock.files(memory)["atlas"])
