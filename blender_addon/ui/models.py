"""The user's models: the list in the preferences with what each file is, and the panel's choice."""

from __future__ import annotations

from typing import Any

import bpy

from ..scene.known_models import ModelReport, model_name
from ..scene.preferences import known_model, stored_preferences
from ..scene.scene_job import stored_model_files
from ..shared.errors import InputError
from ..shared.models.check import FileState
from ..shared.models.files import EMBEDDED
from ..shared.models.table import FAMILY_LABELS, SINGLE_PLACES
from ..shot.running import generation
from ..typed_bpy import registration_of
from .text import draw_text

_ROWS = 3
_LABEL_SHARE = 0.4  # as Blender splits label and field
_ICONS = {FileState.WHOLE: "CHECKMARK", FileState.UNSEEN: "CHECKMARK", FileState.PARTIAL: "SORTTIME"}
_FIELDS = ("name", "path", *(place.name for place in SINGLE_PLACES))


class LATENTMAN_UL_models(bpy.types.UIList):
    """The models, each with how its files stand."""

    def draw_item(
        self,
        context: Any,
        layout: Any,
        data: Any,
        item: Any,
        icon: Any,
        active_data: Any,
        active_property: Any,
        index: Any,
        flt_flag: Any,
    ) -> None:
        """Draw one."""
        report = generation().models.report(known_model(item))
        stand = "QUESTION" if report is None else "SORTTIME" if report.running else _stand(report)
        row = layout.split(factor=_LABEL_SHARE)
        row.label(text=item.name, icon=stand)
        row.label(text=item.path)


class LATENTMAN_MT_models(bpy.types.Menu):
    """The models that a scene can use"""

    bl_label = "Model"

    def draw(self, context: Any) -> None:
        """Draw the embedded one, those of the preferences, and the way there."""
        layout: Any = self.layout
        layout.operator("latentman.choose_model", text="Embedded", icon="PACKAGE").model = EMBEDDED
        for known in stored_preferences(context).models:
            layout.operator("latentman.choose_model", text=known.name, icon="FILE_FOLDER").model = known.path
        layout.separator()
        layout.operator("latentman.open_preferences", text="Add Models...", icon="PREFERENCES")


def draw_models(layout: Any, preferences: Any) -> None:
    """Draw the list, the fields of the marked model, and its files."""
    box = layout.box()
    box.label(text="Models")
    row = box.row()
    row.template_list(
        "LATENTMAN_UL_models", "", preferences, "models", preferences, "model_index", rows=_ROWS, maxrows=_ROWS * 2
    )
    side = row.column(align=True)
    side.operator("latentman.add_model_folder", text="", icon="NEWFOLDER")
    side.operator("latentman.add_model_file", text="", icon="FILE_NEW")
    side.operator("latentman.remove_model", text="", icon="REMOVE")
    if not 0 <= preferences.model_index < len(preferences.models):
        draw_text(box, f"Add a {FAMILY_LABELS} model: a folder in diffusers' layout, or a checkpoint.", "INFO")
        return
    item = preferences.models[preferences.model_index]
    column = box.column()
    column.use_property_split = True
    for name in _FIELDS:
        column.prop(item, name)
    row = box.row(align=True)
    row.operator("latentman.check_model", icon="VIEWZOOM")
    row.operator("latentman.choose_model", icon="SCENE_DATA").model = item.path
    if preferences.connection:
        draw_text(box, "The files are checked on this machine; a backend with a connection file has its own.", "INFO")
    _draw_report(box, generation().models.report(known_model(item)))


def draw_model_choice(layout: Any, context: Any) -> None:
    """Draw which model the scene uses, what lies beside it, and what is wrong with its files."""
    model = context.scene.latentman.model
    known = next((one for one in stored_preferences(context).models if one.path == model), None)
    split = layout.split(factor=_LABEL_SHARE)
    label = split.row()
    label.alignment = "RIGHT"
    label.label(text="Model")
    shown = "Embedded" if model == EMBEDDED else model_name(model) if known is None else known.name
    split.menu("LATENTMAN_MT_models", text=shown)
    try:
        files = stored_model_files(context.scene)
    except InputError:  # Generate says why
        return
    for place in SINGLE_PLACES:
        for path in files.paths(place.name):
            draw_text(layout, f"{place.label}: {model_name(path)}", "DOT")
    if known is None:
        return
    if not known.used_by(model, files):
        draw_text(layout, "The preferences name other files for it now: choose it again to use them", "INFO")
    report = generation().models.report(known)
    if report is not None and (report.running or report.faults):
        _draw_faults(layout, report)


def _draw_report(layout: Any, report: ModelReport | None) -> None:
    if report is None:
        draw_text(layout, "Its files have not been checked yet", "QUESTION")
        return
    draw_text(layout, report.text, "SORTTIME" if report.running else _stand(report))
    column = layout.column(align=True)
    for row in report.rows:
        text = f"{row.name}: {row.text}" if row.usable else f"{row.name}, {row.state.value}: {row.text}"
        draw_text(column, text, _ICONS.get(row.state, "ERROR"))


def _draw_faults(layout: Any, report: ModelReport) -> None:
    draw_text(layout, report.text, "SORTTIME" if report.running else "ERROR")
    for row in report.faults:
        draw_text(layout, f"{row.name}, {row.state.value}: {row.text}", "BLANK1")


def _stand(report: ModelReport) -> str:
    return "ERROR" if report.faults else "CHECKMARK"


register, unregister = registration_of(LATENTMAN_UL_models, LATENTMAN_MT_models)
