"""Making a shot's frames: the backend in use, the run, the takes on disk."""
