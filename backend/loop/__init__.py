"""The frame-by-frame engine: one denoising loop over diffusers' modules. `engine.FrameEngine` is the way in."""
