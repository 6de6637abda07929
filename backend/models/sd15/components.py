"""A Stable-Diffusion-like model in memory: diffusers' modules, checked against each other, frozen and in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn

from backend.loop.attending import Layer
from backend.machine.bfloat16 import computes_bfloat16
from backend.models.sd15.attention import install_attention, self_attention_layers
from backend.models.sd15.files.loading import load_modules, load_scheduler_config
from backend.models.sd15.fused import fuse
from backend.models.sd15.lora import merge_lora
from backend.models.sd15.modules import Autoencoder, ControlNet, TextEncoder, TinyAutoencoder, Tokenizer, UNet
from backend.models.sd15.textual_inversion import add_embeddings, read_embedding
from backend.models.sources import find_sources
from shared.errors import InputError, ModelError
from shared.models.file_kinds import misfit_of_channels
from shared.models.files import ModelFiles
from shared.models.table import FAMILY_OF_PROMPT_WIDTH

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_PREDICTIONS = ("epsilon", "v_prediction", "sample")


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The parts of one model, on one device, in one precision, without gradients on their weights."""

    tokenizer: Tokenizer
    text_encoder: TextEncoder
    vae: Autoencoder
    unet: UNet
    controlnet: ControlNet
    scheduler_config: Mapping[str, Any]
    device: torch.device
    dtype: torch.dtype
    # Tokens of textual inversion embeddings, and the text encoder's rows that each stands for.
    embedding_rows: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    tiny_vae: TinyAutoencoder | None = None  # where a job guides by it

    @property
    def state_dtype(self) -> torch.dtype:
        """The precision of latents, guidance and losses: float32 however small the model's is."""
        return torch.float64 if self.dtype == torch.float64 else torch.float32

    @property
    def latent_factor(self) -> int:
        """Pixels a latent cell, along each side."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""
        return int(self.vae.config.latent_channels)

    @property
    def scaling_factor(self) -> float:
        """What the autoencoder's latents are multiplied by before the UNet sees them."""
        return float(self.vae.config.scaling_factor)

    @property
    def shift_factor(self) -> float:
        """What is subtracted from the autoencoder's latents before they are scaled."""
        return float(getattr(self.vae.config, "shift_factor", None) or 0.0)

    @property
    def text_length(self) -> int:
        """Tokens of a prompt, padding included."""
        return min(int(self.tokenizer.model_max_length), int(self.text_encoder.config.max_position_embeddings))

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Every self-attention layer of the UNet and of the ControlNet."""
        return self_attention_layers(self.unet) + self_attention_layers(self.controlnet)

    @property
    def controlnet_reads_prompt(self) -> bool:
        """Whether the ControlNet's output depends on the prompt; one without attention gives both halves the same."""
        config = self.controlnet.config
        special = (config.addition_embed_type, config.encoder_hid_dim_type, config.class_embed_type)
        return bool(self.controlnet.attn_processors) or any(value is not None for value in special)

    def scheduler(self, steps: int) -> DDIMScheduler:
        """A DDIM scheduler of its own for one run (Song et al., 2021, equation 12, eta 0), timesteps set.

        Betas, timestep spacing and offset come from the model's own scheduler file, whatever scheduler it names.
        Raises InputError for more steps than the model was trained with.
        """
        scheduler: DDIMScheduler = DDIMScheduler.from_config(self.scheduler_config)
        trained = int(scheduler.config.num_train_timesteps)
        if steps > trained:
            raise InputError("sample.steps", f"{steps} steps are too many; this model has {trained}.")
        scheduler.set_timesteps(steps)
        if int(scheduler.timesteps.max()) >= trained:  # a file's offset moves the first one behind the last
            raise InputError("sample.steps", f"{steps} steps are too many; this model has fewer than {trained}.")
        return scheduler

    def to_model(self, values: Tensor) -> Tensor:
        """The values on the model's device and in its precision; the gradient runs through."""
        return values.to(self.device, self.dtype)


def load_components(
    model: str,
    device: str | torch.device = "auto",
    dtype: str | torch.dtype = "auto",
    *,
    files: ModelFiles | None = None,
    gradient_checkpointing: bool = False,
) -> Components:
    """Load `"embedded"`, a local folder in diffusers' layout, or an original-layout file, with a job's own files.

    Nothing is fetched and no code from the files runs. `dtype` "auto" takes the fastest precision of the device:
    bfloat16 on GPUs and CPUs that compute in it, float16 on older GPUs, float32 elsewhere.
    Raises ModelError with the list of all that is missing or does not fit.
    """
    place = resolve_device(device)
    precision = resolve_dtype(dtype, place)
    sources = find_sources(model, files)
    modules = load_modules(sources)
    embeddings = [read_embedding(source) for source in sources.embeddings]
    for lora in sources.loras:
        embeddings += merge_lora(lora, modules["unet"], modules["text_encoder"])
    return assemble(
        **modules,
        embedding_rows=add_embeddings(embeddings, modules["tokenizer"], modules["text_encoder"]),
        scheduler_config=load_scheduler_config(sources),
        device=place,
        dtype=precision,
        gradient_checkpointing=gradient_checkpointing,
    )


