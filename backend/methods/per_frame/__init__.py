"""Each frame on its own."""
