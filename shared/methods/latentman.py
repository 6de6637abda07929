"""The method `latentman`: its settings, each with its source, and the two published sets of them.

The paper's text and its published code differ in many places. Where they do, the choice is a setting here, and
`published_settings` names both sets: `paper` has the equations, `released` what the code does. A job file may name a
set with `"parity"` and override single settings of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from ..errors import InputError
from .plain import MASACTRL, TEXT2VIDEO_ZERO
from .setting import Choice, MethodSettings, setting, span_acts
from .spec import HELD, MethodSpec, NamedSets, Needs, Preset

Baseline = Literal["text2video_zero", "masactrl"]
Parity = Literal["paper", "released"]
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class LatentManSettings(MethodSettings):
    """Settings of the method `latentman` (LatentMan, section 3, equations 3 to 8). The defaults are this project's own.

    Where it acts:

    - `align`, `guide`: the parts of the denoising, as fractions of the steps, in which spatial latent alignment and
      pixel-wise guidance act. Paper, section 4.1: A = [0, 39] and B = [20, 69] of 100 steps on `text2video_zero`,
      A = [0, 19] and B = [20, 39] of 50 on `masactrl`; section 3.4 says "the first 40 %", so other numbers of steps
      take the same fractions. The code's notebook has the same A and turns guidance off. Our own alignment ends at
      half of that: by then it has done its work, and each later step costs sharpness.
    - `baseline`: the method it builds on (section 4). Only `text2video_zero` was released.

    Which pixels match (section 3.3):

    - `correspondence`: `assignment` is equations 3 to 5, in the paper and in the code; `surface` is the exact one.
    - `features`: equation 3 with the Euclidean distance to the part's centroid (`paper`), or the code's L1 distance to
      the middle of its box, scaled to 63.75, with U and V less their means (`released`). Matters to `assignment` only.
    - `match_extent`: which of the matched places are used. `inside` keeps, for the alignment, latent cells that lie
      wholly on the body in both frames, have no jump in depth, and move as those around them do; and for guidance,
      pixels at least three in from a silhouette or such a jump. That
      avoids copying a rim of background with an arm, and mosaic tiles. `all` is the published method.
    - `reference_mode`: the frame that a frame is matched to. `prev` is the previous one (paper); `prev_new` is the same
      frame, but its matched pixels keep the labels of their own reference (the code's default); `first` is frame 0,
      only for alignment and only in one segment (an option of the code).

    How guidance steps (section 3.5):

    - `guide_rule`: `adaptive` goes `guide_strength` of the way to where the loss would vanish if it were linear, and at
      most a tenth of the noise; `fixed` subtracts `guide_strength` times the gradient, which is equation 8 with
      delta = `guide_strength` as algorithm 1 has it (from DDIM's x_{t-1}, not from x_t), in the paper and in the code.
    - `guide_loss`, `guide_range`, `guide_clamp` say what `fixed` differentiates (`adaptive` does not change with their
      scale): the `sum` of squares of equation 7, or their `mean` over matches and channels (code); pictures from 0 to
      `guide_range`, which is 2 for the decoder's own -1 to 1 (the paper does not say) and 25 in the code; and
      whether values beyond black and white are clamped first, so that they have no gradient (code).
    - `guide_through`: what the gradient runs through. `controlnet` is all that x_t acts through, as equation 8 is
      written; `unet` takes the ControlNet's residuals as constants; `unconditional` does that too and keeps only the
      gradient of the input of classifier-free guidance's half without the prompt, without x_t's own part in x0
      (code); `decoder` ends at x0.
    - `guide_extent`: which latent cells a step moves. `body` holds the gradient at 0 outside of the cells that show the
      body, and one cell around them, before the step's length is found: the background does not change, and a limb that
      has moved leaves no ghost. `all` is the published method.
    - `guide_around`: with `guide_extent` at `body`, how many cells around the body guidance may move too.
    - `guide_smooth`: the standard deviation, in pixels of a picture of at most 256, of the Gaussian by which
      differences are averaged over neighbouring matches before the loss squares them. Pixel by pixel (0, the published
      method), guidance washes out fine detail, because the average of two pictures half a pixel apart is grey; with
      averaging it holds colours and shapes and leaves detail alone.
    - `guide_decode`: how much of a picture `adaptive` guidance decodes. `whole` is the published method; `body` the box
      of the matches, with the whole decode's pixels; `body_first` that box by frame 0's statistics, an approximation.
    - `guide_decoder`: what `adaptive` guidance decodes with. `full` is the model's autoencoder, the published method;
      `tiny` a small decoder trained to imitate it, which must be among the model's files; it decodes only the box of
      the matches, exactly. Frames are always decoded by the autoencoder.
    """

    align: Span = setting(
        (0.0, 0.2),
        "Align",
        "When during the denoising to copy matching body areas from the previous frame, from and to",
        group="steps",
        unit="of the steps",
        added=5,
        before=(0.0, 0.4),
    )
    guide: Span = setting(
        (0.2, 0.7),
        "Guide",
        "When during the denoising to pull pixels on the body toward the previous frame, from and to",
        group="steps",
        unit="of the steps",
    )
    guide_strength: float = setting(0.5, "Strength", "How strongly guidance pulls", group="steps", high=1_000.0)
    correspondence: Literal["assignment", "surface"] = setting(
        "surface",
        "Matching",
        "How to find the pixels of two frames that show the same point of the body",
        group="base",
        choices=(
            Choice("surface", "Surface", "Exact, taken from the rendered body"),
            Choice("assignment", "Assignment", "The paper's method: matched by body part and chart coordinates"),
        ),
    )
    features: Literal["paper", "released"] = setting(
        "paper",
        "Features",
        "What the assignment compares to find matches",
        group="base",
        only_with=("correspondence", "assignment"),
        choices=(
            Choice("paper", "Paper", "Features as the paper describes them"),
            Choice("released", "Released code", "Features as in the published code"),
        ),
    )
    baseline: Baseline = setting(
        "text2video_zero",
        "Base",
        "The method that LatentMan builds on",
        group="base",
        choices=tuple(Choice(one.name, one.label, one.description) for one in (TEXT2VIDEO_ZERO, MASACTRL)),
    )
    match_extent: Literal["inside", "all"] = setting(
        "inside",
        "Match",
        "Which parts of the body to match between frames",
        group="base",
        choices=(
            Choice("inside", "Inside", "Leave out silhouettes and folds, which avoids ghosts and mosaic patterns"),
            Choice("all", "All", "Match everything, as in the paper; background may be copied at silhouettes"),
        ),
        added=5,
        before="all",
    )
    reference_mode: Literal["prev", "prev_new", "first"] = setting(
        "prev",
        "Reference",
        "Which frame to match each frame to",
        choices=(
            Choice("prev", "Previous frame", "The paper's choice"),
            Choice("prev_new", "Previous frame, labels kept", "The published code's choice; only with Assignment"),
            Choice("first", "First frame", "Only for alignment, and only if the shot is one segment"),
        ),
    )
    guide_rule: Literal["adaptive", "fixed"] = setting(
        "adaptive",
        "Guidance rule",
        "How far one guidance step goes",
        choices=(
            Choice("adaptive", "Adaptive", "A share of the way to where the frames would match"),
            Choice("fixed", "Fixed", "The published rule: a fixed multiple of the gradient"),
        ),
    )
    guide_loss: Literal["sum", "mean"] = setting(
        "mean",
        "Guidance loss",
        "How fixed guidance adds up squared differences over matches and channels",
        choices=(
            Choice("sum", "Sum", "The paper's choice"),
            Choice("mean", "Mean", "The published code's choice"),
        ),
    )
    guide_range: float = setting(
        1.0, "Guidance range", "The pixel value of white when fixed guidance compares pictures", high=255.0
    )
    guide_clamp: bool = setting(
        False, "Guidance clamp", "Clamp values outside black and white before fixed guidance compares pictures"
    )
    guide_through: Literal["decoder", "unet", "controlnet", "unconditional"] = setting(
        "unet",
        "Guidance through",
        "Which networks the guidance gradient runs through",
        choices=(
            Choice("decoder", "Decoder", "Only the decoder"),
            Choice("unet", "UNet", "UNet and decoder"),
            Choice("controlnet", "ControlNet", "UNet, ControlNet and decoder, as in the paper's equation"),
            Choice("unconditional", "Unconditional half", "The published code's choice; only with fixed guidance"),
        ),
    )
    guide_extent: Literal["body", "all"] = setting(
        "body",
        "Guide on",
        "Where guidance may change the picture",
        group="steps",
        choices=(
            Choice("body", "Body", "Only on the character; the background stays unchanged"),
            Choice(
                "all",
                "Whole picture",
                "Everywhere, as in the paper; the background may flicker and show ghosts of moving limbs",
            ),
        ),
        added=3,
        before="all",
    )
    guide_around: int = setting(
        0,
        "Guide around",
        "How far outside the body guidance may change the picture",
        unit="latent cells",
        high=8,
        only_with=("guide_extent", "body"),
        added=5,
        before=1,
    )
    guide_smooth: float = setting(
        4.0,
        "Keep detail",
        "Size of the details that guidance leaves alone; 0 pulls every single pixel and blurs",
        group="steps",
        unit="px of 256",
        high=32.0,
        added=5,
        before=0.0,
    )
    guide_decode: Literal["whole", "body", "body_first"] = setting(
        "whole",
        "Guidance decode",
        "Which part of the picture adaptive guidance decodes",
        choices=(
            Choice("whole", "Whole picture", "The published method"),
            Choice("body", "Body", "Only the box around the matches; same pixels as from the whole picture"),
            Choice("body_first", "Body, first frame's statistics", "Only the box around the matches, approximated"),
        ),
    )
    guide_decoder: Literal["full", "tiny"] = setting(
        "full",
        "Guide by",
        "Which decoder guidance compares frames with; finished frames always come from the autoencoder",
        group="steps",
        choices=(
            Choice("full", "Autoencoder", "The model's own decoder: steadiest details, but slow"),
            Choice("tiny", "Tiny decoder", "A small decoder: quicker, details a little less steady"),
        ),
        mends=("model.tiny_decoder", "Guide by Autoencoder"),
    )


# The windows of section 4.1 as fractions of the steps: (align, guide).
WINDOWS: Mapping[Baseline, tuple[Span, Span]] = MappingProxyType(
    {"text2video_zero": ((0.0, 0.4), (0.2, 0.7)), "masactrl": ((0.0, 0.4), (0.4, 0.8))}
)

PARITIES: Mapping[Parity, LatentManSettings] = MappingProxyType(
    {
        "paper": LatentManSettings(
            correspondence="assignment",
            features="paper",
            reference_mode="prev",
            guide_rule="fixed",
            guide_strength=0.01,
            guide_loss="sum",
            guide_range=2.0,
            guide_clamp=False,
            guide_through="controlnet",
            guide_extent="all",
            match_extent="all",
            guide_around=1,
            guide_smooth=0.0,
            guide_decoder="full",
        ),
        "released": LatentManSettings(
            correspondence="assignment",
            features="released",
            reference_mode="prev_new",
            guide_rule="fixed",
            guide_strength=0.01,
            guide_loss="mean",
            guide_range=25.0,
            guide_clamp=True,
            guide_through="unconditional",
            guide_extent="all",
            match_extent="all",
            guide_around=1,
            guide_smooth=0.0,
            guide_decoder="full",
        ),
    }
)


def published_settings(parity: Parity, baseline: Baseline = "text2video_zero") -> LatentManSettings:
    """A published set with the paper's windows for the baseline. Raises InputError for another name of either."""
    _check_name("parity", parity, tuple(PARITIES))
    _check_name("baseline", baseline, tuple(WINDOWS))
    align, guide = WINDOWS[baseline]
    return dataclasses.replace(PARITIES[parity], baseline=baseline, align=align, guide=guide)


def _check_name(kind: str, name: object, known: tuple[str, ...]) -> None:
    if name not in known:
        raise InputError(
            f"job.{kind}", f'There is no {kind} "{str(name)[:60]}".', f"Choose one of: {', '.join(known)}."
        )


def _named_set(given: Mapping[str, Any]) -> LatentManSettings:
    """The set that a job file names with `parity`, for the baseline named next to it."""
    return published_settings(given["parity"], given.get("baseline", "text2video_zero"))


def _check(settings: LatentManSettings, frames: int, segment_frames: int) -> None:
    """Refuse settings that conflict with each other or with the shot's length. Raises InputError on the first."""
    if settings.guide_through == "unconditional" and settings.guide_rule != "fixed":
        raise InputError(
            "job.settings",
            'settings.guide_through "unconditional" only works with fixed guidance steps.',
            'Set guide_rule to "fixed", or guide_through to "unet".',
        )
    for name, chosen, published in (
        ("guide_decode", settings.guide_decode, "whole"),
        ("guide_decoder", settings.guide_decoder, "full"),
    ):
        if chosen != published and settings.guide_rule == "fixed":
            raise InputError(
                "job.settings",
                f'settings.{name} "{chosen}" only works with adaptive guidance; fixed guidance decodes whole pictures '
                "with the full decoder.",
                f'Set {name} to "{published}", or guide_rule to "adaptive".',
            )
    _check_reference_mode(settings, frames, segment_frames)


def _check_reference_mode(settings: LatentManSettings, frames: int, segment_frames: int) -> None:
    mode = settings.reference_mode
    if mode == "prev_new" and settings.correspondence == "surface":
        raise InputError(
            "job.settings",
            'settings.reference_mode "prev_new" only works with the correspondence "assignment", not "surface".',
            'Set reference_mode to "prev", or correspondence to "assignment".',
        )
    if mode == "first" and span_acts(settings.guide):
        raise InputError(
            "job.settings",
            'settings.reference_mode "first" does not work with guidance, which compares with the previous frame.',
            "Turn guidance off: set guide to 0 to 0.",
        )
    if mode == "first" and segment_frames < frames:
        raise InputError(
            "job.settings",
            f'settings.reference_mode "first" needs the whole shot in one segment, but the shot has {frames} frames '
            f"and segments have {segment_frames}.",
            f"Set segment_frames to {frames}.",
        )


_OWN = LatentManSettings()
_ALIGN_ALONE = LatentManSettings(align=(0.0, 0.4), guide=(0.0, 0.0))

LATENTMAN = MethodSpec(
    "latentman",
    "LatentMan",
    "Keeps details steady on the body from frame to frame; the method of the paper",
    "chained",
    HELD,
    Needs(passes=("depth", "part"), matches=True, models=("tiny_vae",)),
    settings=LatentManSettings,
    check=_check,
    presets=(
        Preset("standard", "Standard", "This add-on's recommended settings", _OWN, steps=20),
        Preset(
            "draft",
            "Draft",
            "A fast preview to judge prompt and camera: half the steps, without guidance, the slow part",
            _ALIGN_ALONE,
            steps=10,
        ),
        Preset(
            "quick",
            "Quick",
            "Guidance with the model's tiny decoder: two thirds of the time, almost as steady",
            LatentManSettings(guide_decoder="tiny"),
            steps=20,
        ),
        Preset("align_only", "Alignment only", "Only alignment keeps details steady, without guidance", _ALIGN_ALONE),
        Preset(
            "strong",
            "Strong",
            "Alignment and guidance act longer, and guidance pulls twice as hard; may lose fine details",
            LatentManSettings(align=(0.0, 0.6), guide=(0.1, 0.9), guide_strength=1.0, guide_smooth=0.0),
            steps=25,
        ),
        Preset("paper", "Paper", "The paper's equations, with 100 steps", published_settings("paper"), steps=100),
        Preset(
            "released",
            "Released code",
            "The published code's choices, with 100 steps",
            published_settings("released"),
            steps=100,
        ),
    ),
    sets=NamedSets("parity", tuple(PARITIES), _named_set),
)
