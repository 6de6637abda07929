"""The supervisor: wire, queue, journal, and the dispatchers; never torch."""
