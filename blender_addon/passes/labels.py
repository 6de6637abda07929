"""Whether the bodies carry their part labels and charts to the render, and which modifier takes them away."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..rig.body_mesh import CHART_ATTRIBUTE, PART_ATTRIBUTE
from ..shared.errors import InputError
from .stage import Stage


def require_labels(stage: Stage, frame: int) -> None:
    """Raise InputError, with the cause, if a character's evaluated body has no part labels or charts."""
    for body in stage.bodies:
        if not _has_labels(body.data):
            raise InputError(
                "render.charts", f"The mesh of {body.name!r} has no part labels or charts.", "Import the motion again."
            )
        if not _reach_the_render(stage, body, frame):
            raise InputError(
                "render.charts",
                f"The modifier {_remover(stage, body, frame)!r} of {body.name!r} removes its part labels or charts.",
                "Disable that modifier in renders.",
            )


def _remover(stage: Stage, body: Any, frame: int) -> str:
    """The first modifier after which the labels are gone. It and those before it are left on in the copy."""
    shown = [modifier for modifier in body.modifiers if modifier.show_render]
    for modifier in shown:
        modifier.show_render = False
    for modifier in shown:
        modifier.show_render = True
        if not _reach_the_render(stage, body, frame):
            return str(modifier.name)
    return str(shown[-1].name)


def _reach_the_render(stage: Stage, body: Any, frame: int) -> bool:
    def read(depsgraph: Any) -> bool:
        item = body.evaluated_get(depsgraph)
        found = _has_labels(item.to_mesh())
        item.to_mesh_clear()
        return found

    return stage.read(frame, read)


def _has_labels(mesh: Any) -> bool:
    part, chart = mesh.attributes.get(PART_ATTRIBUTE), mesh.attributes.get(CHART_ATTRIBUTE)
    if part is None or chart is None or (part.domain, part.data_type, chart.domain) != ("FACE", "FLOAT", "CORNER"):
        return False
    labels = np.zeros(len(part.data), np.float32)
    part.data.foreach_get("value", labels)
    return bool((labels > 0.5).any())
