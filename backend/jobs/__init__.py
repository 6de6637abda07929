"""Running a job in its folder, and the worker process that does so."""
