"""Reading and writing files with care: strict JSON, safe loading, digests, frames put in place whole."""
