"""Which pixels of two frames show the same point of the body.

python docs/samples/06_correspondence.py PASSES MATCHES.npz
"""

import json
import sys
from pathlib import Path

import numpy as np

from backend.correspondence.chart_index import chart_index
from backend.correspondence.surface import match_surface
from backend.passes.shot_passes import open_passes

folder, output = map(Path, sys.argv[1:])

frames = json.loads((folder / "shot.json").read_bytes())["frames"]
exrs = [folder / f"{frame:04d}.exr" for frame in frames]
passes = open_passes(exrs, folder / "shot.json", folder / "vertices.npy", folder / "charts.npz")

height, width = passes.size
matches = match_surface(passes, chart_index(passes.charts), 1, 0, height, width)  # of the second frame with the first
here, there = (np.column_stack(np.divmod(flat, width)) for flat in (matches.current, matches.reference))
moved = np.linalg.norm(here - there, axis=1)  # (row, column) pairs
print(f"{len(matches)} of {(passes.frame(1).part > 0).sum()} pixels are matched; they move {moved.mean():.1f} pixels")
np.savez(output, here=here, there=there)
