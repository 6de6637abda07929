"""Where the backend is, which version, and its installation."""

from __future__ import annotations

from typing import Any

from ..client.install_backend import STAGES
from ..client.own_environment import own_environment
from ..help.backend_version import why_not_this_version
from ..shared.errors import InputError
from ..shared.version import VERSION
from ..shot.generation import BackendChoice, backend_command, environments_folder
from ..shot.running import generation
from .text import draw_error, draw_text


def draw_place(layout: Any, preferences: Any) -> None:
    """Draw the field that names the backend, what it leads to, and what installs one; of a backend that runs already
    the connection file says all."""
    row = layout.row(align=True)
    row.use_property_split = True
    row.prop(preferences, "backend")
    row.operator("latentman.choose_backend", text="", icon="FILE_FOLDER")
    if not preferences.connection:
        _draw_found(layout, preferences.backend)
        _draw_installation(layout, preferences)


def _draw_found(layout: Any, named: str) -> None:
    """Draw which program is the backend and its version, or why there is none."""
    current = generation()
    try:
        command = backend_command(BackendChoice(named))
    except InputError as error:
        if not (current.install.running or current.install.error):
            draw_error(layout, error)
        return
    version = current.version.of(command)
    told = f", version {version}" if version else ""
    draw_text(layout, f"The backend is {command.words[0]}{told}", "CHECKMARK")
    wrong = why_not_this_version(version, VERSION)
    if wrong:
        draw_text(layout, wrong, "ERROR")


def _draw_installation(layout: Any, preferences: Any) -> None:
    """Draw what is installed from where, the buttons, and how far it is."""
    box = layout.box()
    box.label(text="Install the Backend")
    column = box.column()
    column.use_property_split = True
    for name in ("package", "package_index", "card"):
        column.prop(preferences, name)
    row = box.row(align=True)
    again = own_environment(environments_folder()) is not None
    row.operator("latentman.install_backend", text="Install Again" if again else "Install Backend", icon="IMPORT")
    row.operator("latentman.copy_install_commands", icon="COPYDOWN")
    row.operator("latentman.remove_backend", text="Remove", icon="TRASH")
    draw_install_progress(box)


def draw_install_progress(layout: Any) -> None:
    """Draw the installation under way, and why the last one has failed; nothing if there was none."""
    install = generation().install
    if install.progress is not None:
        stage = install.progress.stage
        done = (stage + (install.progress.fraction or 0.0)) / len(STAGES)
        layout.progress(text=f"{STAGES[stage]} ({stage + 1} of {len(STAGES)})", factor=done)
        if install.progress.text:
            draw_text(layout, install.progress.text)
        layout.operator("latentman.cancel_install", text="Cancel", icon="X")
    elif install.error is not None:
        draw_error(layout, install.error)
    elif install.done:
        draw_text(layout, "The backend is installed and works", "CHECKMARK")
    if install.log_file is not None and (install.running or install.error):
        draw_text(layout, f"Log: {install.log_file}")
