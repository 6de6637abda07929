"""The batch command's arguments: what they are, what they become, and the job they describe."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ..client.job_file import ShotFile
from ..client.request import placeholder_inputs
from ..scene.presets import applied, preset_named
from ..shared.errors import InputError
from ..shared.jobs.frame_range import parse_frames
from ..shared.jobs.job import Job, default_of
from ..shared.jobs.keyed_prompts import read_prompts
from ..shared.methods import DEFAULT_METHOD, METHODS, MethodSettings, MethodSpec, method_named
from ..shared.methods.finish import FINISH, FINISH_GROUP
from ..shared.methods.spec import Preset
from ..shared.methods.table import presets
from ..shared.models.files import place_of
from ..shared.motion import UP_AXES
from ..shared.motion.repair import REPAIRS
from ..shared.motion.units import UNITS_M
from .method_options import add_settings, check_asked, with_given
from .saved_blend import FROM_TAKE
from .videos import BESIDE_FRAMES

_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")

# Options that go into the job under their own names where they are given.
_JOB_OPTIONS = ("prompt", "negative_prompt", "seed", "steps", "guidance_scale", "controlnet_scale", "model")


def _path(text: str) -> Path:
    """A path as it was typed; `--option=~/file` reaches us with its `~`."""
    if not text:
        raise argparse.ArgumentTypeError("an empty path was given")
    return Path(os.path.expanduser(text))


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are sentences of ours, with our exit code."""

    def error(self, message: str) -> NoReturn:
        raise InputError("arguments", f"{message[:1].upper()}{message[1:].rstrip('.')}.", f"See {self.prog} --help.")


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line. Raises InputError on bad arguments, SystemExit for --help."""
    parser = _Parser(
        prog="latentman",
        description="Render the passes of the open file (or of an imported motion), generate the frames "
        "of the prompt, and write them to the output folder. Run the same command again to resume.",
        epilog="Exit codes: 0 done, 1 failed, 2 bad arguments, 3 cancelled (Ctrl-C); with several shots, that of "
        "the first failure.",
        allow_abbrev=False,
    )
    _add_shot(parser.add_argument_group("the shot"))
    _add_job(parser.add_argument_group("the job; options that are not given come from --job, then from the open file"))
    for method in METHODS.values():
        add_settings(parser, method, f"settings of {method.name}, if it is one of the methods")
    add_settings(parser, FINISH_GROUP, "the finish of the frames, with any method")
    _add_run(parser.add_argument_group("the run"))
    return parser.parse_args(arguments)


def _add_shot(group: Any) -> None:
    group.add_argument("--blend", type=_path, metavar="FILE", help="open this .blend (as blender -b FILE does)")
    group.add_argument("--scene", metavar="NAME", help="scene of that file (default: the one that was open)")
    _add_motion(group)
    _add_reading(group)
    group.add_argument("--fps", type=float, metavar="FPS", help="frame rate of the scene")
    group.add_argument("--frames", metavar="RANGE", help='frames, like "1-30,47,60-90x2" (default: the scene\'s range)')
    group.add_argument(
        "--leave-out",
        action="append",
        default=[],
        metavar="NAME",
        help="render the passes without this object of the scene; can be given several times",
    )
    size = f"{default_of(Job, 'width')}x{default_of(Job, 'height')}"
    group.add_argument(
        "--size", metavar="WxH", help=f"picture size in pixels (default: the scene's; {size} in a new one)"
    )
    group.add_argument("--engine", choices=("cycles", "eevee"), help="what renders the passes")


def _add_motion(group: Any) -> None:
    """Where the character's motion comes from."""
    motion = group.add_mutually_exclusive_group()
    motion.add_argument("--motion", type=_path, metavar="FILE", help="import this motion file as a character")
    motion.add_argument(
        "--motion-armature", metavar="NAME", help="make a character that moves like this armature of the scene"
    )
    motion.add_argument(
        "--motion-text",
        metavar="TEXT",
        help='make a character that does what this text says: "a person waves, then jumps"',
    )
    group.add_argument(
        "--motion-seconds",
        type=float,
        default=0.0,
        metavar="S",
        help="length of the motion of --motion-text (default: as long as its actions take)",
    )
    group.add_argument(
        "--motion-seed", type=int, default=0, metavar="N", help="another number gives another motion for that text"
    )
    group.add_argument(
        "--motion-model",
        type=_path,
        metavar="DIR",
        help="MDM checkpoint for --motion-text (default: the model that ships)",
    )
    group.add_argument(
        "--bone-map",
        type=_path,
        metavar="FILE",
        help="which bones of the armature or the file are SMPL's joints",
    )
    group.add_argument("--body", type=_path, metavar="FILE", help="body of that character, an SMPL-style .npz")


