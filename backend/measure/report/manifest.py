"""The manifest: from what, by what and how fast a result was made, and how consistent it is."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from typing import Any

import msgspec

from backend.measure.metrics.comparison import Comparison
from backend.measure.report.result_folder import ResultFolder
from shared.jobs.frame_range import held_for
from shared.jobs.frame_rate import exact_rate
from shared.jobs.job import canonical_json
from shared.version import VERSION

_PACKAGES = ("torch", "diffusers", "transformers", "numpy", "scipy", "pyzmq", "bpy")


def manifest(folder: ResultFolder, comparison: Comparison) -> dict[str, Any]:
    """All that is needed to make the result again and to judge it, as plain JSON values.

    `comparison` holds each method's consistency; H_MSE is equation 9 in float on 0..255, so lower is steadier. It has
    to be read with the sharpness, because blur lowers it too, with the shading, because flat light does, with the
    background's change, and with the mask's overlap, because a figure may leave its body.
    """
    result, figures = folder.result, comparison.figures
    return {
        "schema": 1,
        "versions": {"python": platform.python_version(), "host": result.host, "server": result.server, **_versions()},
        "shot": {
            "frames": list(result.frames),
            "held_for": list(held_for(result.frames)),
            "fps": result.fps,
            "seconds": round(float(sum(held_for(result.frames)) / exact_rate(result.fps)), 6),
            "width": result.width,
            "height": result.height,
            "engine": result.engine,
            "passes": msgspec.to_builtins(result.passes),
        },
        "seconds": dict(result.seconds),
        "methods": {
            entry.method: {
                "job": json.loads(canonical_json(folder.job(entry))),
                "job_id": entry.job_id,
                "seed": folder.job(entry).seed,
                "seconds": entry.seconds,
                "frame_size": dict(zip(("width", "height"), folder.frame_size(entry), strict=True)),
                "frames": msgspec.to_builtins(entry.frames, str_keys=True),
                "files": {f"{entry.folder}/{name}": digest for name, digest in entry.files.items()},
                "notes": list(entry.notes),
                "consistency": figures[entry.method].json_value(),
            }
            for entry in result.methods
        },
        "h_mse": {name: figure.h_mse.mean for name, figure in figures.items()},
        "background": {name: figure.background_mean for name, figure in figures.items()},
        "sharpness": {name: figure.sharpness.mean for name, figure in figures.items()},
        "mask_iou": {name: figure.mask_iou.mean for name, figure in figures.items()},
        "shading": {name: figure.shading.slope for name, figure in figures.items()},
        "shading_kept": {name: comparison.shading_kept(name) for name in figures},
        "seam_ratio": {name: None if one.seam is None else one.seam.ratio for name, one in figures.items()},
    }


def _versions() -> dict[str, str]:
    found = {"latentman": VERSION}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
