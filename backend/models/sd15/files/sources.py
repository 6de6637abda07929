"""Where each part of a model lies, found without torch: what a job's digest covers and what the loader reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ModelError
from shared.files.frame_files import is_file, is_there
from shared.models.files import EMBEDDED, TINY_VAE, ModelFiles, config_folder, controlnet_place, tiny_vae_place

EMBEDDED_FOLDER = Path(__file__).resolve().parents[3] / "embedded"

_MAIN_PARTS = ("text_encoder", "vae", "unet")


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
    """Folders and files of one model. What a job names exists; `tokenizer` and a folder's own parts may not."""

    model: Path  # a folder in diffusers' layout, or a file in the original one
    config: Path  # folder with the sizes of parts that are files; beside a file also its tokenizer/ and scheduler/
    controlnet: Path  # folder or file
    vae: Path | None  # folder or file; None is the model's own
    tiny_vae: Path  # folder, which need not be there
    loras: tuple[LoraSource, ...] = ()
    embeddings: tuple[EmbeddingSource, ...] = ()

    @property
    def home(self) -> Path:
        """The folder of what is never in a file: the model's own, or a checkpoint's config folder."""
        return self.model if self.model.is_dir() else self.config

    @property
    def tokenizer(self) -> Path:
        """The tokenizer's folder."""
        return self.home / "tokenizer"

    @property
    def scheduler_config(self) -> Path:
        """Where the scheduler's values lie, or would."""
        return self.home / "scheduler" / "scheduler_config.json"

    @property
    def own_parts(self) -> tuple[str, ...]:
        """The parts that come out of the model itself."""
        return tuple(part for part in _MAIN_PARTS if part != "vae" or self.vae is None)

    def part_config(self, part: str) -> Path:
        """Where the sizes of a part that is a file would lie, if they are not Stable Diffusion 1.5's own."""
        return self.config / part / "config.json"

    def files(self) -> Iterator[tuple[str, Path]]:
        """Every file that the loaded model depends on, as (its name within the model, path), in a fixed order.

        Raises OSError.
        """
        yield from _files("", self.model)
        if self.model.is_file():
            yield from _files("tokenizer", self.tokenizer)
            if self.scheduler_config.is_file():
                yield "scheduler", self.scheduler_config
        if self.config != self.model:
            for part in (*_MAIN_PARTS, "controlnet"):
                if self.part_config(part).is_file():
                    yield f"{part} config", self.part_config(part)
        if self.controlnet != self.model / "controlnet":
            yield from _files("controlnet", self.controlnet)
        if self.vae is not None:
            yield from _files("vae", self.vae)
        if self.tiny_vae != self.model / TINY_VAE:
            yield from _files(TINY_VAE, self.tiny_vae)
        added = [lora.path for lora in self.loras] + [embedding.path for embedding in self.embeddings]
        for number, path in enumerate(added):
            yield from _files(f"added {number}", path)

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


def find_sources(model: str, files: ModelFiles | None = None) -> ModelSources:
    """The sources of `"embedded"`, a folder or a file, with the job's own files. Raises ModelError for those not there.

    Only looks for what is named; the loader says what a folder lacks.
    """
    files = files or ModelFiles()
    place = EMBEDDED_FOLDER if model == EMBEDDED else Path(model)
    if not is_there(place):
        raise ModelError(
            "model.missing",
            f'The backend has no model "{model[:200]}".',
            'Give "embedded", or a folder or .safetensors file on the machine that the backend runs on.',
        )
    sources = ModelSources(
        place,
        config_folder(place, files),
        controlnet_place(place, files),
        Path(files.vae) if files.vae else None,
        tiny_vae_place(place, files),
        tuple(LoraSource(Path(lora.path), lora.scale) for lora in files.loras),
        tuple(EmbeddingSource(Path(entry.path), entry.token) for entry in files.embeddings),
    )
    _check_named(files)
    return sources


def check_complete(sources: ModelSources) -> None:
    """Refuse a model of which a part is nowhere, before anything is read. Raises ModelError naming all such parts."""
    folder = sources.model.is_dir()
    parts = ("tokenizer", *sources.own_parts, "scheduler") if folder else ("tokenizer",)
    absent = [part for part in parts if not (sources.home / part).is_dir()]
    places = [f"{part} ({sources.home / part})" for part in absent]
    advice = []
    if folder and absent:
        advice.append("Give a whole folder in diffusers' layout.")
    elif absent:
        advice.append(
            "A checkpoint holds no vocabulary: put CLIP's tokenizer (vocab.json and merges.txt) in that folder, or "
            "name another folder that has tokenizer/."
        )
    if not sources.controlnet.exists():
        places.append(f"controlnet ({sources.controlnet})")
        advice.append("Name a ControlNet for depth, a folder or a file.")
    if places:
        raise ModelError("model.missing", f"The model {sources.model} lacks {', '.join(places)}.", " ".join(advice))


def _check_named(files: ModelFiles) -> None:
    """Refuse paths that are named and are not there, or are folders where a file is needed; all in one sentence."""
    absent = [
        f"{role} {path}"
        for role, path in (
            ("ControlNet", files.controlnet),
            ("autoencoder", files.vae),
            ("config folder", files.config),
            ("tiny autoencoder", files.tiny_vae),
        )
        if path and not is_there(Path(path))
    ]
    absent += [f"LoRA {lora.path}" for lora in files.loras if not is_file(Path(lora.path))]
    absent += [f"embedding {entry.path}" for entry in files.embeddings if not is_file(Path(entry.path))]
    if absent:
        raise ModelError(
            "model.missing",
            f"The backend does not have the {', the '.join(absent)}.",
            "Give paths on the machine that the backend runs on.",
        )
    for path, contents in ((files.config, "tokenizer/"), (files.tiny_vae, "the tiny autoencoder's config.json")):
        if path and not Path(path).is_dir():
            raise ModelError("model.config", f"{path} is not a folder.", f"Give the folder that holds {contents}.")


def _files(name: str, place: Path) -> Iterator[tuple[str, Path]]:
    """A file, or all files under a folder."""
    if place.is_file():
        yield "/".join(part for part in (name, place.name) if part), place
        return
    for item in sorted(place.rglob("*")):
        if item.is_file():
            yield "/".join(part for part in (name, item.relative_to(place).as_posix()) if part), item
