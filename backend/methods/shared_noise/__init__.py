"""One noise for all frames."""
