"""`blender -b -c latentman` of the installed extension, in real Blenders, against a real backend."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from backend.passes.exr import read_frame
from shared.files.digest import sha256_file
from shared.files.frame_files import PNG_SIGNATURE

from .conftest import Served
from .real_blender import PROJECT, RealBlender, show

MOTION = "/project/shared/motion/samples/walk_smpl_params.npy"
SMALL = ("--fps", "10", "--frames", "1-3", "--size", "128x128", "--steps", "2", "--prompt", "a robot on the moon")
_GUARD_S = 120.0

_STRIPS = """
import bpy
editor = bpy.context.scene.sequence_editor
for strip in sorted(getattr(editor, "strips", None) or editor.sequences, key=lambda strip: strip.channel):
    names = ",".join(element.filename for element in strip.elements)
    print("STRIP", strip.channel, strip["latentman_method"], strip["latentman_prompt"], strip.directory, names, sep="|")
"""


def batch(blender: RealBlender, output: Path, *arguments: str) -> tuple[str, ...]:
    """The command line of a batch run in the background."""
    output.parent.mkdir(parents=True, exist_ok=True)
    return ("-b", "-c", "latentman", "--output", blender.inside(output), *arguments)


def test_motion_to_frames_end_to_end(blender: RealBlender, served: Served, output: Path) -> None:
    connection = blender.inside(served.connection)
    made = ("--motion", MOTION, *SMALL, "--method", "text2video_zero,latentman", "--connection", connection)
    save = ("--save-blend", f"{blender.inside(output)}.blend")
    done = blender.run(*batch(blender, output, *made, *save))
    assert done.returncode == 0, show(done)
    result = json.loads((output / "result.json").read_bytes())
    assert result["frames"] == [1, 2, 3]
    for method in ("text2video_zero", "latentman"):
        for frame in (1, 2, 3):
            picture = output / method / f"{frame:04d}.png"
            assert picture.read_bytes().startswith(PNG_SIGNATURE)
    assert sorted(path.name for path in (output / "passes").glob("*.exr")) == ["0001.exr", "0002.exr", "0003.exr"]
    _check_strips(blender, output)


def _check_strips(blender: RealBlender, output: Path) -> None:
    """The saved file holds one strip a method, with paths that are relative to it."""
    done = blender.run("-b", f"{blender.inside(output)}.blend", "--python-exit-code", "7", "--python-expr", _STRIPS)
    strips = [line.split("|")[1:] for line in done.stdout.splitlines() if line.startswith("STRIP|")]
    names = "0001.png,0002.png,0003.png"
    folders = [f"//{output.name}/{method}/" for method in ("text2video_zero", "latentman")]
    assert strips == [
        ["1", "text2video_zero", "a robot on the moon", folders[0], names],
        ["2", "latentman", "a robot on the moon", folders[1], names],
    ], show(done)


def test_an_open_file_is_rendered_and_the_same_again_resumes(
    blender: RealBlender, served: Served, output: Path
) -> None:
    blend = f"{blender.inside(output)}-shot.blend"
    connection = ("--connection", blender.inside(served.connection))
    first = ("--motion", MOTION, *SMALL, "--method", "text2video_zero", *connection, "--save-blend", blend)
    assert blender.run(*batch(blender, output, *first)).returncode == 0
    before = {path.name: (path.stat().st_mtime_ns, sha256_file(path)) for path in output.rglob("*.png")}
    again = ("-b", blend, "-c", "latentman", "--output", blender.inside(output), *SMALL[2:], *connection)
    done = blender.run(*again, "--method", "text2video_zero")
    assert done.returncode == 0, show(done)
    assert {path.name: (path.stat().st_mtime_ns, sha256_file(path)) for path in output.rglob("*.png")} == before
    result = json.loads((output / "result.json").read_bytes())
    assert [one["received"] for one in result["methods"]] == [0]


def test_two_job_files_in_one_call(blender: RealBlender, served: Served, output: Path) -> None:
    output.mkdir(parents=True)
    settings = {"prompt": "a robot on the moon", "steps": 1, "width": 128, "height": 128}
    for name, frames in (("a", "1-2"), ("b", "3-9x3")):
        shot = {"latentman_shot": 1, "frames": frames, "methods": ["text2video_zero"], "settings": settings}
        (output / f"{name}.json").write_text(json.dumps(shot))
    jobs = [word for name in "ab" for word in ("--job", f"{blender.inside(output)}/{name}.json")]
    given = ("--motion", MOTION, "--fps", "10", "--connection", blender.inside(served.connection), "--json")
    done = blender.run(*batch(blender, output, *jobs, *given, "--seed", "5"))
    assert done.returncode == 0, show(done)
    ends = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"event": "done"')]
    assert [end["shot"] for end in ends] == [1, 2]
    for name, made in (("a", [1, 2]), ("b", [3, 6, 9])):
        pictures = sorted(path.name for path in (output / name / "text2video_zero").glob("*.png"))
        assert pictures == [f"{frame:04d}.png" for frame in made]
        job = json.loads((output / name / "job.json").read_bytes())
        assert (job["seed"], job["steps"], job["frames"]) == (5, 1, made)


class _Bomb:
    """What a hostile file would run if it were unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /scratch/bomb-went-off",)


