"""Styles: how a mood changes any action's posture, bounce, tempo and arms. A style is a row of numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from backend.make.motion.library.action import Variation
from backend.make.motion.library.stand import smooth_noise
from backend.make.motion.library.timing import FPS
from backend.make.motion.puppet import Controls, Foot, Hand

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Style:
    """What a style adds to (or multiplies in) an action; degrees, metres and arm lengths."""

    name: str
    words: tuple[str, ...]  # put behind a phrase: "a person walks" + " happily"
    tempo: float = 1.0
    amplitude: float = 1.0
    drop_m: float = 0.0
    pelvis_pitch: float = 0.0
    chest_pitch: float = 0.0
    head_pitch: float = 0.0
    bounce: float = 1.0  # scales the quick part of the pelvis' height
    turns: float = 1.0  # scales how hips, spine and head move about their mean
    swing: float = 1.0  # scales how free arms move about their mean
    hands: tuple[float, float, float] = (0.0, 0.0, 0.0)  # added to free arms: outwards, up, front
    elbows_out: float = 0.0
    wander: float = 0.0  # degrees by which the trunk reels slowly
    tremble: float = 0.0  # degrees by which head and chest shake
    look_about: float = 0.0  # degrees by which the head turns to and fro
    toe_out: float = 0.0


STYLES: Final = (
    Style("neutral", ("", " at an easy pace", " normally")),
    Style(
        "happy", (" happily", " cheerfully", " in a good mood"), 1.08, 1.1, chest_pitch=-4.0, head_pitch=-5.0,
        bounce=1.35, turns=1.25, swing=1.3, hands=(0.05, 0.02, 0.02),
    ),
    Style(
        "sad", (" sadly", " in a depressed way", " feeling down"), 0.84, 0.82, drop_m=0.012, pelvis_pitch=2.0,
        chest_pitch=11.0, head_pitch=16.0, bounce=0.7, turns=0.75, swing=0.5, hands=(-0.01, 0.0, 0.04),
    ),
    Style(
        "tired", (" tiredly", " exhausted", " wearily"), 0.80, 0.84, drop_m=0.03, pelvis_pitch=5.0, chest_pitch=13.0,
        head_pitch=9.0, bounce=0.8, turns=1.1, swing=0.7, hands=(0.03, 0.0, 0.06), wander=1.5,
    ),
    Style(
        "proud", (" proudly", " with a swagger", " confidently"), 0.94, 1.08, pelvis_pitch=-1.0, chest_pitch=-8.0,
        head_pitch=-4.0, bounce=1.05, turns=1.2, swing=1.15, hands=(0.07, 0.02, -0.03), elbows_out=0.4, toe_out=4.0,
    ),
    Style(
        "angry", (" angrily", " furiously", " in a rage"), 1.14, 1.08, drop_m=0.012, pelvis_pitch=3.0, chest_pitch=7.0,
        head_pitch=1.0, bounce=1.2, turns=1.15, swing=1.15, hands=(0.08, 0.10, 0.07), elbows_out=0.5,
    ),
    Style(
        "old", (" like an old person", " as an elderly person does", " stiffly with age"), 0.76, 0.66, drop_m=0.045,
        pelvis_pitch=9.0, chest_pitch=17.0, head_pitch=-15.0, bounce=0.5, turns=0.8, swing=0.45,
        hands=(0.02, 0.12, 0.16), elbows_out=0.2, tremble=0.35, toe_out=5.0,
    ),
    Style(
        "drunk", (" drunkenly", " as if drunk", " while drunk"), 0.88, 0.92, drop_m=0.02, chest_pitch=4.0,
        head_pitch=6.0, turns=1.25, swing=1.1, hands=(0.10, 0.06, 0.05), wander=6.5, toe_out=7.0,
    ),
    Style(
        "sneaky", (" sneakily", " stealthily", " without being noticed"), 0.80, 0.88, drop_m=0.08, pelvis_pitch=7.0,
        chest_pitch=13.0, head_pitch=-13.0, bounce=0.55, swing=0.45, hands=(0.0, 0.28, 0.34), elbows_out=0.4,
        look_about=16.0,
    ),
    Style(
        "elegant", (" elegantly", " gracefully", " with poise"), 0.92, 1.0, chest_pitch=-5.0, head_pitch=-4.0,
        bounce=0.75, turns=1.2, swing=1.0, hands=(0.06, 0.03, -0.01), toe_out=3.0,
    ),
    Style(
        "robot", (" like a robot", " mechanically", " in a robotic way"), 0.92, 0.9, chest_pitch=-2.0, bounce=0.4,
        turns=0.25, swing=0.8, hands=(0.03, 0.36, 0.42), elbows_out=-0.2,
    ),
    Style(
        "scared", (" in fear", " nervously", " scared"), 1.06, 0.82, drop_m=0.04, pelvis_pitch=4.0, chest_pitch=9.0,
        head_pitch=-4.0, bounce=0.8, swing=0.5, hands=(-0.04, 0.36, 0.40), elbows_out=0.2, tremble=0.8,
        look_about=20.0,
    ),
)  # fmt: skip
BY_NAME: Final = {style.name: style for style in STYLES}


def paced(variation: Variation) -> Variation:
    """The variation that the action is asked for: the style's tempo and reach are put into speed and amplitude."""
    style = BY_NAME[variation.style]
    return replace(
        variation,
        speed=float(np.clip(variation.speed * style.tempo, 0.7, 1.4)),
        amplitude=float(np.clip(variation.amplitude * style.amplitude, 0.6, 1.4)),
    )


