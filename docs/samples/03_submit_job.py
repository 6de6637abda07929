"""Write a job by hand, and run it on rendered passes. `inputs` is left out: `submit` fills it in.

python docs/samples/03_submit_job.py PASSES OUTPUT
"""

import json
import subprocess
import sys
from pathlib import Path

passes, output = map(Path, sys.argv[1:])
output.mkdir(parents=True, exist_ok=True)

job = {
    "schema": 5,
    "method": "per_frame",
    "prompt": "a knight on a beach",
    "frames": json.loads((passes / "shot.json").read_bytes())["frames"],
    "width": 128,
    "height": 128,
    "steps": 1,
    "seed": 3,
}
(output / "job.json").write_text(json.dumps(job, indent=1))

command = [sys.executable, "-m", "backend", "submit"]  # the same as `latentman submit`
subprocess.run([*command, output / "job.json", passes, "--output", output, "--work", output / "work"], check=True)
