"""Trains the embedded motion model on clips of the procedural library, and a judge that names actions in motions."""
