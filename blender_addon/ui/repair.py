"""What the check has found of the active character's motion, its repairs, and the buttons that make them."""

from __future__ import annotations

from typing import Any

from ..look.check_bar import bar_is_shown
from ..ops.motion.repair import figures
from ..rig.character import chosen_character
from ..rig.stack.fill_layer import LABEL, fills_of
from ..rig.stack.layers import FILL
from ..rig.stack.problem_frames import Problems, stored_problems
from ..rig.stack.repair_motion import repairs_of
from ..shared.errors import InputError
from ..shared.motion.repair import REPAIRS, repair_named
from .text import draw_text


def draw_repair(layout: Any, context: Any) -> None:
    """Draw the problems, the repairs that can be made, and those that were made."""
    try:
        armature = chosen_character(context).armature
    except InputError:
        return
    problems = stored_problems(armature)
    if problems is not None and problems.worrying:
        _draw_problems(layout.column(align=True), problems)
    row = layout.row(align=True)
    for repair in REPAIRS:
        row.operator(f"latentman.{repair.name}")
    _draw_fills(layout, armature)
    for repair, done in repairs_of(armature):
        column = layout.column(align=True)
        row = column.row(align=True)
        strength = "" if done is None else f", strength {done.strength:.2f}"
        row.label(text=f"{repair.label}{strength}", icon="MODIFIER")
        row.operator("latentman.remove_repair", text="", icon="X").repair = repair.name
        if done is not None:
            draw_text(column, figures(done.before, done.after), "BLANK1")


def _draw_fills(layout: Any, armature: Any) -> None:
    for name in fills_of(armature):
        row = layout.row(align=True)
        row.label(text=f"{LABEL} {name.removeprefix(FILL).strip()}", icon="ACTION")
        row.operator("latentman.remove_repair", text="", icon="X").repair = name


def _draw_problems(column: Any, problems: Problems) -> None:
    for one in problems.worrying:
        repair = repair_named(one.check.repair)
        helps = one.check.else_helps if repair is None else repair.label
        frames = f"{one.problem_frames} frame{'' if one.problem_frames == 1 else 's'}"
        draw_text(column, f"{frames}: {one.check.said(one.worst)}; {helps} helps", "ERROR")
    row = column.row(align=True)
    row.operator("latentman.previous_problem", text="", icon="TRIA_LEFT")
    row.operator("latentman.next_problem", text="", icon="TRIA_RIGHT")
    row.operator("latentman.show_problems", depress=bar_is_shown())
