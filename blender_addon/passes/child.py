"""What the child Blender does: prepare the copy, describe the shot, render its frames."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..rig.character import Character, require_characters
from ..rig.correctives import apply_correctives, load_correctives
from ..shared.digest import sha256_bytes, sha256_file
from ..shared.errors import RenderError
from ..shared.frame_files import frame_name, write_atomic
from ..shared.reuse import UNKNOWN, geometry_digest
from ..shared.shot import VERTICES_FILE, Shot
from .frame_file import body_pixels_of_equal_frame, frame_key, passes_from_render
from .geometry import SurfaceCharts, camera_view, occluder_digest, surface_charts, world_joints, world_vertices
from .materials import override_materials
from .settings import apply_settings, show_what_renders
from .shot_file import FrameGeometry, ShotWriter, charts_npz
from .spec import ChildEvent, FrameReady, PassSpec, ShotReady


@dataclass(frozen=True, slots=True)
class _Stage:
    """The opened copy, ready to be evaluated frame by frame."""

    scene: Any
    view_layer: Any
    characters: list[Character]
    correctives: list[NDArray[np.float32] | None]  # a character each

    def show(self, frame: int) -> Any:
        """Go to a frame and return the dependency graph, pose correctives included."""
        self.scene.frame_set(frame)
        for character, offsets in zip(self.characters, self.correctives, strict=True):
            if offsets is not None:
                armature = character.armature.evaluated_get(self.view_layer.depsgraph)
                apply_correctives(character.body, armature, offsets)
        self.view_layer.update()
        return self.view_layer.depsgraph


def run(spec: PassSpec, emit: Callable[[ChildEvent], None]) -> None:
    """Render the passes of `spec`, telling each step to `emit`. Raises LatentManError."""
    stage = _open(spec)
    keys, shot, charts = _describe(stage, spec)
    if spec.compare_with:
        _compare(spec, keys, shot, charts, emit)
        return
    emit(ShotReady())
    override_materials(stage.view_layer, [character.body for character in stage.characters])
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
        raise RenderError(
            "render.hidden",
            "The character is hidden by other objects in every frame.",
            "Hide those objects in renders, or move the camera.",
        )


def _compare(
    spec: PassSpec, keys: list[str], shot: Shot, charts: SurfaceCharts, emit: Callable[[ChildEvent], None]
) -> None:
    """Tell which frames' files are still right, and all that can be known of the others without rendering them."""
    vertices = np.load(Path(spec.output) / VERTICES_FILE, mmap_mode="r")
    rows = zip(shot.camera.world_to_camera, shot.camera.intrinsics, vertices, strict=True)
    geometry = tuple(geometry_digest(*row) for row in rows)
    emit(ShotReady(shot.near_m, shot.far_m, sha256_bytes(charts_npz(charts)), geometry))
    for frame, key in zip(spec.frames, keys, strict=True):
        path = Path(spec.compare_with) / frame_name(frame, ".exr")
        same = body_pixels_of_equal_frame(path, key) is not None
        emit(FrameReady(frame, same, sha256_file(path) if same else UNKNOWN))


def _open(spec: PassSpec) -> _Stage:
    bpy.ops.wm.open_mainfile(filepath=spec.blend, load_ui=False)
    scene = bpy.data.scenes[spec.scene]
    view_layer = scene.view_layers[spec.view_layer]
    characters = require_characters(scene, view_layer)
    apply_settings(scene, view_layer, spec)
    show_what_renders(scene, view_layer, [character.body for character in characters])
    return _Stage(scene, view_layer, characters, [load_correctives(character.body) for character in characters])


def _describe(stage: _Stage, spec: PassSpec) -> tuple[list[str], Shot, SurfaceCharts]:
    """Write the files beside the frames; returns every frame's key, the shot and the charts."""
    depsgraph = stage.show(spec.frames[0])
    charts = surface_charts(stage.characters, depsgraph)
    counts = [len(world_vertices(character, depsgraph)) for character in stage.characters]
    fps = stage.scene.render.fps / stage.scene.render.fps_base
    writer = ShotWriter(spec, fps, [character.armature.name for character in stage.characters], counts)
    fixed = _fixed(spec, charts)
    keys = []
    try:
        for geometry, others in _frames(stage, spec):
            writer.add(geometry)
            keys.append(frame_key(fixed, geometry.view, geometry.vertices, others))
        shot = writer.finish(charts)
    finally:
        writer.discard()
    return keys, shot, charts


def _frames(stage: _Stage, spec: PassSpec) -> Iterator[tuple[FrameGeometry, bytes]]:
    bodies = [character.body for character in stage.characters]
    for frame in spec.frames:
        depsgraph = stage.show(frame)
        geometry = FrameGeometry(
            view=camera_view(stage.scene, depsgraph, spec.width, spec.height),
            vertices=np.concatenate([world_vertices(one, depsgraph) for one in stage.characters]),
            joints=np.stack([world_joints(one, depsgraph) for one in stage.characters]),
        )
        yield geometry, occluder_digest(depsgraph, bodies)


def _fixed(spec: PassSpec, charts: SurfaceCharts) -> bytes:
    """What all frames' passes depend on alike."""
    digest = hashlib.sha256(charts_npz(charts))
    digest.update(f"{spec.width}x{spec.height} {spec.engine} {bpy.app.version_string}".encode())
    return digest.digest()


def _render(stage: _Stage, spec: PassSpec, frame: int) -> bytes:
    """Render one frame beside the copy and return Blender's file."""
    stage.show(frame)
    target = Path(spec.blend).with_name("rendered.exr")
    target.unlink(missing_ok=True)
    stage.scene.render.filepath = str(target)
    bpy.ops.render.render(write_still=True, scene=stage.scene.name, layer=stage.view_layer.name)
    if not target.is_file():
        raise RenderError("render.no_picture", f"Blender rendered nothing for frame {frame}.")
    return target.read_bytes()
