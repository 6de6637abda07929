"""The backend: correspondence, diffusion, and the server that runs jobs."""
