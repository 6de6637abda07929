"""Many frames into one texture: the light divided out, a robust mean of what is coarse, and the best view's detail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.surface.light import LUMINANCE, LitTexels, brightness, fitted_light, luminance_of
from backend.surface.shot_surface import Seen, SegmentSurface, ShotSurface, detail_confidence
from backend.surface.texture import Texture

SHARPENED = 2
FITTED = 3  # one texel in so many tells of the light
MOST_GAIN = 1.35
ROBUST = 0.15  # a colour this far from the mean counts half
ROUNDS = 2
FAINT = 1e-3  # the weight of a view that is seen but has no quality
# What earlier segments agreed on counts this much more than a view of now: the character is theirs.
KEPT_WEIGHT = 8.0

Floats = NDArray[np.float32]
Pictures = NDArray[np.float32]  # (frames, height, width, 3) 0..1


@dataclass(frozen=True, slots=True, eq=False)
class _Unlit:
    """One frame's colours at the texels that it sees, without light; `low` without detail."""

    seen: NDArray[np.int32]  # (v,)
    weight: Floats  # (v,)
    colour: Floats  # (v, 3)
    low: Floats  # (v, 3)


def fuse(
    surface: ShotSurface,
    segment: SegmentSurface,
    pictures: Pictures,
    before: Texture | None,
    light: Floats | None,
    emphasis: float = 1.0,
) -> Texture:
    """The texture that a segment's `pictures` and the frames `before` agree on.

    With `light` (8,) None it is fitted to these frames. `emphasis` times detail is as sharp as the frames' own.
    """
    sampled = [sample(one, picture, surface.texels) for one, picture in zip(segment.frames, pictures, strict=True)]
    if light is None:
        light = frames_light(segment, sampled, surface.texels)
    unlit = [_unlit(surface, one, colours, light) for one, colours in zip(segment.frames, sampled, strict=True)]
    low, weight = _filled(surface, *_agreed(unlit, surface.texels, before))
    kept = None if before is None else before.quality
    best = np.zeros(surface.texels, np.float32) if kept is None else kept.copy()
    for one in segment.frames:
        best[one.view.seen] = np.maximum(best[one.view.seen], one.view.quality)
    detail = np.zeros((surface.texels, 3), np.float32)
    shares = surface.shares(segment, kept)
    for frame, share in zip(unlit, shares, strict=False):
        detail[frame.seen] += share[frame.seen, None] * (frame.colour - frame.low)
    detail *= detail_confidence(best)[:, None]
    # What was there before has its confidence and its gain in it: with each segment they would wear it away.
    base = low if before is None else low + shares[-1][:, None] * (before.colour - before.low)
    gain = emphasis * detail_gain(segment, pictures, Texture(base + detail, low, best, weight, light))
    return Texture(base + gain * detail, low, best, weight, light)


def detail_gain(segment: SegmentSurface, pictures: Pictures, texture: Texture) -> float:
    """How much stronger detail has to be for the drawn body to be as sharp as in the frames that it was made of.

    Reading a picture at texels and the texels at pixels costs some of it. The energy of the gradient inside the body is
    compared; 1 to `MOST_GAIN`.
    """
    before = after = 0.0
    for seen, picture in zip(segment.frames, pictures, strict=True):
        body, drawn = texture.drawn(seen)
        own = picture.reshape(-1, 3)[seen.view.pixel]
        shown = np.where(drawn[:, None], body, own)
        inside = np.full(picture.shape[:2], np.nan, np.float32)
        for colours in (own, shown):
            inside.reshape(-1)[seen.view.pixel] = np.where(seen.view.alpha >= 1, colours @ LUMINANCE, np.nan)
            energy = sum(float(np.nansum(np.diff(inside, axis=axis) ** 2)) for axis in range(2))
            before, after = (before + energy, after) if colours is own else (before, after + energy)
    return float(np.clip(np.sqrt(before / max(after, 1e-12)), 1, MOST_GAIN))


def sample(seen: Seen, picture: Floats, texels: int) -> Floats:
    """The picture (height, width, 3) at the seen texels (v, 3), sharpened by Van Cittert's deconvolution: what is lost
    on the way to the texels and back is added before, `SHARPENED` times."""
    flat, pixel = picture.reshape(-1, 3), seen.view.pixel
    values, there = np.zeros((texels, 3), np.float32), np.zeros(texels, np.float32)
    there[seen.view.seen] = 1
    reach = seen.read @ there
    held = (reach > 0.5)[:, None]
    source = flat.copy()
    for _ in range(SHARPENED):
        values[seen.view.seen] = seen.sample @ source
        again = (seen.read @ values) / np.maximum(reach, 1e-6)[:, None]
        source[pixel] += np.where(held, flat[pixel] - again, 0)
    return np.asarray(seen.sample @ source, np.float32)


def frames_light(segment: SegmentSurface, sampled: Sequence[Floats], texels: int) -> Floats:
    """The light (8,) of a segment's frames from their colours at the texels (v, 3).

    Each pixel counts alike, however many texels it shows: fingers and finely modelled parts have many to a pixel.
    """
    lit = []
    for one, colours in zip(segment.frames, sampled, strict=True):
        view, pixel = one.view, one.view.texel_cells(1)
        weight: Floats = (view.quality / np.bincount(pixel)[pixel]).astype(np.float32)
        luminance = luminance_of(colours[::FITTED])
        lit.append(LitTexels(view.seen[::FITTED], luminance, view.texel_normal[::FITTED], weight[::FITTED]))
    return fitted_light(lit, texels)


def _unlit(surface: ShotSurface, seen: Seen, sampled: Floats, light: Floats) -> _Unlit:
    view = seen.view
    colour = sampled / brightness(light, view.texel_normal)[:, None]
    values, weights = np.zeros((surface.texels, 3), np.float32), np.zeros(surface.texels, np.float32)
    values[view.seen], weights[view.seen] = colour, view.quality + FAINT
    low, _ = surface.low.smoothed(values, weights)
    return _Unlit(view.seen, view.quality + np.float32(FAINT * FAINT), colour, low[view.seen])


def _agreed(frames: Sequence[_Unlit], texels: int, before: Texture | None) -> tuple[Floats, Floats]:
    """The robust mean (K, 3) of the coarse colours, and its weight (K,): iteratively reweighted least squares."""
    mean = np.zeros((texels, 3), np.float32)
    weight = np.zeros(texels, np.float32)
    for round_ in range(1 + ROUNDS):
        total, weight = np.zeros_like(mean), np.zeros_like(weight)
        for frame in frames:
            share = frame.weight
            if round_:
                off = ((frame.low - mean[frame.seen]) ** 2).sum(axis=1)
                share = share / (1 + off / ROBUST**2)
            total[frame.seen] += share[:, None] * frame.low
            weight[frame.seen] += share
        if before is not None:
            share = KEPT_WEIGHT * before.weight
            total += share[:, None] * before.low
            weight = weight + share
        mean = total / np.maximum(weight, 1e-12)[:, None]
    if before is not None:
        weight = weight - (KEPT_WEIGHT - 1) * before.weight
    return mean, weight


def _filled(surface: ShotSurface, low: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """The same with a colour for texels that nobody sees beside those that are seen: a pixel at the edge of what is
    visible reads them too."""
    around, there = surface.low.smoothed(low, weight)
    unseen = (weight <= 0) & there
    return np.where(unseen[:, None], around, low), np.where(unseen, np.float32(FAINT * FAINT), weight)
