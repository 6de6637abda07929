"""The denoising loop over diffusers' modules, segment by segment. `segment` is the way in."""
