"""The way to the manual."""

from __future__ import annotations

from typing import Any


def draw_help(layout: Any, context: Any) -> None:
    """Draw the button that opens the menu of the manual's pages."""
    layout.menu("LATENTMAN_MT_help", text="", icon="QUESTION")
