"""The body's surface: texels that all frames share, and what each frame shows of them."""
