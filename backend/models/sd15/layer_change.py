"""What a LoRA's file does to one layer: the difference to its weight, made from the matrices that the file has for it.

    low rank        alpha / r x up @ down                            Hu et al., 2021, section 4.1
    with a core     the same with a core between both (Tucker)       LyCORIS, "LoCon"; Yeh et al., 2024, section 3
    LoHa            alpha / r x (w1_a @ w1_b) * (w2_a @ w2_b)        Hyeon-Woo et al., 2022
    LoKr            w1 (x) w2, each whole or of low rank             Yeh et al., 2024
    difference      as it is; those of norms are kept so

Magnitudes (DoRA, Liu et al., 2024, equation 5) scale the changed weight's rows, or its columns, to given lengths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Parts = Mapping[str, Tensor]

DOWN, UP, CORE = "down", "up", "core"
LEFT_A, LEFT_B, RIGHT_A, RIGHT_B = "w1_a", "w1_b", "w2_a", "w2_b"  # of LoHa
LEFT_CORE, RIGHT_CORE = "t1", "t2"
OUTER, OUTER_A, OUTER_B = "outer", "outer_a", "outer_b"  # of LoKr
INNER, INNER_A, INNER_B, INNER_CORE = "inner", "inner_a", "inner_b", "inner_core"
DIFFERENCE, BIAS_DIFFERENCE = "difference", "bias"
ALPHA = "alpha"
MAGNITUDE = "magnitude"  # of rows or columns, as its shape says
ROW_MAGNITUDE = "row magnitude"

_BESIDE = frozenset({ALPHA, MAGNITUDE, ROW_MAGNITUDE, BIAS_DIFFERENCE})
# What torch raises for matrices that do not go together.
_SHAPE_ERRORS = (RuntimeError, IndexError)


@dataclass(frozen=True, slots=True)
class _Form:
    """A way to write a difference: the matrices that it takes, all of them, and what is made of them."""

    takes: frozenset[str]
    difference: Callable[[Parts], Tensor]
    rank: Callable[[Parts], int | None]  # what alpha is divided by; None where it is not used


def _low_rank(parts: Parts) -> Tensor:
    return parts[UP].flatten(1) @ parts[DOWN].flatten(1)


def _low_rank_with_core(parts: Parts) -> Tensor:
    return torch.einsum("oa,abhw,bi->oihw", parts[UP].flatten(1), parts[CORE], parts[DOWN].flatten(1))


def _hadamard(parts: Parts) -> Tensor:
    return (parts[LEFT_A] @ parts[LEFT_B]) * (parts[RIGHT_A] @ parts[RIGHT_B])


def _hadamard_with_cores(parts: Parts) -> Tensor:
    left = _around_core(parts[LEFT_CORE], parts[LEFT_A], parts[LEFT_B])
    return left * _around_core(parts[RIGHT_CORE], parts[RIGHT_A], parts[RIGHT_B])


def _around_core(core: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    return torch.einsum("abhw,ao,bi->oihw", core, rows, columns)


def _kronecker(parts: Parts) -> Tensor:
    outer = parts[OUTER] if OUTER in parts else parts[OUTER_A] @ parts[OUTER_B]
    if INNER in parts:
        inner = parts[INNER]
    elif INNER_CORE in parts:
        inner = _around_core(parts[INNER_CORE], parts[INNER_A], parts[INNER_B]).contiguous()
    else:
        inner = parts[INNER_A] @ parts[INNER_B]
    return torch.kron(outer.reshape(*outer.shape, *(1,) * (inner.ndim - outer.ndim)), inner)


def _kronecker_rank(parts: Parts) -> int | None:
    factor = parts.get(INNER_B, parts.get(OUTER_B))
    return None if factor is None else factor.shape[0]


def _kronecker_forms() -> Iterator[_Form]:
    for outer in ({OUTER}, {OUTER_A, OUTER_B}):
        for inner in ({INNER}, {INNER_A, INNER_B}, {INNER_A, INNER_B, INNER_CORE}):
            yield _Form(frozenset(outer | inner), _kronecker, _kronecker_rank)


_HADAMARD = frozenset({LEFT_A, LEFT_B, RIGHT_A, RIGHT_B})
_FORMS = (
    _Form(frozenset({DOWN, UP}), _low_rank, lambda parts: parts[DOWN].shape[0]),
    _Form(frozenset({DOWN, UP, CORE}), _low_rank_with_core, lambda parts: parts[DOWN].shape[0]),
    _Form(_HADAMARD, _hadamard, lambda parts: parts[LEFT_B].shape[0]),
    _Form(_HADAMARD | {LEFT_CORE, RIGHT_CORE}, _hadamard_with_cores, lambda parts: parts[LEFT_B].shape[0]),
    *_kronecker_forms(),
    _Form(frozenset({DIFFERENCE}), lambda parts: parts[DIFFERENCE], lambda _: None),
    _Form(frozenset(), lambda _: torch.zeros(()), lambda _: None),  # the bias alone
)


@dataclass(frozen=True, slots=True)
class LayerChange:
    """What a file has for one layer, of a known form."""

    parts: Parts
    _form: _Form

    @classmethod
    def of(cls, parts: Parts) -> LayerChange | None:
        """The change that these matrices make; None where some of one are missing."""
        matrices = parts.keys() - _BESIDE
        form = next((form for form in _FORMS if form.takes == matrices), None)
        if form is None or not (matrices or BIAS_DIFFERENCE in parts):
            return None
        return cls(parts, form)

    def fits(self, weight: Tensor, bias: Tensor | None) -> bool:
        """Whether the shapes are those of the layer; nothing is computed."""
        if any(part.numel() == 0 for part in self.parts.values()):
            return False
        if ALPHA in self.parts and self.parts[ALPHA].numel() != 1:
            return False
        if BIAS_DIFFERENCE in self.parts and (bias is None or self.parts[BIAS_DIFFERENCE].shape != bias.shape):
            return False
        alone = {role: part if role == ALPHA else part.to("meta") for role, part in self.parts.items()}
        shapes = LayerChange(alone, self._form)
        try:
            shapes.weight(weight.to("meta"), 1.0, 1.0)
        except _SHAPE_ERRORS:
            return False
        return True

    def weight(self, weight: Tensor, scale: float, factor: float) -> Tensor:
        """The layer's weight with `scale` times the change; `factor` is alpha / rank where the file has no alpha of the
        layer's own. Raises RuntimeError where the shapes do not go together."""
        if not self._form.takes:
            return weight
        rank = self._form.rank(self.parts)
        if rank is None:
            factor = 1.0
        elif ALPHA in self.parts:
            factor = float(self.parts[ALPHA]) / rank
        exact = {role: part.float() for role, part in self.parts.items()}
        difference = self._form.difference(exact)
        if difference.shape[:1] != weight.shape[:1]:
            raise RuntimeError("another number of outputs")
        change = factor * difference.reshape(weight.shape)
        if MAGNITUDE in exact or ROW_MAGNITUDE in exact:
            changed = weight + change
            change = changed * _lengths(exact, changed) - weight
        return weight + scale * change

    def bias(self, bias: Tensor, scale: float) -> Tensor:
        """The layer's bias with `scale` times the change."""
        return bias + scale * self.parts[BIAS_DIFFERENCE].float()


def _lengths(parts: Parts, weight: Tensor) -> Tensor:
    """The factors that give the weight's rows (its outputs) or columns (its inputs) the lengths that a file says."""
    wanted = parts[ROW_MAGNITUDE].flatten() if ROW_MAGNITUDE in parts else parts[MAGNITUDE]
    axis = 0 if wanted.shape[0] == weight.shape[0] else 1
    aligned = wanted.reshape(tuple(side if place == axis else 1 for place, side in enumerate(weight.shape)))
    others = tuple(place for place in range(weight.ndim) if place != axis)
    lengths: Tensor = torch.linalg.vector_norm(weight, dim=others, keepdim=True)
    return aligned / lengths