def _add_reading(group: Any) -> None:
    """How a motion file is read, and what becomes of its motion."""
    group.add_argument("--sample", type=int, default=0, metavar="N", help="which motion of a file that has several")
    group.add_argument("--repetition", type=int, default=0, metavar="N", help="repetition of an MDM results.npy")
    group.add_argument(
        "--person", type=int, metavar="N", help="which person of a file that has several (default: all of them)"
    )
    group.add_argument(
        "--motion-fps",
        type=float,
        metavar="FPS",
        help="frame rate of the motion file (default: its own or its format's; with neither, give this or --fps)",
    )
    group.add_argument(
        "--view", choices=("world", "camera"), default="world", help="how a motion from a video is placed"
    )
    group.add_argument(
        "--unit",
        choices=("auto", *UNITS_M),
        default="auto",
        help="unit of the file's positions (default: by format)",
    )
    group.add_argument(
        "--up",
        choices=UP_AXES,
        default="auto",
        help="axis of the motion file that points up; --up=-y if Y points down (default: by format and content)",
    )
    group.add_argument(
        "--start-frame", type=int, metavar="N", help="frame of the motion's first pose (default: the scene's first)"
    )
    group.add_argument(
        "--repair",
        action="append",
        default=[],
        metavar="NAME[=STRENGTH]",
        help=f"repair that motion: {', '.join(one.name for one in REPAIRS)}; several with commas, in this order",
    )


def _add_job(group: Any) -> None:
    prompt = group.add_mutually_exclusive_group()
    prompt.add_argument("--prompt", help="what the character and the place look like")
    prompt.add_argument(
        "--prompts", type=_path, metavar="FILE", help='a text file of keyed prompts, such as "1: a robot, 30: a knight"'
    )
    group.add_argument("--negative", dest="negative_prompt", metavar="TEXT", help="what the frames must not show")
    group.add_argument("--seed", type=int, metavar="N", help="the same seed gives the same noise")
    group.add_argument(
        "--preset",
        action="append",
        metavar="NAME",
        help=f"one of the panel's presets, for its own method only: {', '.join(presets())}; for several methods, "
        "give one each, separated by commas; other options override it",
    )
    group.add_argument("--steps", type=int, metavar="N", help="denoising steps")
    group.add_argument(
        "--guidance", dest="guidance_scale", type=float, metavar="X", help="how closely frames follow the prompt"
    )
    group.add_argument(
        "--control", dest="controlnet_scale", type=float, metavar="X", help="how closely frames follow the depth"
    )
    group.add_argument(
        "--model", metavar="NAME_OR_PATH", help='"embedded", or a folder or file on the backend\'s machine'
    )
    group.add_argument(
        "--method",
        action="append",
        metavar="NAME",
        help=f"one of {', '.join(METHODS)}; several, separated by commas, share the passes (default: {DEFAULT_METHOD})",
    )
    group.add_argument(
        "--job",
        action="append",
        default=[],
        type=_path,
        metavar="FILE",
        help="a job file saved by the panel, or a result's job.json; give it several times for several shots",
    )


def _add_run(group: Any) -> None:
    group.add_argument(
        "--output",
        type=_path,
        metavar="DIR",
        help="folder for passes and frames; with several shots, each has a subfolder named after its job file",
    )
    backend = group.add_mutually_exclusive_group()
    backend.add_argument("--backend", metavar="COMMAND", help="the latentman command, or its environment's python")
    backend.add_argument("--connection", type=_path, metavar="FILE", help="use a running backend: its connection file")
    group.add_argument("--device", choices=("auto", "cpu"), help="device of a backend that this command starts")
    group.add_argument(
        "--export-motion",
        type=_path,
        metavar="FILE",
        help="also write the character's motion, edits included, as .npz, .bvh, .glb, .abc, _smpl_params.npy or "
        "_results.npy",
    )
    group.add_argument("--save-blend", type=_path, metavar="FILE", help="save the file with the result on the timeline")
    group.add_argument(
        "--texture",
        nargs="?",
        type=_path,
        const=FROM_TAKE,
        metavar="FILE",
        help="with --save-blend: put a texture on the character, that of the first method that makes one, or "
        "the atlas.png FILE",
    )
    group.add_argument(
        "--video",
        nargs="?",
        type=_path,
        const=BESIDE_FRAMES,
        metavar="FILE",
        help="also write the frames as a video: DIR/METHOD.mp4 for each method, or FILE with a single method",
    )
    group.add_argument(
        "--dry-run", action="store_true", help="check everything and say what would be done, but do nothing"
    )
    group.add_argument("--json", action="store_true", help="progress and result as JSON lines on standard output")


