"""The panels with a method that the add-on did not know when it was written: `python -m tests.blender.draw_toy_method`.

The method is put into the table before the add-on is imported, as its row there would do it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import tempfile
from pathlib import Path
from typing import Any

import bpy
import pytest

from shared.errors import InputError
from shared.jobs.job import Job
from shared.methods import table
from shared.methods.latentman import LatentManSettings
from tests.blender.scenes import context, operators
from tests.helpers.toy_method import TOY, ToySettings

table._TABLE[TOY.name] = TOY

from blender_addon.cli import main as batch  # noqa: E402  (the table first)
from blender_addon.cli.options import methods_of, parse_options  # noqa: E402
from blender_addon.client.job_file import read_job_file  # noqa: E402
from blender_addon.scene.scene_job import store_settings, stored_settings, stored_template  # noqa: E402
from tests.blender.draw_panels import draw  # noqa: E402


def toy() -> None:
    """The toy's settings in scene, job file, preset and batch options; then its panels."""
    scene = context.scene
    settings = scene.latentman
    settings.prompt, settings.method = "a robot", "toy"
    _scene_and_files(scene)
    _options(stored_template(scene, (1, 2)))
    settings.preset = "toy_blue"
    settings.method = "latentman"
    assert operators.latentman.apply_preset() == {"FINISHED"}
    job = stored_template(scene, (1,))
    assert (job.method, job.settings, job.steps) == ("toy", ToySettings(colour="blue"), 5)
    settings.preset = "strong"  # what it would change is told


def _scene_and_files(scene: Any) -> None:
    settings = scene.latentman
    assert stored_template(scene, (1,)).settings == ToySettings()
    settings.toy.guide_strength, settings.latentman.guide_strength = 3.0, 0.25
    assert stored_template(scene, (1,)).settings == ToySettings(guide_strength=3.0)
    assert stored_settings(scene, table.METHODS["latentman"]) == LatentManSettings(guide_strength=0.25)
    with tempfile.TemporaryDirectory() as folder:
        bpy.ops.wm.save_as_mainfile(filepath=str(Path(folder, "shot.blend")))
        assert operators.latentman.save_job(filepath=str(Path(folder, "shot.json"))) == {"FINISHED"}
        shot = read_job_file(Path(folder, "shot.json"))
    assert shot.methods == {"toy": ToySettings(guide_strength=3.0)}
    settings.toy.guide_strength = 8.0
    store_settings(scene, shot.job, "cycles")
    assert settings.toy.guide_strength == 3.0
    store_settings(scene, dataclasses.replace(shot.job, settings=ToySettings()), "cycles")


def _options(stored: Job) -> None:
    given = parse_options(["--method", "latentman,toy", "--toy-colour", "blue", "--toy-guide-strength", "3"])
    methods = methods_of(given, None, stored, lambda method: method.settings())
    assert methods == {"latentman": LatentManSettings(), "toy": ToySettings(3.0, "blue")}
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert batch(["--help"]) == 0
    words = " ".join(said.getvalue().split())
    assert "settings of toy" in words and "How strongly the toy pulls, bricks (default: 2)" in words
    given = parse_options(["--method", "latentman", "--toy-colour", "blue"])
    with pytest.raises(InputError, match="--toy-colour is a setting of toy, but the methods are latentman"):
        methods_of(given, None, stored, lambda method: method.settings())


if __name__ == "__main__":
    draw(toy)
