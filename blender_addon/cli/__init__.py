"""The batch command of the add-on."""

from __future__ import annotations

from .command import main, register, unregister

__all__ = ["main", "register", "unregister"]
