"""What the child Blender does: describe the shot of the copy, say what of it is there, render the rest."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..rig.character import Character
from ..scene_time import scene_fps
from ..shared.errors import InputError, RenderError
from ..shared.files.digest import sha256_bytes, sha256_file
from ..shared.files.frame_files import frame_name, write_atomic
from ..shared.jobs.reuse import UNKNOWN, geometry_digest
from ..shared.shot import VERTICES_FILE, Shot
from .frame_file import body_pixels_of_equal_frame, frame_key, passes_from_render
from .geometry import SurfaceCharts, camera_view, own_vertices, surface_charts, world_joints, world_vertices
from .labels import require_labels
from .materials import override_materials
from .settings import choose_engine
from .shot_file import FrameGeometry, ShotWriter, charts_npz
from .sight import hidden_by
from .spec import ChildEvent, FrameReady, PassSpec, ShotReady
from .stage import Stage, open_stage
from .surroundings import drawn_bodies, occluder_digest


@dataclass(frozen=True, slots=True)
class _Described:
    """The shot, and every frame's key."""

    keys: list[str]
    shot: Shot
    charts: SurfaceCharts


def run(spec: PassSpec, emit: Callable[[ChildEvent], None]) -> None:
    """Render the passes of `spec`, telling each step to `emit`. Raises LatentManError."""
    with open_stage(spec) as stage:
        described = _describe(stage, spec)
        if spec.compare_with:
            _compare(spec, described, emit)
        else:
            emit(ShotReady())
            _render_frames(stage, spec, described.keys, emit)


def _render_frames(stage: Stage, spec: PassSpec, keys: list[str], emit: Callable[[ChildEvent], None]) -> None:
    override_materials(stage.view_layer, stage.bodies)
    seen = 0
    for frame, key in zip(spec.frames, keys, strict=True):
        path = Path(spec.output) / frame_name(frame, ".exr")
        pixels = body_pixels_of_equal_frame(path, key)
        reused = pixels is not None
        if pixels is None:
            data, pixels = passes_from_render(_render(stage, spec, frame), key)
            write_atomic(path, data)
        seen += pixels
        emit(FrameReady(frame, reused))
    if seen == 0:
        raise _nothing_seen(hidden_by(stage, spec.frames))


def _nothing_seen(hiding: list[str]) -> InputError:
    if not hiding:
        return InputError(
            "render.too_small",
            "The character covers no pixel in any frame, although nothing hides it.",
            "Move the camera closer, or choose a larger size.",
        )
    return InputError(
        "render.hidden",
        f"The character is hidden by other objects in every frame: {', '.join(hiding)}.",
        "Leave those objects out, or move the camera.",
    )


def _compare(spec: PassSpec, described: _Described, emit: Callable[[ChildEvent], None]) -> None:
    """Tell which frames' files are still right, and all that can be known of the others without rendering them."""
    shot = described.shot
    vertices = np.load(Path(spec.output) / VERTICES_FILE, mmap_mode="r")
    rows = zip(shot.camera.world_to_camera, shot.camera.intrinsics, vertices, strict=True)
    geometry = tuple(geometry_digest(*row) for row in rows)
    emit(ShotReady(shot.near_m, shot.far_m, sha256_bytes(charts_npz(described.charts)), geometry))
    for frame, key in zip(spec.frames, described.keys, strict=True):
        path = Path(spec.compare_with) / frame_name(frame, ".exr")
        same = body_pixels_of_equal_frame(path, key) is not None
        emit(FrameReady(frame, same, sha256_file(path) if same else UNKNOWN))


def _describe(stage: Stage, spec: PassSpec) -> _Described:
    """Write the files beside the frames."""
    require_labels(stage, spec.frames[0])
    charts = _charts(stage, spec.frames[0])
    fixed = _fixed(spec, charts)
    keys = []
    writer = ShotWriter(spec, scene_fps(stage.scene), [character.armature.name for character in stage.characters])
    try:
        for frame in spec.frames:
            geometry, others = stage.read(frame, lambda depsgraph: _frame(stage, spec, depsgraph))
            writer.add(geometry)
            keys.append(frame_key(fixed, geometry.view, np.concatenate(geometry.vertices), geometry.drawn, others))
        shot = writer.finish(charts)
    finally:
        writer.discard()
    return _Described(keys, shot, charts)


def _charts(stage: Stage, frame: int) -> SurfaceCharts:
    """The charts with the rest pose; without it where a body has other vertices at rest than in the frame."""

    def read(characters: list[Character], depsgraph: Any) -> list[NDArray[np.float32]]:
        return [own_vertices(one, depsgraph) for one in characters]

    charts = stage.read(frame, lambda depsgraph: surface_charts(stage.characters, depsgraph))
    posed = stage.read(frame, lambda depsgraph: read(stage.characters, depsgraph))
    resting = stage.read_at_rest(read)
    for character, own, other in zip(stage.characters, resting, posed, strict=True):
        if len(own) != len(other):  # geometry nodes or a mask that look at the pose
            what = f"{len(own)} vertices at rest, {len(other)} in frame {frame}"
            print(f"No rest pose: {character.body.name!r} has {what}.", file=sys.stderr, flush=True)
            return charts
    return replace(charts, rest=np.concatenate(resting))


def _frame(stage: Stage, spec: PassSpec, depsgraph: Any) -> tuple[FrameGeometry, bytes]:
    geometry = FrameGeometry(
        view=camera_view(stage.scene, depsgraph, spec.width, spec.height),
        vertices=tuple(world_vertices(one, depsgraph) for one in stage.characters),
        joints=np.stack([world_joints(one, depsgraph) for one in stage.characters]),
        drawn=drawn_bodies(depsgraph, stage.view_layer, stage.bodies),
    )
    return geometry, occluder_digest(depsgraph, stage.view_layer, stage.bodies)


def _fixed(spec: PassSpec, charts: SurfaceCharts) -> bytes:
    """What all frames' passes depend on alike."""
    digest = hashlib.sha256(charts_npz(replace(charts, rest=None)))  # no picture depends on the rest pose
    digest.update(f"{spec.width}x{spec.height} {spec.engine} {bpy.app.version_string}".encode())
    return digest.digest()


def _render(stage: Stage, spec: PassSpec, frame: int) -> bytes:
    """Render one frame beside the copy and return Blender's file."""
    stage.show(frame)
    choose_engine(stage.scene, spec.engine)
    target = Path(spec.blend).with_name("rendered.exr")
    target.unlink(missing_ok=True)
    stage.scene.render.filepath = str(target)
    bpy.ops.render.render(write_still=True, scene=stage.scene.name, layer=stage.view_layer.name)
    if not target.is_file():
        raise RenderError("render.no_picture", f"Blender rendered nothing for frame {frame}.")
    return target.read_bytes()
