"""A user's model, looked at file by file: there, missing, written in part, of the wrong kind. No weights are loaded.

    for found in check_model_files("/models/my_model", ModelFiles()):
        print(found.name, found.text)

Only sizes, small JSON files and the tables at the beginning of weights are read. What a table cannot tell (a pickle's
contents, shapes that do not match) the loader says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..errors import ModelError
from ..files.frame_files import is_there
from ..files.weight_header import (
    WEIGHT_SUFFIXES,
    WeightHeader,
    is_weight_file,
    read_weight_header,
    size_text,
    some_names,
)
from .files import ModelFiles
from .places import config_folder, described_class, find_weights, json_values, place_of_part
from .recognition import family_of, weight_kinds, wrong_kind
from .spec import Agreement, Family, Kind, Part, Weights
from .table import FAMILIES

_UNFINISHED = (".part", ".crdownload", ".incomplete", ".download")
_PARSED_BYTES = 1 << 16  # a config has some kB, an index of weights some ten
_END_BYTES = 64


class FileState(Enum):
    """The state of a file; the values are what a user reads."""

    WHOLE = "whole"
    UNSEEN = "not checked"  # a pickle: it exists, and only the loader opens it
    MISSING = "missing"
    PARTIAL = "incomplete"
    WRONG = "wrong kind"
    UNREADABLE = "cannot be read"


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file or folder of a model: its name within the model, its state, and the state in words."""

    name: str
    state: FileState
    text: str

    @property
    def usable(self) -> bool:
        """Whether no fault was found."""
        return self.state in (FileState.WHOLE, FileState.UNSEEN)


def check_model_files(
    model: str, files: ModelFiles | None = None, families: Iterable[Family] = FAMILIES
) -> Iterator[FileCheck]:
    """Check a folder in diffusers' layout or a checkpoint, and the files that go with it, one after the other."""
    place = Path(model)
    try:
        if is_there(place):
            known = tuple(families)
            yield from _Look(family_of(place, known), known).model(place, files or ModelFiles())
        else:
            yield FileCheck(place.name, FileState.MISSING, f"There is no {place} on this machine.")
    except OSError as error:
        yield FileCheck(place.name, FileState.UNREADABLE, f"It cannot be read: {error.strerror or error}.")


