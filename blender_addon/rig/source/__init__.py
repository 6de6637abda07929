"""Motions of other rigs: any armature of the scene, and files that Blender itself imports."""
