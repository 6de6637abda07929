"""What a layer may attend to, each source against a written-out twin: own, frame 0, the frame before, a bank, masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import Attention
from numpy.typing import NDArray
from torch import Tensor

from backend.loop.attending import Attend, KeysValues, Layer, Source, StepMemory, TokenMask
from backend.models.sd15.attention import SelfAttention
from tests.reference.attention import attention_to_tokens

HALVES, FRAMES, TOKENS, CHANNELS, HEADS = 2, 4, 6, 8, 2
WIDTH = CHANNELS // HEADS
LAYER = Layer("unet", "layer", 0)
Array = NDArray[np.float64]


def part_of_the_tokens(frames: tuple[int, ...], tokens: int) -> Tensor:
    """Another set of tokens for each frame, and none for frame 2."""
    place = torch.arange(tokens)
    return torch.stack([(place + frame) % 3 == 0 if frame != 2 else place < 0 for frame in frames])


RULES: dict[str, tuple[Attend, ...]] = {
    "own and frame 0": (Attend((Source.OWN, Source.FIRST)),),
    "the frame before": (Attend((Source.PREVIOUS,)),),
    "sparse causal": (Attend((Source.FIRST, Source.PREVIOUS)),),
    "own and a bank": (Attend((Source.OWN, Source.BANK)),),
    "three apart": (
        Attend((Source.OWN,), 0.5),
        Attend((Source.FIRST,), 0.3),
        Attend((Source.PREVIOUS,), 0.2),
    ),
    "masked keys": (Attend((Source.FIRST, Source.PREVIOUS, Source.OWN), keys=part_of_the_tokens),),
    "masked keys beside a bank": (Attend((Source.OWN, Source.BANK), keys=part_of_the_tokens),),
    "masked queries": (Attend((Source.OWN,), 0.5), Attend((Source.FIRST,), 0.5, queries=part_of_the_tokens)),
}


@pytest.fixture(scope="module")
def attn() -> Attention:
    torch.manual_seed(0)
    attention = Attention(CHANNELS, heads=HEADS, dim_head=WIDTH).double().requires_grad_(False)
    attention.set_processor(SelfAttention(LAYER))
    return attention


@pytest.fixture(scope="module")
def hidden() -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal((HALVES, FRAMES, TOKENS, CHANNELS)))


@pytest.fixture(scope="module")
def bank() -> KeysValues:
    keys, values = torch.from_numpy(np.random.default_rng(1).standard_normal((2, HALVES, HEADS, 5, WIDTH)))
    return keys, values


def mask_of(mask: TokenMask | None, frame: int, tokens: int) -> NDArray[np.bool_]:
    return np.ones(tokens, bool) if mask is None else mask((frame,), tokens)[0].numpy()


def by_twin(attn: Attention, hidden: Tensor, rule: tuple[Attend, ...], bank: KeysValues) -> Array:
    """(halves, frames, tokens, channels), frame by frame, head by head."""
    wq, wk, wv = (layer.weight.numpy() for layer in (attn.to_q, attn.to_k, attn.to_v))
    out = attn.to_out[0]
    result = np.zeros(hidden.shape)
    for half, frame in np.ndindex(HALVES, FRAMES):
        shown = hidden[half].numpy()
        for attend in rule:
            attended = np.zeros((TOKENS, CHANNELS))
            for head in range(HEADS):
                columns = slice(head * WIDTH, (head + 1) * WIDTH)
                keys, values, seen = [], [], []
                for source in attend.sources:
                    if source is Source.BANK:
                        keys.append(bank[0][half, head].numpy())
                        values.append(bank[1][half, head].numpy())
                        seen.append(np.ones(len(keys[-1]), bool))
                        continue
                    of = {Source.OWN: frame, Source.FIRST: 0, Source.PREVIOUS: max(frame - 1, 0)}[source]
                    keys.append((shown[of] @ wk.T)[:, columns])
                    values.append((shown[of] @ wv.T)[:, columns])
                    seen.append(mask_of(attend.keys, of, TOKENS))
                read = (np.concatenate(keys), np.concatenate(values), np.concatenate(seen))
                attended[:, columns] = attention_to_tokens((shown[frame] @ wq.T)[:, columns], *read)
            result[half, frame] += attend.weight * attended * mask_of(attend.queries, frame, TOKENS)[:, None]
        result[half, frame] = result[half, frame] @ out.weight.numpy().T + out.bias.numpy()
    return result


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("cuts", [(0, 4), (0, 1, 2, 3, 4), (0, 3, 4)])
def test_a_layer_reads_what_its_rule_says_in_any_batches(
    attn: Attention, hidden: Tensor, bank: KeysValues, name: str, cuts: tuple[int, ...]
) -> None:
    memory = StepMemory(HALVES, {LAYER: RULES[name]}, {LAYER: bank})
    with torch.no_grad():
        parts = [
            attn(hidden[:, start:stop].flatten(0, 1), context=memory.call(tuple(range(start, stop)))).reshape(
                HALVES, stop - start, TOKENS, CHANNELS
            )
            for start, stop in zip(cuts, cuts[1:], strict=False)
        ]
    expected = by_twin(attn, hidden, RULES[name], bank)
    np.testing.assert_allclose(torch.cat(parts, dim=1).numpy(), expected, atol=1e-12)


def test_a_carried_frame_whose_predecessor_is_not_there_reads_its_own(attn: Attention, hidden: Tensor) -> None:
    memory, rule = StepMemory(HALVES, {LAYER: RULES["the frame before"]}), RULES["the frame before"]
    with torch.no_grad():
        rows = attn(hidden[:, [0, 2, 3]].flatten(0, 1), context=memory.call((0, 2, 3)))
    found = rows.reshape(HALVES, 3, TOKENS, CHANNELS).numpy()
    none: KeysValues = torch.zeros(HALVES, HEADS, 0, WIDTH), torch.zeros(HALVES, HEADS, 0, WIDTH)
    alone = by_twin(attn, hidden[:, [2, 2, 2, 3]], rule, none)  # frame 2 after itself, then frame 3 after frame 2
    np.testing.assert_allclose(found[:, 1], alone[:, 1], atol=1e-12)
    np.testing.assert_allclose(found[:, 2], alone[:, 3], atol=1e-12)


def test_a_call_that_runs_again_reads_the_same(attn: Attention, hidden: Tensor) -> None:
    memory = StepMemory(HALVES, {LAYER: RULES["sparse causal"]})
    with torch.no_grad():
        attn(hidden[:, :2].flatten(0, 1), context=memory.call((0, 1)))
        context = memory.call((2, 3))
        once, again = (attn(hidden[:, 2:].flatten(0, 1), context=context) for _ in range(2))
    assert torch.equal(once, again)


def test_the_frame_before_is_a_constant_for_gradients(attn: Attention, hidden: Tensor) -> None:
    memory = StepMemory(HALVES, {LAYER: RULES["the frame before"]})
    leaf = hidden.clone().requires_grad_()
    with torch.enable_grad():
        attended = attn(leaf.flatten(0, 1), context=memory.call(tuple(range(FRAMES)))).reshape(hidden.shape)
        (gradient,) = torch.autograd.grad(attended[:, 2].sum(), leaf)
    assert gradient[:, 2].abs().max() > 0
    assert gradient[:, [0, 1, 3]].abs().max() == 0


def test_what_a_step_reads_is_known_from_its_rules() -> None:
    memory = StepMemory(HALVES, {LAYER: RULES["sparse causal"]})
    assert memory.reads_from(Source.PREVIOUS) and memory.reads_from(Source.FIRST)
    assert not memory.reads_from(Source.BANK) and not memory.reads_from(Source.OWN)
