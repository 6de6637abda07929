"""What makes the files that ship with the project: the body, the sample motions, the small model."""
