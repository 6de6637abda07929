"""Motions from texts: windows over a long clip, edits of a clip that is there, and the files that come out."""
