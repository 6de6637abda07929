"""The frame-by-frame engine: one denoising loop over diffusers' modules. `segment` is the way in."""
