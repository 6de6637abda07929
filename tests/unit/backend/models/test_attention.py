"""Cross-frame attention against its written-out twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import Attention
from numpy.typing import NDArray

from backend.loop.attending import FRAME_ZERO, Layer, StepMemory
from backend.models.sd15.attention import (
    SelfAttention,
    TextAttention,
    attend_to_frame_zero,
    install_attention,
    self_attention_layers,
)
from backend.models.sd15.components import Components
from shared.errors import ModelError
from tests.helpers.tiny_models import tiny_components, tiny_modules
from tests.reference.attention import cross_frame_attention

HALVES, FRAMES, TOKENS, CHANNELS, HEADS = 2, 4, 6, 8, 2
LAYER = Layer("unet", "layer", 0)
ALL = tuple(range(FRAMES))
PLAIN = StepMemory(HALVES, {}).call(ALL)


@pytest.fixture
def attn() -> Attention:
    torch.manual_seed(0)
    attention = Attention(CHANNELS, heads=HEADS, dim_head=CHANNELS // HEADS).double().requires_grad_(False)
    attention.set_processor(SelfAttention(LAYER))
    return attention


@pytest.fixture
def hidden() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal((HALVES, FRAMES, TOKENS, CHANNELS)))


def twin(attn: Attention, hidden: torch.Tensor) -> NDArray[Any]:
    out = attn.to_out[0]
    wq, wk, wv, wo = (layer.weight.numpy() for layer in (attn.to_q, attn.to_k, attn.to_v, out))
    return cross_frame_attention(hidden.numpy(), wq, wk, wv, wo, out.bias.numpy(), HEADS)


@pytest.mark.parametrize("cut", [1, 2, FRAMES])
def test_every_frame_attends_to_frame_0_of_its_half(attn: Attention, hidden: torch.Tensor, cut: int) -> None:
    memory = StepMemory(HALVES, {LAYER: FRAME_ZERO})
    with torch.no_grad():
        parts = [attn(hidden[:, :cut].flatten(0, 1), context=memory.call(tuple(range(cut))))]
        if cut < FRAMES:
            parts.append(attn(hidden[:, cut:].flatten(0, 1), context=memory.call(tuple(range(cut, FRAMES)))))
    ours = torch.cat([part.unflatten(0, (HALVES, -1)) for part in parts], dim=1)
    np.testing.assert_allclose(ours.numpy(), twin(attn, hidden), atol=1e-12)


def test_frames_of_a_half_share_the_prompts_keys_and_values(hidden: torch.Tensor) -> None:
    torch.manual_seed(0)
    attn = Attention(CHANNELS, cross_attention_dim=5, heads=HEADS, dim_head=4).double().requires_grad_(False)
    attn.set_processor(TextAttention())
    text = torch.randn(HALVES, 7, 5, dtype=torch.float64).repeat_interleave(FRAMES, dim=0)
    rows = hidden.flatten(0, 1)
    seen: list[int] = []
    attn.to_k.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[0]))
    shared = attn(rows, encoder_hidden_states=text, context=PLAIN)
    torch.testing.assert_close(shared, attn(rows, encoder_hidden_states=text), rtol=0, atol=1e-12)
    assert seen == [HALVES, HALVES * FRAMES]


def test_frames_may_have_prompts_of_their_own(hidden: torch.Tensor) -> None:
    torch.manual_seed(0)
    attn = Attention(CHANNELS, cross_attention_dim=5, heads=HEADS, dim_head=4).double().requires_grad_(False)
    attn.set_processor(TextAttention())
    text = torch.randn(HALVES * FRAMES, 7, 5, dtype=torch.float64)
    rows = hidden.flatten(0, 1)
    own = attn(rows, encoder_hidden_states=text, context=PLAIN.with_own_text())
    torch.testing.assert_close(own, attn(rows, encoder_hidden_states=text), rtol=0, atol=1e-12)


def test_layers_that_do_not_read_attend_to_themselves(attn: Attention, hidden: torch.Tensor) -> None:
    own = attn(hidden.flatten(0, 1), context=PLAIN).unflatten(0, (HALVES, FRAMES))
    for frame in range(FRAMES):
        expected = twin(attn, hidden[:, frame : frame + 1])
        np.testing.assert_allclose(own[:, frame : frame + 1].numpy(), expected, atol=1e-12)
    assert torch.equal(attn(hidden.flatten(0, 1)), own.flatten(0, 1))


def test_recording_with_gradients_is_refused(attn: Attention, hidden: torch.Tensor) -> None:
    with torch.enable_grad(), pytest.raises(RuntimeError, match="without gradients"):
        attn(hidden.flatten(0, 1), context=StepMemory(HALVES, {LAYER: FRAME_ZERO}).call(ALL))


def test_equal_queries_give_equal_frames_and_no_mixing_of_halves() -> None:
    generator = torch.Generator().manual_seed(0)
    keys, values = torch.randn(2, HALVES, HEADS, 5, 3, generator=generator)
    query = torch.randn(1, HEADS, 4, 3, generator=generator)
    attended = attend_to_frame_zero(query.repeat(HALVES * FRAMES, 1, 1, 1), keys, values)
    attended = attended.reshape(HALVES, FRAMES, *attended.shape[1:])
    alone = torch.nn.functional.scaled_dot_product_attention(query.repeat(HALVES, 1, 1, 1), keys, values)
    for frame in range(FRAMES):
        torch.testing.assert_close(attended[:, frame], alone)


def test_layers_are_named_in_running_order() -> None:
    components: Components = tiny_components()
    layers = self_attention_layers(components.unet)
    stages = [layer.name.split("_")[0] for layer in layers]
    assert stages == ["down", "down", "mid", "up", "up", "up", "up"]
    assert [layer.block for layer in layers] == list(range(7))
    assert all(layer.name.endswith("attn1") and layer.model == "unet" for layer in layers)
    assert {layer.model for layer in components.layers} == {"unet", "controlnet"}


def test_a_controlnet_without_attention_is_left_alone() -> None:
    controlnet = tiny_modules(controlnet_attention=False)["controlnet"]
    install_attention(controlnet, "controlnet")
    assert self_attention_layers(controlnet) == ()


def test_attention_of_another_kind_is_refused() -> None:
    unet = tiny_modules()["unet"]
    unet.down_blocks[0].attentions[0].transformer_blocks[0].attn1.group_norm = torch.nn.GroupNorm(1, 8)
    with pytest.raises(ModelError, match=r"unet\.down_blocks\.0.*group_norm"):
        install_attention(unet, "unet")
