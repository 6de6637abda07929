"""Motions: made from texts in windows, edited, fitted to the body by an optimiser, and the files that come out."""
