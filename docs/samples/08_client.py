"""A client of a running backend: send the passes, submit a job, follow its events, save its frames.

latentman serve --connection-file FILE
python docs/samples/08_client.py FILE PASSES OUTPUT
"""

import json
import sys
import time
from pathlib import Path

from shared.files.frame_files import prepare_output_folder, put_frame
from shared.jobs.job import Job, JobInputs
from shared.protocol.client import events
from shared.protocol.client.job_client import JobClient
from shared.protocol.client.session import Session
from shared.protocol.client.source import FileSource

connection, passes, output = map(Path, sys.argv[1:])
prepare_output_folder(output)

client = JobClient("sample client")
session = Session(client, FileSource(connection))
frames = tuple(json.loads((passes / "shot.json").read_bytes())["frames"])
exrs = tuple(client.add_input(passes / f"{frame:04d}.exr") for frame in frames)  # returns the digest; sent when needed
inputs = JobInputs(exrs, *(client.add_input(passes / name) for name in ("shot.json", "vertices.npy", "charts.npz")))
client.submit(Job("a knight on a beach", frames, inputs, method="per_frame", width=128, height=128, steps=1))

ended = False
while not ended:
    for event in session.step(time.monotonic()):
        match event:
            case events.Progress(stage=stage, step=step, steps=steps):
                print(f"{stage} {step}/{steps}")
            case events.FrameReady(frame=frame, png=png):
                print(put_frame(output, frame, png))
            case events.Failed(error=error) | events.GaveUp(error=error):
                raise error
            case events.Done() | events.Cancelled():
                ended = True
    session.wait(0.1)
session.close()
