"""Read one frame's passes with NumPy, and write the depth picture that ControlNet gets.

python docs/samples/05_read_passes.py PASSES/0001.exr DEPTH.png
"""

import json
import sys
from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image

file, picture = map(Path, sys.argv[1:])

channels = OpenEXR.File(str(file), separate_channels=True).channels()
depth_m, label, u, v = (channels[name].pixels for name in ("Depth.Z", "iuv.R", "iuv.G", "iuv.B"))
part = label.astype(np.uint8)
body = part > 0

for number in np.unique(part[body]):
    shown = part == number
    print(f"part {number:2d}: {shown.sum():5d} pixels at {depth_m[shown].mean():.2f} m, u up to {u[shown].max():.2f}")

shot = json.loads((file.parent / "shot.json").read_bytes())  # one depth range for the whole shot
away = (np.where(body, depth_m, shot["far_m"]) - shot["near_m"]) / (shot["far_m"] - shot["near_m"])
grey = np.where(body, 1 - 0.8 * away.clip(0, 1), 0)
Image.fromarray(np.rint(255 * grey).astype(np.uint8)).save(picture)
