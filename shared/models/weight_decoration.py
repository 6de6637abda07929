"""Entries that files of weights hold beside the weights, which nothing needs: trainings and savers leave them there.

Known ones are skipped in silence. An entry that is neither used nor known is reported, because it may change what the
model is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# By part, as its names go on behind the part's prefix.
_OF_PART = {
    # An index table that older transformers stored, and what CLIP has for comparing pictures with texts.
    "text_encoder": re.compile(
        r"(.*\.)?position_ids|(text_model\.)?text_projection(\.weight)?|logit_scale|vision_model\..*|"
        r"visual_projection\..*"
    ),
    "vae": re.compile(r"(loss|model_ema)\..*"),
    "unet": re.compile(r"model_ema\..*"),
    "controlnet": re.compile(r"model_ema\..*"),
}
_USED = ("model.diffusion_model.", "first_stage_model.", "cond_stage_model.transformer.")
# Of a whole checkpoint: running means of the weights, losses, the noise schedule as tables, CLIP's scale.
_OF_CHECKPOINT = re.compile(
    r"(model_ema|loss|control_model)\..*|cond_stage_model\.logit_scale|betas|lvlb_weights|logvar|scale_factor|"
    r"(sqrt_|log_|posterior_)?\w*alphas\w*|posterior_\w+|global_step|epoch|iteration"
)


def is_decoration(part: str, name: str) -> bool:
    """Whether an entry of a part, named without the part's prefix, is known to be none of its weights."""
    pattern = _OF_PART.get(part)
    return pattern is not None and pattern.fullmatch(name) is not None


def unused_entries(names: Iterable[str]) -> list[str]:
    """The entries of a checkpoint that no part takes and that are not known as decoration."""
    return sorted(name for name in names if not name.startswith(_USED) and not _OF_CHECKPOINT.fullmatch(name))
