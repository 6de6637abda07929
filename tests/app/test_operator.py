"""The panel's operators in a real Blender: two shots with one warm backend, each a take of its own on the timeline."""

from __future__ import annotations

from .conftest import Served
from .real_blender import RealBlender, show

_SCRIPT = """
import hashlib, time
import bpy

scene = bpy.context.scene
for item in list(scene.objects):
    bpy.data.objects.remove(item, do_unlink=True)
preferences = bpy.context.preferences.addons["bl_ext.user_default.latentman"].preferences
preferences.connection = "{connection}"
settings = scene.latentman
settings.motion_path = "/project/shared/motion/samples/walk_smpl_params.npy"
settings.method, settings.steps, settings.width, settings.height = "text2video_zero", 1, 128, 128
settings.output = "{output}"
scene.render.resolution_x = scene.render.resolution_y = 128
scene.render.fps = 10
assert not bpy.ops.latentman.generate.poll(), "there is no character yet"
assert bpy.ops.latentman.import_motion(filepath=settings.motion_path) == {{"FINISHED"}}
scene.frame_end = 2
assert not bpy.ops.latentman.generate.poll(), "there is no prompt yet"
settings.prompt = "a robot"
assert bpy.ops.latentman.generate() == {{"FINISHED"}}

from bl_ext.user_default.latentman.shot import running
current = running.generation()
session = current.backend._session
settings.seed = 8
current.start(bpy.context)  # what the button does; timers do not run in the background, so this loop is the timer
slices = 0
while current.running or current.step():
    if not current.run_slice():
        break
    slices += 1
    time.sleep(0.01)
assert current.error is None, current.error
assert slices > 1 and current.backend._session is session, "the backend did not stay warm"
strips = getattr(scene.sequence_editor, "strips", None) or scene.sequence_editor.sequences
for strip in sorted(strips, key=lambda strip: strip.channel):
    print("STRIP", strip.channel, strip.directory, strip["latentman_seed"], len(strip.elements), sep="|")
first, second = sorted((strip.name for strip in strips), reverse=False)
assert bpy.ops.latentman.show_take(take=first) == {{"FINISHED"}}
assert bpy.ops.latentman.compare_takes() == {{"FINISHED"}}
assert [strip.name for strip in strips if not strip.mute] == [second]
assert bpy.ops.latentman.redo_take(take=first) == {{"FINISHED"}} and settings.seed == 7
assert bpy.ops.latentman.take_background(take=first) == {{"FINISHED"}}
assert bpy.ops.latentman.clear_background() == {{"FINISHED"}}
assert bpy.ops.latentman.count_changes() == {{"FINISHED"}}
while current.comparison.running:
    current.tick()
    time.sleep(0.01)
print("CHANGED", current.comparison.result, current.error)
current.start(bpy.context)
current.cancel()
while current.step():
    time.sleep(0.01)
print("STATE", current.progress.state.value, current.error)
"""


def test_two_takes_and_a_cancelled_one(blender: RealBlender, served: Served) -> None:
    output = blender.scratch / "operator"
    script = _SCRIPT.format(connection=blender.inside(served.connection), output=blender.inside(output))
    (blender.scratch / "operator.py").write_text(script)
    done = blender.run("-b", "--python-exit-code", "7", "--python", "/scratch/operator.py")
    assert done.returncode == 0, show(done)
    strips = [line.split("|")[1:] for line in done.stdout.splitlines() if line.startswith("STRIP|")]
    assert strips == [
        ["1", "/scratch/operator/take-001/text2video_zero/", "7", "2"],
        ["2", "/scratch/operator/take-002/text2video_zero/", "8", "2"],
    ], show(done)
    assert "STATE cancelled None" in done.stdout
    assert "Compared(changed=(), unchanged=(1, 2), to_generate=0, at_most=False) None" in done.stdout, show(done)
    first, second = (output / take / "text2video_zero" / "0001.png" for take in ("take-001", "take-002"))
    assert first.read_bytes() != second.read_bytes()  # another seed
    assert sorted(path.name for path in (output / "passes").glob("*.exr")) == ["0001.exr", "0002.exr"]
