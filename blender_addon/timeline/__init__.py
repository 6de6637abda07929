"""Finished frames on Blender's timeline."""