def _bad_arguments(blender: RealBlender, output: Path) -> dict[str, tuple[tuple[str, ...], str]]:
    """Bad command lines, and words of the sentence that each must get."""
    output.mkdir(parents=True)
    np.save(output / "hostile.npy", np.array(_Bomb(), dtype=object), allow_pickle=True)
    (output / "truncated.npy").write_bytes((PROJECT / MOTION.removeprefix("/project/")).read_bytes()[:5000])
    (output / "file").write_text("not a folder")
    here = blender.inside(output)
    motion = ("--motion", MOTION)
    return {
        "hostile": (("--motion", f"{here}/hostile.npy", *SMALL), "hostile.npy"),
        "truncated": (("--motion", f"{here}/truncated.npy", *SMALL), "truncated.npy"),
        "no frames": ((*motion, *SMALL, "--frames", ","), "contains no frame"),
        "long prompt": ((*motion, *SMALL, "--prompt", "x" * 10_000), "10,000 characters"),
        "no prompt": ((*motion, "--frames", "1-3"), "prompt is empty"),
        "size": ((*motion, *SMALL, "--size", "100x100"), "multiple of 8"),
        "method": ((*motion, *SMALL, "--method", "magic"), "no method 'magic'"),
        "not a folder": ((*motion, *SMALL, "--output", f"{here}/file"), "is a file"),
        "unwritable": ((*motion, *SMALL, "--output", "/project/out-of-a-test"), "cannot be written to"),
        "unknown option": ((*motion, *SMALL, "--turbo"), "--turbo"),
        "no character": (SMALL, "has no character"),
        "connection": ((*motion, *SMALL, "--connection", f"{here}/none.json"), "none.json"),
        "backend": ((*motion, *SMALL, "--backend", "no-such-program"), "no-such-program"),
    }


def test_bad_arguments_get_one_sentence_and_exit_code_2(blender: RealBlender, output: Path) -> None:
    faults = []
    for name, (arguments, words) in _bad_arguments(blender, output).items():
        done = blender.run(*batch(blender, output / "out", *arguments))
        said = [line for line in done.stderr.splitlines() if line.startswith("latentman: ")]
        if done.returncode != 2 or len(said) != 1 or words not in said[0] or "Traceback" in done.stderr:
            faults.append(f"{name}: {show(done)}")
    assert not faults, "\n\n".join(faults)
    assert not (blender.scratch / "bomb-went-off").exists()


def test_a_body_out_of_view_is_told(blender: RealBlender, served: Served, output: Path) -> None:
    blend = f"{blender.inside(output)}-away.blend"
    dry = ("--motion", MOTION, *SMALL, "--dry-run")
    turn = (
        "import bpy; from bl_ext.user_default.latentman.cli import main; "
        f"assert main({[*dry, '--output', blender.inside(output)]!r}) == 0; "
        "bpy.context.scene.camera.rotation_euler.x = -1.5; "
        f"bpy.ops.wm.save_as_mainfile(filepath={blend!r})"
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    made = blender.run("-b", "--python-exit-code", "7", "--python-expr", turn)
    assert made.returncode == 0, show(made)
    connection = ("--connection", blender.inside(served.connection))
    done = blender.run("-b", blend, "-c", "latentman", "--output", blender.inside(output), *SMALL[2:], *connection)
    assert done.returncode == 2, show(done)
    assert "view" in next(line for line in done.stderr.splitlines() if line.startswith("latentman: "))


def test_a_backend_that_fails_is_exit_code_1(blender: RealBlender, output: Path) -> None:
    arguments = ("--motion", MOTION, *SMALL, "--backend", "/bin/echo")
    done = blender.run(*batch(blender, output, *arguments))
    assert done.returncode == 1, show(done)
    said = [line for line in done.stderr.splitlines() if line.startswith("latentman: ")]
    assert len(said) == 2 and "backend.log" in said[1], show(done)  # what is wrong, and where its log is


def test_ctrl_c_is_exit_code_3(blender: RealBlender, served: Served, output: Path) -> None:
    connection = ("--connection", blender.inside(served.connection))
    arguments = ("--motion", MOTION, *SMALL, "--steps", "900", "--method", "text2video_zero", *connection, "--json")
    process = blender.start(*batch(blender, output, *arguments))
    assert process.stdout is not None
    limit = time.monotonic() + _GUARD_S
    while '"stage"' not in (line := process.stdout.readline()) or '"generating"' not in line:
        assert line and time.monotonic() < limit, "the backend did not begin"
    process.send_signal(signal.SIGINT)
    done = blender.finish(process)
    assert done.returncode == 3, show(done)


@pytest.mark.parametrize("engine", ["cycles", "eevee"])
def test_passes_agree_with_the_bpy_packages(blender: RealBlender, served: Served, output: Path, engine: str) -> None:
    """The same shot through the bpy package (5.0, Cycles): the same labels, but for a few pixels on edges."""
    plan = ["--fps", "10", "--frames", "2", "--size", "128x128", "--steps", "1", "--prompt", "a robot"]
    plan += ["--method", "text2video_zero"]
    here, there = output / "bpy", output / "real"
    own = [sys.executable, "-m", "blender_addon", "--motion", str(PROJECT / MOTION.removeprefix("/project/")), *plan]
    own += ["--connection", str(served.connection), "--output", str(here)]
    wheel = subprocess.run(own, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert wheel.returncode == 0, show(wheel)
    connection = ("--connection", blender.inside(served.connection))
    done = blender.run(*batch(blender, there, "--motion", MOTION, *plan, *connection, "--engine", engine))
    assert done.returncode == 0, show(done)
    ours, theirs = (read_frame(folder / "passes" / "0002.exr") for folder in (here, there))
    same = (ours.part == theirs.part) & (ours.part > 0)
    assert (ours.part > 0).sum() > 500
    assert (ours.part != theirs.part).mean() < 0.002
    assert np.median(np.abs(ours.uv[same] - theirs.uv[same])) < 1e-3
    assert np.abs(ours.depth_m[same] - theirs.depth_m[same]).max() < 1e-2
