"""Motions as files of other programs: a table, a file a format, as the readers' is."""

from __future__ import annotations

from .table import WRITERS, write_motion, writer_for, writer_named
from .writer import Writer

__all__ = ["WRITERS", "Writer", "write_motion", "writer_for", "writer_named"]
