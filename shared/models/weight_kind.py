"""What a file of weights is, told from the names in it alone: a checkpoint, a ControlNet, a LoRA, or of no use here."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

CHECKPOINT = "a Stable Diffusion 1.5 checkpoint"
CONTROLNET = "a ControlNet"
AUTOENCODER = "an autoencoder"
TINY_AUTOENCODER = "a tiny autoencoder"
LORA = "a LoRA"
TEXT_ENCODER = "a text encoder"
UNET = "a UNet in diffusers' layout"
EMBEDDING = "a textual inversion embedding"
_CHECKPOINT_INPUT = "model.diffusion_model.input_blocks.0.0.weight"


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


def _holding(pattern: str) -> Callable[[Collection[str]], bool]:
    found = re.compile(pattern)
    return lambda names: any(found.search(name) for name in names)


def _both(
    one: Callable[[Collection[str]], bool], other: Callable[[Collection[str]], bool]
) -> Callable[[Collection[str]], bool]:
    return lambda names: one(names) and other(names)


# Whose text encoder is so wide.
FAMILY_OF_PROMPT_WIDTH = {
    768: "Stable Diffusion 1.5",
    1024: "Stable Diffusion 2",
    1280: "Stable Diffusion XL",
    2048: "Stable Diffusion XL",
}

_LORA_ENDINGS = (
    *(".lora_down.weight", ".lora_A.weight", "lora.down.weight", ".lora_linear_layer.down.weight"),
    ".lora_A.default.weight",
    *(".hada_w1_a", ".lokr_w1", ".lokr_w1_a", ".diff", ".diff_b", ".w_norm", ".b_norm"),
)
_is_lora = _ending(*_LORA_ENDINGS)

# Files of no use here; the first row that tells decides.
_FOREIGN = (
    _Mark("a ControlNet of differences to its own base model", lambda names: "difference" in names),
    _Mark("a ControlNet kept as a LoRA", lambda names: "lora_controlnet" in names),
    _Mark("a LyCORIS file of the kind OFT", _ending(".oft_blocks", ".oft_diag")),
    _Mark("a LyCORIS file of the kind IA3", _ending(".on_input")),
    _Mark("a LyCORIS file of the kind GLoRA", _both(_ending(".a1.weight"), _ending(".b1.weight"))),
    _Mark(
        "a LoRA for Stable Diffusion XL",
        _both(_is_lora, _holding(r"^lora_te2_|^text_encoder_2\.|(attentions[._]\d|_1)[._]transformer_blocks[._][1-9]")),
    ),
    _Mark("a LoRA for Flux", _both(_is_lora, _holding(r"(double|single)_blocks[._]|single_transformer_blocks[._]"))),
    _Mark(
        "a LoRA for Stable Diffusion 3",
        _both(_is_lora, _holding(r"joint_blocks[._]|^transformer\.transformer_blocks\.")),
    ),
    _Mark(
        "a LoRA for a video model",
        _both(_is_lora, _holding(r"^(lora_unet_|diffusion_model\.|transformer\.)?blocks[._]\d")),
    ),
    _Mark("a LoRA for AnimateDiff's motion modules", _both(_is_lora, _holding(r"motion_modules\."))),
    _Mark("an AnimateDiff motion module", _both(_holding(r"motion_modules\."), lambda names: not _is_lora(names))),
    _Mark("a Stable Video Diffusion checkpoint", _holding(r"^model\.diffusion_model\..*\.time_stack\.")),
    _Mark("a Stable Diffusion XL checkpoint", _starting("conditioner.embedders.")),
    _Mark("a Stable Diffusion 2 checkpoint", _starting("cond_stage_model.model.")),
    _Mark("a Stable Diffusion 3 checkpoint", _starting("model.diffusion_model.joint_blocks.", "joint_blocks.")),
    _Mark("a Flux checkpoint", _holding(r"^(model\.diffusion_model\.)?double_blocks\.|^single_transformer_blocks\.")),
    _Mark("a video model", _both(_holding(r"^(model\.diffusion_model\.)?blocks\.\d"), _holding(r"patch_embedding\."))),
    _Mark(
        "a ControlNet for Stable Diffusion XL",
        _both(
            _starting("control_model.", "input_hint_block.", "controlnet_cond_embedding."),
            _starting("control_model.label_emb.", "label_emb.", "add_embedding.linear_1."),
        ),
    ),
    _Mark("a UNet of Stable Diffusion XL", _starting("add_embedding.linear_1.")),
    _Mark("an IP-Adapter", _starting("image_proj.", "ip_adapter.")),
    _Mark("a T2I-Adapter", _starting("adapter.body.", "body.0.in_conv.", "body.0.block1.")),
    _Mark("an embedding for Stable Diffusion XL", lambda names: "clip_g" in names),
    _Mark(EMBEDDING, lambda names: "emb_params" in names),
)
_USEFUL = (
    _Mark(CHECKPOINT, _starting("model.diffusion_model.")),
    _Mark(CONTROLNET, _starting("control_model.", "input_hint_block.", "controlnet_cond_embedding.")),
    _Mark(AUTOENCODER, _starting("first_stage_model.", "decoder.conv_in.")),
    _Mark(TINY_AUTOENCODER, _starting("decoder.layers.")),
    _Mark(LORA, _is_lora),
    _Mark(TEXT_ENCODER, _starting("text_model.", "cond_stage_model.")),
    _Mark(UNET, _starting("time_embedding.linear_1.", "conv_norm_out.")),
)


def weight_kinds(names: Collection[str]) -> WeightKinds:
    """The kinds that the names of a file's weights tell."""
    foreign = tuple(mark.kind for mark in _FOREIGN if mark.tells(names))
    return WeightKinds(foreign, tuple(mark.kind for mark in _USEFUL if mark.tells(names)))


def wrong_kind(found: str, kind: str) -> str:
    """The end of the sentence on a file that is `found` where `kind` is needed: `a LoRA for Flux, not a LoRA for ...`.

    A family is named only where the kind alone would be the same word twice.
    """
    return f"{found}, not {kind} for Stable Diffusion 1.5" if found.startswith(kind) else f"{found}, not {kind}"


def checkpoint_channels(shapes: Mapping[str, tuple[int, ...]]) -> int | None:
    """How many channels a checkpoint's UNet takes; None where its shapes do not tell."""
    shape = shapes.get(_CHECKPOINT_INPUT, ())
    return shape[1] if len(shape) > 1 else None


def sort_by_channels(channels: int, latents: int) -> str:
    """What a UNet is that takes more channels than its latents have; empty where that does not tell."""
    return {2 * latents + 1: "an inpainting model", 2 * latents: "a model that edits pictures"}.get(channels, "")


def misfit_of_channels(channels: int, latents: int) -> str:
    """Why a UNet of so many channels does not go with latents of so many, as a sentence's end."""
    sort = sort_by_channels(channels, latents) or "a model of another sort"
    return f"takes {channels} channels instead of {latents}: {sort}"
