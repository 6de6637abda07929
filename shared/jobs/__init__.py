"""The job file, which of its segments an edit reaches, prompts and frame ranges."""
