"""In a Blender without pyzmq the add-on says which zip to take, in a process where it cannot be imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from blender_addon.unfit import unfit_sentences
from tests.blender.test_panels import drawn

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("python", "abi"), [((3, 11), "cp311"), ((3, 13), "cp312-abi3"), ((3, 14), "cp312-abi3"), ((3, 12), "cp312-abi3")]
)
def test_the_zip_for_this_python_is_named(python: tuple[int, int], abi: str) -> None:
    wrong, advice = unfit_sentences(python, "4.3")
    assert f"its Python is {python[0]}.{python[1]}" in wrong
    assert f"-{abi}.zip" in advice and f"--python {abi} --blender-min 4.3" in advice


def test_panel_and_preferences_say_it_and_nothing_stays() -> None:
    texts, _ = drawn("tests.blender.draw_unfit")
    assert " ".join(texts).count("LatentMan cannot run in this Blender") == 2


def test_another_fault_of_an_import_is_not_hidden() -> None:
    code = "import sys; sys.modules['blender_addon.scene'] = None; import blender_addon; blender_addon.register()"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "blender_addon.scene" in done.stderr.splitlines()[-1], done.stderr
