"""The backend: what it is doing, start and stop, the end of its log."""

from __future__ import annotations

from typing import Any

from ..client.warm_backend import BackendState, log_tail
from ..shot.running import generation
from .install import draw_install_progress
from .text import draw_text

_ICONS = {
    BackendState.STOPPED: "PAUSE",
    BackendState.STARTING: "SORTTIME",
    BackendState.READY: "CHECKMARK",
    BackendState.LOST: "ERROR",
    BackendState.STOPPING: "SORTTIME",
}
_LOG_LINES = 3


def draw_backend(layout: Any, context: Any) -> None:
    """Draw state, buttons and log."""
    current = generation()
    backend = current.backend
    text = backend.state.value
    if backend.state is BackendState.READY and backend.server:
        text = f"{text}: {backend.server}"
    draw_text(layout, text, _ICONS[backend.state])
    draw_install_progress(layout)
    row = layout.row(align=True)
    row.operator("latentman.start_backend", text="Start", icon="PLAY")
    row.operator("latentman.stop_backend", text="Stop", icon="SNAP_FACE")
    row.operator("latentman.open_preferences", text="", icon="PREFERENCES")
    for memory in backend.memory:
        draw_text(layout, memory.text, "MEMORY")
    layout.operator("latentman.release_memory", icon="TRASH")
    if current.log_file is not None:
        box = layout.box()
        for line in log_tail(current.log_file, _LOG_LINES):
            draw_text(box, line)
        box.operator("latentman.show_log", icon="TEXT")
