"""The supervisor (wire, queue, journal, worker processes; never torch) and the worker process."""
