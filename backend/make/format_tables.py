"""The tables of `docs/formats` that follow from declarations: fields of a job, motion formats, result files.

    python -m backend.make.format_tables

rewrites them between their markers, `<!-- made: NAME -->` and `<!-- end: NAME -->`. Types and defaults come from the
classes; what a field is for stands here, and a field without words, or words without a field, stop the command.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from backend.make.family_tables import filled, markdown_table
from shared.body.model import PART_NAMES
from shared.files.frame_files import LAST_FRAME
from shared.jobs import job as jobs
from shared.jobs.frame_range import MAX_FRAMES
from shared.jobs.job import Job, JobInputs, default_of
from shared.jobs.result_files import RESULT_FILES
from shared.methods import METHODS
from shared.models.files import MAX_LORA_SCALE, EmbeddingFile, LoraFile, ModelFiles
from shared.motion.readers import READERS
from shared.motion.reading.clip import Reader
from shared.motion.reading.fields import BARE
from shared.motion.reading.rates import RATE_KEYS
from shared.motion.retarget.maps.rig_names import RigNames
from shared.motion.retarget.maps.table import RIGS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "formats"

Words = Mapping[str, str]

_JOB: Words = {
    "prompt": f"describes the character and the place; at most {jobs.MAX_PROMPT_CHARACTERS:,} characters; may be "
    "left out if `prompts` is given",
    "frames": f"scene frame numbers in rising order, 0 to {LAST_FRAME}; at most {MAX_FRAMES:,}",
    "inputs": "the files that the job reads, by digest; if they are left out, `latentman submit` fills them in",
    "negative_prompt": "what should not appear in the pictures",
    "seed": "equal seeds give equal noise; 0 to 2^63 - 1",
    "method": f"one of {', '.join(f'`{name}`' for name in METHODS)}",
    "model": "`embedded`, or a folder or file on the backend's machine; a relative path counts from the job file",
    "model_files": "further model files",
    "steps": f"denoising steps, 1 to {jobs.MAX_STEPS:,}",
    "guidance_scale": "how closely frames follow the prompt, 0 to 100; about 7.5 suits Stable Diffusion 1.5",
    "controlnet_scale": "how closely frames follow the depth, 0 to 10",
    "width": f"size of passes and generated pictures, in pixels; a multiple of {jobs.SIZE_MULTIPLE}, at most "
    f"{jobs.MAX_SIZE:,}",
    "height": "the same",
    "fps": "frames per second, 0.01 to 1000; used only for videos made from the frames",
    "settings": "the method's settings: see [methods](../methods.md); a setting that is left out has its default",
    "finish": "what happens to finished frames: see [methods](../methods.md#finish)",
    "segment_frames": f"frames that are denoised together, 1 to {jobs.MAX_SEGMENT_FRAMES}",
    "prompts": "keyed prompts instead of `prompt`, as one text: `1: a robot, 30: a knight`; not written if empty",
    "schema": "version of this format; all earlier versions, from 1 on, can still be read",
}
_INPUTS: Words = {
    "passes": "one EXR per frame, in the order of `frames`",
    "shot": "`shot.json`",
    "vertices": "`vertices.npy`",
    "charts": "`charts.npz`",
}
_MODEL_FILES: Words = {
    "controlnet": "a ControlNet, folder or file",
    "vae": "an autoencoder, folder or file",
    "config": "a folder with `tokenizer/`, and with `config.json` for parts whose sizes differ from the family's",
    "loras": "LoRAs, in the order in which they are added",
    "embeddings": "textual inversion embeddings",
    "tiny_vae": "folder of a small autoencoder, for guidance",
}
_LORA: Words = {
    "path": "the file",
    "scale": f"how much of it is added, -{MAX_LORA_SCALE:g} to {MAX_LORA_SCALE:g}; 0 adds nothing",
}
_EMBEDDING: Words = {
    "path": "the file",
    "token": "the word for it in prompts; empty for the file's own",
}
_RESULT_FILES: Words = {"atlas": "the character's texture without light, RGBA, 24 tiles: see [takes](take.md#atlaspng)"}
_SCALARS: Mapping[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def main() -> None:
    """Write the pages."""
    for path, tables in PAGES.items():
        path.write_text(with_tables(path.read_text("utf-8"), tables), "utf-8")


def with_tables(page: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """The page with its tables as they are declared. Raises ValueError where a marker is missing."""
    for name, table in tables.items():
        page = filled(page, name, table())
    return page


def class_table(kind: type[Any], words: Words) -> str:
    """The fields of a dataclass. Raises ValueError where fields and words do not name the same."""
    fields = dataclasses.fields(kind)
    _require_same({field.name for field in fields}, words, kind.__name__)
    hints = typing.get_type_hints(kind)
    rows = ((f"`{one.name}`", _type(hints[one.name]), _default(kind, one), words[one.name]) for one in fields)
    return markdown_table(("field", "type", "default", "what it is"), rows)


def reader_table() -> str:
    """The motion formats, in the order in which a file is tried."""
    return markdown_table(
        ("format", "files", "up", "frames per second", "entries that are read"), map(_reader, READERS)
    )


def rate_keys() -> str:
    """The entries in which any format may hold its frame rate."""
    return f"The frame rate is read from the first of these: {', '.join(f'`{key}`' for key in RATE_KEYS)}."


def part_table() -> str:
    """The parts of the body by number, two columns side by side."""
    named = [(str(number), name.replace("_", " ")) for number, name in enumerate(PART_NAMES) if number]
    half = len(named) // 2
    rows = (left + right for left, right in zip(named[:half], named[half:], strict=True))
    return markdown_table(("number", "part", "number", "part"), rows)


def rig_table() -> str:
    """The rigs whose bones are known by their names, in the order in which they are tried."""
    rows = (
        (rig.label, *(_bone(rig, joint) for joint in ("pelvis", "spine1", "left_hip", "left_elbow"))) for rig in RIGS
    )
    return markdown_table(("rig", "pelvis", "lowest spine bone", "left thigh", "left forearm"), rows)


def _bone(rig: RigNames, joint: str) -> str:
    return " or ".join(f"`{name}`" for name in rig.spellings()[joint])


def result_file_table() -> str:
    """The files beside the frames. Raises ValueError where one has no words."""
    _require_same(set(RESULT_FILES), _RESULT_FILES, "RESULT_FILES")
    rows = ((f"`{file}`", f"`{name}`", _RESULT_FILES[name]) for name, file in RESULT_FILES.items())
    return markdown_table(("file", "name on the wire", "what it is"), rows)


PAGES: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    FOLDER / "job.md": {
        "job": lambda: class_table(Job, _JOB),
        "inputs": lambda: class_table(JobInputs, _INPUTS),
        "model_files": lambda: class_table(ModelFiles, _MODEL_FILES),
        "lora": lambda: class_table(LoraFile, _LORA),
        "embedding": lambda: class_table(EmbeddingFile, _EMBEDDING),
    },
    FOLDER / "passes.md": {"parts": part_table},
    FOLDER / "motion.md": {"readers": reader_table, "rates": rate_keys},
    FOLDER / "bone_map.md": {"rigs": rig_table},
    FOLDER / "take.md": {"result_files": result_file_table},
}


def _require_same(declared: set[str], words: Words, name: str) -> None:
    different = sorted(declared ^ words.keys())
    if different:
        raise ValueError(f"format_tables: the words for {name} and what it declares differ in {', '.join(different)}.")


def _type(hint: Any) -> str:
    if hint in _SCALARS:
        return _SCALARS[hint]
    if dataclasses.is_dataclass(hint):
        return "object"
    if isinstance(hint, types.GenericAlias) and hint.__origin__ is tuple:
        inner = _type(hint.__args__[0])
        return f"list of {inner}s" if not inner.endswith("text") else "list of texts"
    raise ValueError(f"format_tables: there are no words for the type {hint}.")


def _default(kind: type[Any], one: dataclasses.Field[Any]) -> str:
    if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING:
        return "needed"
    value = default_of(kind, one.name)
    if dataclasses.is_dataclass(value):
        return "its defaults"
    return f"`{json.dumps(value)}`"


def _reader(reader: Reader) -> tuple[str, ...]:
    own = "in the file" if set(reader.rate_keys) & set(reader.entries) else "asked for"
    rate = own if reader.fps is None else f"{reader.fps:g}"
    files = ", ".join(f"`{suffix if suffix.startswith('.') else f'*{suffix}'}`" for suffix in reader.suffixes)
    return reader.name, files, reader.up.upper(), rate, _entries(reader)


def _entries(reader: Reader) -> str:
    """What is read; a format that adds to another's entries, or tries the same before it, names that one."""
    own = _own(reader)
    later = READERS[READERS.index(reader) + 1 :]
    named = [one for one in READERS if _own(one).keys() != {BARE}]  # there is nothing to save where it has no name
    base = next((one for one in named if _own(one).keys() < own.keys()), None)
    same = (one for one in named if one in later and one.name != reader.name and _own(one).keys() == own.keys())
    base = base or next(same, None)
    new = [key for key in own if base is None or key not in base.entries]
    spelled = ", ".join("an array without a name" if key == BARE else f"`{key}`" for key in new)
    return spelled if base is None else f"those of {base.name}" + (f", and {spelled}" if new else "")


def _own(reader: Reader) -> dict[str, None]:
    return dict.fromkeys((*reader.marks, *reader.rate_keys, *reader.entries))


if __name__ == "__main__":
    main()
