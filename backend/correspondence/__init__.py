"""Which pixel of one frame shows what a pixel of another frame shows."""
