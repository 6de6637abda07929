"""Kinds of files of weights that are no family's own: marks that families share, and files that no family here uses."""

from __future__ import annotations

from .spec import Kind, Mark

LORA_MARK = Mark(
    ends=(
        *(".lora_down.weight", ".lora_A.weight", "lora.down.weight", ".lora_linear_layer.down.weight"),
        ".lora_A.default.weight",
        *(".hada_w1_a", ".lokr_w1", ".lokr_w1_a", ".diff", ".diff_b", ".w_norm", ".b_norm"),
    )
)
CONTROLNET_MARK = Mark(starts=("control_model.", "input_hint_block.", "controlnet_cond_embedding."))
_MOTION_MODULE = Mark(holds=r"motion_modules\.")


def _kind(name: str, *marks: Mark, without: tuple[Mark, ...] = ()) -> Kind:
    return Kind(name, marks, without, decisive=True)


def _lora(name: str, pattern: str) -> Kind:
    return _kind(name, LORA_MARK, Mark(holds=pattern))


# The first row that tells names the file.
UNSUPPORTED = (
    _kind("a ControlNet stored as differences from its base model", Mark(holds=r"^difference$")),
    _kind("a ControlNet stored as a LoRA", Mark(holds=r"^lora_controlnet$")),
    _kind("a LyCORIS file of the kind OFT", Mark(ends=(".oft_blocks", ".oft_diag"))),
    _kind("a LyCORIS file of the kind IA3", Mark(ends=(".on_input",))),
    _kind("a LyCORIS file of the kind GLoRA", Mark(ends=(".a1.weight",)), Mark(ends=(".b1.weight",))),
    _lora(
        "a LoRA for Stable Diffusion XL",
        r"^lora_te2_|^text_encoder_2\.|(attentions[._]\d|_1)[._]transformer_blocks[._][1-9]",
    ),
    _lora("a LoRA for Flux", r"(double|single)_blocks[._]|single_transformer_blocks[._]"),
    _lora("a LoRA for Stable Diffusion 3", r"joint_blocks[._]|^transformer\.transformer_blocks\."),
    _lora("a LoRA for a video model", r"^(lora_unet_|diffusion_model\.|transformer\.)?blocks[._]\d"),
    _kind("a LoRA for AnimateDiff's motion modules", LORA_MARK, _MOTION_MODULE),
    _kind("an AnimateDiff motion module", _MOTION_MODULE, without=(LORA_MARK,)),
    _kind("a Stable Video Diffusion checkpoint", Mark(holds=r"^model\.diffusion_model\..*\.time_stack\.")),
    _kind("a Stable Diffusion XL checkpoint", Mark(starts=("conditioner.embedders.",))),
    _kind("a Stable Diffusion 2 checkpoint", Mark(starts=("cond_stage_model.model.",))),
    _kind("a Stable Diffusion 3 checkpoint", Mark(starts=("model.diffusion_model.joint_blocks.", "joint_blocks."))),
    _kind(
        "a Flux checkpoint",
        Mark(holds=r"^(model\.diffusion_model\.)?double_blocks\.|^single_transformer_blocks\."),
    ),
    _kind("a video model", Mark(holds=r"^(model\.diffusion_model\.)?blocks\.\d"), Mark(holds=r"patch_embedding\.")),
    _kind(
        "a ControlNet for Stable Diffusion XL",
        CONTROLNET_MARK,
        Mark(starts=("control_model.label_emb.", "label_emb.", "add_embedding.linear_1.")),
    ),
    _kind("a UNet of Stable Diffusion XL", Mark(starts=("add_embedding.linear_1.",))),
    _kind("an IP-Adapter", Mark(starts=("image_proj.", "ip_adapter."))),
    _kind("a T2I-Adapter", Mark(starts=("adapter.body.", "body.0.in_conv.", "body.0.block1."))),
    _kind("an embedding for Stable Diffusion XL", Mark(holds=r"^clip_g$")),
)

# Families without a declaration, by the width of their prompt vectors.
UNSUPPORTED_PROMPT_WIDTHS = {1024: "Stable Diffusion 2", 1280: "Stable Diffusion XL", 2048: "Stable Diffusion XL"}


def sort_by_channels(channels: int, latents: int) -> str:
    """What kind of UNet takes more channels than its latents have; empty if the number does not say."""
    return {2 * latents + 1: "an inpainting model", 2 * latents: "a model that edits pictures"}.get(channels, "")


def misfit_of_channels(channels: int, latents: int) -> str:
    """Why a UNet with this many channels does not fit latents with that many, as the end of a sentence."""
    sort = sort_by_channels(channels, latents) or "a model of another kind"
    return f"takes {channels} channels instead of {latents}: {sort}"
