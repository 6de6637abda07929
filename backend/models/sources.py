"""Where each part of a model lies, found without torch: what a job's digest covers and what the loader reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ModelError
from shared.files.frame_files import is_file, is_there
from shared.models.files import EMBEDDED, ModelFiles
from shared.models.places import config_folder, place_of_part
from shared.models.recognition import family_of
from shared.models.spec import Family, Part, Place
from shared.models.table import FAMILIES, PLACES

EMBEDDED_FOLDER = Path(__file__).resolve().parents[1] / "embedded"


@dataclass(frozen=True, slots=True)
class LoraSource:
    """A LoRA's file and its scale."""

    path: Path
    scale: float


@dataclass(frozen=True, slots=True)
class EmbeddingSource:
    """A textual inversion embedding's file and its word in prompts, empty for the file's own."""

    path: Path
    token: str


@dataclass(frozen=True, slots=True)
class ModelSources:
    """Folders and files of one model. What a job names exists; the folders of a model's own parts may not."""

    family: Family
    model: Path  # a folder in diffusers' layout, or a file in the original one
    config: Path  # folder with the sizes of parts that are files; beside a file also its tokenizer/ and scheduler/
    apart: Mapping[str, Path]  # folders or files of the parts that are not the model's own, by the part's name
    loras: tuple[LoraSource, ...] = ()
    embeddings: tuple[EmbeddingSource, ...] = ()

    @property
    def home(self) -> Path:
        """The folder of what is never in a file: the model's own, or a checkpoint's config folder."""
        return self.model if self.model.is_dir() else self.config

    @property
    def own_parts(self) -> tuple[Part, ...]:
        """The parts that come out of the model itself."""
        return tuple(part for part in self.family.own_parts if part.name not in self.apart)

    def config_file(self, part: Part) -> Path:
        """Where the sizes of a part that is a file lie, or would, if they are not the family's own; of a part without
        weights its values."""
        home = self.config if part.weights else self.home
        return home / part.name / part.config[0][0]

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every file that the loaded model depends on, as (its name within the model, path), in a fixed order.

        Raises OSError.
        """
        yield from _files("", self.model)
        if self.model.is_file():
            yield from self._beside()
        if self.config != self.model:
            for part in self.family.parts:
                if part.may_be_a_file and self.config_file(part).is_file():
                    yield f"{part.name} config", self.config_file(part)
        for place in self.family.places:
            for part in self.family.parts:
                if part.place == place and part.name in self.apart:
                    yield from self._apart(part)
        added = [lora.path for lora in self.loras] + [embedding.path for embedding in self.embeddings]
        for number, path in enumerate(added):
            yield from _files(f"added {number}", path)

    def _beside(self) -> Iterator[tuple[str, Path]]:
        """The files that lie beside a checkpoint: the whole folder of a part that it needs, the values of another."""
        for part in self.family.beside:
            if part.need == "always":
                yield from _files(part.name, self.home / part.name)
            elif self.config_file(part).is_file():
                yield part.name, self.config_file(part)

    def _apart(self, part: Part) -> Iterator[tuple[str, Path]]:
        """The files of a part that is not the model's own, except what the model's folder has counted already."""
        place = self.apart[part.name]
        if part.in_checkpoint or place != self.model / part.name:
            yield from _files(part.name, place)

    def stamp(self) -> str:
        """Sizes and times of all files: whether a model in memory is still the one on disk. Raises ModelError."""
        try:
            found = [(name, path.stat()) for name, path in self.files()]
        except OSError as error:
            raise unreadable(self.model, error) from error
        return ";".join(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in found)


def unreadable(model: Path, error: OSError) -> ModelError:
    """The error of a model whose files cannot be read."""
    return ModelError("model.unreadable", f'The model "{model}" cannot be read: {error.strerror or error}.')


def find_sources(model: str, files: ModelFiles | None = None, families: Iterable[Family] = FAMILIES) -> ModelSources:
    """The sources of `"embedded"`, a folder or a file, with the job's own files. Raises ModelError for those not there.

    Only looks for what is named; the loader says what a folder lacks.
    """
    files = files or ModelFiles()
    place = EMBEDDED_FOLDER if model == EMBEDDED else Path(model)
    if not is_there(place):
        raise ModelError(
            "model.missing",
            f'The backend has no model "{model[:200]}".',
            'Use "embedded", or a folder or .safetensors file on the machine that the backend runs on.',
        )
    family = family_of(place, families)
    found = ((part.name, place_of_part(part, place, files)) for part in family.parts)
    sources = ModelSources(
        family,
        place,
        config_folder(place, files),
        {name: apart for name, apart in found if apart is not None},
        tuple(LoraSource(Path(lora.path), lora.scale) for lora in files.loras),
        tuple(EmbeddingSource(Path(entry.path), entry.token) for entry in files.embeddings),
    )
    _check_named(files)
    return sources


def check_complete(sources: ModelSources) -> None:
    """Refuse a model with missing parts before anything is read. Raises ModelError naming all of them."""
    folder = sources.model.is_dir()
    parts = [part for part in sources.family.parts if part.need == "always" or (folder and part.need == "in a folder")]
    held = [part for part in parts if part.name not in sources.apart and (folder or not part.in_checkpoint)]
    absent = [part for part in held if not (sources.home / part.name).is_dir()]
    places = [f"{part.name} ({sources.home / part.name})" for part in absent]
    advice = (
        ["Choose a complete folder in diffusers' layout."] if folder and absent else [part.advice for part in absent]
    )
    for part in parts:
        if part in sources.family.apart and not sources.apart[part.name].exists():
            places.append(f"{part.name} ({sources.apart[part.name]})")
            advice.append(part.advice)
    if places:
        raise ModelError("model.missing", f"The model {sources.model} lacks {', '.join(places)}.", " ".join(advice))


def _check_named(files: ModelFiles) -> None:
    """Refuse paths that are named and are not there, or are folders where a file is needed; all in one sentence."""
    named = [(place, path) for place in PLACES for path in files.paths(place.name)]
    absent = [f"{place.role} {path}" for place, path in named if not _is_usable(place, Path(path))]
    if absent:
        raise ModelError(
            "model.missing",
            f"The backend cannot find the {', the '.join(absent)}.",
            "Use paths on the machine that the backend runs on.",
        )
    for place, path in named:
        if place.folder_of and not Path(path).is_dir():
            raise ModelError(
                "model.config", f"{path} is not a folder.", f"Choose the folder that contains {place.folder_of}."
            )


def _is_usable(place: Place, path: Path) -> bool:
    """Whether something is there; of a place for several, files."""
    return is_file(path) if place.most > 1 else is_there(path)


def _files(name: str, place: Path) -> Iterator[tuple[str, Path]]:
    """A file, or all files under a folder."""
    if place.is_file():
        yield "/".join(part for part in (name, place.name) if part), place
        return
    for item in sorted(place.rglob("*")):
        if item.is_file():
            yield "/".join(part for part in (name, item.relative_to(place).as_posix()) if part), item
