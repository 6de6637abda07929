"""Lay out a job folder and run it in one process, without a server: what a render farm does.

python docs/samples/04_run_job_folder.py PASSES FOLDER
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from shared.files.digest import sha256_file
from shared.jobs.job import Job, JobInputs, canonical_json

passes, folder = map(Path, sys.argv[1:])
frames = tuple(json.loads((passes / "shot.json").read_bytes())["frames"])

exrs = [passes / f"{frame:04d}.exr" for frame in frames]
extra = [passes / name for name in ("shot.json", "vertices.npy", "charts.npz")]
digests = {file: sha256_file(file) for file in (*exrs, *extra)}
inputs = JobInputs(tuple(digests[file] for file in exrs), *(digests[file] for file in extra))
job = Job("a knight on a beach", frames, inputs, method="per_frame", width=128, height=128, steps=1)

(folder / "inputs").mkdir(parents=True)
for file, digest in digests.items():
    shutil.copyfile(file, folder / "inputs" / digest)
(folder / "job.json").write_bytes(canonical_json(job))

done = subprocess.run([sys.executable, "-m", "backend", "run-job", folder], check=True, stdout=subprocess.PIPE)
events = [json.loads(line) for line in done.stdout.splitlines()]  # one event a line
print(f"{len(events)} events, frames in {folder / 'frames'}")