@dataclass(frozen=True, slots=True)
class _Look:
    """A look at a model of one family; its files may turn out to be another's."""

    family: Family
    known: tuple[Family, ...]

    def model(self, place: Path, files: ModelFiles) -> Iterator[FileCheck]:
        """All files of a model that is there."""
        if place.is_dir():
            yield from self._folder(place, files)
        else:
            yield from self._checkpoint(place, config_folder(place, files))
        for part in self.family.parts:
            apart = place_of_part(part, place, files)
            if apart is not None:
                yield from self._apart(part, apart, wanted=part.need != "never" or _is_named(part, files))
        for added in self.family.added:
            for path in map(Path, files.paths(added.place.name)):
                name = f"{added.place.role} {path.name}"
                yield self._weights(name, path, added.kind, must_show=added.must_show)

    def _folder(self, place: Path, files: ModelFiles) -> Iterator[FileCheck]:
        parts = [part for part in self.family.parts if place_of_part(part, place, files) is None]
        if not any((place / part.name).is_dir() for part in parts if part.weights):
            yield FileCheck(place.name, FileState.WRONG, _not_a_model(place, self.family))
            return
        for part in parts:
            if part.weights:
                yield from self._part(part, part.weights, place / part.name, self._misfit_in(place, part))
            else:
                yield _config(part, place / part.name)

    def _misfit_in(self, model: Path, part: Part) -> str:
        own = json_values(model / part.name / "config.json")
        return _misfit(self.family, model, lambda pair: own.get(pair.value) if pair.part == part.name else None)

    def _checkpoint(self, place: Path, config: Path) -> Iterator[FileCheck]:
        if self.family.checkpoint is None:
            text = f"{self.family.label} can only be loaded from a folder."
            yield FileCheck(place.name, FileState.WRONG, text)
            return

        def fault(header: WeightHeader) -> str:
            return _misfit(self.family, config, lambda pair: pair.found_in(header.shapes or {}))

        yield self._weights(place.name, place, self.family.checkpoint.kind, fault)
        for part in self.family.beside:
            if part.need == "always":
                yield _config(part, config / part.name)

    def _apart(self, part: Part, place: Path, *, wanted: bool) -> Iterator[FileCheck]:
        """A part that lies by itself, in a folder or in a file."""
        assert part.place is not None and part.weights is not None
        folder_only = bool(part.place.folder_of)
        if place.is_dir():
            yield from self._part(part, part.weights, place)
        elif place.suffix and not folder_only:
            yield self._weights(f"{part.name} {place.name}", place, part.weights.kind)
        elif wanted:
            text = f"There is no {'folder ' if folder_only else ''}{place}. {part.advice}"
            yield FileCheck(part.name, FileState.MISSING, text.rstrip())

    def _part(self, part: Part, weights: Weights, folder: Path, misfit: str = "") -> Iterator[FileCheck]:
        """The sizes and the weights of a part's folder; `misfit` says why its sizes do not belong to the others'."""
        config = _json_file(f"{part.name}/config.json", folder / "config.json")
        named = described_class(json_values(folder / "config.json"), part)
        fault = misfit if named in part.classes else f"It describes {named} instead of {part.classes[0]}."
        yield FileCheck(config.name, FileState.WRONG, fault) if config.usable and fault else config
        found = find_weights(folder, weights.stems)
        if found is None:
            yield _absent(f"{part.name}/ weights", folder)
        elif found.file.suffix == ".json":
            yield from self._shards(part.name, weights.kind, found.file)
        else:
            yield self._weights(f"{part.name}/{found.file.name}", found.file, weights.kind, must_show=False)

    def _shards(self, part: str, kind: Kind, index: Path) -> Iterator[FileCheck]:
        """Weights in several files, and the index that names them."""
        row = _json_file(f"{part}/{index.name}", index)
        named = json_values(index).get("weight_map")
        yield row
        if isinstance(named, dict):
            for name in sorted({Path(str(value)).name for value in named.values()}):
                yield self._weights(f"{part}/{name}", index.parent / name, kind, must_show=False)

    def _weights(
        self,
        name: str,
        path: Path,
        kind: Kind,
        more: Callable[[WeightHeader], str] = lambda header: "",
        *,
        must_show: bool = True,
    ) -> FileCheck:
        """A file of weights that should be of a kind; `more` finds other faults in what it says of itself. Without
        `must_show` one whose names tell no kind is taken: a part in diffusers' layout is what its config.json says."""

        def look() -> FileCheck:
            if not is_weight_file(path):
                return FileCheck(name, FileState.WRONG, f"It is not a weight file ({', '.join(WEIGHT_SUFFIXES)}).")
            header = read_weight_header(path)
            size = size_text(header.size_bytes)
            if header.shapes is None:
                text = f"{size}, a pickle: the backend checks it when it loads it"
                return FileCheck(name, FileState.UNSEEN, text)
            fault = self._wrong_kind(header.shapes, kind, must_show) or more(header)
            unused = self._unused(header.shapes, kind)
            return FileCheck(name, FileState.WRONG if fault else FileState.WHOLE, fault or size + unused)

        return _looked(name, path, look)

    def _unused(self, names: Collection[str], kind: Kind) -> str:
        """The entries of a checkpoint that are not used, except known leftovers."""
        checkpoint = self.family.checkpoint
        unused = self.family.unused_entries(names) if checkpoint and kind == checkpoint.kind else []
        return f"; not used: {some_names(unused)}" if unused else ""

    def _wrong_kind(self, names: Collection[str], kind: Kind, must_show: bool) -> str:
        found = weight_kinds(names, self.known)
        if found.fits(kind) or found.first == kind or not (found.first or must_show):
            return ""
        return f"It is {wrong_kind(found.name or 'of an unknown kind', kind)}."


