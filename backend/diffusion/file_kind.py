"""What a file of weights is, told from the names in it, so that a wrong one is refused by its own name."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from backend.diffusion.weight_file import some_names
from shared.errors import ModelError

CHECKPOINT = "a Stable Diffusion 1.5 checkpoint"
CONTROLNET = "a ControlNet"
AUTOENCODER = "an autoencoder"
LORA = "a LoRA"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A kind of file, and how its names tell."""

    kind: str
    tells: Callable[[Collection[str]], bool]


def _starting(*starts: str) -> Callable[[Collection[str]], bool]:
    return lambda names: any(name.startswith(starts) for name in names)


def _ending(*ends: str) -> Callable[[Collection[str]], bool]:
    return lambda names: any(name.endswith(ends) for name in names)


# Files of no use here; the first row that tells decides.
_FOREIGN = (
    _Mark("a Stable Diffusion XL checkpoint", _starting("conditioner.embedders.")),
    _Mark("a Stable Diffusion 2 checkpoint", _starting("cond_stage_model.model.")),
    _Mark(
        "a Stable Diffusion 3 or Flux checkpoint",
        _starting("model.diffusion_model.joint_blocks.", "model.diffusion_model.double_blocks.", "double_blocks."),
    ),
    _Mark("a ControlNet of differences to its own base model", lambda names: "difference" in names),
    _Mark("a ControlNet kept as a LoRA", lambda names: "lora_controlnet" in names),
    _Mark("a LyCORIS file of a kind other than LoRA", _ending(".hada_w1_a", ".lokr_w1", ".lokr_w1_a", ".lokr_w2")),
    _Mark("an embedding for Stable Diffusion XL", lambda names: "clip_g" in names),
    _Mark("a textual inversion embedding", lambda names: "emb_params" in names),
)
# Files that have a place; one may have several, as a ControlNet v1.0 that lies in a whole checkpoint.
_USEFUL = (
    _Mark(CHECKPOINT, _starting("model.diffusion_model.")),
    _Mark(CONTROLNET, _starting("control_model.", "input_hint_block.", "controlnet_cond_embedding.")),
    _Mark(AUTOENCODER, _starting("first_stage_model.", "decoder.conv_in.")),
    _Mark(LORA, _ending(".lora_down.weight", ".lora_A.weight", "lora.down.weight", ".lora_linear_layer.down.weight")),
    _Mark("a text encoder", _starting("text_model.", "cond_stage_model.")),
    _Mark("a UNet in diffusers' layout", _starting("time_embedding.linear_1.", "conv_norm_out.")),
)


def require_kind(path: Path, names: Collection[str], kind: str) -> None:
    """Refuse a file whose weights are of another kind. Raises ModelError saying what it looks like."""
    foreign = [mark.kind for mark in _FOREIGN if mark.tells(names)]
    useful = [mark.kind for mark in _USEFUL if mark.tells(names)]
    if kind in useful and not foreign:
        return
    told = foreign or useful
    looks = f"is {told[0]}" if told else f"holds {len(names)} weights of an unknown kind ({some_names(sorted(names))})"
    raise ModelError("model.kind", f"{path} {looks}, not {kind}.", "Give the right file.")
