"""The user's models: listed, looked at file by file, and chosen for a scene with what lies beside them."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

import blender_addon
from blender_addon.scene.known_models import ModelReport
from blender_addon.scene.preferences import addon_preferences, known_model, stored_preferences
from blender_addon.scene.scene_job import store_model, store_settings, stored_model_files, stored_template
from blender_addon.shot.running import generation
from shared.errors import InputError
from shared.models.check import FileState
from shared.models.files import LoraFile, ModelFiles
from shared.models.table import SINGLE_PLACES
from tests.blender.scenes import context, empty_scene, operators

EMBEDDED = Path(__file__).resolve().parents[2] / "backend" / "embedded"
LIMIT_S = 60.0


@pytest.fixture
def preferences() -> Iterator[Any]:
    """The add-on enabled as an add-on, with its preferences."""
    empty_scene()
    blender_addon.register()
    addon = context.preferences.addons.new()
    addon.module = "blender_addon"
    yield addon_preferences(bpy.context)
    context.preferences.addons.remove(addon)
    blender_addon.unregister()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EMBEDDED, tmp_path / "my model"))


def report(preferences: Any) -> ModelReport:
    """The check of the marked model once it has ended."""
    known = known_model(preferences.models[preferences.model_index])
    limit = time.monotonic() + LIMIT_S
    generation().tick()
    while generation().models.running:
        assert time.monotonic() < limit
        generation().tick()
        time.sleep(0.005)
    found = generation().models.report(known)
    assert found is not None
    return found


def test_a_folder_is_added_and_each_of_its_files_looked_at(preferences: Any, model: Path) -> None:
    assert operators.latentman.add_model_folder(directory=f"{model}/") == {"FINISHED"}
    (known,) = stored_preferences(bpy.context).models
    assert (known.name, known.path, known.files) == ("my model", str(model), ModelFiles())
    found = report(preferences)
    assert found.text == f"All {len(found.rows)} files are present and complete" and len(found.rows) > 8
    (model / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"")
    assert operators.latentman.check_model() == {"FINISHED"}
    (fault,) = report(preferences).faults
    assert (fault.name, fault.state) == ("vae/diffusion_pytorch_model.safetensors", FileState.PARTIAL)


def test_a_model_has_a_field_for_each_declared_place(preferences: Any, model: Path) -> None:
    operators.latentman.add_model_folder(directory=str(model))
    shown = preferences.models[0].bl_rna.properties
    fields = [(shown[place.name].name, shown[place.name].description) for place in SINGLE_PLACES]
    assert fields == [(place.label, place.description) for place in SINGLE_PLACES]
    assert {shown[place.name].subtype for place in SINGLE_PLACES} == {"FILE_PATH", "DIR_PATH"}
    assert "Stable Diffusion 1.5 checkpoint" in shown["path"].description
    report(preferences)


def test_another_path_is_looked_at_at_once(preferences: Any, model: Path) -> None:
    operators.latentman.add_model_folder(directory=str(model))
    assert report(preferences).faults == []
    preferences.models[0].controlnet = str(model / "none.safetensors")
    (fault,) = report(preferences).faults
    assert fault.state is FileState.MISSING and "none.safetensors" in fault.text


def test_models_are_taken_off_one_by_one(preferences: Any, model: Path) -> None:
    assert not operators.latentman.remove_model.poll() and not operators.latentman.check_model.poll()
    operators.latentman.add_model_folder(directory=str(model))
    operators.latentman.add_model_file(filepath=str(model / "unet" / "one.safetensors"))
    assert [known.name for known in stored_preferences(bpy.context).models] == ["my model", "one"]
    assert operators.latentman.remove_model() == {"FINISHED"}
    assert [known.name for known in stored_preferences(bpy.context).models] == ["my model"]
    assert operators.latentman.remove_model() == {"FINISHED"}
    assert not operators.latentman.remove_model.poll() and model.is_dir()


def test_a_chosen_model_comes_into_the_job_with_what_lies_beside_it(preferences: Any, model: Path) -> None:
    scene = context.scene
    operators.latentman.add_model_folder(directory=str(model))
    preferences.models[0].controlnet = f"{model / 'controlnet'}/"
    assert operators.latentman.choose_model(model=str(model)) == {"FINISHED"}
    job = stored_template(scene, (1,))
    assert (job.model, job.model_files) == (str(model), ModelFiles(str(model / "controlnet")))
    (known,) = stored_preferences(bpy.context).models
    assert known.used_by(scene.latentman.model, stored_model_files(scene))
    for part in ("vae", "tiny_vae"):
        setattr(preferences.models[0], part, str(model / part))
        (known,) = stored_preferences(bpy.context).models
        assert not known.used_by(scene.latentman.model, stored_model_files(scene))
        assert operators.latentman.choose_model(model=str(model)) == {"FINISHED"}
        assert getattr(stored_model_files(scene), part) == str(model / part)
    assert operators.latentman.choose_model(model="embedded") == {"FINISHED"}
    assert (scene.latentman.model, scene.latentman.other) == ("embedded", "")
    with pytest.raises(RuntimeError, match="not on the list"):
        operators.latentman.choose_model(model="/elsewhere")
    report(preferences)


def test_loras_of_the_scene_stay_when_another_model_is_chosen(preferences: Any) -> None:
    scene = context.scene
    scene.latentman.prompt = "a robot"
    kept = ModelFiles(vae="/old", loras=(LoraFile("/style.safetensors", 0.5),))
    job = stored_template(scene, (1,))
    store_settings(scene, dataclasses.replace(job, model_files=kept), "cycles")
    store_model(scene, "/other", ModelFiles("/depth"))
    assert stored_model_files(scene) == ModelFiles("/depth", loras=kept.loras)
    scene.latentman.other = '{"model_files": 3}'
    with pytest.raises(InputError, match="cannot be read"):
        stored_model_files(scene)


def test_without_preferences_there_is_no_list() -> None:
    empty_scene()
    blender_addon.register()
    assert stored_preferences(bpy.context).models == ()
    assert not operators.latentman.add_model_folder.poll()
    assert operators.latentman.choose_model(model="embedded") == {"FINISHED"}
    blender_addon.unregister()
