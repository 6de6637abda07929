"""The names of bones in the rigs that are in use: a row a rig."""

from __future__ import annotations
