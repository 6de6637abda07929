"""The backend on this machine: its installation, and the version of the one in use."""

from __future__ import annotations

import contextlib

import bpy

from ..client.install_backend import BackendInstall
from ..client.warm_backend import BackendState, WarmBackend
from ..help.backend_version import BackendVersion
from ..shared.errors import InputError
from ..typed_bpy import windows
from .generation import backend_command, chosen_backend
from .problems import Problems


class BackendSetup:
    """What the timer looks at beside the shot. Nothing here waits."""

    def __init__(self) -> None:
        self.install = BackendInstall()
        self.version = BackendVersion()
        self._replaced = False  # a backend was installed, and the one before it is still there

    @property
    def running(self) -> bool:
        """Whether something is under way."""
        return self.install.running or self.version.running

    def step(self, backend: WarmBackend, problems: Problems, *, shot_runs: bool) -> None:
        """Go on with an installation, and ask the backend's version while the preferences are open."""
        was_running = self.install.running
        self.install.step()
        if was_running and self.install.done:
            self.version.forget()
            self._replaced = True
            problems.clear_code("backend.not_found")
        if self._replaced and not shot_runs:
            backend.stop()  # the next shot starts the new one
            if backend.state is BackendState.STOPPED:
                self._replaced = False
                self.install.remove_replaced()
        self.version.step()
        areas = (area.type for window in windows() for area in window.screen.areas)
        if "PREFERENCES" in areas and not self.install.running:
            self._ask_version()

    def close(self) -> None:
        """End what runs. Harmless when called twice."""
        self.version.close()
        self.install.close()

    def _ask_version(self) -> None:
        choice = chosen_backend(bpy.context)
        if choice.connection_file is None:
            with contextlib.suppress(InputError):  # the preferences show why there is none
                self.version.ask(backend_command(choice))
