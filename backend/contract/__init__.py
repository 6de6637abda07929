"""What the job runner asks of an engine, and the small values that pass between them."""
