"""MDM's network: the published names and sizes key by key, and its values against a twin in NumPy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from backend.models.mdm.network import MDM, NetworkShape, TextTokens
from tests.helpers.tiny_mdm import DIP_ARGUMENTS, ENCODER_ARGUMENTS, random_network
from tests.reference import mdm as twin

Array = NDArray[Any]
ATTENTION = {
    "in_proj_weight": (1536, 512),
    "in_proj_bias": (1536,),
    "out_proj.weight": (512, 512),
    "out_proj.bias": (512,),
}
ENDS = {
    "input_process.poseEmbedding.weight": (512, 263),
    "input_process.poseEmbedding.bias": (512,),
    "embed_timestep.time_embed.0.weight": (512, 512),
    "embed_timestep.time_embed.0.bias": (512,),
    "embed_timestep.time_embed.2.weight": (512, 512),
    "embed_timestep.time_embed.2.bias": (512,),
    "embed_text.bias": (512,),
    "output_process.poseFinal.weight": (263, 512),
    "output_process.poseFinal.bias": (263,),
}


def published(stack: str, attentions: tuple[str, ...], norms: int, text_width: int) -> dict[str, tuple[int, ...]]:
    """The published layout of 8 layers, written out from the format's description."""
    keys = {**ENDS, "embed_text.weight": (512, text_width)}
    for number in range(8):
        layer = f"{stack}.layers.{number}"
        for name in attentions:
            keys |= {f"{layer}.{name}.{part}": size for part, size in ATTENTION.items()}
        keys |= {f"{layer}.linear1.weight": (1024, 512), f"{layer}.linear1.bias": (1024,)}
        keys |= {f"{layer}.linear2.weight": (512, 1024), f"{layer}.linear2.bias": (512,)}
        for norm in range(1, norms + 1):
            keys |= {f"{layer}.norm{norm}.weight": (512,), f"{layer}.norm{norm}.bias": (512,)}
    return keys


@pytest.mark.parametrize(
    ("shape", "keys"),
    [
        (NetworkShape(), published("seqTransEncoder", ("self_attn",), 2, 512)),
        (NetworkShape(form="trans_dec"), published("seqTransDecoder", ("self_attn", "multihead_attn"), 3, 512)),
        (
            NetworkShape(form="trans_dec", text_width=768, context_frames=20, mask_frames=True),
            published("seqTransDecoder", ("self_attn", "multihead_attn"), 3, 768),
        ),
    ],
    ids=["trans_enc", "trans_dec", "DiP"],
)
def test_the_weights_have_the_published_names_and_sizes(shape: NetworkShape, keys: dict[str, tuple[int, ...]]) -> None:
    with torch.device("meta"):
        network = MDM(shape)
    assert {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()} == keys


def doubled(network: MDM) -> tuple[MDM, dict[str, Array]]:
    """The network in float64, and its weights for the twin."""
    network = network.double()
    return network, {name: tensor.numpy() for name, tensor in network.state_dict().items()}


def normal(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def test_a_step_of_the_encoder_form_is_the_twins() -> None:
    network, weights = doubled(random_network(ENCODER_ARGUMENTS))
    x, text = normal(9, 263), normal(1, 512, seed=1)
    with torch.no_grad():
        got = network(torch.from_numpy(x)[None], torch.tensor([3]), TextTokens(torch.from_numpy(text)[:, None]))
    # The positions are float32 in the network, as in the published program.
    np.testing.assert_allclose(got[0].numpy(), twin.encoder_form(weights, x, 3, text), atol=2e-6)


def test_a_step_of_the_decoder_form_is_the_twins() -> None:
    network, weights = doubled(random_network(DIP_ARGUMENTS))
    x, prefix, text = normal(7, 263), normal(20, 263, seed=1), normal(5, 768, seed=2)
    hidden = np.array([False, False, False, False, True])
    beyond = np.array([False] * 5 + [True] * 2)
    with torch.no_grad():
        got = network(
            torch.from_numpy(x)[None],
            torch.tensor([2]),
            TextTokens(torch.from_numpy(text)[:, None], torch.from_numpy(hidden)[None]),
            prefix=torch.from_numpy(prefix)[None],
            padding=torch.from_numpy(beyond)[None],
        )
    np.testing.assert_allclose(
        got[0].numpy(), twin.decoder_form(weights, x, 2, text, hidden, prefix, beyond), atol=2e-6
    )


def test_without_its_text_the_network_sees_a_text_of_zeros() -> None:
    network, weights = doubled(random_network(ENCODER_ARGUMENTS))
    x, text = normal(4, 263), torch.from_numpy(normal(1, 2, 512))
    with torch.no_grad():
        both = network(
            torch.from_numpy(np.stack([x, x])),
            torch.tensor([1, 1]),
            TextTokens(text),
            without_text=torch.tensor([False, True]),
        )
    np.testing.assert_allclose(both[1].numpy(), twin.encoder_form(weights, x, 1, np.zeros((1, 512))), atol=2e-6)
    assert (both[0] - both[1]).abs().max() > 1e-3


def test_frames_beyond_the_length_change_nothing_where_they_are_masked() -> None:
    arguments = {**ENCODER_ARGUMENTS, "mask_frames": True}
    network = random_network(arguments)
    x = torch.from_numpy(normal(1, 8, 263)).float()
    padding = torch.tensor([[False] * 6 + [True] * 2])
    text = TextTokens(torch.zeros(1, 1, 512))
    other = x.clone()
    other[:, 6:] += 5.0
    with torch.no_grad():
        got, again = (network(one, torch.tensor([0]), text, padding=padding) for one in (x, other))
        alone = network(x[:, :6], torch.tensor([0]), text)
    torch.testing.assert_close(got[:, :6], again[:, :6])
    torch.testing.assert_close(got[:, :6], alone)


@pytest.mark.parametrize("token", [False, True])
def test_a_step_before_the_words_counts_like_a_word(token: bool) -> None:
    shape = NetworkShape(
        form="trans_dec", width=16, layers=1, feedforward=8, text_width=768, text_policy="concat", step_token=token
    )
    torch.manual_seed(0)
    network = MDM(shape).eval()
    words = TextTokens(torch.randn(3, 1, 768), torch.tensor([[False, False, True]]))
    other = TextTokens(torch.cat([words.tokens[:2], torch.randn(1, 1, 768)]), words.padding)
    x = torch.randn(1, 5, 263)
    with torch.no_grad():
        got = network(x, torch.tensor([1]), words)
        torch.testing.assert_close(got, network(x, torch.tensor([1]), other))  # a hidden word is not read
        assert (got - network(x, torch.tensor([2]), words)).abs().max() > 1e-4
    assert got.shape == (1, 5, 263)
    assert replace(shape, step_token=not token) != shape
