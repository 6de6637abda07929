"""Where the published types of Blender's Python (fake-bpy-module) are wider than Blender, or wrong, said once.

The stubs allow None for what every context has, give functions no result that have one, and do not know what an add-on
adds to Blender's own types. The functions here do what Blender does, with the types it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import bpy

# What `execute`, `invoke` and `modal` of an operator return. The stubs take no narrower set: a set's type is exact.
Outcome = set[Literal["RUNNING_MODAL", "CANCELLED", "FINISHED", "PASS_THROUGH", "INTERFACE"]]

_Function = TypeVar("_Function", bound=Callable[..., None])


def registration_of(*classes: type) -> tuple[Callable[[], None], Callable[[], None]]:
    """The functions that register classes and take them back, in the reverse order. The stubs give them no result."""
    factory: Callable[[Sequence[type]], Any] = bpy.utils.register_classes_factory
    register, unregister = factory(classes)
    return register, unregister


def pointer_to(group: type) -> Any:
    """The property that holds a group of properties. The stubs give `PointerProperty` no result."""
    make: Callable[..., Any] = bpy.props.PointerProperty
    return make(type=group)


def persistent(handler: _Function) -> _Function:
    """Keep a handler when another file is opened. The stubs' decorator has no type."""
    bpy.app.handlers.persistent(handler)
    return handler


def preferences() -> Any:
    """Blender's preferences, which every context has."""
    return bpy.context.preferences


def windows() -> Any:
    """The open windows; in the background there is one as well, and none in the `bpy` module."""
    manager: Any = bpy.context.window_manager
    return manager.windows
