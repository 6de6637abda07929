"""The job file, which of its segments an edit changes, prompts and frame ranges."""
