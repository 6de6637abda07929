"""Models as files: where their parts lie, how they are told apart, and what is missing."""
