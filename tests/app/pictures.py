"""The manual's pictures, taken from the program while it does the worked example of docs/panel.md.

    python -m tests.app.pictures [--blender 5.2] [--frames 16] [--steps 20] [--seed 7] [--out docs/pictures]

A real Blender in a real window imports a walk, generates it, raises an arm in an edit layer, generates again, and
compares the takes.
Run it again when the panel or the embedded model has changed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from .provision import SUITES, ProvisionError
from .ready import ready_blender
from .real_blender import PROJECT
from .window import Window, open_window

SIZE = (1600, 1000)
PROMPT = "a robot on the moon"
_LIMIT_S = 3600.0
_OUT_OF_THE_WAY = (500, 860)  # of the mouse: nothing is lit up there and nothing explained
_RENDERED_S = 4.0  # the sequencer shows the frame before until it has read the new one
_ADDON = "bl_ext.user_default.latentman"

_START = f"""
generation = __import__("{_ADDON}.shot.running", fromlist=["generation"]).generation
bpy.data.objects.remove(bpy.data.objects["Cube"])
scene = bpy.context.scene
scene.render.fps = 10
bpy.ops.wm.save_as_mainfile(filepath="{{scratch}}/shot.blend")
"""
# As *Samples > Walk* does it.
_IMPORT = f"""
samples = __import__("{_ADDON}.shared.motion.samples", fromlist=["SAMPLES"]).SAMPLES
sample = next(one for one in samples if one.label == "Walk")
with view():
    bpy.ops.latentman.import_motion("INVOKE_DEFAULT", filepath=str(sample.path))
"""
_SETTINGS = """
settings = bpy.context.scene.latentman
settings.prompt, settings.frames = {prompt!r}, "1-{frames}"
settings.steps, settings.seed = {steps}, {seed}
"""
_CAMERA_VIEW = """
with view():
    bpy.context.region_data.view_perspective = "CAMERA"
    bpy.ops.view3d.view_center_camera()
    bpy.context.region_data.view_camera_zoom -= 8
    bpy.context.region_data.view_camera_offset = (0.065, 0)  # beside the sidebar
"""
# Up over four frames from the middle of the shot on, as an animator keys it in the edit layer: begin, pose, stay.
_RAISE = """
import math
from mathutils import Quaternion
scene = bpy.context.scene
with view():
    bpy.ops.object.mode_set(mode="POSE")
armature = bpy.context.view_layer.objects.active
bone = armature.pose.bones["left_shoulder"]
begin = {frames} // 2 - 2
for frame, turn in ((begin, None), (begin + 4, Quaternion((0, 0, 1), math.radians(50)))):
    scene.frame_set(frame)
    if turn is not None:
        bone.rotation_quaternion = turn
    bone.keyframe_insert("rotation_quaternion")
scene.frame_set({frames})
with view():
    bpy.ops.pose.select_all(action="DESELECT")
armature.data.bones.active = bone.bone
(bone if hasattr(bone, "select") else bone.bone).select = True  # 5.0 moved it to the pose
"""
_SETTLE = """
with view():
    bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=2)
