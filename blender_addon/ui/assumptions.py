"""How a character's file was read: what was assumed stands in its box, each with a control that changes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy

from ..rig.import_record import ImportRecord, stored_import
from ..shared.motion import UP_AXES
from ..shared.motion.units import UNIT_LABELS, unit_label
from ..typed_bpy import registration_of

_POINTER = "latentman_armature"
_CHANGE = "latentman.reimport_motion"
_VIEWS = {"world": "In the world", "camera": "As the camera sees it"}


def draw_assumptions(layout: Any, armature: Any) -> None:
    """Draw a row for each thing that was assumed; nothing for a character without a record."""
    record = stored_import(armature)
    if record is None:
        return
    column = layout.column(align=True)
    column.context_pointer_set(_POINTER, armature)
    if len(record.takes) > 1:
        column.menu(LATENTMAN_MT_takes.bl_idname, text=_take(record), icon="FILE_MOVIE")
    if len(record.people) > 1:
        column.menu(LATENTMAN_MT_people.bl_idname, text=_name(record, record.person), icon="USER")
    rate = f"{record.read_fps:g} fps, {_whose(record.fps_from, record.format)}"
    column.operator("latentman.change_frame_rate", text=rate, icon="TIME").armature = armature.name
    axis = f"{_axis(record.read_up)}, {_whose(record.up_from, record.format)}"
    column.menu(LATENTMAN_MT_up.bl_idname, text=axis, icon="EMPTY_SINGLE_ARROW")
    if record.two_views:
        column.menu(LATENTMAN_MT_view.bl_idname, text=_VIEWS[record.view], icon="VIEW_CAMERA")
    if record.read_unit_m is not None:
        unit = f"{unit_label(record.read_unit_m)}, {_whose(record.unit_from, record.format)}"
        column.menu(LATENTMAN_MT_unit.bl_idname, text=unit, icon="DRIVER_DISTANCE")


def _take(record: ImportRecord) -> str:
    named = (label for sample, repetition, label in record.takes if (sample, repetition) == _chosen(record))
    return next(named, f"Sample {record.sample}")


def _chosen(record: ImportRecord) -> tuple[int, int]:
    return record.sample, record.repetition


def _name(record: ImportRecord, person: int) -> str:
    return record.people[person] or f"Person {person}"


def _axis(up: str) -> str:
    return f"{up[-1].upper()} {'down' if up.startswith('-') else 'up'}"


def _whose(source: str, name: str) -> str:
    """Whose word something is."""
    return {
        "user": "as set",
        "file": "from the file",
        "content": "from how the character stands",
        "scene": "the scene's rate",
    }.get(source, f"usual for {name}")


class _Choice(bpy.types.Menu):
    """One entry a choice; the character's row says whose menu it is."""

    def draw(self, context: Any) -> None:
        """An entry a choice, which reads the file again."""
        layout: Any = self.layout
        armature = getattr(context, _POINTER, None)
        record = None if armature is None else stored_import(armature)
        if armature is None or record is None:
            return
        for label, chosen, said in self.choices(record):
            button = layout.operator(_CHANGE, text=label, icon="CHECKMARK" if chosen else "NONE")
            button.armature = armature.name
            for name, value in said.items():
                setattr(button, name, value)

    @staticmethod
    def choices(record: ImportRecord) -> Iterator[tuple[str, bool, dict[str, Any]]]:
        """Label, whether it is the present one, and what the operator is told."""
        raise NotImplementedError


class LATENTMAN_MT_takes(_Choice):
    """The motions of this file; choose another one to show it instead"""

    bl_idname = "LATENTMAN_MT_takes"
    bl_label = "Take"

    @staticmethod
    def choices(record: ImportRecord) -> Iterator[tuple[str, bool, dict[str, Any]]]:
        """The file's takes."""
        for sample, repetition, label in record.takes:
            yield label, (sample, repetition) == _chosen(record), {"sample": sample, "repetition": repetition}


class LATENTMAN_MT_people(_Choice):
    """The people of this take; choose another one to show it instead"""

    bl_idname = "LATENTMAN_MT_people"
    bl_label = "Person"

    @staticmethod
    def choices(record: ImportRecord) -> Iterator[tuple[str, bool, dict[str, Any]]]:
        """The take's people."""
        for person in range(len(record.people)):
            yield _name(record, person), person == record.person, {"person": person}


class LATENTMAN_MT_up(_Choice):
    """Which axis of the file points up; choose another one if the character lies down or stands on its head"""

    bl_idname = "LATENTMAN_MT_up"
    bl_label = "Up"

    @staticmethod
    def choices(record: ImportRecord) -> Iterator[tuple[str, bool, dict[str, Any]]]:
        """The axes."""
        for axis in UP_AXES:
            yield "Automatic" if axis == "auto" else _axis(axis), axis == record.up, {"up": axis}


class LATENTMAN_MT_view(_Choice):
    """How a motion from a video is placed: in the world, or before a still camera as the video shows it"""

    bl_idname = "LATENTMAN_MT_view"
    bl_label = "Seen From"

    @staticmethod
    def choices(record: ImportRecord) -> Iterator[tuple[str, bool, dict[str, Any]]]:
        """The two ways."""
        for view, label in _VIEWS.items():
            yield label, view == record.view, {"view": view}


class LATENTMAN_MT_unit(_Choice):
    """The unit of the positions in the file; choose another one if the character jumps about or does not move on"""

    bl_idname = "LATENTMAN_MT_unit"
    bl_label = "Unit"

    @staticmethod
    def choices(record: ImportRecord) -> Iterator[tuple[str, bool, dict[str, Any]]]:
        """The units."""
        said = "auto" if record.unit_m is None else unit_label(record.unit_m)
        for name, label in {"auto": "Automatic", **UNIT_LABELS}.items():
            yield label, said in (name, label), {"unit": name}


register, unregister = registration_of(
    LATENTMAN_MT_takes, LATENTMAN_MT_people, LATENTMAN_MT_up, LATENTMAN_MT_view, LATENTMAN_MT_unit
)
