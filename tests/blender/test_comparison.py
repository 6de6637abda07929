"""What would be made again, counted without rendering: the child knows of a shot what the backend will know."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import bpy
import numpy as np

from backend.jobs.reuse import shot_facts
from backend.passes.shot_passes import open_passes
from blender_addon.cli.plan import look_ahead
from blender_addon.client.request import GenerateRequest, placeholder_inputs
from blender_addon.passes.comparison import Compared, Known, PassComparison
from blender_addon.passes.launcher import PassRequest
from blender_addon.rig.character import import_motion
from shared.body import free_body
from shared.files.digest import sha256_bytes, sha256_file
from shared.files.frame_files import frame_name
from shared.files.strict_json import dump_json
from shared.jobs.job import Job, JobInputs, canonical_json
from shared.jobs.reuse import RECORD_FILE, ReuseRecord, SegmentRecord, segment_keys
from shared.methods import MethodSettings
from shared.methods.finish import FinishSettings
from shared.methods.latentman import LatentManSettings
from tests.blender.scenes import add_camera, empty_scene, render_passes, standing_motion

FRAMES = (1, 2, 3, 4, 5, 6)
SIZE = 64


def finished_job(job: Job, passes: Path, jobs: Path) -> Job:
    """The job on rendered passes, with the record that the backend leaves of it."""
    files = [passes / frame_name(frame, ".exr") for frame in FRAMES]
    extra = [passes / name for name in ("shot.json", "vertices.npy", "charts.npz")]
    job = dataclasses.replace(job, inputs=JobInputs(tuple(map(sha256_file, files)), *map(sha256_file, extra)))
    keys = segment_keys(job, shot_facts(job, open_passes(files, *extra)))
    record = ReuseRecord("here", tuple(SegmentRecord(key, (), ()) for key in keys))
    folder = jobs / sha256_bytes(canonical_json(job))
    folder.mkdir(parents=True)
    (folder / RECORD_FILE).write_bytes(dump_json(record))
    return job


def test_an_edit_is_counted_as_the_backend_will_find_it(tmp_path: Path) -> None:
    scene = empty_scene(24)
    import_motion(scene, standing_motion(len(FRAMES)), free_body())
    camera = add_camera(scene, (0.1, -4.0, 1.1), (np.pi / 2, 0, 0))
    passes, jobs = tmp_path / "passes", tmp_path / ".backend" / "jobs"
    asked = PassRequest(passes, FRAMES, SIZE, SIZE)
    template = Job("a robot", FRAMES, placeholder_inputs(len(FRAMES)), width=SIZE, height=SIZE, segment_frames=2)
    methods = {"latentman": LatentManSettings(), "text2video_zero": MethodSettings()}
    request = GenerateRequest(tmp_path, methods, template)
    locked = dataclasses.replace(request, template=dataclasses.replace(template, finish=FinishSettings(lock="on")))
    assert look_ahead(bpy.context, request, jobs)["latentman"] == Compared(FRAMES, (), 6)  # without a child
    render_passes(bpy.context, asked)
    for one in (request, locked):
        for method in one.methods:
            finished_job(one.job(method, template.inputs), passes, jobs)
        assert set(look_ahead(bpy.context, one, jobs).values()) == {Compared((), FRAMES, 0)}

    lens = camera.data
    for frame, shift in ((3, 0.0), (4, 0.02), (5, 0.0)):
        lens.shift_x = shift
        lens.keyframe_insert("shift_x", frame=frame)
    rest = (1, 2, 3, 5, 6)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    ahead = look_ahead(bpy.context, request, jobs)
    assert ahead["latentman"] == Compared((4,), rest, 4, at_most=True)
    assert ahead["text2video_zero"] == Compared((4,), rest, 2, at_most=True)
    assert ahead["latentman"].to_generate_text == "at most 4"
    assert set(look_ahead(bpy.context, locked, jobs).values()) == {Compared((4,), rest, 4, at_most=True)}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before

    comparison = PassComparison.start(bpy.context, asked, template, Known(None))  # a backend elsewhere
    comparison.finish()
    assert comparison.result == Compared((4,), rest, 6, at_most=True)
