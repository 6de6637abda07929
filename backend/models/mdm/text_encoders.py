"""The two frozen text encoders of the published models, from folders in the layout of the transformers library.

CLIP ViT-B/32 gives one vector a text: 20 tokens between the start and the end mark, zeros up to 77. DistilBERT gives
one a word piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import AutoTokenizer, CLIPTextModelWithProjection, CLIPTokenizer, DistilBertModel
from transformers.utils import logging

from backend.models.mdm.arguments import TEXT_WIDTHS, TextEncoderKind
from backend.models.mdm.network import TextTokens
from shared.errors import ModelError
from shared.files.weight_header import some_names
from shared.models.places import find_weights, json_values
from shared.motion.models.mdm import TEXT_ENCODERS, TextEncoderFiles

_CLIP_TOKENS: Final = 22  # start, 20, end
_CLIP_ROOM: Final = 77
_READ_ERRORS: Final = (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, StrictDataclassError)


class TextEncoder(Protocol):
    """An encoder of texts."""

    def encode(self, text: str) -> TextTokens:
        """The text's tokens, (tokens, 1, width)."""
        ...

    def cut(self, text: str) -> str:
        """The end of the text for which there is no room; empty where there is none."""
        ...

    def to(self, device: torch.device) -> None:
        """Move to a device."""
        ...


def open_text_encoder(kind: TextEncoderKind, beside: Iterable[Path], named: Path | None = None) -> TextEncoder:
    """The encoder of the folder that is named, or of one with a usual name in the folders `beside`.

    Nothing is downloaded. Raises ModelError where there is none, and for a folder of another model.
    """
    files = TEXT_ENCODERS[kind]
    folder = named or next((path for place in beside for path in files.folders_in(place)), None)
    if folder is None:
        where = f"Put {files.repository} into a folder {files.folders[0]} beside the checkpoint, or use --text-encoder."
        raise ModelError("model.text_encoder", f"The model needs {files.label} to read texts.", where)
    _require_files(folder, files)
    return _OPENERS[kind](folder, files)


@dataclass(frozen=True, slots=True, eq=False)
class ClipEncoder:
    """CLIP's text half with its projection."""

    tokenizer: Any
    model: Any

    @torch.no_grad()
    def encode(self, text: str) -> TextTokens:
        """One vector, (1, 1, 512)."""
        ids = self.tokenizer(text, truncation=True, max_length=_CLIP_TOKENS).input_ids
        # The published program pads with zeros; the tokenizer's own padding would be the end mark again.
        row = torch.tensor([ids + [0] * (_CLIP_ROOM - len(ids))], device=self.model.device)
        return TextTokens(self.model(row).text_embeds.float()[None])

    def cut(self, text: str) -> str:
        """What comes after the 20th token."""
        whole = self.tokenizer(text, truncation=False, verbose=False, return_offsets_mapping=True)
        inner = _CLIP_TOKENS - 2
        lost = len(whole.input_ids) - 2 - inner
        return text[whole.offset_mapping[1 + inner][0] :].strip() if lost > 0 else ""

    def to(self, device: torch.device) -> None:
        """Move to a device."""
        self.model.to(device)


@dataclass(frozen=True, slots=True, eq=False)
class BertEncoder:
    """DistilBERT's last layer."""

    tokenizer: Any
    model: Any

    @torch.no_grad()
    def encode(self, text: str) -> TextTokens:
        """A vector a word piece, (pieces, 1, 768)."""
        given = self.tokenizer(text, return_tensors="pt", truncation=True, max_length=self._room)
        hidden = self.model(**given.to(self.model.device)).last_hidden_state.float()
        return TextTokens(hidden.transpose(0, 1), ~given.attention_mask.to(torch.bool))

    def cut(self, text: str) -> str:
        """What comes after its 512 places."""
        whole = self.tokenizer(text, truncation=False, verbose=False, return_offsets_mapping=True)
        lost = len(whole.input_ids) - self._room
        return text[whole.offset_mapping[self._room - 1][0] :].strip() if lost > 0 else ""

    def to(self, device: torch.device) -> None:
        """Move to a device."""
        self.model.to(device)

    @property
    def _room(self) -> int:
        return int(self.model.config.max_position_embeddings)


def _open_clip(folder: Path, files: TextEncoderFiles) -> ClipEncoder:
    model = _model(CLIPTextModelWithProjection, folder, files)
    width = int(model.config.projection_dim)
    if width != TEXT_WIDTHS["clip"]:
        what = f"{folder} is a CLIP whose texts have {width} numbers, not {TEXT_WIDTHS['clip']}."
        raise ModelError("model.text_encoder", what, f"Use {files.repository}.")
    return ClipEncoder(_tokenizer(CLIPTokenizer, folder, files), model)


def _open_bert(folder: Path, files: TextEncoderFiles) -> BertEncoder:
    model = _model(DistilBertModel, folder, files)
    width = int(model.config.dim)
    if width != TEXT_WIDTHS["bert"]:
        what = f"{folder} is a DistilBERT with {width} numbers a word, not {TEXT_WIDTHS['bert']}."
        raise ModelError("model.text_encoder", what, f"Use {files.repository}.")
    return BertEncoder(_tokenizer(AutoTokenizer, folder, files), model)


_OPENERS: Final[Mapping[TextEncoderKind, Callable[[Path, TextEncoderFiles], TextEncoder]]] = {
    "clip": _open_clip,
    "bert": _open_bert,
}


def _require_files(folder: Path, files: TextEncoderFiles) -> None:
    config = json_values(folder / "config.json")
    faults = []
    if not config:
        faults.append("config.json")
    elif config.get("model_type") not in files.model_types:
        what = f"{folder} is a model of type {config.get('model_type')!r}, not {files.label}."
        raise ModelError("model.text_encoder", what, f"Use {files.repository}.")
    if not any(all((folder / name).is_file() for name in names) for names in files.tokenizer_files):
        faults.append(" or ".join(" with ".join(names) for names in files.tokenizer_files))
    if find_weights(folder) is None:
        faults.append("model.safetensors")
    if faults:
        raise ModelError(
            "model.text_encoder", f"{folder} has no {', no '.join(faults)}.", f"Download {files.repository} again."
        )


def _tokenizer(kind: Any, folder: Path, files: TextEncoderFiles) -> Any:
    try:
        return kind.from_pretrained(str(folder), local_files_only=True)
    except _READ_ERRORS as error:
        raise _broken(folder, files, error) from error


def _model(kind: Any, folder: Path, files: TextEncoderFiles) -> Any:
    weights = find_weights(folder)
    shown = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()  # a whole CLIP has its picture half too, which is told as surplus
    try:
        model, info = kind.from_pretrained(
            str(folder),
            local_files_only=True,
            output_loading_info=True,
            use_safetensors=weights is not None and weights.safe,
            dtype=torch.float32,
        )
    except _READ_ERRORS as error:
        raise _broken(folder, files, error) from error
    finally:
        if shown[0]:
            logging.enable_progress_bar()
        logging.set_verbosity(shown[1])
    if info["missing_keys"]:
        names = some_names(sorted(map(str, info["missing_keys"])))
        raise ModelError(
            "model.text_encoder", f"{folder} lacks weights of {files.label}: {names}.", f"Use {files.repository}."
        )
    return model.eval().requires_grad_(False)


def _broken(folder: Path, files: TextEncoderFiles, error: Exception) -> ModelError:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ModelError(
        "model.text_encoder", f"{folder} cannot be loaded: {first}", f"Download {files.repository} again."
    )
