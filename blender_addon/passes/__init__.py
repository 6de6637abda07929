"""Passes: depth, part and chart coordinates of a shot, rendered by a child Blender on a copy of the file."""
