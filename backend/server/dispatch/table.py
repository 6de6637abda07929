"""The table of dispatchers: a new one is a module beside this, and a row; `latentman serve --dispatcher NAME`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from backend.server.dispatch.local import LocalDispatcher
from backend.server.dispatch.port import Dispatcher, DispatchSettings
from backend.server.dispatch.warm_workers import WarmWorkers
from backend.server.wakeup import Wakeup

DEFAULT_DISPATCHER = "local"


@dataclass(frozen=True, slots=True)
class OpenDispatcher:
    """A dispatcher at work, and the warm workers that it has; `NoWorkers` where jobs run elsewhere."""

    dispatcher: Dispatcher
    workers: WarmWorkers


def _open_local(settings: DispatchSettings, wakeup: Wakeup) -> OpenDispatcher:
    local = LocalDispatcher(settings, wakeup)
    return OpenDispatcher(local, local)


DISPATCHERS: Mapping[str, Callable[[DispatchSettings, Wakeup], OpenDispatcher]] = MappingProxyType(
    {"local": _open_local}
)
