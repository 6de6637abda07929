"""What a scene and the preferences keep, and the job that they make."""
