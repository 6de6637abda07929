"""From a training's folder to the files that ship."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from backend.make.motion.library.table import BY_ACTION
from backend.make.motion.training.clips import ClipStore
from backend.make.motion.training.train import STATISTICS, MotionPlan, trained_layout
from backend.make.training.training_loop import Averaged
from backend.models.mdm.network import MDM
from backend.motion.embedded.condition import ConditionLayout
from backend.motion.embedded.config import FORMAT, WEIGHTS_FILE, KnownAction, MotionConfig, write_config
from shared.motion.humanml.layout import HUMANML_FPS
from shared.motion.humanml.statistics import MEAN_FILE, STD_FILE


def export_motion(run: Path, clips: Path, target: Path, plan: MotionPlan, guidance_scale: float) -> int:
    """Write the averaged weights in half precision, statistics and configuration. Returns the bytes of the folder."""
    target.mkdir(parents=True, exist_ok=True)
    layout = trained_layout(run)
    state = torch.load(run / "checkpoint.pt", weights_only=True, map_location="cpu")
    network = MDM(plan.shape(layout))
    network.load_state_dict(state["modules"]["network"])
    averaged = Averaged([p for p in network.parameters() if p.requires_grad], plan.decay)
    averaged.values = state["averaged"]
    averaged.swap()
    weights: dict[str, Tensor] = {name: tensor.half().contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, target / WEIGHTS_FILE)
    with np.load(run / STATISTICS) as kept:
        np.save(target / MEAN_FILE, kept["mean"])
        np.save(target / STD_FILE, kept["spread"])
    write_config(target, _config(plan, layout, ClipStore(clips), guidance_scale, int(state["step"])))
    return sum(file.stat().st_size for file in target.iterdir())


def _config(
    plan: MotionPlan, layout: ConditionLayout, clips: ClipStore, guidance_scale: float, trained_steps: int
) -> MotionConfig:
    return MotionConfig(
        latentman_motion=FORMAT,
        width=plan.width,
        layers=plan.layers,
        heads=plan.heads,
        feedforward=plan.feedforward,
        steps=plan.steps,
        guidance_scale=guidance_scale,
        styles=layout.styles,
        actions=tuple(
            KnownAction(
                action.name,
                action.phrases,
                action.loops,
                action.mirrors,
                action.start,
                action.end,
                _usual_seconds(clips, action.name),
            )
            for action in (BY_ACTION[name] for name in layout.actions)
        ),
        trained_steps=trained_steps,
    )


def _usual_seconds(clips: ClipStore, action: str) -> float:
    """Mean length of an action's clips, as if each were done at its own speed."""
    lengths = [
        len(features) / HUMANML_FPS * request.speed
        for features, request in zip(clips.features, clips.requests, strict=True)
        if request.action == action
    ]
    return round(float(np.mean(lengths)), 2)
