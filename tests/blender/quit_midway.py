"""Begins a shot, says which processes it has started, and ends as Blender does, without unregistering:
`python -m tests.blender.quit_midway FILE`."""

from __future__ import annotations

import sys
import time

import bpy
import psutil

import blender_addon
from blender_addon.shot.running import generation
from tests.blender.scenes import context


def main(path: str) -> None:
    """Open the file, begin, and leave once the backend computes."""
    blender_addon.register()
    bpy.ops.wm.open_mainfile(filepath=path)
    entry = context.preferences.addons.new()
    entry.module = "blender_addon"
    entry.preferences.backend = f"{sys.executable} -m tests.e2e.fake_backend"
    current = generation()
    current.start(bpy.context)
    while current.running and not (current.progress and current.progress.frame):
        current.tick()
        time.sleep(0.002)
    print("STARTED", *(process.pid for process in psutil.Process().children(recursive=True)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
