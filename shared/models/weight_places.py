"""Which file of a folder in diffusers' layout holds its weights: the loader and the check of files agree on it here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WEIGHT_SUFFIXES = (".safetensors", ".ckpt", ".pth", ".pt", ".bin")
TOKENIZER_FILES = ("vocab.json", "merges.txt")
_STEMS = ("diffusion_pytorch_model", "model", "pytorch_model")


def is_weight_file(path: Path) -> bool:
    """Whether a file is one of weights by its name, in capitals or not."""
    return path.suffix.lower() in WEIGHT_SUFFIXES


def is_safetensors(path: Path) -> bool:
    """Whether a file is a .safetensors file by its name, in capitals or not."""
    return path.suffix.lower() == ".safetensors"


@dataclass(frozen=True, slots=True)
class FolderWeights:
    """The weights of one part: a file of weights, or the index (.json) of several."""

    file: Path
    safe: bool
    variant: str | None


def find_weights(folder: Path) -> FolderWeights | None:
    """The weights that a folder is loaded from: full before half precision, safetensors before pickled ones."""
    for variant in (None, "fp16"):
        for suffix, safe in ((".safetensors", True), (".bin", False)):
            part = f".{variant}" if variant else ""
            for stem in _STEMS:
                for ending in (f"{part}{suffix}", f"{suffix}.index{part}.json"):
                    if (folder / f"{stem}{ending}").is_file():
                        return FolderWeights(folder / f"{stem}{ending}", safe, variant)
    return None