def methods_of(
    options: argparse.Namespace, shot: ShotFile | None, stored: Job, kept: Callable[[MethodSpec], MethodSettings]
) -> dict[str, MethodSettings]:
    """The methods that were asked for, in order, each with its settings: --job's, if it has none the open file's
    (`kept`), over them --preset's, over them those given. Where neither --method nor --job names one, a preset brings
    its own, as in the panel. Raises InputError."""
    chosen = _presets(options)
    names = list(chosen) or [stored.method] if shot is None else list(shot.methods)
    if options.method:
        names = _names(options.method)
    if len(set(names)) < len(names):
        raise InputError("arguments.method", "A method is named twice.", "Name each once.")
    known = {} if shot is None else shot.methods
    found = {name: known[name] if name in known else kept(method_named(name)) for name in names}
    for method, preset in chosen.items():
        if method not in found:
            raise InputError(
                "arguments.preset",
                f"{preset.name} is a preset of {method}, but the methods are {', '.join(names)}.",
                "Add it to --method, or leave the preset out.",
            )
        found[method] = preset.settings
    check_asked(options, names)
    return {name: with_given(options, METHODS[name], own) for name, own in found.items()}


def _names(given: Sequence[str]) -> list[str]:
    """What an option names that may be given several times, and several names each time, separated by commas."""
    return [name for one in given for name in one.replace(" ", "").split(",") if name]


def _presets(options: argparse.Namespace) -> dict[str, Preset]:
    """The presets that were asked for, by method. Raises InputError for an unknown one and two of one method."""
    found: dict[str, Preset] = {}
    for method, preset in (preset_named(name) for name in _names(options.preset or ())):
        if method.name in found:
            raise InputError(
                "arguments.preset", f"There are two presets for {method.name}.", "Name one preset per method."
            )
        found[method.name] = preset
    return found


def _check_steps(options: argparse.Namespace, chosen: Mapping[str, Preset]) -> None:
    """Refuse presets that go with several numbers of steps where none is given: the methods of a shot share it."""
    steps = {str(preset.steps) for preset in chosen.values() if preset.steps is not None}
    if len(steps) > 1 and options.steps is None:
        names = " and ".join(preset.name for preset in chosen.values())
        raise InputError("arguments.preset", f"The presets {names} differ in their steps.", "Give --steps.")


def job_template(
    options: argparse.Namespace, shot: ShotFile | None, stored: Job, blend_folder: Path | None = None
) -> Job:
    """The settings of the jobs but for their methods' own: `stored` (the open file's) or --job's, over them --preset's,
    over them those given.

    The frame rate is the scene's in any case, because the scene is what is rendered. A model that begins with `//` lies
    in `blend_folder`, the open file's. Raises InputError.
    """
    base = stored if shot is None else dataclasses.replace(shot.job, fps=stored.fps)
    chosen = _presets(options)
    _check_steps(options, chosen)
    for preset in chosen.values():
        base = applied(preset, base)
    given = {name: getattr(options, name) for name in _JOB_OPTIONS if getattr(options, name) is not None}
    if options.model is not None:
        given["model"] = place_of(options.model, Path.cwd(), blend_folder)
    if options.prompt is not None:
        given["prompts"] = ""
    if options.prompts is not None:
        given["prompts"] = read_prompts(options.prompts)
    if options.size is not None:
        given["width"], given["height"] = parse_size(options.size)
    given[FINISH] = with_given(options, FINISH_GROUP, base.finish)
    frames = given_frames(options, shot) or stored.frames
    return dataclasses.replace(base, **given, frames=frames, inputs=placeholder_inputs(len(frames)))


def given_frames(options: argparse.Namespace, shot: ShotFile | None) -> tuple[int, ...]:
    """The frames of --frames, else of --job; empty if neither is given. Raises InputError."""
    if options.frames is not None:
        return parse_frames(options.frames)
    return () if shot is None else shot.job.frames


def picture_size(options: argparse.Namespace, shot: ShotFile | None, stored: Job) -> tuple[int, int]:
    """Width and height as `job_template` will have them. Raises InputError."""
    if options.size is not None:
        return parse_size(options.size)
    base = stored if shot is None else shot.job
    return base.width, base.height


def parse_size(text: str) -> tuple[int, int]:
    """`512x384` as width, height. Raises InputError."""
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None:
        raise InputError("arguments.size", f'The size "{text[:40]}" is not WIDTHxHEIGHT.', "For example 512x512.")
    return int(match[1]), int(match[2])