def styled(controls: Controls, style: Style, random: np.random.Generator, *, free_arms: bool = True) -> Controls:
    """The controls in a style. Feet keep their places; they only turn out a little."""
    frames = len(controls.pelvis)
    height = controls.pelvis[:, 1]
    slow = _slow(height)
    pelvis = controls.pelvis.copy()
    pelvis[:, 1] = slow + style.bounce * (height - slow) - style.drop_m
    reel, shake, look = (smooth_noise(frames, random, *periods) for periods in ((4.0, 1.6), (0.6, 0.35), (3.2, 1.8)))
    nod = smooth_noise(frames, random, 4.5, 1.8)
    pelvis[:, 0] += 0.004 * style.wander * reel
    still = np.zeros(frames)
    lean = np.stack([still, 0.4 * style.wander * nod, style.wander * reel], axis=1)
    pitch = np.array([0.0, 1.0, 0.0])
    trunk = _scaled(controls.chest_turn, style.turns) + style.chest_pitch * pitch + lean
    head = _scaled(controls.head_turn, style.turns) + style.head_pitch * pitch - 0.4 * lean
    head += np.stack([style.look_about * look, style.tremble * shake, 0.5 * style.wander * nod], axis=1)
    trunk[:, 0] += 0.25 * style.look_about * look
    return replace(
        controls,
        pelvis=pelvis,
        pelvis_turn=_scaled(controls.pelvis_turn, style.turns, keep_yaw=True) + style.pelvis_pitch * pitch + 0.3 * lean,
        chest_turn=trunk,
        head_turn=head,
        left_foot=_turned_out(controls.left_foot, style.toe_out, style.drop_m),
        right_foot=_turned_out(controls.right_foot, -style.toe_out, style.drop_m),
        left_hand=_arm(controls.left_hand, style, free_arms, reel),
        right_hand=_arm(controls.right_hand, style, free_arms, -nod),
    )


def _slow(values: Array) -> Array:
    """A moving mean of 0.8 s along frames, so that a crouch stays and a bounce is told apart."""
    half = round(0.4 * FPS)
    widths = np.hanning(2 * half + 3)[1:-1]
    padded = np.pad(values, (half, half), mode="edge")
    return np.asarray(np.convolve(padded, widths / widths.sum(), mode="valid"), dtype=np.float64)


def _scaled(turn: Array, amount: float, *, keep_yaw: bool = False) -> Array:
    """Turns about their slow mean, larger or smaller; `keep_yaw` leaves the heading alone."""
    mean = np.stack([_slow(column) for column in turn.T], axis=1)
    scale = np.array([1.0 if keep_yaw else amount, amount, amount])
    return np.asarray(mean + scale * (turn - mean), dtype=np.float64)


def _turned_out(foot: Foot, degrees: float, drop_m: float) -> Foot:
    return replace(foot, yaw=foot.yaw + degrees, knee_out=foot.knee_out + 0.5 * np.abs(degrees) + 90.0 * drop_m)


def _arm(hand: Hand, style: Style, free: bool, reel: Array) -> Hand:
    if not free:
        return hand
    mean = np.stack([_slow(column) for column in hand.reach.T], axis=1)
    loose = 0.012 * style.wander * reel
    offset = np.asarray(style.hands) + np.stack([np.abs(loose), np.abs(loose), loose], axis=1)
    # A hand that is raised already is not raised further.
    low = np.clip((0.2 - mean[:, 1]) / 0.8, 0.0, 1.0)[:, None]
    bent = np.clip((0.75 - np.linalg.norm(mean, axis=1)) / 0.25, 0.0, 1.0)[:, None]
    reach = mean + style.swing * (hand.reach - mean) + low * (1.0 - 0.8 * bent) * offset
    elbow = hand.elbow + np.array([style.elbows_out, 0.0, 0.0])
    return replace(hand, reach=reach, elbow=elbow)
