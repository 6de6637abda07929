"""Any human skeleton's motion as SMPL's: bone maps, rest poses, the solver, and BVH files."""

from __future__ import annotations
