"""How bodies are made: the free body from CC0 assets, parts and charts, and the way of a licensed SMPL file."""