def _is_named(part: Part, files: ModelFiles) -> bool:
    return part.place is not None and bool(files.paths(part.place.name))


def _misfit(family: Family, place: Path, number: Callable[[Agreement], object]) -> str:
    """Why a part's sizes do not fit the parts in `place`; empty if no misfit is known.

    `number` gives the part's value for an agreement of the family.
    """
    for pair in family.agreements:
        value = number(pair)
        wanted = json_values(place / pair.other / "config.json").get(pair.other_value, pair.assumed)
        if isinstance(value, int) and isinstance(wanted, int) and value != wanted:
            return pair.sentence(value, wanted)
    return ""


def _config(part: Part, folder: Path) -> FileCheck:
    """The files of a part without weights, in one of the ways in which they may lie there."""
    *others, last = part.config
    for names in part.config if others else ():
        if all(is_there(folder / name) for name in names):
            return _json_file(f"{part.name}/{names[0]}", folder / names[0])
    if not others:
        return _json_file(f"{part.name}/{last[0]}", folder / last[0])
    text = f"There is neither {' nor '.join(' and '.join(names) for names in part.config)} in {folder}."
    return FileCheck(part.name, FileState.MISSING, text)


def _json_file(name: str, path: Path) -> FileCheck:
    def look() -> FileCheck:
        size = path.stat().st_size
        whole = _has_ends(path, size) if size > _PARSED_BYTES else _is_json(path)
        if not whole:
            return FileCheck(name, FileState.PARTIAL, "It is not a complete JSON file. Copy or download it again.")
        if size <= _PARSED_BYTES and not json_values(path):
            return FileCheck(name, FileState.WRONG, "It contains no values.")
        return FileCheck(name, FileState.WHOLE, size_text(size))

    return _looked(name, path, look)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return True


def _has_ends(path: Path, size: int) -> bool:
    """Whether a file begins and ends as a JSON object does. A vocabulary is not read as a whole: that would hold up
    all other threads of the program for as long as it takes."""
    with path.open("rb") as file:
        begin = file.read(_END_BYTES).strip()
        file.seek(max(0, size - _END_BYTES))
        return begin.startswith(b"{") and file.read().strip().endswith(b"}")


def _looked(name: str, path: Path, look: Callable[[], FileCheck]) -> FileCheck:
    """The result of a check; a missing or unreadable file has its own words."""
    try:
        return look()
    except ModelError as error:
        state = FileState.PARTIAL if error.code == "model.partial" else FileState.WRONG
        return FileCheck(name, state, str(error))
    except FileNotFoundError:
        return _absent(name, path.parent, path.name)
    except OSError as error:
        return FileCheck(name, FileState.UNREADABLE, f"It cannot be read: {error.strerror or error}.")


def _absent(name: str, folder: Path, wanted: str = "") -> FileCheck:
    """A missing file, or one that is still being downloaded."""
    try:
        coming = sorted(item.name for item in folder.iterdir() if item.name.endswith(_UNFINISHED))
    except OSError:
        coming = []
    begun = next((one for one in coming if not wanted or one.startswith(wanted)), "")
    if begun:
        return FileCheck(name, FileState.PARTIAL, f"Its download is not finished: {begun}.")
    what = wanted or "weight file (.safetensors or .bin)"
    return FileCheck(name, FileState.MISSING, f"There is no {what} in {folder}.")


def _not_a_model(place: Path, family: Family) -> str:
    files = sorted(item.name for item in place.iterdir() if is_weight_file(item))
    if files:
        return f"The folder is not a model itself. Add a file inside it instead: {some_names(files)}."
    *parts, last = (
        f"{part.name}/"
        for part in family.parts
        if part.in_checkpoint or part.need == "always" and not part.may_lie_apart
    )
    return f"It has no {', '.join(parts)} or {last}, so it is not a model in diffusers' layout."
