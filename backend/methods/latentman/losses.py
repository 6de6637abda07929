"""How far a frame's picture is from the one before it, at the matches: equation 7, and its gradient to x0."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor

from backend.loop.method import FrameLoss, FrameReference
from backend.methods.latentman.cell_box import CellBox, Crop
from backend.methods.latentman.pixel_pairs import PixelPairs
from backend.methods.latentman.smoothing import smoothed
from backend.methods.latentman.step_decoder import Decode


def squared_differences(current: Tensor, reference: Tensor, pairs: PixelPairs) -> Tensor:
    """(X_t^i[q] - X_t^{i-1}[s])^2 for each match and channel (LatentMan, equation 7, before the sum).

    Pictures are (1, channels, height, width); the result is (channels, n). Where the pairs say so, the differences are
    averaged over the matches around before they are squared.
    """
    moved = current.flatten(2)[0][:, pairs.current] - reference.flatten(2)[0][:, pairs.reference]
    return (moved if pairs.smoothing is None else smoothed(moved, pairs.smoothing)).square()


def single_losses(
    x0: Tensor,  # (frames, channels, h, w)
    reference: FrameReference,
    pairs: Sequence[PixelPairs],
    decode: Decode,
    *,
    clamp: bool = False,
) -> list[FrameLoss | None]:
    """`frame_loss` of consecutive frames, one decoder's graph after the other."""
    losses = []
    for one, own in zip(torch.split(x0.detach(), 1), pairs, strict=True):
        loss = frame_loss(one, reference, own, decode, clamp=clamp)
        losses.append(loss)
        reference = FrameReference(one, None if loss is None else loss.picture)
    return losses


def frame_loss(
    x0: Tensor, reference: FrameReference, pairs: PixelPairs, decode: Decode, *, clamp: bool = False
) -> FrameLoss | None:
    """Equation 7's sum over matches and channels for one frame's x0 (1, channels, h, w), None without matches.

    Pictures are from 0 to 1, clamped to that range with `clamp`. The frame before is a constant: its picture at the
    same step, without a graph.
    """
    if pairs.current.numel() == 0:
        return None
    leaf = x0.detach().requires_grad_()
    picture = decode(leaf, pairs.current_crop)
    against = _reference_picture(reference, pairs, decode)
    shown = (picture.clamp(0, 1), against.clamp(0, 1)) if clamp else (picture, against)
    terms = squared_differences(*shown, pairs)
    total = terms.sum()
    (gradient,) = torch.autograd.grad(total, leaf)
    return FrameLoss(float(total.detach()), terms.numel(), gradient, picture.detach())


def joint_losses(
    x0: Tensor,  # (frames, channels, h, w)
    reference: FrameReference,
    pairs: Sequence[PixelPairs],
    decode: Decode,
) -> list[FrameLoss | None]:
    """As `single_losses`, all frames decoded at once in the box that holds all of theirs.

    For a decoder whose values depend on their surroundings alone, so that a larger box changes nothing. Each frame's
    gradient is its own loss's, for the frame before it is a constant.
    """
    boxes = [own.current_crop.box for own in pairs if own.current_crop is not None]
    if not any(own.current.numel() for own in pairs):
        return [None] * len(pairs)
    leaf = x0.detach().requires_grad_()
    pictures = decode(leaf, Crop(reduce(CellBox.joined, boxes), "own") if boxes else None)
    shown = torch.split(pictures, 1)
    before = [_reference_picture(reference, pairs[0], decode), *(picture.detach() for picture in shown[:-1])]
    terms = [squared_differences(*both) for both in zip(shown, before, pairs, strict=True)]
    totals = torch.stack([own.sum() for own in terms])
    (gradients,) = torch.autograd.grad(totals.sum(), leaf)
    return [
        FrameLoss(float(total), own.numel(), gradient, picture.detach()) if own.numel() else None
        for total, own, gradient, picture in zip(totals.detach(), terms, torch.split(gradients, 1), shown, strict=True)
    ]


def _reference_picture(reference: FrameReference, pairs: PixelPairs, decode: Decode) -> Tensor:
    if reference.picture is not None:
        return reference.picture
    with torch.no_grad():
        return decode(reference.x0, pairs.reference_crop)
