"""LatentMan: spatial latent alignment and pixel-wise guidance."""
