"""Parts of the embedded model's training: grammar, tokenizer, rasteriser, depth picture, the head start."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import Attention, AttnProcessor2_0

from backend.make.training.block_means import start_as_block_means
from backend.make.training.dataset import widened
from backend.make.training.judging.first_frame import FirstFrameSwitch, PairedAttention
from backend.make.training.models import MAX_TOKENS, Sizes, build_autoencoder
from backend.make.training.prompts import COLOUR_WORDS, Scene, all_words, describe, random_scene, rng_for
from backend.make.training.renders.raster import empty_fragments, look_from, project, rasterise
from backend.make.training.training_loop import Rate
from backend.make.training.vocabulary import build_tokenizer
from backend.make.training.whitening import whiten_latents
from backend.words.picture_grammar import CHARACTER_WORDS, PLACE_WORDS


def test_every_word_of_the_grammar_is_one_token() -> None:
    tokenizer = build_tokenizer(all_words())
    for word in all_words():
        assert len(tokenizer(word)["input_ids"]) == 3, word  # start, the word, end


def test_unknown_words_fall_into_pieces_and_long_prompts_are_cut() -> None:
    tokenizer = build_tokenizer(all_words())
    pieces = tokenizer.tokenize("zebra")
    assert len(pieces) > 1 and "".join(pieces).replace("</w>", "") == "zebra"
    row = tokenizer("robot " * 300, padding="max_length", truncation=True)["input_ids"]
    assert len(row) == MAX_TOKENS and row[-1] == tokenizer.eos_token_id


def test_prompts_say_what_the_scene_shows() -> None:
    empty = 0
    for index in range(400):
        rng = rng_for(3, index)
        scene = random_scene(rng, "dancing")
        prompt = describe(rng, scene)
        if not prompt:
            empty += 1
            continue
        assert any(word in prompt for word in CHARACTER_WORDS[scene.character])
        if scene.colour is not None:
            assert any(word in prompt.split() for word in COLOUR_WORDS[scene.colour])
    assert 15 <= empty <= 75  # a tenth, and five standard deviations


def test_prompts_of_one_scene_vary_but_keep_its_place() -> None:
    scene = Scene("robot", None, "dancing", "moon")
    prompts = {describe(rng_for(5, index), scene) for index in range(100)}
    others = {words for place, entries in PLACE_WORDS.items() if place != "moon" for words in entries}
    assert len(prompts) > 10
    assert not any(words in prompt for prompt in prompts for words in others)


def test_rasterised_plane_has_planar_depth() -> None:
    camera = look_from(0.0, 0.0, 2.0, np.zeros(3, np.float32), 64.0, 64)
    points = np.array([[-9, -9, 0], [9, -9, 0], [0, 9, 0]], np.float32)
    fragments = empty_fragments(64)
    rasterise(fragments, *project(camera, points), np.array([[0, 1, 2]], np.int32), 7)
    assert np.allclose(fragments.depth_m[40], 2.0, atol=1e-4)
    assert (fragments.face[40] == 7).all()


def test_nearer_triangle_wins_and_the_one_at_the_camera_is_skipped() -> None:
    camera = look_from(0.0, 0.0, 2.0, np.zeros(3, np.float32), 64.0, 64)
    shape = np.array([[-9, -9, 0], [9, -9, 0], [0, 9, 0]], np.float32)
    fragments = empty_fragments(64)
    for number, z in enumerate((0.0, 0.5, -1.0, 1.99)):
        rasterise(
            fragments,
            *project(camera, shape + np.array([0, 0, z], np.float32)),
            np.array([[0, 1, 2]], np.int32),
            number,
        )
    assert fragments.face[32, 32] == 1
    assert fragments.depth_m[32, 32] == pytest.approx(1.5, abs=1e-4)


def test_widened_range_equals_the_range_computed_afresh() -> None:
    depth = np.array([[2.0, 2.5, 3.0, np.inf]], np.float32)
    narrow = np.where(np.isfinite(depth), 1 - 0.8 * (depth - 2.0) / 1.0, 0).astype(np.float32)
    wide = np.where(np.isfinite(depth), 1 - 0.8 * (depth - 1.7) / (3.4 - 1.7), 0)
    assert np.allclose(widened(narrow, 1.0, 0.3, 0.4), wide, atol=1e-6)


def _smooth_pictures() -> torch.Tensor:
    coarse = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=(64, 64), mode="bilinear")


@torch.no_grad()
def test_head_start_carries_colours_through_the_bottleneck() -> None:
    torch.manual_seed(0)
    vae, pictures = build_autoencoder(Sizes()), _smooth_pictures()
    start_as_block_means(vae, pictures)
    error = (vae.decode(vae.encode(pictures).latent_dist.mode()).sample - pictures).square().mean()
    assert error < 0.1 * pictures.var()


@torch.no_grad()
def test_whitening_changes_the_latents_but_no_reconstruction() -> None:
    torch.manual_seed(0)
    vae, pictures = build_autoencoder(Sizes()), torch.rand(3, 3, 64, 64) * 2 - 1
    before = vae.encode(pictures).latent_dist.mode()
    expected = vae.decode(before).sample
    whiten_latents(vae, before)
    after = vae.encode(pictures).latent_dist.mode()
    assert torch.allclose(torch.cov(after.permute(1, 0, 2, 3).reshape(8, -1)), torch.eye(8), atol=1e-4)
    assert torch.allclose(vae.decode(after).sample, expected, atol=1e-4)


@torch.no_grad()
def test_paired_attention_off_is_diffusers_own_and_on_reads_the_first_half() -> None:
    torch.manual_seed(0)
    layer, tokens = Attention(query_dim=16, heads=2, dim_head=8), torch.randn(4, 6, 16)
    own = AttnProcessor2_0()(layer, tokens)
    switch = FirstFrameSwitch()
    processor = PairedAttention(switch)
    assert torch.allclose(processor(layer, tokens), own, atol=1e-6)
    switch.on = True
    mixed = processor(layer, tokens)
    assert torch.allclose(mixed[:2], own[:2], atol=1e-6)
    crossed = AttnProcessor2_0()(layer, tokens[2:], encoder_hidden_states=tokens[:2])
    assert torch.allclose(mixed[2:], crossed, atol=1e-6)


def test_rate_warms_up_stays_flat_and_falls() -> None:
    rate = Rate(1.0, warmup_steps=10, flat=0.5)
    assert rate.at(0, 0.0) == pytest.approx(0.1)
    assert rate.at(100, 0.4) == pytest.approx(1.0)
    assert rate.at(100, 1.0) == pytest.approx(0.01)
