"""The built zip in a real Blender: validated, installed, enabled, and gone again without a trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from build_addon import CP311, TARGETS, build_zip, wheel_cache, write_index

from .real_blender import RealBlender, show

_TWICE_MORE = """
import sys
import bpy
import addon_utils
name = "bl_ext.user_default.latentman"
before = (len(bpy.app.handlers.load_pre), len(bpy.types.Operator.__subclasses__()))
for _ in range(3):
    addon_utils.disable(name)
    assert not hasattr(bpy.types.Scene, "latentman")
    addon_utils.enable(name)
assert (len(bpy.app.handlers.load_pre), len(bpy.types.Operator.__subclasses__())) == before, "something stayed"
import zmq
print("RESULT", zmq.has("curve"), zmq.__file__.startswith("/scratch/"), hasattr(bpy.context.scene, "latentman"))
"""


def test_blender_accepts_the_zip(blender: RealBlender, zip_file: Path) -> None:
    done = blender.run("--command", "extension", "validate", f"/scratch/{zip_file.name}")
    assert done.returncode == 0, show(done)


def test_the_extension_is_listed(blender: RealBlender) -> None:
    done = blender.run("--command", "extension", "list")
    assert done.returncode == 0 and "latentman" in done.stdout, show(done)


def test_the_command_is_known(blender: RealBlender) -> None:
    done = blender.run("-b", "-c", "help")
    assert "latentman" in done.stdout, show(done)


def test_enabling_three_times_leaves_nothing_behind(blender: RealBlender) -> None:
    done = blender.run("-b", "--python-exit-code", "7", "--python-expr", _TWICE_MORE)
    assert done.returncode == 0 and "RESULT True True True" in done.stdout, show(done)


def test_the_index_of_a_repository_is_made(blender: RealBlender, zip_file: Path) -> None:
    repository = blender.scratch / "repository"
    repository.mkdir()
    (repository / zip_file.name).write_bytes(zip_file.read_bytes())
    done = blender.run("--command", "extension", "server-generate", "--repo-dir", "/scratch/repository")
    assert done.returncode == 0, show(done)
    made = json.loads((repository / "index.json").read_bytes())
    assert [entry["archive_url"] for entry in made["data"]] == [f"./{zip_file.name}"]
    assert json.loads(write_index(repository).read_bytes()) == made  # without a Blender the same
    address = "file:///scratch/repository/index.json"
    for step in (
        ("repo-add", "shared_folder", "--name", "shared folder", "--url", address),
        ("sync",),
        ("install", "shared_folder.latentman"),
    ):
        done = blender.run("--online-mode", "--command", "extension", *step)
    assert done.returncode == 0 and 'Installed "latentman"' in done.stdout, show(done)
    removed = blender.run("--command", "extension", "repo-remove", "shared_folder")
    assert removed.returncode == 0, show(removed)


_INSTALL = """
import sys, bpy
print("RESULT", *bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo="user_default"))
print("ENABLED", hasattr(bpy.types.Scene, "latentman"))
"""
_LOAD = "import sys; sys.path.insert(0, sys.argv[1]); import zmq; print(zmq.has('curve'), zmq.__file__)"


def test_the_cp311_zip_installs_in_the_bpy_package(tmp_path: Path) -> None:
    """Debian has no Blender with Python 3.11, which 4.2 to 5.0 run; the bpy package 5.0 has its extension system."""
    target = next(target for target in TARGETS if target.platform == "linux-x64" and target.abi is CP311)
    path = build_zip(target, tmp_path, cache=wheel_cache())
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path / "blender")}
    install = [sys.executable, "-c", _INSTALL, str(path)]
    done = subprocess.run(install, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "RESULT FINISHED" in done.stdout and "ENABLED True" in done.stdout, done.stdout + done.stderr
    (package,) = (tmp_path / "blender" / "extensions").rglob("site-packages/zmq/__init__.py")
    load = [sys.executable, "-I", "-c", _LOAD, str(package.parents[1])]
    loaded = subprocess.run(load, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == ["True", str(package)]
