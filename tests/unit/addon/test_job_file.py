"""The job file that the panel saves: what is written is read back, and what is wrong in it is named."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from blender_addon.client.job_file import ShotFile, read_job_file, write_job_file
from blender_addon.client.present import look_for_present
from blender_addon.client.request import placeholder_inputs
from blender_addon.passes.spec import ENGINES
from shared.errors import InputError
from shared.jobs.job import Job, canonical_json, normal_job
from shared.methods import MethodSettings
from shared.methods.finish import NO_FINISH, FinishSettings
from shared.methods.latentman import LatentManSettings, published_settings
from shared.models.files import LoraFile

from .shots import request_for

FRAMES = (1, 2, 3, 47, 60, 62, 64)
JOB = Job(
    "a robot, Zürich",
    FRAMES,
    placeholder_inputs(len(FRAMES)),
    negative_prompt="blurry",
    seed=11,
    method="latentman",
    steps=7,
    width=128,
    settings=LatentManSettings(align=(0.1, 0.6), correspondence="assignment", guide_rule="fixed"),
)
METHODS = {"latentman": JOB.settings, "masactrl": MethodSettings()}


def saved(tmp_path: Path, **changes: object) -> Path:
    """A saved shot with some of its top-level fields changed; None takes one away."""
    path = tmp_path / "shot.json"
    write_job_file(path, ShotFile(JOB, METHODS, "eevee", tmp_path / "a" / "shot.blend", "Scene", tmp_path / "out"))
    document = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in document.items() if value is not None}))
    return path


def test_a_saved_shot_comes_back_whole(tmp_path: Path) -> None:
    shot = read_job_file(saved(tmp_path))
    assert shot == ShotFile(JOB, METHODS, "eevee", tmp_path / "a" / "shot.blend", "Scene", tmp_path / "out")


@pytest.mark.parametrize("engine", ["", *ENGINES])
def test_every_engine_of_the_passes_may_be_named(engine: str, tmp_path: Path) -> None:
    assert read_job_file(saved(tmp_path, engine=engine)).engine == engine


def test_the_folder_may_be_moved_as_a_whole(tmp_path: Path) -> None:
    path = saved(tmp_path)
    assert str(tmp_path) not in path.read_text()
    moved = tmp_path / "elsewhere" / "shot.json"
    moved.parent.mkdir()
    path.rename(moved)
    assert read_job_file(moved).blend == tmp_path / "elsewhere" / "a" / "shot.blend"


def test_a_results_job_is_read_as_well(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_bytes(canonical_json(JOB))
    assert read_job_file(tmp_path / "job.json") == ShotFile(JOB, {"latentman": JOB.settings})


def test_model_paths_count_from_the_files_folder_and_the_blends(tmp_path: Path) -> None:
    settings = {
        "prompt": "a robot",
        "model": "whole",
        "model_files": {"controlnet": "//control", "loras": [{"path": "../a.safetensors"}]},
    }
    job = read_job_file(saved(tmp_path, settings=settings)).job
    assert job.model == str(tmp_path / "whole")
    assert job.model_files.controlnet == str(tmp_path / "a" / "control")  # the .blend's folder
    assert job.model_files.loras == (LoraFile(str(tmp_path.parent / "a.safetensors")),)
    result = tmp_path / "result" / "job.json"
    result.parent.mkdir()
    result.write_bytes(canonical_json(dataclasses.replace(JOB, model="whole")))
    assert read_job_file(result).job.model == str(tmp_path / "result" / "whole")


def test_a_published_set_may_be_named(tmp_path: Path) -> None:
    methods = {"masactrl": {}, "latentman": {"parity": "released", "guide_strength": 0.5}}
    shot = read_job_file(saved(tmp_path, methods=methods))
    own = dataclasses.replace(published_settings("released"), guide_strength=0.5)
    assert shot.methods == {"masactrl": MethodSettings(), "latentman": own}
    assert (shot.job.method, shot.job.settings) == ("masactrl", MethodSettings())


def test_a_shot_of_version_1_has_its_methods_settings_as_they_were_meant(tmp_path: Path) -> None:
    settings = {"prompt": "a robot", "latentman": {"align": [0.1, 0.6]}}
    old = saved(tmp_path, latentman_shot=1, methods=["masactrl", "latentman"], settings=settings)
    before = LatentManSettings((0.0, 0.4), match_extent="all", guide_around=1, guide_smooth=0.0)
    own = dataclasses.replace(before, align=(0.1, 0.6), guide_extent="all")
    assert read_job_file(old).methods == {"masactrl": MethodSettings(), "latentman": own}
    said = settings | {"latentman": {"guide_extent": "body"}}
    new = saved(tmp_path, latentman_shot=1, methods=["latentman"], settings=said)
    assert read_job_file(new).job.settings == before


def test_a_shot_of_an_earlier_version_has_no_finish_and_a_new_one_what_it_says(tmp_path: Path) -> None:
    settings = {"prompt": "a robot"}
    for version, methods in ((1, ["masactrl"]), (2, {"masactrl": {}})):
        old = saved(tmp_path, latentman_shot=version, methods=methods, settings=settings)
        assert read_job_file(old).job.finish == NO_FINISH
    said = saved(tmp_path, settings=settings | {"finish": {"lock": "on"}})
    assert read_job_file(said).job.finish == FinishSettings(lock="on")
    assert read_job_file(saved(tmp_path, settings=settings)).job.finish == FinishSettings()
    job = dataclasses.replace(JOB, finish=FinishSettings(background="plate"))
    write_job_file(tmp_path / "again.json", ShotFile(job, METHODS))
    assert read_job_file(tmp_path / "again.json").job == job


def test_keyed_prompts_are_kept_and_need_no_prompt_beside_them(tmp_path: Path) -> None:
    job = dataclasses.replace(JOB, prompts="1: a robot, 60: a knight")
    path = tmp_path / "shot.json"
    write_job_file(path, ShotFile(job, METHODS))
    assert normal_job(read_job_file(path).job) == normal_job(job)
    alone = read_job_file(saved(tmp_path, settings={"prompts": "1: a robot, 60: a knight"})).job
    assert normal_job(alone).prompt == "a robot"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"latentman_shot": 9}, r"it has version 9; this add-on reads versions 1 to 3\."),
        *(({"latentman_shot": one}, f"has version {json.dumps(one)};") for one in (0, 4, -1, True, 1.0, "1")),
        ({"latentman_shot": 4, "settings": None}, "has version 4;"),
        ({"latentman_shot": 1, "methods": ["latentman"], "settings": None}, r"\$\.settings: an object"),
        ({"latentman_shot": 1, "methods": ["latentman"], "settings": []}, r"\$\.settings: an object"),
        ({"frames": "9-1"}, "runs backwards"),
        ({"methods": {}}, "at least one method"),
        ({"methods": ["latentman"]}, r"\$\.methods: an object"),
        ({"methods": {"turbo": {}}}, "no method .turbo."),
        ({"methods": {"masactrl": {"align": [0, 1]}}}, r"\$\.methods\.masactrl: 'align' is not a setting of masactrl"),
        ({"settings": None}, r"\$\.settings: an object"),
        ({"settings": {"prompt": "a", "step": 3}}, "'step' is not a setting"),
        ({"methods": {"latentman": {"algin": [0, 1]}}}, "'algin' is not a setting"),
        ({"settings": {"prompt": "a", "latentman": {}}}, "'latentman' is not a setting"),
        ({"settings": {"prompt": "a", "steps": "7"}}, "steps"),
        ({"settings": {"steps": 7}}, "'prompt' is missing"),
        ({"engine": 3}, "engine"),
        ({"engine": "nosuch"}, r"\$\.engine: one of '', 'cycles', 'eevee' is needed, got \"nosuch\""),
        ({"engine": "\x1b[2J"}, r'\$\.engine: .* got "\\u001b\[2J"'),
        ({"a\n" + "b" * 99: 3}, r"\$: 'a\\nb{58}' is not known"),
        ({"settings": {"prompt": "a", "\x1b[2J": 3}}, r"\$\.settings: '\\x1b\[2J' is not a setting"),
        ({"methods": {"\x1b[2J": {}}}, r"no method '\\x1b\[2J'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_job_file(saved(tmp_path, **changes))


def test_what_lies_there_is_counted_by_its_settings(tmp_path: Path) -> None:
    request = request_for(tmp_path / "out", tmp_path / "model")
    for name in ("0001.png", "0003.png"):
        (request.frames_folder("latentman") / name).touch()
    (request.passes_folder / "0002.exr").touch()
    other = dataclasses.replace(request.job("latentman", placeholder_inputs(3)), seed=99)
    for stored, same in ((request.job("latentman", placeholder_inputs(3)), True), (other, False)):
        (request.frames_folder("latentman") / "job.json").write_bytes(canonical_json(stored))
        present = look_for_present(request)
        assert present.passes == 1
        found = {one.method: (one.frames, one.same_settings) for one in present.methods}
        assert found == {"text2video_zero": (0, False), "latentman": (2, same)}


def test_looking_at_folders_makes_none(tmp_path: Path) -> None:
    request = dataclasses.replace(request_for(tmp_path / "out", tmp_path / "model"), output=tmp_path / "new" / "out")
    request.check_folders()
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file"):
        dataclasses.replace(request, output=tmp_path / "file" / "out").check_folders()
    (tmp_path / "link").symlink_to(tmp_path / "out")
    with pytest.raises(InputError, match="symbolic link"):
        dataclasses.replace(request, output=tmp_path / "link").check_folders()


@pytest.mark.parametrize(("field", "said"), [("seed", "belongs in settings"), ("colour", "is not known")])
def test_a_field_in_the_wrong_place_is_named(field: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"\$: '{field}' {said}.*methods"):
        read_job_file(saved(tmp_path, **{field: 3}))


def test_a_byte_order_mark_is_no_reason_to_refuse_a_job(tmp_path: Path) -> None:
    path = saved(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_job_file(path).job == JOB


def test_a_path_may_begin_at_home_and_holds_no_zero_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    shot = read_job_file(saved(tmp_path, blend="~/shot.blend", output="~/out"))
    assert (shot.blend, shot.output) == (tmp_path / "home" / "shot.blend", tmp_path / "home" / "out")
    with pytest.raises(InputError, match=r"\$\.blend"):
        read_job_file(saved(tmp_path, blend="a\0b"))
