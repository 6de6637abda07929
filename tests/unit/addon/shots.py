"""Stand-ins for the passes of a shot: files that are there at once or appear when they are told to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blender_addon.client.request import GenerateRequest, placeholder_inputs
from shared.errors import LatentManError
from shared.files.frame_files import frame_name
from shared.jobs.job import Job
from shared.methods import MethodSettings
from shared.methods.latentman import LatentManSettings


@dataclass(frozen=True, slots=True)
class PassFile:
    """A finished frame's file."""

    frame: int
    path: Path
    reused: bool = False


class PassFolder:
    """Passes that somebody rendered: `PassRender`'s face without Blender. Gives one frame a step."""

    def __init__(self, folder: Path, frames: tuple[int, ...], fails: LatentManError | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.shot_file, self.vertices_file, self.charts_file = (folder / name for name in ("s", "v", "c"))
        for path in (self.shot_file, self.vertices_file, self.charts_file):
            path.write_bytes(path.name.encode())
        self._waiting = [PassFile(frame, folder / frame_name(frame, ".exr")) for frame in frames]
        self._fails = fails
        self.closed = False

    @property
    def done(self) -> bool:
        """Every frame was given."""
        return not self._waiting

    @property
    def shot_ready(self) -> bool:
        """The three files are there from the start."""
        return True

    def step(self) -> list[PassFile]:
        """The next frame."""
        if not self._waiting:
            return []
        if self._fails is not None and len(self._waiting) == 1:
            raise self._fails
        finished = self._waiting.pop(0)
        finished.path.write_bytes(f"pass {finished.frame}".encode() * 1000)
        return [finished]

    def close(self) -> None:
        """Nothing more comes."""
        self._waiting = []
        self.closed = True


def request_for(
    output: Path, model: Path, prompt: str = "a test", frames: tuple[int, ...] = (1, 2, 3)
) -> GenerateRequest:
    """A small request for the fake runner, which `prompt` may tell to misbehave; its folders are made."""
    model.mkdir(exist_ok=True)
    (model / "weights.safetensors").write_bytes(b"weights")
    inputs = placeholder_inputs(len(frames))
    template = Job(prompt, frames, inputs, model=str(model), steps=3, width=64, height=64, seed=1)
    methods = {"text2video_zero": MethodSettings(), "latentman": LatentManSettings()}
    request = GenerateRequest(output, methods, template)
    request.prepare_folders()
    return request
