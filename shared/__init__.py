"""Used by both sides: numpy and the standard library only, relative imports inside."""
