"""The job runner with the model's blocks compiled: `latentman serve --runner backend.jobs.compiled_runner`.

The first job of a picture size takes minutes longer, the steps after it less. Results are the same up to rounding, so
that neither takes over the other's frames.
"""

from backend.jobs.runner import DiffusionRunner

RUNNER = DiffusionRunner(compiled=True)
