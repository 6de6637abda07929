"""The scene's settings: into a job and back, presets, job files, and where the output goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest

import blender_addon
from blender_addon.cli.options import job_template, parse_options
from blender_addon.client.job_file import read_job_file, write_job_file
from blender_addon.client.request import placeholder_inputs
from blender_addon.help.fixes import fixes_for
from blender_addon.look.motion_check import check_motion, warnings
from blender_addon.rig.body_mesh import PART_ATTRIBUTE
from blender_addon.rig.character import characters, import_motion
from blender_addon.rig.motion_figures import MotionCheck, stored_check
from blender_addon.scene.scene_job import (
    keep_output,
    output_base,
    preset_changes,
    scene_frames,
    shot_file,
    store_settings,
    stored_settings,
    stored_template,
)
from shared.body import free_body
from shared.errors import InputError
from shared.jobs.job import Job, normal_job, validate_job
from shared.methods import METHODS, MethodSettings
from shared.methods.finish import FinishSettings
from shared.methods.latentman import LatentManSettings, published_settings
from shared.methods.surfacelock import SurfaceLockSettings
from tests.blender.scenes import add_camera, context, empty_scene, operators, random_motion


@pytest.fixture
def scene() -> Iterator[Any]:
    made = empty_scene()
    blender_addon.register()
    made.latentman.prompt = "a robot"
    yield made
    blender_addon.unregister()


def test_a_new_scene_has_the_jobs_own_defaults(scene: Any) -> None:
    job = stored_template(scene, (1,))
    validate_job(job)
    assert dataclasses.replace(job, prompt="", inputs=Job("", (1,), job.inputs).inputs) == Job("", (1,), job.inputs)


def test_the_panels_frames_are_a_range_or_the_scenes(scene: Any) -> None:
    scene.frame_start, scene.frame_end = 3, 5
    assert scene_frames(scene) == (3, 4, 5)
    scene.latentman.frames = "1-3,47,60-64x2"
    assert scene_frames(scene) == (1, 2, 3, 47, 60, 62, 64)
    scene.latentman.frames = "5-1"
    with pytest.raises(InputError, match="runs backwards"):
        scene_frames(scene)


def test_the_scenes_step_is_the_shots(scene: Any) -> None:
    scene.frame_start, scene.frame_end, scene.frame_step = 1, 8, 2
    assert scene_frames(scene) == (1, 3, 5, 7)
    store_settings(scene, stored_template(scene, (1, 3, 5, 7)), "cycles")
    assert scene.latentman.frames == ""
    store_settings(scene, stored_template(scene, (1, 2, 3)), "cycles")
    assert scene.latentman.frames == "1-3"


@pytest.mark.parametrize(
    ("fps", "base", "meant"),
    [(30, 1.001, 30 / 1.001), (24, 48 / 47, 23.5), (12, 0.96, 12.5), (24, 1.0001, 24 / 1.0001), (25, 1.0, 25.0)],
)
def test_a_rate_is_the_jobs_as_it_was_meant(scene: Any, fps: int, base: float, meant: float) -> None:
    scene.render.fps, scene.render.fps_base = fps, base
    assert stored_template(scene, (1,)).fps == pytest.approx(meant, rel=1e-12)


def test_model_paths_count_from_the_blends_folder(scene: Any, tmp_path: Path) -> None:
    scene.latentman.model = "//../models/whole"
    (tmp_path / "film").mkdir()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film" / "shot.blend"))
    scene = context.scene
    assert stored_template(scene, (1,)).model == str(tmp_path / "models" / "whole")
    scene.latentman.model = "whole"
    assert stored_template(scene, (1,)).model == str(tmp_path / "film" / "whole")
    scene.latentman.model = "embedded"
    assert stored_template(scene, (1,)).model == "embedded"


def test_a_preset_sets_its_method_and_all_of_its_settings(scene: Any) -> None:
    scene.latentman.preset = "released"
    assert scene.latentman.method != "latentman"
    assert operators.latentman.apply_preset() == {"FINISHED"}
    job = stored_template(scene, (1,))
    assert (job.steps, job.settings) == (100, published_settings("released"))
    assert preset_changes(scene) == ()
    # Chosen in the menu; what the panel does not show goes back as well.
    assert operators.latentman.apply_preset(preset="standard") == {"FINISHED"}
    assert scene.latentman.preset == "standard"
    assert stored_template(scene, (1,)).settings == LatentManSettings()
    assert scene.latentman.other == ""


def test_the_quick_preset_guides_by_the_tiny_decoder_and_its_error_brings_the_way_back(scene: Any) -> None:
    scene.latentman.preset = "quick"
    assert operators.latentman.apply_preset() == {"FINISHED"}
    assert stored_template(scene, (1,)).settings == LatentManSettings(guide_decoder="tiny")
    assert scene.latentman.other == ""  # the panel shows it
    fix = fixes_for("model.tiny_decoder")[0]
    assert fix.operator == "latentman.reset_setting"
    assert operators.latentman.reset_setting(**dict(fix.properties)) == {"FINISHED"}
    assert stored_template(scene, (1,)).settings == LatentManSettings()


def test_each_method_keeps_settings_of_its_own(scene: Any) -> None:
    scene.latentman.latentman.align = (0.1, 0.3)
    scene.latentman.other = '{"latentman": {"guide_rule": "fixed"}}'
    scene.latentman.method = "masactrl"
    job = stored_template(scene, (1,))
    assert (job.method, job.settings) == ("masactrl", MethodSettings())
    own = LatentManSettings(align=(0.1, 0.3), guide_rule="fixed")
    assert stored_settings(scene, METHODS["latentman"]) == own
    store_settings(scene, job, "cycles")  # a take of another method leaves them as they are
    assert stored_settings(scene, METHODS["latentman"]) == own
    scene.latentman.other = '{"latentman": {"guide_rules": "fixed"}}'
    with pytest.raises(InputError, match="'guide_rules' is not a setting of latentman"):
        stored_settings(scene, METHODS["latentman"])


def test_a_switch_of_a_method_is_kept(scene: Any) -> None:
    job = dataclasses.replace(
        stored_template(scene, (1,)), method="surfacelock", settings=SurfaceLockSettings(particles=False)
    )
    store_settings(scene, job, "cycles")
    assert stored_template(scene, (1,)).settings == job.settings
    assert scene.latentman.surfacelock.particles is False


def test_no_method_is_named_as_a_setting_of_the_scene_or_the_job(scene: Any) -> None:
    fields = {field.name for field in dataclasses.fields(Job)}
    assert fields.isdisjoint(METHODS)
    groups = {name for name, one in scene.latentman.bl_rna.properties.items() if one.type == "POINTER"}
    others = {"rna_type", "prompts", "made_motion", "source_armature"}
    assert groups - others == {"surfacelock", "latentman", "finish"}


def test_the_finish_is_kept_like_a_methods_settings_and_goes_with_every_method(scene: Any, tmp_path: Path) -> None:
    assert stored_template(scene, (1,)).finish == FinishSettings()
    scene.latentman.finish.lock, scene.latentman.finish.background = "on", "keep"
    for method in ("latentman", "per_frame"):
        scene.latentman.method = method
        job = stored_template(scene, (1,))
        assert (job.method, job.finish) == (method, FinishSettings("on", "keep"))
    write_job_file(tmp_path / "shot.json", shot_file(scene, tmp_path))
    assert read_job_file(tmp_path / "shot.json").job.finish == job.finish
    store_settings(scene, dataclasses.replace(job, finish=FinishSettings("off")), "cycles")
    assert (scene.latentman.finish.lock, scene.latentman.finish.background) == ("off", "auto")
    scene.latentman.preset = "draft"
    assert operators.latentman.apply_preset() == {"FINISHED"}
    assert stored_template(scene, (1,)).finish == FinishSettings("off")
    given = parse_options(["--finish-lock", "on", "--method", "latentman"])
    assert job_template(given, None, stored_template(scene, (1,))).finish == FinishSettings("on")
    assert job_template(parse_options([]), None, job).finish == job.finish
    scene.latentman.other = '{"finish": {"lok": "on"}}'
    with pytest.raises(InputError, match="'lok' is not a setting of finish"):
        stored_template(scene, (1,))


def test_unreadable_hidden_settings_are_told_and_reset(scene: Any) -> None:
    scene.latentman.other = '{"latentman": 3}'
    with pytest.raises(InputError, match="cannot be read"):
        stored_template(scene, (1,))
    assert operators.latentman.reset_hidden() == {"FINISHED"}
    stored_template(scene, (1,))


def test_a_job_file_keeps_the_shot(scene: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Save the file first"):
        operators.latentman.save_job(filepath=str(tmp_path / "job.json"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    scene = context.scene
    settings = scene.latentman
    settings.method = "latentman"
    settings.frames, settings.engine, settings.seed, settings.latentman.align = "1-9x4", "eevee", 12, (0.1, 0.3)
    assert operators.latentman.save_job(filepath=str(tmp_path / "job")) == {"FINISHED"}
    shot = read_job_file(tmp_path / "job.json")
    assert (shot.blend, shot.output, shot.engine) == (tmp_path / "shot.blend", tmp_path / "latentman", "eevee")
    settings.frames, settings.engine, settings.seed, settings.latentman.align = "", "cycles", 1, (0.0, 1.0)
    assert operators.latentman.load_job(filepath=str(tmp_path / "job.json")) == {"FINISHED"}
    assert (settings.frames, settings.engine) == ("1-9x4", "eevee")
    again = stored_template(scene, shot.job.frames)
    assert dataclasses.replace(again, fps=shot.job.fps) == shot.job


def test_keyed_prompts_are_a_text_of_the_file(scene: Any) -> None:
    text = bpy.data.texts.new("along")
    scene.latentman.prompt, scene.latentman.prompts = "", text
    with pytest.raises(InputError, match="'along' with the keyed prompts is empty"):
        stored_template(scene, (1,))
    text.from_string("1: a robot\n30: a knight\n")
    job = normal_job(stored_template(scene, (1,)))
    validate_job(job)
    assert (job.prompt, job.prompts) == ("a robot", "1: a robot\n30: a knight")
    scene.latentman.prompts = None
    store_settings(scene, job, "cycles")
    assert scene.latentman.prompts == text and len(bpy.data.texts) == 1
    store_settings(scene, dataclasses.replace(job, prompts="1: a moon"), "cycles")
    assert scene.latentman.prompts != text and stored_template(scene, (1,)).prompts.strip() == "1: a moon"
    store_settings(scene, dataclasses.replace(job, prompts=""), "cycles")
    assert scene.latentman.prompts is None and scene.latentman.prompt == "a robot"


def test_values_outside_of_a_fields_limits_are_not_kept(scene: Any) -> None:
    job = dataclasses.replace(stored_template(scene, (1,)), guidance_scale=77.0, seed=2**40)
    before = scene.latentman.guidance_scale, scene.latentman.seed
    store_settings(scene, job, "cycles")
    assert (scene.latentman.guidance_scale, scene.latentman.seed) == before


def test_takes_of_a_file_that_is_not_saved_stay_where_the_panel_said(
    scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    first = tmp_path / "LatentMan" / "unsaved-001"
    assert output_base(bpy.context, scene) == first and not first.parent.exists()
    keep_output(scene, first)
    first.mkdir(parents=True)
    assert output_base(bpy.context, scene) == first
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "walk.blend"))
    assert output_base(bpy.context, context.scene) == first
    bpy.ops.wm.read_homefile(app_template="")
    assert output_base(bpy.context, context.scene) == first.with_name("unsaved-002")


def test_a_folder_beside_an_unsaved_file_has_no_place(scene: Any) -> None:
    scene.latentman.output = "//mine"
    with pytest.raises(InputError, match="not saved yet"):
        output_base(bpy.context, scene)


def test_the_output_follows_the_pattern_of_the_preferences(scene: Any, tmp_path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "walk.blend"))
    scene = context.scene
    assert output_base(bpy.context, scene) == tmp_path / "latentman"
    entry = context.preferences.addons.new()
    entry.module = "blender_addon"
    entry.preferences.output, scene.name = "//out/BLEND-SCENE", "a/b"
    assert output_base(bpy.context, scene) == tmp_path / "out" / "walk-a_b"
    scene.latentman.output = str(tmp_path / "mine")
    assert output_base(bpy.context, scene) == tmp_path / "mine"
    context.preferences.addons.remove(entry)


def test_a_motion_is_looked_at_with_its_edits(scene: Any) -> None:
    armature = import_motion(scene, dataclasses.replace(random_motion(8, 24), twist_known=False), free_body())
    add_camera(scene, (0, -6, 1.2), (1.5707963, 0, 0))
    (character,) = characters(scene)
    check = check_motion(scene, character, (1, 2, 3, 4), 64, 64)
    assert check.jitter_m_per_s3 > 300  # random poses
    scene.frame_set(3)
    armature.location.x = 50
    for frame in (2, 3):
        armature.keyframe_insert("location", frame=frame)
    armature.location.x = 0
    for frame in (1, 4):
        armature.keyframe_insert("location", frame=frame)
    assert operators.latentman.check_motion() == {"FINISHED"}
    assert scene.frame_current == 3
    _check_part_colours(character)
    found = stored_check(armature)
    assert isinstance(found, MotionCheck) and "2-3" in found.out_of_frame
    said = " ".join(warnings(armature))
    assert "Twist unknown" in said and "Jitter" in said and "Out of frame" in said


def _check_part_colours(character: Any) -> None:
    """One colour a part, another for each."""
    assert operators.latentman.preview_parts() == {"FINISHED"}
    mesh = character.body.data
    colours = np.empty(len(mesh.loops) * 4, np.float32)
    mesh.color_attributes.active_color.data.foreach_get("color_srgb", colours)
    colours = colours.reshape(-1, 4).round(3)
    part = np.array([item.value for item in mesh.attributes[PART_ATTRIBUTE].data])
    of_corner = np.concatenate([np.full(face.loop_total, part[face.index]) for face in mesh.polygons])
    seen = {tuple(np.unique(colours[of_corner == label], axis=0).ravel()) for label in range(1, 25)}
    assert len(seen) == 24 and all(len(colour) == 4 for colour in seen)


def test_own_betas_are_used_by_the_import(scene: Any, tmp_path: Path) -> None:
    from shared.motion import sample_path

    heights = []
    for own in (False, True):
        scene.latentman.own_betas = own
        scene.latentman.betas[0] = 3.0
        assert operators.latentman.import_motion(filepath=str(sample_path("wave"))) == {"FINISHED"}
        body = characters(scene)[-1].body
        heights.append(body.dimensions.z)
        for item in list(scene.objects):
            bpy.data.objects.remove(item, do_unlink=True)
    assert abs(heights[1] - heights[0]) > 0.01


def test_the_doctor_reports(scene: Any, tmp_path: Path) -> None:
    from blender_addon.client.backend_command import BackendCommand
    from blender_addon.help.doctor import Doctor

    doctor = Doctor()
    answers = {
        'print(\'[{"name": "torch", "works": false, "text": "gone", "mend": "make test"}]\')': ("torch", False),
        "print('no such command')": ("backend", False),
    }
    import sys

    for code, expected in answers.items():
        doctor.ask(BackendCommand((sys.executable, "-c", code, "serve", "--stdio")))
        while doctor.running:
            doctor.step()
        assert [(finding.name, finding.works) for finding in doctor.findings] == [expected]


def test_the_help_says_the_defaults_of_a_job(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "picture size in pixels (default: the scene's; 256x256 in a new one)" in said
    assert (Job("", (1,), placeholder_inputs(1)).width, Job("", (1,), placeholder_inputs(1)).height) == (256, 256)
