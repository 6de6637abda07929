"""`args.json`, which lies beside a checkpoint and says what the network is; files of older trainings leave out much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from backend.models.mdm.network import Form, NetworkShape, TextPolicy
from shared.errors import ModelError
from shared.files.strict_json import StrictJSONError, parse_json
from shared.motion.humanml.layout import FEATURE_COUNT

ARGUMENTS_FILE: Final = "args.json"
TextEncoderKind = Literal["clip", "bert"]
TEXT_WIDTHS: Final[Mapping[TextEncoderKind, int]] = {"clip": 512, "bert": 768}
_MOST_STEPS: Final = 4000
_MOST_LAYERS: Final = 64
_HEADS: Final = 4
_LINEAR_ABOVE: Final = 20  # with fewer steps its last beta would be 1 or more

# Values that older files leave out.
_DEFAULTS: Final[Mapping[str, Any]] = {
    "dataset": "humanml",
    "arch": "trans_enc",
    "layers": 8,
    "latent_dim": 512,
    "cond_mask_prob": 0.1,
    "emb_trans_dec": False,
    "noise_schedule": "cosine",
    "diffusion_steps": 1000,
    "sigma_small": True,
    "text_encoder_type": "clip",
    "pos_embed_max_len": 5000,
    "mask_frames": False,
    "use_ema": False,
    "context_len": 0,
    "pred_len": 0,
    "emb_policy": "add",
    "unconstrained": False,
}
_OTHER_DATA: Final[Mapping[str, str]] = {
    "kit": "KIT, whose skeleton has 21 joints that are not SMPL's",
    "humanact12": "HumanAct12: it makes one of 12 actions and reads no text",
    "uestc": "UESTC: it makes one of 40 actions and reads no text",
}
_HINT: Final = "Use a model for text that was trained on HumanML3D, such as humanml-encoder-512-50steps."


@dataclass(frozen=True, slots=True)
class MDMArguments:
    """What a checkpoint's `args.json` comes to."""

    shape: NetworkShape
    text_encoder: TextEncoderKind
    steps: int
    schedule: Literal["cosine", "linear"]
    small_variance: bool
    averaged: bool  # its averaged weights are meant
    guidable: bool  # it was trained without text too
    predicted_frames: int  # DiP: in one call; 0 elsewhere


def read_arguments(path: Path) -> MDMArguments:
    """The arguments of a file. Raises ModelError for what is no such file, and for models that are not for text."""
    try:
        raw = parse_json(path.read_bytes())
    except OSError as error:
        raise ModelError(
            "model.arguments",
            f"{path} cannot be read: {error.strerror or error}.",
            f"Put the {ARGUMENTS_FILE} that came with the checkpoint beside it.",
        ) from error
    except StrictJSONError as error:
        raise ModelError("model.arguments", f"{path} is not MDM's arguments: {error}.", "Copy it again.") from error
    if not isinstance(raw, dict):
        raise ModelError("model.arguments", f"{path} is not MDM's arguments.", "Copy it again.")
    return arguments_of(raw, path)


def arguments_of(raw: Mapping[str, Any], path: Path) -> MDMArguments:
    """The arguments of values that were read from `path`. Raises ModelError."""
    values = {**_DEFAULTS, **{key: value for key, value in raw.items() if value is not None}}
    if raw.get("cond_mode") == "no_cond":  # what older files say instead of `unconstrained`
        values["unconstrained"] = True
    get = _Checked(values, path)
    _require_text(values, get, path)
    shape, encoder = _shape(get)
    steps = get.whole("diffusion_steps", 1, _MOST_STEPS)
    schedule = get.one_of("noise_schedule", ("cosine", "linear"))
    if schedule == "linear" and steps <= _LINEAR_ABOVE:
        raise get.fault("diffusion_steps", f"is {steps}, which is too few for noise_schedule linear")
    context = shape.context_frames
    return MDMArguments(
        shape=shape,
        text_encoder=encoder,
        steps=steps,
        schedule=cast(Literal["cosine", "linear"], schedule),
        small_variance=get.flag("sigma_small"),
        averaged=get.flag("use_ema"),
        guidable=get.number("cond_mask_prob") > 0.0,
        predicted_frames=(get.whole("pred_len", 0, 196) or context) if context else 0,
    )


def _shape(get: _Checked) -> tuple[NetworkShape, TextEncoderKind]:
    encoder = cast(TextEncoderKind, get.one_of("text_encoder_type", ("clip", "bert")))
    form = cast(Form, get.one_of("arch", ("trans_enc", "trans_dec")))
    policy = cast(TextPolicy, get.one_of("emb_policy", ("add", "concat")))
    if encoder == "bert" and form == "trans_enc":
        raise get.fault("text_encoder_type", "is bert, which only works with arch trans_dec")
    if policy == "concat" and encoder == "clip":
        raise get.fault("emb_policy", "is concat, which only works with text_encoder_type bert")
    width = get.whole("latent_dim", _HEADS, 4096)
    if width % _HEADS:
        raise get.fault("latent_dim", f"is {width}, which the {_HEADS} heads of attention cannot share")
    shape = NetworkShape(
        form=form,
        features=FEATURE_COUNT,
        width=width,
        heads=_HEADS,
        layers=get.whole("layers", 1, _MOST_LAYERS),
        text_width=TEXT_WIDTHS[encoder],
        step_token=form == "trans_dec" and get.flag("emb_trans_dec"),
        text_policy=policy,
        mask_frames=get.flag("mask_frames"),
        context_frames=get.whole("context_len", 0, 196),
        longest=max(get.whole("pos_embed_max_len", 1, 20_000), get.whole("diffusion_steps", 1, _MOST_STEPS)),
    )
    return shape, encoder


def _require_text(values: Mapping[str, Any], get: _Checked, path: Path) -> None:
    dataset = get.one_of("dataset", ("humanml", *_OTHER_DATA))
    if dataset in _OTHER_DATA:
        raise ModelError("model.family", f"The model of {path} was trained on {_OTHER_DATA[dataset]}.", _HINT)
    if values["arch"] == "gru":
        raise ModelError("model.family", f"The model of {path} is the GRU variant, which is not supported.", _HINT)
    if get.flag("unconstrained"):
        raise ModelError("model.family", f"The model of {path} was trained without texts.", _HINT)


@dataclass(frozen=True, slots=True)
class _Checked:
    """The values, each with its type checked."""

    values: Mapping[str, Any]
    path: Path

    def fault(self, key: str, what: str) -> ModelError:
        """The error for one value."""
        return ModelError("model.arguments", f"{self.path}: {key} {what}.", "Copy the file of the checkpoint again.")

    def one_of(self, key: str, known: tuple[str, ...]) -> str:
        """A name."""
        value = self.values[key]
        if value not in known:
            raise self.fault(key, f"is {value!r}, not {', '.join(known[:-1])} or {known[-1]}")
        return str(value)

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number."""
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.fault(key, f"is {value!r}, not a whole number from {low} to {high}")
        return value

    def number(self, key: str) -> float:
        """A number."""
        value = self.values[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fault(key, f"is {value!r}, not a number")
        return float(value)

    def flag(self, key: str) -> bool:
        """Yes or no."""
        value = self.values[key]
        if not isinstance(value, bool):
            raise self.fault(key, f"is {value!r}, not true or false")
        return value
