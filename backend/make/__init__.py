"""What ships with the project, made anew: the body, the sample motions, the small model."""
