"""The batch command inside of Blender: several shots, job files and options over them, and what is there already."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

import blender_addon
from blender_addon.cli import main
from blender_addon.client.job_file import ShotFile, read_job_file, write_job_file
from blender_addon.look.camera import frame_shot
from blender_addon.rig.character import import_motion
from blender_addon.rig.left_out import LEFT_OUT, names_with
from blender_addon.scene.scene_job import stored_template
from shared.body import free_body
from shared.jobs.job import canonical_json
from shared.methods import DEFAULT_METHOD, METHODS, MethodSettings
from shared.methods.latentman import LatentManSettings
from tests.blender.scenes import context, empty_scene, standing_motion

DEFAULTS = json.loads(json.dumps(dataclasses.asdict(METHODS[DEFAULT_METHOD].settings())))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with one .blend of two scenes, and a job file for each of them."""
    path = tmp_path_factory.mktemp("batch")
    first = empty_scene()
    blender_addon.register()
    second: Any = bpy.data.scenes.new("second")
    for scene, prompt in ((first, "a robot"), (second, "a knight")):
        context.window.scene = scene
        armature = import_motion(scene, standing_motion(5), free_body())
        scene.latentman.prompt = prompt
        if scene is first:
            frame_shot(scene, armature, (1, 5))
    bpy.ops.wm.save_as_mainfile(filepath=str(path / "two.blend"))
    for name, scene in (("a", bpy.data.scenes["Scene"]), ("b", bpy.data.scenes["second"])):
        template = stored_template(scene, (1, 3, 5))
        methods = {"latentman": LatentManSettings()}
        shot = ShotFile(template, methods, "cycles", path / "two.blend", scene.name, path / "out" / name)
        write_job_file(path / f"{name}.json", shot)
    yield path
    blender_addon.unregister()


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, JSON lines and what was said on standard error."""
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, [json.loads(line) for line in said.out.splitlines() if line.startswith("{")], said.err


def test_several_shots_each_with_its_own_scene_and_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = ("--job", folder / "a.json", "--job", folder / "b.json")
    code, lines, said = run(capsys, *jobs, "--seed", 5, "--frames", "2-4", "--dry-run", "--json")
    assert [line["event"] for line in lines] == ["shot", "plan", "shot", "failed"]
    plan, failed = lines[1], lines[3]
    assert (plan["shot"], plan["frames"], plan["job"]["seed"]) == (1, [2, 3, 4], 5)
    assert (plan["job"]["prompt"], plan["output"]) == ("a robot", str(folder / "out" / "a"))
    assert (failed["shot"], failed["code"], failed["exit_code"]) == (2, "passes.no_camera", 2)
    assert "'second' has no perspective camera" in failed["message"] and said.count("latentman: ") == 1
    assert code == 2
    assert not (folder / "out").exists()


def test_one_output_folder_holds_several_shots(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = ("--job", folder / "a.json", "--job", folder / "b.json")
    _, lines, _ = run(capsys, *jobs, "--output", tmp_path / "all", "--dry-run", "--json")
    assert [line["output"] for line in lines if line["event"] == "shot"] == [
        str(tmp_path / "all" / "a"),
        str(tmp_path / "all" / "b"),
    ]


def test_a_dry_run_counts_what_is_there(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = tmp_path / "latentman"
    frames.mkdir()
    for name in ("0001.png", "0003.png", "0004.png"):
        (frames / name).touch()
    shot = read_job_file(folder / "a.json")
    (frames / "job.json").write_bytes(canonical_json(shot.job))
    arguments = ("--job", folder / "a.json", "--output", tmp_path, "--dry-run")
    _, lines, _ = run(capsys, *arguments, "--json")
    assert lines[-1]["frames_there"] == {"latentman": 2} and lines[-1]["passes_there"] == 0
    assert (lines[-1]["passes_to_render"], lines[-1]["frames_to_generate"]) == (3, {"latentman": 3})
    assert lines[-1]["at_most"] is False
    _, lines, _ = run(capsys, *arguments, "--json", "--seed", 99)
    assert lines[-1]["frames_there"] == {"latentman": 0}


def test_an_object_is_left_out_by_its_name(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bpy.ops.wm.open_mainfile(filepath=str(folder / "two.blend"))
    for name in ("wall", "door"):
        bpy.data.scenes["Scene"].collection.objects.link(bpy.data.objects.new(name, bpy.data.meshes.new(name)))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "walled.blend"))
    blend = ("--blend", tmp_path / "walled.blend", "--scene", "Scene", "--frames", "1-2")
    arguments = (*blend, "--output", tmp_path / "out", "--dry-run", "--json", "--leave-out")
    code, lines, _ = run(capsys, *arguments, "wall", "--leave-out", "door")
    assert (code, lines[-1]["event"]) == (0, "plan")
    assert names_with(context.scene, LEFT_OUT) == ["door", "wall"]
    code, lines, said = run(capsys, *arguments, "walls")
    assert (code, lines[-1]["code"]) == (2, "objects.unknown")
    assert "The scene 'Scene' has no object 'walls'. It has: Character body, door, wall." in said


def test_keyed_prompts_come_from_a_file_or_the_job(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "along.txt").write_text("1: a robot\n5: a knight\n")
    arguments = ("--job", folder / "a.json", "--output", tmp_path, "--dry-run", "--json")
    _, lines, _ = run(capsys, *arguments, "--prompts", tmp_path / "along.txt")
    assert lines[-1]["job"]["prompts"] == "1: a robot\n5: a knight"
    shot = read_job_file(folder / "a.json")
    keyed = dataclasses.replace(shot, job=dataclasses.replace(shot.job, prompts="1: a moon"))
    write_job_file(folder / "keyed.json", keyed)
    _, lines, _ = run(capsys, "--job", folder / "keyed.json", *arguments[2:])
    assert lines[-1]["job"]["prompts"] == "1: a moon"
    _, lines, _ = run(capsys, "--job", folder / "keyed.json", *arguments[2:], "--prompt", "a robot")
    assert "prompts" not in lines[-1]["job"] and lines[-1]["job"]["prompt"] == "a robot"


def test_a_preset_goes_over_the_job_and_under_the_options(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--job", folder / "a.json", "--output", tmp_path, "--dry-run", "--json")
    _, lines, _ = run(capsys, *arguments, "--preset", "draft", "--seed", 4)
    job = lines[-1]["job"]
    assert (job["steps"], job["settings"]["guide"], job["seed"]) == (10, [0.0, 0.0], 4)
    _, lines, _ = run(capsys, *arguments, "--preset", "quick", "--steps", 7)
    job = lines[-1]["job"]
    assert (job["steps"], job["settings"]["guide_decoder"]) == (7, "tiny")


def test_a_preset_is_for_its_own_method_alone(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blend = ("--blend", folder / "two.blend", "--scene", "Scene", "--frames", "1-3")
    arguments = (*blend, "--output", tmp_path, "--dry-run", "--json")
    _, lines, _ = run(capsys, *arguments)
    assert lines[-1]["methods"] == [DEFAULT_METHOD]
    _, lines, _ = run(capsys, *arguments, "--preset", "draft")  # as in the panel
    assert (lines[-1]["methods"], lines[-1]["job"]["settings"]["guide"]) == (["latentman"], [0.0, 0.0])
    both = ("--method", "surfacelock,latentman")
    _, lines, _ = run(capsys, *arguments, *both, "--preset", "quick")
    assert (lines[-1]["methods"], lines[-1]["job"]["settings"]) == (["surfacelock", "latentman"], DEFAULTS)
    _, lines, _ = run(capsys, *arguments, *both, "--preset", "quick,surface_fast")
    assert lines[-1]["job"]["settings"]["rounds"] == 0
    for asked, said in (
        (
            ("--method", "masactrl", "--preset", "draft"),
            "draft is a preset of latentman, but the methods are masactrl.",
        ),
        (("--preset", "draft,quick"), "There are two presets for latentman."),
        ((*both, "--preset", "draft,surface"), "The presets draft and surface differ in their steps."),
    ):
        code, lines, _ = run(capsys, *arguments, *asked)
        assert (code, lines[-1]["code"], lines[-1]["message"]) == (2, "arguments.preset", said)
    _, lines, _ = run(capsys, *arguments, *both, "--preset", "draft,surface", "--steps", 5)
    assert lines[-1]["job"]["steps"] == 5
    code, lines, _ = run(capsys, *arguments, "--preset", "mild")
    assert (code, lines[-1]["code"]) == (2, "job.preset")


def test_a_methods_settings_have_options_of_their_own(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--job", folder / "a.json", "--output", tmp_path, "--dry-run", "--json")
    own = ("--latentman-align", 0, 0.3, "--latentman-guide-extent", "all", "--latentman-guide-decoder", "full")
    _, lines, _ = run(capsys, *arguments, "--preset", "quick", *own, "--latentman-guide-clamp")
    settings = lines[-1]["job"]["settings"]
    assert (settings["align"], settings["guide_extent"], settings["guide_decoder"]) == ([0.0, 0.3], "all", "full")
    assert settings["guide_clamp"] is True and settings["guide"] == [0.2, 0.7]
    code, lines, _ = run(capsys, *arguments, "--method", "masactrl", "--latentman-align", 0, 0.3)
    assert (code, lines[-1]["code"]) == (2, "arguments.method")
    assert "--latentman-align is a setting of latentman, but the methods are masactrl" in lines[-1]["message"]
    code, lines, _ = run(capsys, *arguments, "--latentman-align", 0.6, 0.3)
    assert (code, lines[-1]["code"]) == (2, "job.settings")
    code, _, said = run(capsys, *arguments, "--latentman-features", "best")
    assert code == 2 and "invalid choice: 'best'" in said


def test_each_method_takes_its_settings_from_the_job_or_else_the_open_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shot = read_job_file(folder / "a.json")
    write_job_file(folder / "two.json", dataclasses.replace(shot, methods={"masactrl": MethodSettings()}))
    both = ("--job", folder / "two.json", "--output", tmp_path, "--dry-run", "--json", "--method")
    _, lines, _ = run(capsys, *both, "masactrl,latentman")
    assert (lines[-1]["methods"], lines[-1]["job"]["settings"]) == (["masactrl", "latentman"], {})
    _, lines, _ = run(capsys, *both, "latentman,masactrl", "--latentman-guide-strength", 0.7)
    assert (lines[-1]["methods"], lines[-1]["job"]["settings"]["guide_strength"]) == (["latentman", "masactrl"], 0.7)
    code, lines, _ = run(capsys, *both, "masactrl,masactrl")
    assert (code, lines[-1]["message"]) == (2, "A method is named twice.")


def test_a_model_counts_from_where_the_command_runs_or_from_the_blend(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ("--job", folder / "a.json", "--output", tmp_path / "new", "--dry-run", "--json")
    for given, place in (("whole", tmp_path / "whole"), ("//whole", folder / "whole"), ("embedded", "embedded")):
        _, lines, _ = run(capsys, *arguments, "--model", given)
        assert lines[-1]["job"]["model"] == str(place)


def test_a_rate_is_blenders_own(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, lines, _ = run(capsys, "--job", folder / "a.json", "--output", tmp_path, "--dry-run", "--json", "--fps", 29.97)
    render = context.scene.render
    assert (render.fps, render.fps_base) == (30, pytest.approx(1.001, rel=1e-6))
    assert lines[-1]["job"]["fps"] == 30 / 1.001


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--prompt", "x"), "arguments.output"),
        (("--job", "a.json", "--job", "a.json"), "arguments.output"),
        (("--job", "a.json", "--scene", "none"), "arguments.scene"),
        (("--job", "a.json", "--job", "b.json", "--save-blend", "x.blend"), "arguments.save_blend"),
        (("--job", "a.json", "--frames", "9-1"), "frames.span"),
        (("--turbo",), "arguments"),
        (("--job", "a.json", "--output", ""), "arguments"),
        (("--job", "a.json", "--save-blend", "folder.blend"), "arguments.save_blend"),
        (("--job", "a.json", "--texture"), "arguments.texture"),
        (("--job", "a.json", "--save-blend", "x.blend", "--texture", "none.png"), "arguments.texture"),
        (("--job", "a.json", "--output", "caf\udce9", "--save-blend", "x.blend"), "timeline.name"),
        (("--job", "a.json", "--video", "x.mov"), "arguments.video"),
        (("--job", "a.json", "--video", "nowhere/x.mp4"), "arguments.video"),
        (("--job", "a.json", "--job", "b.json", "--video", "x.mp4"), "arguments.video"),
        (("--job", "a.json", "--method", "latentman,masactrl", "--video", "x.mp4"), "arguments.video"),
        (("--job", "a.json", "--video", "--connection", "c.json", "--backend", "no"), "arguments"),
        (("--job", "a.json", "--video", "--backend", "no-such-program"), "backend.not_found"),
        (("--job", "a.json", "--model", "~nobody-of-that-name/x", "--steps", "0"), "job.number"),
        (("--job", "a.json", "--prompts", "none.txt"), "arguments.prompts"),
        (("--job", "a.json", "--prompts", "a.json"), "job.prompts"),
        (("--job", "a.json", "--prompts", "a.txt", "--prompt", "a robot"), "arguments"),
    ],
)
def test_what_is_wrong_has_a_code(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: str,
) -> None:
    monkeypatch.chdir(folder)
    (folder / "folder.blend").mkdir(exist_ok=True)
    exit_code, lines, said = run(capsys, *arguments, "--dry-run", "--json")
    assert exit_code == 2 and lines[-1]["code"] == code
    assert said.count("latentman: ") == 1


def test_a_video_has_its_place_before_anything_is_rendered(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--job", folder / "a.json", "--output", tmp_path / "new", "--dry-run", "--json")
    for video in ((), (tmp_path / "new" / "shown.mp4",), (tmp_path / "shown.MP4",)):
        code, lines, said = run(capsys, *arguments, "--video", *video)
        assert (code, lines[-1]["event"], said) == (0, "plan", "")
