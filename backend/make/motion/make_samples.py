"""Makes the sample motions in shared/motion/samples: `python -m backend.make.motion.make_samples`.

They are posed on the free body's skeleton and written in MDM's own formats at 20 frames a second. MDM's `vertices` and
`faces` are left out of the shipped files, because no reader uses them and they are a hundred times the rest.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from backend.make.motion.clips import CLIPS, Clip
from backend.make.motion.mdm_files import write_results, write_smpl_params
from backend.make.motion.puppet import perform
from shared.body import free_body
from shared.motion.samples import SAMPLE_FORMATS, SAMPLES_FOLDER


def write_clip(clip: Clip, folder: Path) -> list[Path]:
    """Writes one clip in each of its formats; returns the files."""
    performance = perform(clip.make(), np.asarray(free_body().joints(np.zeros(10)), dtype=np.float64))
    start = performance.pelvis[0] * np.array([1.0, 0.0, 1.0])  # MDM's clips begin with the pelvis above the origin
    pelvis, joints = performance.pelvis - start, performance.joints - start
    files = []
    for form in SAMPLE_FORMATS[clip.name]:
        path = folder / f"{clip.name}_{form}.npy"
        if form == "results":
            write_results(path, [joints], [clip.text])
        else:
            write_smpl_params(path, performance.poses, pelvis, clip.text)
        files.append(path)
    return files


def main() -> None:
    """Writes all of the clips and prints their files."""
    parser = argparse.ArgumentParser(description="Make the sample motions.")
    parser.add_argument("--out", type=Path, default=SAMPLES_FOLDER, help="folder for the files")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for clip in CLIPS:
        for path in write_clip(clip, folder):
            print(path)


if __name__ == "__main__":
    main()
