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
    description="Depth ControlNet: a folder or a file. Empty: the controlnet folder in the model's folder",
    argument="--controlnet",
    metavar="PLACE",
    help="depth ControlNet: a folder or a file",
    accepted="a depth ControlNet: a folder; a v1.0 or v1.1 file, with or without the prefix `control_model.`, also one "
    "that includes all of Stable Diffusion; diffusers' single file. Default: `controlnet/` in the model's folder",
)
_VAE_PLACE = Place(
    "vae",
    role="autoencoder",
    label="Autoencoder",
    description="Another autoencoder (VAE): a folder or a file. Empty: the model's own",
    argument="--vae",
    metavar="PLACE",
    help="another autoencoder (VAE): a folder or a file",
    accepted="a folder; a file in the original layout or in diffusers' layout, old or new; a whole checkpoint, from "
    "which only the autoencoder is used",
)
_CONFIG_PLACE = Place(
    "config",
    role="config folder",
    label="Tokenizer Folder",
    description="Folder with tokenizer, and config.json files for unusual sizes. Empty: the model's folder",
    argument="--model-config",
    metavar="DIR",
    help="folder with tokenizer/, and config.json files for unusual sizes",
    accepted="a folder with `tokenizer/`, and the parts' `config.json` if their sizes differ from Stable Diffusion 1.5",
    folder_of="tokenizer/",
)
_TINY_VAE_PLACE = Place(
    "tiny_vae",
    role="tiny autoencoder",
    label="Tiny Autoencoder",
    description="Folder of a small autoencoder for guidance, such as TAESD. Empty: tiny_vae in the model's folder",
    argument="--tiny-vae",
    metavar="DIR",
    help="folder of a small autoencoder for guidance (diffusers' AutoencoderTiny)",
    accepted="a folder with diffusers' `AutoencoderTiny`; for Stable Diffusion 1.5 that is TAESD. Default: `tiny_vae/` "
    "in the model's folder, or in a checkpoint's config folder",
    folder_of="the tiny autoencoder's config.json",
)
_LORA_PLACE = Place(
    "loras",
    role="LoRA",
    argument="--lora",
    metavar="FILE[=SCALE]",
    help="LoRA to add (may be repeated)",
    accepted="the layouts of kohya, of peft, and both older ones of diffusers. LoRA and LoCon, also with a core "
    "(Tucker); LoHa; LoKr; DoRA's magnitudes; full differences and trained norms; embeddings bundled in the file. For "
    "the UNet and the text encoder",
    most=16,
)
_EMBEDDING_PLACE = Place(
    "embeddings",
    role="embedding",
    argument="--embedding",
    metavar="FILE[=WORD]",
    help="textual inversion embedding (may be repeated)",
    accepted="textual inversion: diffusers' layout; the WebUI's `.pt` and `.safetensors`",
    most=64,
)

TOKENIZER = Part(
    "tokenizer",
    label="tokenizer",
    description="CLIP's vocabulary, which splits a prompt into tokens",
    classes=("CLIPTokenizer",),
    config=(("tokenizer.json",), ("vocab.json", "merges.txt")),
    advice="A checkpoint contains no tokenizer: put CLIP's (vocab.json and merges.txt) in that folder, or choose "
    "another folder that has tokenizer/.",
)
TEXT_ENCODER = Part(
    "text_encoder",
    label="text encoder",
    description="turns a prompt into the vectors that the UNet reads",
    classes=("CLIPTextModel", "CLIPTextModelWithProjection"),
    weights=Weights(
        _TEXT_ENCODER,
        prefix="cond_stage_model.transformer.",
        # An index table from older versions of transformers, and CLIP's parts that compare pictures with texts.
        decoration=r"(.*\.)?position_ids|(text_model\.)?text_projection(\.weight)?|logit_scale|vision_model\..*|"
        r"visual_projection\..*",
    ),
    in_checkpoint=True,
)
VAE = Part(
    "vae",
    label="autoencoder",
    description="turns pictures into latents, and latents into pictures",
    classes=("AutoencoderKL",),
    weights=Weights(_AUTOENCODER, prefix="first_stage_model.", decoration=rf"loss\..*|{_TRAINING_LEFTOVERS}"),
    in_checkpoint=True,
    place=_VAE_PLACE,
)
UNET = Part(
    "unet",
    label="UNet",
    description="predicts the noise in the latents",
    classes=("UNet2DConditionModel",),
    weights=Weights(_UNET, prefix="model.diffusion_model.", decoration=_TRAINING_LEFTOVERS),
    in_checkpoint=True,
)
SCHEDULER = Part(
    "scheduler",
    label="noise schedule",
    description="says how much noise each step has, and what the UNet predicts",
    classes=("DDIMScheduler",),
    config=(("scheduler_config.json",),),
    need="in a folder",
)
CONTROLNET = Part(
    "controlnet",
    label="ControlNet",
    description="makes the picture follow the depth of the shot",
    classes=("ControlNetModel",),
    weights=Weights(_CONTROLNET, prefix="control_model.", decoration=_TRAINING_LEFTOVERS),
    place=_CONTROLNET_PLACE,
    sizes_of=UNET.name,
    advice="Choose a depth ControlNet: a folder or a file.",
)
TINY_VAE = Part(
    "tiny_vae",
    label="tiny autoencoder",
    description="a small autoencoder; guidance can use its decoder",
    classes=("AutoencoderTiny",),
    weights=Weights(_TINY_AUTOENCODER),
    need="never",
    place=_TINY_VAE_PLACE,
    advice="Choose a folder in diffusers' layout with an AutoencoderTiny.",
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
        f"It takes prompts of width {prompts}, but the text encoder gives {width}: they are from different models."
    ),
)

SD15 = Family(
    "sd15",
    label=_LABEL,
    description="the published model, and models trained from it or built like it, in any size",
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
        # Averaged weights, losses, tables of the noise schedule, CLIP's scale, a whole ControlNet.
        decoration=r"(model_ema|loss|control_model)\..*|cond_stage_model\.logit_scale|betas|lvlb_weights|logvar|"
        r"scale_factor|(sqrt_|log_|posterior_)?\w*alphas\w*|posterior_\w+|global_step|epoch|iteration",
    ),
    added=(Added(_LORA_PLACE, LORA), Added(_EMBEDDING_PLACE, EMBEDDING, must_show=False)),
    controls=(Control(CONTROLNET.name, "depth"),),
    agreements=(CHANNELS, _PROMPT_WIDTH),
)
