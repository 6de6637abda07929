"""A repair of a character's motion as it is seen: read, mended, measured before and after, put on as a layer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ...scene_time import Steps
from ...shared.errors import InputError
from ...shared.jobs.frame_range import format_frames
from ...shared.motion import SMPLMotion
from ...shared.motion.checks import run_checks
from ...shared.motion.contacts import BALLS
from ...shared.motion.quality import MotionQuality, measure_quality
from ...shared.motion.repair import Ground, Repair, repair_named
from ..character import Character
from ..motion_figures import CHECK, MotionCheck, store_check, stored_check
from ..read_motion import reading_steps, rest_joints
from .layers import FILL, motion_span, repair_tracks
from .problem_frames import forget_problems, store_problems, stored_problems, with_found
from .repair_layer import (
    edit_rotations,
    layer_over,
    level_below,
    put_on,
    take_tracks_off,
    why_no_repair,
)

REPAIRED = "latentman_repairs"  # on the armature: what each repair did
_HIGHEST_SOLE_M = 0.1


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair was asked for, and the figures before and after it."""

    strength: float
    before: MotionQuality
    after: MotionQuality


def ground_of(character: Character) -> Ground:
    """The floor at the scene's height 0, in the armature's place, and how high the body's sole has the foot's ball."""
    armature, mesh = character.armature, character.body.data
    vertices = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", vertices)
    lowest = float(vertices.reshape(-1, 3)[:, 1].min(initial=0.0))
    balls = float(rest_joints(armature)[list(BALLS), 1].min())
    return Ground(-float(armature.matrix_world.translation.z), float(np.clip(balls - lowest, 0.0, _HIGHEST_SOLE_M)))


def repair_steps(scene: Any, character: Character, repair: Repair, strength: float) -> Steps[Repaired]:
    """Repair the whole clip. The scene is stepped through once; its current frame is put back.

    A repair that is there already is made again in its place, and those above it after it. Raises InputError
    `repair.refused` with the cause where the motion cannot be repaired.
    """
    reason = why_no_repair(character.armature)
    if reason:
        raise InputError("repair.refused", f"{reason}.", "Then try again.")
    _require_no_fill_over(character.armature, repair.name)
    stack = _stack(character.armature)
    places = [known.name for known, _ in stack]
    place = places.index(repair.name) if repair.name in places else len(stack)
    above = [(repair, strength), *stack[place + 1 :]]
    done = yield from _rebuilt(scene, character, places[place:], above)
    return done[repair.name]


def removal_steps(scene: Any, character: Character, name: str) -> Steps[None]:
    """Take a repair off; those above it are made again of what is below them now."""
    armature = character.armature
    _require_no_fill_over(armature, name)
    names = list(repair_tracks(armature))
    above = [one for one in _stack(armature) if names.index(one[0].name) > names.index(name)]
    if above:
        yield from _rebuilt(scene, character, [name, *(known.name for known, _ in above)], above)
    else:
        take_tracks_off(armature, [name])
        _forget(armature)
    said = _all_stored(armature)
    said.pop(name, None)
    armature[REPAIRED] = json.dumps(said)


def _rebuilt(
    scene: Any, character: Character, old: list[str], new: list[tuple[Repair, float]]
) -> Steps[dict[str, Repaired]]:
    """Put new repairs in the place of old ones, which are the topmost; what each has brought, by name."""
    armature = character.armature
    frames = motion_span(scene, armature)
    seen = yield from _reading_without(scene, armature, old, tuple(frames))
    rest, ground = rest_joints(armature), ground_of(character)
    below = level_below(armature, frames, [name for name in repair_tracks(armature) if name not in old])
    edit = edit_rotations(armature, frames)
    layers, done = [], {}
    for repair, strength in new:
        wanted = repair.apply(seen, rest, strength=strength, ground=ground)
        layers.append(layer_over(below, edit, repair.name, repair.label, seen, wanted))
        before, after = (measure_quality(one, rest, floor_m=ground.floor_m) for one in (seen, wanted))
        done[repair.name] = Repaired(strength, before, after)
        seen, below = wanted, layers[-1].level
    put_on(scene, armature, frames[0], layers, instead_of=old)
    armature[REPAIRED] = json.dumps({**_all_stored(armature), **{name: asdict(one) for name, one in done.items()}})
    _store_figures(armature, frames[0], seen, ground)
    return done


def _stack(armature: Any) -> list[tuple[Repair, float]]:
    """The repairs of a character from below, each with its strength."""
    return [(repair, repair.strength if done is None else done.strength) for repair, done in repairs_of(armature)]


def _require_no_fill_over(armature: Any, name: str) -> None:
    """Raise InputError where frames were filled over a layer: they have its numbers of that time."""
    names = list(repair_tracks(armature))
    over = names[names.index(name) + 1 :] if name in names else []
    fill = next((one for one in reversed(over) if one.startswith(FILL)), None)
    if fill is not None:
        raise InputError(
            "repair.refused", "Filled frames lie over this layer.", "Remove the topmost Filled layer first."
        )


def _forget(armature: Any) -> None:
    """Forget what was found of a motion that is not there any more."""
    forget_problems(armature)
    if CHECK in armature:
        del armature[CHECK]


def repairs_of(armature: Any) -> list[tuple[Repair, Repaired | None]]:
    """The repairs that a character has, from below, with what they did where that is known."""
    said = _all_stored(armature)
    rows = [(repair_named(name), said.get(name)) for name in repair_tracks(armature)]
    return [(repair, _read(kept)) for repair, kept in rows if repair is not None]


def _reading_without(scene: Any, armature: Any, names: list[str], frames: tuple[int, ...]) -> Steps[SMPLMotion]:
    """The motion as it is seen without these repairs."""
    muted = {name: repair_tracks(armature)[name].mute for name in names}
    try:
        for name in names:
            repair_tracks(armature)[name].mute = True
        motion = yield from reading_steps(scene, armature, frames)
        return motion
    finally:
        for name, mute in muted.items():
            repair_tracks(armature)[name].mute = mute
        if names:
            scene.frame_set(scene.frame_current)


def _all_stored(armature: Any) -> dict[str, Any]:
    try:
        said = json.loads(armature.get(REPAIRED, "{}"))
    except (ValueError, TypeError):
        return {}
    return said if isinstance(said, dict) else {}


def _read(kept: Any) -> Repaired | None:
    try:
        return Repaired(kept["strength"], MotionQuality(**kept["before"]), MotionQuality(**kept["after"]))
    except (TypeError, KeyError):
        return None


def _store_figures(armature: Any, first: int, motion: SMPLMotion, ground: Ground) -> None:
    """What the checks say of the repaired motion; what only the camera knows stays as it was."""
    rest = rest_joints(armature)
    found = run_checks(motion, rest, floor_m=ground.floor_m, sole_m=ground.sole_m)
    store_problems(armature, with_found(stored_problems(armature), first, found))
    quality = measure_quality(motion, rest, floor_m=ground.floor_m)
    frames = format_frames(tuple(range(first, first + motion.frame_count)))
    earlier = stored_check(armature)
    store_check(
        armature,
        MotionCheck(
            quality.foot_slide_cm_per_s,
            quality.jitter_m_per_s3,
            quality.floor_penetration_cm,
            frames,
            "" if earlier is None else earlier.out_of_frame,
        ),
    )
