"""Blender's own validator accepts the manifest of the checkout, which has no version of its own, and that of a zip."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bpy
import pytest

from build_addon import ABI3, ROOT, TARGETS, build_zip


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    scripts = Path(bpy.utils.resource_path("LOCAL")) / "scripts"
    validator = scripts / "addons_core" / "bl_pkg" / "cli" / "blender_ext.py"
    command = [sys.executable, str(validator), "validate", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_checkout_is_an_extension() -> None:
    done = validate(ROOT / "blender_addon")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_zip_is_an_extension(tmp_path: Path) -> None:
    target = next(one for one in TARGETS if one.platform == "linux-x64" and one.abi is ABI3)
    done = validate(build_zip(target, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("version", ["", 'version = "latest"\n'])
def test_the_validator_does_look_at_the_version(tmp_path: Path, version: str) -> None:
    lines = (ROOT / "blender_addon" / "blender_manifest.toml").read_text().splitlines(keepends=True)
    kept = (line for line in lines if not line.startswith("version"))
    (tmp_path / "blender_manifest.toml").write_text(version + "".join(kept))
    done = validate(tmp_path)
    assert done.returncode != 0 and "version" in done.stdout + done.stderr
