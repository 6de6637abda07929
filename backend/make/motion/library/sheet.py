"""Looking at the library: `python -m backend.make.motion.library.sheet walk --style sad --out sheet.png`.

Every row is a clip, drawn as a stick figure at equal distances of time, from the front-left or from the side.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from backend.make.motion.library.action import Variation
from backend.make.motion.library.clip import make_clip
from backend.make.motion.library.table import BY_ACTION
from shared.motion.skeleton import PARENTS

Array = npt.NDArray[np.float64]

_HEIGHT = 190
_SCALE = 85.0  # pixels a metre
_LEFT = {1, 4, 7, 10, 13, 16, 18, 20, 22}
_RIGHT = {2, 5, 8, 11, 14, 17, 19, 21, 23}


def strip_of(joints: Array, yaw_degrees: float, poses: int, width: int) -> Image.Image:  # (frames, 24, 3) metres
    """A strip of poses, each put beside the last one, seen from `yaw_degrees` (0 the front, 90 the left side)."""
    image = Image.new("RGB", (width, _HEIGHT), "white")
    pen = ImageDraw.Draw(image)
    floor = _HEIGHT - 14
    pen.line([(0, floor), (width, floor)], fill="#bbbbbb")
    turn = np.radians(yaw_degrees)
    right, cell = np.array([np.cos(turn), 0.0, -np.sin(turn)]), width / poses
    for slot, frame in enumerate(np.linspace(0, len(joints) - 1, poses).round().astype(int)):
        pose = joints[frame]
        x = (pose - pose[0]) @ right * _SCALE + (slot + 0.5) * cell
        y = floor - pose[:, 1] * _SCALE
        for joint, parent in enumerate(PARENTS):
            if parent >= 0:
                colour = "#2060d0" if joint in _LEFT else "#d03030" if joint in _RIGHT else "#303030"
                pen.line([(x[parent], y[parent]), (x[joint], y[joint])], fill=colour, width=2)
        up = pose[15] - pose[12]
        head = pose[15] + 0.09 * up / np.linalg.norm(up)
        hx, hy = (head - pose[0]) @ right * _SCALE + (slot + 0.5) * cell, floor - head[1] * _SCALE
        pen.ellipse([hx - 8, hy - 9, hx + 8, hy + 9], outline="#303030")
        pen.text((slot * cell + 2, 2), str(frame), fill="#888888")
    return image


def sheet(names: list[str], variation: Variation, yaw_degrees: float, poses: int, width: int) -> Image.Image:
    """A strip for each action."""
    strips = []
    for name in names:
        strip = strip_of(make_clip(BY_ACTION[name], variation).joints24, yaw_degrees, poses, width)
        ImageDraw.Draw(strip).text((2, _HEIGHT - 12), f"{name}, {variation.style}", fill="black")
        strips.append(strip)
    image = Image.new("RGB", (width, _HEIGHT * len(strips)), "white")
    for row, strip in enumerate(strips):
        image.paste(strip, (0, row * _HEIGHT))
    return image


def main() -> None:
    """Writes the sheet."""
    parser = argparse.ArgumentParser(description="Draw actions of the library as stick figures.")
    parser.add_argument("actions", nargs="*", choices=[[], *BY_ACTION], help="all where none is named")
    parser.add_argument("--style", default="neutral")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--amplitude", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--yaw", type=float, default=60.0, help="0 from the front, 90 from the left side")
    parser.add_argument("--poses", type=int, default=14)
    parser.add_argument("--width", type=int, default=1500)
    parser.add_argument("--out", type=Path, default=Path("sheet.png"))
    given = parser.parse_args()
    variation = Variation(given.style, given.speed, given.amplitude, False, given.seed, given.seconds)
    image = sheet(given.actions or list(BY_ACTION), variation, given.yaw, given.poses, given.width)
    image.save(given.out)
    print(given.out)


if __name__ == "__main__":
    main()
