"""The motion formats: a file each, and a row each in the table."""

from __future__ import annotations

from .table import READERS, SUFFIXES, opened_entries, reader_of

__all__ = ["READERS", "SUFFIXES", "opened_entries", "reader_of"]
