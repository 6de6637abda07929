"""Stable Diffusion 1.5 and its relatives, with a ControlNet for depth: the family's declaration."""

from __future__ import annotations

from .file_kinds import CONTROLNET_MARK, LORA_MARK, misfit_of_channels
from .spec import Added, Agreement, Checkpoint, Control, Family, Kind, Mark, Part, Place, Weights

_LABEL = "Stable Diffusion 1.5"
_LATENT_CHANNELS = 4
_TRAINING_LEFTOVERS = r"model_ema\..*"

CHECKPOINT = Kind("a Stable Diffusion 1.5 checkpoint", (Mark(starts=("model.diffusion_model.",)),), family=_LABEL)
_CONTROLNET = Kind("a ControlNet", (CONTROLNET_MARK,), family=_LABEL)
_AUTOENCODER = Kind("an autoencoder", (Mark(starts=("first_stage_model.", "decoder.conv_in.")),), family=_LABEL)
_TINY_AUTOENCODER = Kind("a tiny autoencoder", (Mark(starts=("decoder.layers.",)),), family=_LABEL)
_TEXT_ENCODER = Kind("a text encoder", (Mark(starts=("text_model.", "cond_stage_model.")),), family=_LABEL)
_UNET = Kind(
    "a UNet in diffusers' layout", (Mark(starts=("time_embedding.linear_1.", "conv_norm_out.")),), family=_LABEL
)
LORA = Kind("a LoRA", (LORA_MARK,), family=_LABEL)
EMBEDDING = Kind("a textual inversion embedding", (Mark(holds=r"^emb_params$"),), family=_LABEL, decisive=True)

_CONTROLNET_PLACE = Place(
    "controlnet",
    role="ControlNet",
    label="ControlNet",
    description="Depth ControlNet, a folder or a file. Empty: controlnet in the model's folder",
    argument="--controlnet",
    metavar="PLACE",
    help="depth ControlNet, a folder or a file",
    accepted="for depth: a folder; a file of v1.0 (also one that holds all of Stable Diffusion) or v1.1, with or "
    "without `control_model.` before its names; diffusers' single file. Without it: `controlnet/` in the model's "
    "folder",
)
_VAE_PLACE = Place(
    "vae",
    role="autoencoder",
    label="Autoencoder",
    description="A folder or a file. Empty: the model's own autoencoder",
    argument="--vae",
    metavar="PLACE",
    help="another autoencoder, a folder or a file",
    accepted="a folder; a file in the original layout or in diffusers', early names included; a whole checkpoint, of "
    "which only the autoencoder is taken",
)
_CONFIG_PLACE = Place(
    "config",
    role="config folder",
    label="Tokenizer in",
    description="The folder that contains the folder tokenizer. Empty: the model's folder",
    argument="--model-config",
    metavar="DIR",
    help="folder that contains tokenizer/, and config.json files if sizes differ",
    accepted="a folder with `tokenizer/`, and the parts' `config.json` where a file has other sizes than Stable "
    "Diffusion 1.5",
    folder_of="tokenizer/",
)
_TINY_VAE_PLACE = Place(
    "tiny_vae",
    role="tiny autoencoder",
    label="Tiny Autoencoder",
    description="Folder of a small autoencoder for guidance, such as TAESD. Empty: tiny_vae in the model's folder",
    argument="--tiny-vae",
    metavar="DIR",
    help="small autoencoder for guidance, diffusers' AutoencoderTiny",
    accepted="a folder of diffusers' `AutoencoderTiny`, for Stable Diffusion 1.5 that is TAESD. Without it: "
    "`tiny_vae/` in the model's folder, or in a checkpoint's config folder",
    folder_of="the tiny autoencoder's config.json",
)
_LORA_PLACE = Place(
    "loras",
    role="LoRA",
    argument="--lora",
    metavar="FILE[=SCALE]",
    help="a LoRA to add; repeat for more",
    accepted="kohya's layout; peft's; both that diffusers had before. LoRA and LoCon, also with a core (Tucker); LoHa; "
    "LoKr; DoRA's magnitudes; full differences and trained norms; embeddings bundled in the file. UNet and text "
    "encoder",
    most=16,
)
_EMBEDDING_PLACE = Place(
    "embeddings",
    role="embedding",
    argument="--embedding",
    metavar="FILE[=WORD]",
    help="a textual inversion embedding to add; repeat for more",
    accepted="textual inversion: diffusers' layout; the WebUI's `.pt` and `.safetensors`",
    most=64,
)