"""


@dataclass(frozen=True, slots=True)
class Studio:
    """The window and the folder that the pictures go to."""

    window: Window
    out: Path

    def take(self, name: str, *boxes: tuple[int, int, int, int]) -> None:
        """Save parts of the screen, side by side from left to right."""
        self.save(name, [self.cut(box) for box in boxes])

    def cut(self, box: tuple[int, int, int, int]) -> Image.Image:
        """A part of the screen as it is now, drawn to the end."""
        self.window.python(_SETTLE)
        return self.window.picture().crop(box)

    def save(self, name: str, parts: Sequence[Image.Image]) -> None:
        """Save pictures side by side in one file."""
        whole = Image.new("RGB", (sum(part.width for part in parts), max(part.height for part in parts)))
        for index, part in enumerate(parts):
            whole.paste(part, (sum(one.width for one in parts[:index]), 0))
        path = self.out / f"{name}.png"
        whole.save(path, optimize=True)
        print(path, f"{path.stat().st_size / 1000:.0f} kB")


def import_motion(studio: Studio, frames: int, steps: int, seed: int) -> None:
    """Steps 1 and 2: a new file, the walk, the prompt, the camera; the picture of the whole program."""
    window = studio.window
    window.python(_START.format(scratch=window.blender.scratch))
    window.open_sidebar()
    window.python(_IMPORT)
    window.wait("len(bpy.context.scene.objects) == 5")
    window.python(_SETTINGS.format(prompt=PROMPT, frames=frames, steps=steps, seed=seed))
    window.python("with view(): bpy.ops.latentman.frame_shot()")
    window.python(_CAMERA_VIEW)
    window.scroll(60)
    window.move(*_OUT_OF_THE_WAY)
    studio.take("panel_import", window.box("VIEW_3D"))


def generate(studio: Studio, name: str = "") -> None:
    """Steps 3 and 6: press Generate and wait for the take; with a name, a picture of the sidebar half-way."""
    window = studio.window
    window.scroll(60)
    window.press("latentman.generate", "generation().running", upwards=True)
    if name:
        window.wait("generation().progress.stage == 'sampling' and generation().progress.step > 1", _LIMIT_S)
        window.scroll(60)
        window.move(*_OUT_OF_THE_WAY)
        studio.take(name, window.box("VIEW_3D", "UI"))
    window.wait("not generation().running", _LIMIT_S)
    assert window.value("generation().progress.state.value") == "done", window.value("str(generation().error)")


def raise_arm(studio: Studio, frames: int) -> None:
    """Steps 4 and 5: the arm, and what that changes."""
    window = studio.window
    window.scroll(-60)
    window.press("latentman.add_edit_layer", "bpy.context.object.animation_data.nla_tracks")
    window.python(_RAISE.format(frames=frames))
    left, top, right, bottom = window.box("VIEW_3D")
    window.move(*_OUT_OF_THE_WAY)
    studio.take("panel_pose", (left, top, right, bottom))
    with window.open_setting("Picture and Passes"):
        window.press("latentman.count_changes", "generation().comparison is not None", upwards=True)
        window.wait("not generation().comparison.running")
        window.scroll(60)
        x, y = window.find_button("latentman.count_changes", upwards=True)
        left, _, right, _ = window.box("VIEW_3D", "UI")
        window.move(*_OUT_OF_THE_WAY)
        studio.take("panel_changes", (left, y - 180, right, y + 120))


def compare(studio: Studio, frames: int) -> None:
    """Step 7: both takes on the sequencer, and each at the same frame."""
    window = studio.window
    window.scroll(60)
    window.click(*window.find_button("latentman.watch_takes", upwards=True))
    window.python(_SETTLE)
    window.python(_FIT)
    window.python(f"bpy.context.scene.frame_set({frames - 2})")  # after it is open, so that it shows this frame
    window.python(_SETTLE)
    window.move(*_OUT_OF_THE_WAY)
    time.sleep(_RENDERED_S)
    left, top, _, bottom = window.box("SEQUENCE_EDITOR")
    studio.take("panel_takes", (left, top, window.box("VIEW_3D")[2], bottom))
    after = studio.cut(window.box("SEQUENCE_EDITOR", "PREVIEW"))
    window.python("with view(): bpy.ops.latentman.compare_takes()")
    time.sleep(_RENDERED_S)
    before = studio.cut(window.box("SEQUENCE_EDITOR", "PREVIEW"))
    studio.save("panel_compare", [before, after])


_FIT = """
window = bpy.context.window_manager.windows[0]
area = next(one for one in window.screen.areas if one.type == "SEQUENCE_EDITOR")
for kind, fit in (("PREVIEW", bpy.ops.sequencer.view_all_preview), ("WINDOW", bpy.ops.sequencer.view_all)):
    region = next(one for one in area.regions if one.type == kind)
    with bpy.context.temp_override(window=window, area=area, region=region):
        fit()
"""


def models(studio: Studio) -> None:
    """The preferences: two models, of which one was copied in part."""
    window = studio.window
    folder = window.blender.scratch / "models"
    for name in ("robots", "knights"):
        shutil.copytree(PROJECT / "backend" / "embedded", folder / name)
        window.python(f"bpy.ops.latentman.add_model_folder(directory='/scratch/models/{name}/')")
    os.truncate(folder / "knights" / "unet" / "diffusion_pytorch_model.safetensors", 20_000_000)
    (folder / "knights" / "tokenizer" / "tokenizer.json").unlink()
    window.python("with view(): bpy.ops.latentman.open_preferences(); bpy.ops.latentman.check_model()")
    window.wait("not generation().models.running")
    time.sleep(_RENDERED_S)
    left, top, right, bottom = window.value(_NEWEST_WINDOW)
    window.move((left + right) // 2, bottom - 20)
    window.xdotool("click", "--repeat", "60", "--delay", "10", "5")
    window.move(left + 120, bottom - 60)  # below the list of sections: nothing is explained there
    time.sleep(_RENDERED_S)
    studio.save("panel_models", [window.picture().crop((left, top, right, bottom))])


_NEWEST_WINDOW = """(lambda one, all: [
    one.x, all.height - one.y - one.height, one.x + one.width, all.height - one.y
])(bpy.context.window_manager.windows[-1], bpy.context.window_manager.windows[0])"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the example and save its pictures."""
    parser = argparse.ArgumentParser(prog="pictures", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--blender", choices=[suite.series for suite in SUITES], default=SUITES[-1].series)
    for name, default in (("frames", 16), ("steps", 20), ("seed", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--out", type=Path, default=PROJECT / "docs" / "pictures")
    chosen = parser.parse_args(arguments)
    if chosen.steps < 4:
        parser.error("--steps must be at least 4: one of the pictures shows the sampling under way")
    chosen.out.mkdir(parents=True, exist_ok=True)
    try:
        with ready_blender(chosen.blender) as blender, open_window(blender, size=SIZE) as window:
            studio = Studio(window, chosen.out)
            import_motion(studio, chosen.frames, chosen.steps, chosen.seed)
            generate(studio, "panel_generate")
            raise_arm(studio, chosen.frames)
            generate(studio)
            compare(studio, chosen.frames)
            models(studio)
    except ProvisionError as error:
        print(f"NOT RUN: no real Blender {chosen.blender}. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
