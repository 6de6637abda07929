"""LyCORIS' forms, full differences, magnitudes and bundled embeddings, each against arithmetic by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from backend.models.sd15.components import load_components
from backend.models.sd15.lora import merge_lora
from backend.models.sd15.text import encode_prompt
from backend.models.sources import LoraSource
from shared.errors import ModelError
from shared.models.files import LoraFile, ModelFiles
from tests.helpers.tiny_models import TEXT_WIDTH, tiny_components, tiny_modules, write_tiny_model

LINEAR = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
CONV = "up_blocks.0.resnets.1.conv1"  # 3x3
NORM = "up_blocks.0.resnets.1.norm1"
RANK, ALPHA, SCALE = 2, 3.0, 0.7
FACTOR = SCALE * ALPHA / RANK

Array = NDArray[np.float64]


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def numbers(value: Tensor) -> Array:
    return value.detach().double().numpy()


def kohya(layer: str, **entries: Tensor) -> dict[str, Tensor]:
    """Entries of a layer by their endings; two underscores stand for a dot."""
    return {f"lora_unet_{layer.replace('.', '_')}.{end.replace('__', '.')}": value for end, value in entries.items()}


def before(layer: str) -> Any:
    return tiny_modules()["unet"].get_submodule(layer)


def merged(folder: Path, entries: dict[str, Tensor], scale: float = SCALE) -> Any:
    """The UNet with these entries merged."""
    save_file(entries, folder / "file.safetensors")
    modules = tiny_modules()
    assert merge_lora(LoraSource(folder / "file.safetensors", scale), modules["unet"], modules["text_encoder"]) == ()
    return modules["unet"]


def assert_weight(unet: Any, layer: str, expected: Array) -> None:
    found = numbers(unet.get_submodule(layer).weight)
    assert not np.allclose(found, numbers(before(layer).weight))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_convolution_with_a_core_is_three_convolutions_in_a_row(tmp_path: Path) -> None:
    layer = before(CONV)
    outputs, inputs = layer.weight.shape[:2]
    down, core, up = random(1, RANK, inputs, 1, 1), random(2, RANK, RANK, 3, 3), random(3, outputs, RANK, 1, 1)
    entries = kohya(CONV, lora_down__weight=down, lora_mid__weight=core, lora_up__weight=up, alpha=torch.tensor(ALPHA))
    unet = merged(tmp_path, entries)
    picture = random(4, 1, inputs, 6, 5)
    branch = functional.conv2d(functional.conv2d(functional.conv2d(picture, down), core, padding=1), up)
    expected = layer(picture) + FACTOR * branch
    torch.testing.assert_close(unet.get_submodule(CONV)(picture), expected, rtol=1e-4, atol=1e-4)


def loha_entries(layer: str, columns: int) -> tuple[dict[str, Tensor], Array]:
    """The matrices of a LoHa, and their product by hand (outputs, columns)."""
    outputs = before(layer).weight.shape[0]
    w1_a, w1_b = random(1, outputs, RANK), random(2, RANK, columns)
    w2_a, w2_b = random(3, outputs, RANK), random(4, RANK, columns)
    entries = kohya(layer, hada_w1_a=w1_a, hada_w1_b=w1_b, hada_w2_a=w2_a, hada_w2_b=w2_b, alpha=torch.tensor(ALPHA))
    product = np.empty((outputs, columns))
    for row in range(outputs):
        for column in range(columns):
            left = sum(float(w1_a[row, k]) * float(w1_b[k, column]) for k in range(RANK))
            product[row, column] = left * sum(float(w2_a[row, k]) * float(w2_b[k, column]) for k in range(RANK))
    return entries, product


@pytest.mark.parametrize("layer", [LINEAR, CONV])
def test_loha_multiplies_two_products_number_by_number(tmp_path: Path, layer: str) -> None:
    weight = numbers(before(layer).weight)
    entries, product = loha_entries(layer, weight[0].size)
    assert_weight(merged(tmp_path, entries), layer, weight + FACTOR * product.reshape(weight.shape))


def test_loha_with_cores(tmp_path: Path) -> None:
    weight = numbers(before(CONV).weight)
    outputs, inputs = weight.shape[:2]
    sides = [(random(seed, RANK, outputs), random(seed + 1, RANK, inputs)) for seed in (1, 3)]
    cores = [random(5, RANK, RANK, 3, 3), random(6, RANK, RANK, 3, 3)]
    (w1_a, w1_b), (w2_a, w2_b) = sides
    entries = kohya(CONV, hada_w1_a=w1_a, hada_w1_b=w1_b, hada_w2_a=w2_a, hada_w2_b=w2_b)
    entries |= kohya(CONV, hada_t1=cores[0], hada_t2=cores[1], alpha=torch.tensor(ALPHA))
    expected = weight.copy()
    for y in range(3):
        for x in range(3):
            halves = [
                numbers(a).T @ numbers(core)[:, :, y, x] @ numbers(b) for (a, b), core in zip(sides, cores, strict=True)
            ]
            expected[:, :, y, x] += FACTOR * halves[0] * halves[1]
    assert_weight(merged(tmp_path, entries), CONV, expected)


def test_lokr_of_whole_factors_takes_no_alpha(tmp_path: Path) -> None:
    weight = numbers(before(LINEAR).weight)
    outer, inner = random(1, 2, 4), random(2, weight.shape[0] // 2, weight.shape[1] // 4)
    entries = kohya(LINEAR, lokr_w1=outer, lokr_w2=inner, alpha=torch.tensor(99.0))
    expected = weight.copy()
    rows, columns = inner.shape
    for row in range(weight.shape[0]):
        for column in range(weight.shape[1]):
            factor = float(outer[row // rows, column // columns])
            expected[row, column] += SCALE * factor * float(inner[row % rows, column % columns])
    assert_weight(merged(tmp_path, entries), LINEAR, expected)


@pytest.mark.parametrize("form", ["whole", "two matrices", "core"])
def test_lokr_of_a_convolution(tmp_path: Path, form: str) -> None:
    weight = numbers(before(CONV).weight)
    rows, columns = weight.shape[0] // 2, weight.shape[1] // 2
    outer_a, outer_b = random(1, 2, RANK), random(2, RANK, 2)
    entries = kohya(CONV, lokr_w1_a=outer_a, lokr_w1_b=outer_b, alpha=torch.tensor(ALPHA))
    if form == "whole":
        inner = random(3, rows, columns, 3, 3)
        entries |= kohya(CONV, lokr_w2=inner)
        kernel = numbers(inner)
    elif form == "two matrices":
        a, b = random(3, rows, RANK), random(4, RANK, columns * 9)
        entries |= kohya(CONV, lokr_w2_a=a, lokr_w2_b=b)
        kernel = (numbers(a) @ numbers(b)).reshape(rows, columns, 3, 3)
    else:
        core, a, b = random(3, RANK, RANK, 3, 3), random(4, RANK, rows), random(5, RANK, columns)
        entries |= kohya(CONV, lokr_w2_a=a, lokr_w2_b=b, lokr_t2=core)
        kernel = np.stack(
            [[numbers(a).T @ numbers(core)[:, :, y, x] @ numbers(b) for x in range(3)] for y in range(3)]
        ).transpose(2, 3, 0, 1)
    expected = weight.copy()
    for y in range(3):
        for x in range(3):
            expected[:, :, y, x] += FACTOR * np.kron(numbers(outer_a) @ numbers(outer_b), kernel[:, :, y, x])
    assert_weight(merged(tmp_path, entries), CONV, expected)


def test_full_differences_and_trained_norms_are_added_as_they_are(tmp_path: Path) -> None:
    conv, norm = before(CONV), before(NORM)
    changes = [
        random(seed, *value.shape) for seed, value in enumerate((conv.weight, conv.bias, norm.weight, norm.bias))
    ]
    entries = kohya(CONV, diff=changes[0], diff_b=changes[1]) | kohya(NORM, w_norm=changes[2], b_norm=changes[3])
    unet = merged(tmp_path, entries)
    found = [unet.get_submodule(name) for name in (CONV, NORM)]
    values = [found[0].weight, found[0].bias, found[1].weight, found[1].bias]
    olds = [conv.weight, conv.bias, norm.weight, norm.bias]
    for value, old, change in zip(values, olds, changes, strict=True):
        np.testing.assert_allclose(numbers(value), numbers(old) + SCALE * numbers(change), rtol=1e-5, atol=1e-6)


def dora(weight: Array, change: Array, lengths: Array, axis: int) -> Array:
    """The weight with the change, each row (axis 0) or column (axis 1) given its length, a number at a time."""
    changed = np.moveaxis(weight + change, axis, 0).copy()
    for index in range(len(changed)):
        changed[index] *= lengths[index] / np.sqrt((changed[index] ** 2).sum())
    return np.moveaxis(changed, 0, axis)


@pytest.mark.parametrize("scale", [1.0, 0.4])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("layer", [LINEAR, CONV])
def test_magnitudes_give_rows_or_columns_their_length(tmp_path: Path, layer: str, axis: int, scale: float) -> None:
    weight = numbers(before(layer).weight)
    down = random(1, RANK, *weight.shape[1:])
    up = random(2, weight.shape[0], RANK, *(1,) * (weight.ndim - 2))
    lengths = random(3, weight.shape[axis]).abs() + 0.5
    shape = tuple(weight.shape[axis] if place == axis else 1 for place in range(weight.ndim))
    entries = kohya(layer, lora_down__weight=down, lora_up__weight=up, alpha=torch.tensor(ALPHA))
    entries |= kohya(layer, dora_scale=lengths.reshape(shape))
    change = ALPHA / RANK * (numbers(up).reshape(len(weight), RANK) @ numbers(down).reshape(RANK, -1))
    whole = dora(weight, change.reshape(weight.shape), numbers(lengths), axis)
    assert_weight(merged(tmp_path, entries, scale), layer, weight + scale * (whole - weight))


def test_pefts_magnitudes_are_the_rows(tmp_path: Path) -> None:
    weight = numbers(before(LINEAR).weight)
    down, up = random(1, RANK, weight.shape[1]), random(2, weight.shape[0], RANK)
    lengths = random(3, weight.shape[0]).abs() + 0.5
    ends = {"lora_A.weight": down, "lora_B.weight": up, "lora_magnitude_vector": lengths}
    unet = merged(tmp_path, {f"unet.{LINEAR}.{end}": value for end, value in ends.items()}, 1.0)
    assert_weight(unet, LINEAR, dora(weight, numbers(up) @ numbers(down), numbers(lengths), 0))


def test_an_alpha_without_matrices_changes_nothing(tmp_path: Path) -> None:
    outputs, inputs = before(LINEAR).weight.shape
    down, up = random(1, RANK, inputs), random(2, outputs, RANK)
    file = kohya(LINEAR, lora_down__weight=down, lora_up__weight=up) | kohya(CONV, alpha=torch.tensor(4.0))
    unet = merged(tmp_path, file, 1.0)
    assert_weight(unet, LINEAR, numbers(before(LINEAR).weight) + numbers(up) @ numbers(down))
    assert torch.equal(unet.get_submodule(CONV).weight, before(CONV).weight)


INCOMPLETE: list[tuple[dict[str, Tensor], str]] = [
    (kohya(LINEAR, hada_w1_a=torch.zeros(4, 2)), "the other half of"),
    (kohya(LINEAR, lokr_w1=torch.zeros(2, 2)), "the other half of"),
    (kohya(LINEAR, diff_b=torch.zeros(4)), "of the wrong shape"),  # a layer without a bias
    (kohya(NORM, w_norm=torch.zeros(3)), "of the wrong shape"),
    (kohya(CONV, lora_mid__weight=torch.zeros(2, 2, 3, 3)), "unknown kind"),
]


@pytest.mark.parametrize(("entries", "said"), INCOMPLETE)
def test_what_does_not_go_together_is_named(tmp_path: Path, entries: dict[str, Tensor], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        merged(tmp_path, entries)


def test_a_lora_for_prompts_of_another_width_says_whose(tmp_path: Path) -> None:
    layer = LINEAR.replace("attn1.to_q", "attn2.to_k")
    entries = kohya(layer, lora_down__weight=random(1, RANK, 1024), lora_up__weight=random(2, 8, RANK))
    with pytest.raises(ModelError, match=r"made for Stable Diffusion 2, whose prompts are 1024 wide; this model's are"):
        merged(tmp_path, entries)


@pytest.mark.parametrize("entry", ["string_to_param.*", "emb_params"])
def test_a_bundled_embedding_stands_where_its_word_stands(tmp_path: Path, entry: str) -> None:
    write_tiny_model(tmp_path / "model")
    outputs, inputs = before(LINEAR).weight.shape
    vectors = random(5, 2, TEXT_WIDTH)
    file = kohya(LINEAR, lora_down__weight=random(1, RANK, inputs), lora_up__weight=random(2, outputs, RANK))
    save_file({**file, f"bundle_emb.sks-style.{entry}": vectors}, tmp_path / "lora.safetensors")
    alone = tmp_path / "alone.safetensors"
    save_file({"sks-style": vectors}, alone)
    loras = (LoraFile(str(tmp_path / "lora.safetensors")),)
    components = load_components(str(tmp_path / "model"), "cpu", "float32", files=ModelFiles(loras=loras))
    ((first, second),) = components.embedding_rows.values()
    table = components.text_encoder.get_input_embeddings().weight
    assert torch.equal(table[[first, second]], vectors)
    plain = tiny_components()
    assert not torch.equal(
        encode_prompt(components, "a sks-style robot").positive, encode_prompt(plain, "a sks-style robot").positive
    )
    assert torch.equal(encode_prompt(components, "a robot").positive, encode_prompt(plain, "a robot").positive)


def test_a_bundled_embedding_of_another_family_is_named(tmp_path: Path) -> None:
    outputs, inputs = before(LINEAR).weight.shape
    file = kohya(LINEAR, lora_down__weight=random(1, RANK, inputs), lora_up__weight=random(2, outputs, RANK))
    with pytest.raises(
        ModelError, match='The embedding "sks" in .* is not for Stable Diffusion 1.5: it contains clip_g'
    ):
        merged(tmp_path, {**file, "bundle_emb.sks.clip_g": torch.zeros(1, 1280)})
