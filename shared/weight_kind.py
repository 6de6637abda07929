"""What a file of weights is, told from the names in it alone: a checkpoint, a ControlNet, a LoRA, or of no use here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

CHECKPOINT = "a Stable Diffusion 1.5 checkpoint"
CONTROLNET = "a ControlNet"
AUTOENCODER = "an autoencoder"
TINY_AUTOENCODER = "a tiny autoencoder"
LORA = "a LoRA"
TEXT_ENCODER = "a text encoder"
UNET = "a UNet in diffusers' layout"
EMBEDDING = "a textual inversion embedding"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A kind of file, and how its names tell."""

    kind: str
    tells: Callable[[Collection[str]], bool]


@dataclass(frozen=True, slots=True)
class WeightKinds:
    """What a file can be taken for. One may be several useful kinds, as a ControlNet v1.0 in a whole checkpoint."""

    foreign: tuple[str, ...]
    useful: tuple[str, ...]

    def fits(self, kind: str) -> bool:
        """Whether the file can be used as this kind."""
        return kind in self.useful and not self.foreign

    @property
    def name(self) -> str:
        """What it is first of all; empty where its names say nothing."""
        return next(iter(self.foreign or self.useful), "")


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
    _Mark(EMBEDDING, lambda names: "emb_params" in names),
)
_USEFUL = (
    _Mark(CHECKPOINT, _starting("model.diffusion_model.")),
    _Mark(CONTROLNET, _starting("control_model.", "input_hint_block.", "controlnet_cond_embedding.")),
    _Mark(AUTOENCODER, _starting("first_stage_model.", "decoder.conv_in.")),
    _Mark(TINY_AUTOENCODER, _starting("decoder.layers.")),
    _Mark(LORA, _ending(".lora_down.weight", ".lora_A.weight", "lora.down.weight", ".lora_linear_layer.down.weight")),
    _Mark(TEXT_ENCODER, _starting("text_model.", "cond_stage_model.")),
    _Mark(UNET, _starting("time_embedding.linear_1.", "conv_norm_out.")),
)


def weight_kinds(names: Collection[str]) -> WeightKinds:
    """The kinds that the names of a file's weights tell."""
    foreign = tuple(mark.kind for mark in _FOREIGN if mark.tells(names))
    return WeightKinds(foreign, tuple(mark.kind for mark in _USEFUL if mark.tells(names)))
