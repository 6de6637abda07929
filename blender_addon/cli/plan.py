"""What a dry run says: what of each method's job would be made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..client.request import GenerateRequest, placeholder_inputs
from ..passes.comparison import Compared, Known, PassComparison
from ..passes.launcher import PassRequest
from ..shared.files.frame_files import frame_name


def look_ahead(context: Any, request: GenerateRequest, jobs: Path | None) -> dict[str, Compared]:
    """By method, which passes would be rendered and how many frames generated; nothing is, and nothing is written.

    `jobs` is the folder of a local backend's jobs, None for a backend elsewhere. Raises as `PassComparison.step`.
    """
    template = request.template
    frames = template.frames
    if not any((request.passes_folder / frame_name(frame, ".exr")).is_file() for frame in frames):
        nothing = Compared(frames, (), len(frames), at_most=jobs is None or jobs.is_dir())
        return dict.fromkeys(request.methods, nothing)
    passes = PassRequest(request.passes_folder, frames, template.width, template.height, request.engine)
    wanted = [request.job(method, placeholder_inputs(len(frames))) for method in request.methods]
    comparison = PassComparison.start(context, passes, wanted[0], Known(jobs))
    try:
        comparison.finish()
        return {job.method: comparison.counted(job) for job in wanted}
    finally:
        comparison.close()