TOKENIZER = Part(
    "tokenizer",
    label="tokenizer",
    description="CLIP's vocabulary: splits a prompt into tokens",
    classes=("CLIPTokenizer",),
    config=(("tokenizer.json",), ("vocab.json", "merges.txt")),
    advice="A checkpoint holds no vocabulary: put CLIP's tokenizer (vocab.json and merges.txt) into that folder, or "
    "name another folder that contains tokenizer/.",
)
TEXT_ENCODER = Part(
    "text_encoder",
    label="text encoder",
    description="turns a prompt into the vectors that the UNet reads",
    classes=("CLIPTextModel", "CLIPTextModelWithProjection"),
    weights=Weights(
        _TEXT_ENCODER,
        prefix="cond_stage_model.transformer.",
        # An index table that older transformers stored, and what CLIP has for comparing pictures with texts.
        decoration=r"(.*\.)?position_ids|(text_model\.)?text_projection(\.weight)?|logit_scale|vision_model\..*|"
        r"visual_projection\..*",
    ),
    in_checkpoint=True,
)
VAE = Part(
    "vae",
    label="autoencoder",
    description="turns pictures into latents and latents into pictures",
    classes=("AutoencoderKL",),
    weights=Weights(_AUTOENCODER, prefix="first_stage_model.", decoration=rf"loss\..*|{_TRAINING_LEFTOVERS}"),
    in_checkpoint=True,
    place=_VAE_PLACE,
)
UNET = Part(
    "unet",
    label="UNet",
    description="predicts the noise in latents",
    classes=("UNet2DConditionModel",),
    weights=Weights(_UNET, prefix="model.diffusion_model.", decoration=_TRAINING_LEFTOVERS),
    in_checkpoint=True,
)
SCHEDULER = Part(
    "scheduler",
    label="noise schedule",
    description="how much noise each step has, and whether the UNet predicts noise or v",
    classes=("DDIMScheduler",),
    config=(("scheduler_config.json",),),
    need="in a folder",
)
CONTROLNET = Part(
    "controlnet",
    label="ControlNet",
    description="keeps the picture to the shot's depth",
    classes=("ControlNetModel",),
    weights=Weights(_CONTROLNET, prefix="control_model.", decoration=_TRAINING_LEFTOVERS),
    place=_CONTROLNET_PLACE,
    sizes_of=UNET.name,
    advice="Name a depth ControlNet, a folder or a file.",
)
TINY_VAE = Part(
    "tiny_vae",
    label="tiny autoencoder",
    description="a small autoencoder whose decoder guidance can look through",
    classes=("AutoencoderTiny",),
    weights=Weights(_TINY_AUTOENCODER),
    need="never",
    place=_TINY_VAE_PLACE,
    advice="Name a folder in diffusers' layout that contains an AutoencoderTiny.",
)

CHANNELS = Agreement(
    UNET.name,
    "in_channels",
    VAE.name,
    "latent_channels",
    lambda channels, latents: f"It {misfit_of_channels(channels, latents)}.",
    assumed=_LATENT_CHANNELS,
    weight="model.diffusion_model.input_blocks.0.0.weight",
)
_PROMPT_WIDTH = Agreement(
    UNET.name,
    "cross_attention_dim",
    TEXT_ENCODER.name,
    "hidden_size",
    lambda prompts, width: (
        f"It takes prompts of width {prompts}, the text encoder gives {width}: they do not belong together."
    ),
)

SD15 = Family(
    "sd15",
    label=_LABEL,
    description="the published model and all models trained from it or built like it",
    accepted="`embedded`; a folder in diffusers' layout; a checkpoint in the original layout",
    parts=(TOKENIZER, TEXT_ENCODER, VAE, UNET, SCHEDULER, CONTROLNET, TINY_VAE),
    places=(_CONTROLNET_PLACE, _VAE_PLACE, _CONFIG_PLACE, _TINY_VAE_PLACE, _LORA_PLACE, _EMBEDDING_PLACE),
    kinds=(
        *(CHECKPOINT, _CONTROLNET, _AUTOENCODER, _TINY_AUTOENCODER),
        *(LORA, _TEXT_ENCODER, _UNET, EMBEDDING),
    ),
    latent_channels=_LATENT_CHANNELS,
    latent_factor=8,
    prompt_width=768,
    checkpoint=Checkpoint(
        CHECKPOINT,
        # Running means of the weights, losses, the noise schedule as tables, CLIP's scale, a whole ControlNet.
        decoration=r"(model_ema|loss|control_model)\..*|cond_stage_model\.logit_scale|betas|lvlb_weights|logvar|"
        r"scale_factor|(sqrt_|log_|posterior_)?\w*alphas\w*|posterior_\w+|global_step|epoch|iteration",
    ),
    added=(Added(_LORA_PLACE, LORA), Added(_EMBEDDING_PLACE, EMBEDDING, must_show=False)),
    controls=(Control(CONTROLNET.name, "depth"),),
    agreements=(CHANNELS, _PROMPT_WIDTH),
)
