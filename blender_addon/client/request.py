"""What the user asks for: one shot, one or more methods, one output folder."""

from __future__ import annotations

import dataclasses
import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..shared.errors import InputError
from ..shared.files.frame_files import check_output_name, output_error, prepare_output_folder
from ..shared.jobs.job import Job, JobInputs, normal_job, validate_job
from ..shared.methods import DEFAULT_METHOD, MethodSettings

PASSES_FOLDER = "passes"

# Stands for every input while a request is checked before its passes are rendered.
_NO_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """One shot for one or more methods: the same passes, one job a method.

    `methods` has each method's own settings, in the order in which they run. `template` holds all others, the frames
    and the size; its method and inputs are filled in for each job.
    """

    output: Path
    methods: Mapping[str, MethodSettings]
    template: Job
    engine: str = "cycles"
    shared_passes: Path | None = None  # a passes folder that several outputs share; the output's own where None
    host: str = "unknown"  # the Blender that renders the passes, for the record

    def __post_init__(self) -> None:
        """Raise InputError if a job of this request could not be run, before anything is rendered."""
        if not self.methods:
            raise InputError("job.methods", "Name at least one method.", f"For example {DEFAULT_METHOD}.")
        for method in self.methods:
            validate_job(self.job(method, placeholder_inputs(len(self.template.frames))))

    @property
    def passes_folder(self) -> Path:
        """Where the passes are written."""
        return self.output / PASSES_FOLDER if self.shared_passes is None else self.shared_passes

    def frames_folder(self, method: str) -> Path:
        """Where a method's frames are written; `method` is one that `validate_job` knows, so it is a plain name."""
        return self.output / method

    def prepare_folders(self) -> None:
        """Make the folders and make sure that they can be written to. Raises InputError."""
        for folder in (self.output, self.passes_folder, *(self.frames_folder(method) for method in self.methods)):
            prepare_output_folder(folder)

    def check_folders(self) -> None:
        """As `prepare_folders`, but make nothing: look at what is there. Raises InputError."""
        for folder in (self.output, self.passes_folder, *(self.frames_folder(method) for method in self.methods)):
            _check_place(folder.absolute())

    def job(self, method: str, inputs: JobInputs) -> Job:
        """The job of one method on rendered passes."""
        own = self.methods[method]
        return normal_job(dataclasses.replace(self.template, method=method, settings=own, inputs=inputs))


def _check_place(folder: Path) -> None:
    """Whether the folder, or the nearest one above it that exists, takes files."""
    try:
        check_output_name(folder)
        there = next(path for path in (folder, *folder.parents) if path.exists() or path.is_symlink())
        if not there.is_dir():
            raise NotADirectoryError
        if not os.access(there, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise output_error(error, folder) from error


def placeholder_inputs(frames: int) -> JobInputs:
    """Inputs of the right number and form for a job whose passes are not rendered yet."""
    return JobInputs((_NO_DIGEST,) * frames, _NO_DIGEST, _NO_DIGEST, _NO_DIGEST)
