"""The manual, in a text editor beside the 3D view."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty

from ..help.manual import PAGES, page_text
from ..typed_bpy import Outcome, registration_of
from .base.editor_beside import has_view, open_beside, text_editor
from .base.reporting import allow, reported

_PAGE = "latentman_page"  # on a text: the page that it shows


class LATENTMAN_OT_open_help(bpy.types.Operator):
    """Read the manual in a text editor beside the 3D view"""

    bl_idname = "latentman.open_help"
    bl_label = "Help"
    bl_options = {"REGISTER"}

    page: EnumProperty(
        name="Page",
        description="Which page of the manual",
        items=tuple((one.name, one.label, "") for one in PAGES),
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: Any) -> bool:
        """Only if there is an editor, or a view to share with one."""
        there = text_editor(context) is not None or has_view(context)
        return allow(cls, "" if there else "There is no 3D view in this window")

    @reported
    def execute(self, context: Any) -> Outcome:
        """Show the page, as this version of the add-on has it."""
        text = _text(*page_text(self.page))
        area = text_editor(context) or open_beside(context, "TEXT_EDITOR")
        area.spaces[0].text = text
        area.spaces[0].show_word_wrap = True
        return {"FINISHED"}


def _text(file: str, content: str) -> Any:
    """The text of a page, made if there is none; the user's own texts are left alone."""
    text = next((one for one in bpy.data.texts if one.get(_PAGE) == file), None)
    if text is None:
        text = bpy.data.texts.new(f"LatentMan {file}")
        text[_PAGE] = file
    if text.as_string() != content:
        text.from_string(content)
    text.cursor_set(0)
    return text


class LATENTMAN_MT_help(bpy.types.Menu):
    """Pages of the manual, for this version of the add-on"""

    bl_idname = "LATENTMAN_MT_help"
    bl_label = "Help"

    def draw(self, context: Any) -> None:
        """An entry a page."""
        layout: Any = self.layout
        for page in PAGES:
            layout.operator("latentman.open_help", text=page.label).page = page.name


register, unregister = registration_of(LATENTMAN_OT_open_help, LATENTMAN_MT_help)
