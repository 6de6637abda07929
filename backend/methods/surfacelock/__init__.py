"""SurfaceLock: noise on the body's surface, frames that agree on one texture while they are denoised, and its lock."""
