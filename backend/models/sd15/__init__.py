"""Stable Diffusion 1.5: its networks as the loop uses them, and what is laid over them."""
