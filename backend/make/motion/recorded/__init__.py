"""Recorded clips of other people's, as training clips of the embedded motion model. None is part of this project."""