def assemble(
    *,
    tokenizer: Any,
    text_encoder: Any,
    vae: Any,
    unet: Any,
    controlnet: Any,
    scheduler_config: Mapping[str, Any],
    device: torch.device,
    dtype: torch.dtype,
    embedding_rows: Mapping[int, tuple[int, ...]] | None = None,
    gradient_checkpointing: bool = False,
) -> Components:
    """Make a model of modules that are already in memory: checked, moved, frozen, with this package's attention.

    Changes the modules in place. Raises ModelError with the list of all that does not fit.
    """
    config = _ddim_config(scheduler_config)
    parts = Components(tokenizer, text_encoder, vae, unet, controlnet, config, device, dtype, embedding_rows or {})
    problems = _problems(parts)
    if problems:
        raise ModelError("model.parts", f"The parts of the model do not fit together: {'; '.join(problems)}.")
    if device.type == "cpu":  # quicker there; no GPU has been measured
        for module in (unet, controlnet, vae.decoder):
            fuse(module)
    for module in (text_encoder, vae, unet, controlnet):
        module.requires_grad_(False).eval()
        # torch's own `to`: diffusers' warns of modules to be kept in float32 even where a model names none.
        nn.Module.to(module, device=device, dtype=dtype)
    for module in (vae, unet, controlnet):
        module.to(memory_format=torch.channels_last)
        if gradient_checkpointing:
            module.enable_gradient_checkpointing()
    install_attention(unet, "unet")
    install_attention(controlnet, "controlnet")
    return parts


def resolve_device(device: str | torch.device) -> torch.device:
    """A torch device; "auto" is the GPU where there is one. Raises InputError for a device that is not there."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise InputError("sample.device", f'There is no device "{device}".', 'Use "cpu" or "cuda".') from error
    if place.type == "cuda" and not torch.cuda.is_available():
        raise InputError("sample.device", "This machine has no usable CUDA GPU.", 'Use "cpu".')
    return place


def resolve_dtype(dtype: str | torch.dtype, device: torch.device) -> torch.dtype:
    """A torch precision; "auto" is the fastest one of the device. Raises InputError for an unknown name."""
    if isinstance(dtype, torch.dtype):
        return dtype
    if dtype == "auto":
        if computes_bfloat16(device):
            return torch.bfloat16
        return torch.float16 if device.type == "cuda" else torch.float32
    if dtype not in _DTYPES:
        names = ", ".join(("auto", *_DTYPES))
        raise InputError("sample.dtype", f'There is no precision "{dtype}".', f"Use one of: {names}.")
    return _DTYPES[dtype]


def _ddim_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The scheduler file's values, with Stable Diffusion's own two where another scheduler's file lacks them."""
    return {"clip_sample": False, "set_alpha_to_one": False, **config}


def _with_family(width: Any) -> str:
    """A width of prompts with the family of models that has it."""
    family = FAMILY_OF_PROMPT_WIDTH.get(width) if isinstance(width, int) else None
    return f"{width} ({family})" if family else str(width)


def _problems(parts: Components) -> list[str]:
    """Everything that keeps these parts from working together, in words."""
    unet, control, channels = parts.unet.config, parts.controlnet.config, parts.latent_channels
    text_width = parts.text_encoder.config.hidden_size
    prediction = parts.scheduler_config.get("prediction_type", "epsilon")
    tokens, rows = len(parts.tokenizer), parts.text_encoder.config.vocab_size
    facts = (
        (tokens <= rows, f"the tokenizer has {tokens} tokens, the text encoder {rows}"),
        (unet.in_channels == channels, f"the UNet {misfit_of_channels(unet.in_channels, channels)}"),
        (unet.out_channels == channels, f"the UNet gives {unet.out_channels} channels, the latents have {channels}"),
        (
            unet.cross_attention_dim == text_width,
            f"the UNet takes prompts of width {_with_family(unet.cross_attention_dim)}, the text encoder gives "
            f"{_with_family(text_width)}",
        ),
        (
            not parts.controlnet.attn_processors or control.cross_attention_dim == text_width,
            f"the ControlNet takes prompts of width {_with_family(control.cross_attention_dim)}, the text encoder "
            f"gives {_with_family(text_width)}",
        ),
        (
            control.in_channels == channels,
            f"the ControlNet takes {control.in_channels} channels, the latents have {channels}",
        ),
        (
            tuple(control.block_out_channels) == tuple(unet.block_out_channels)
            and control.layers_per_block == unet.layers_per_block,
            f"the ControlNet's blocks {tuple(control.block_out_channels)} x {control.layers_per_block} are not the "
            f"UNet's {tuple(unet.block_out_channels)} x {unet.layers_per_block}",
        ),
        (
            control.conditioning_channels == 3,
            f"the ControlNet takes pictures of {control.conditioning_channels} channels, not 3",
        ),
        (prediction in _PREDICTIONS, f"prediction_type {prediction!r} is not one of {', '.join(_PREDICTIONS)}"),
    )
    return [sentence for fits, sentence in facts if not fits]
