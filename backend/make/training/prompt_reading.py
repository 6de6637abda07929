"""The text encoder's own training: to say what a prompt mentions.

Trained only through the pictures, a small text encoder on a short budget tells prompts apart last of all. CLIP comes
to Stable Diffusion already trained; so does this one, by naming character, colour, action and place from the mean
over its tokens, which is what the UNet reads of a prompt. The diffusion training then leaves it as it is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as functional
from numpy.random import Generator
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from backend.make.training.models import Sizes, build_text_encoder
from backend.make.training.prompts import SILENCE, Mention, Scene, all_words, choose_mention, phrase
from backend.make.training.renders.paint import COLOURS
from backend.make.training.training_loop import Crew
from backend.make.training.vocabulary import END, START, build_tokenizer
from backend.words.picture_grammar import ACTION_WORDS, CHARACTER_WORDS, PLACE_WORDS

QUESTIONS: dict[str, tuple[str | None, ...]] = {
    "character": (None, *CHARACTER_WORDS),
    "colour": (None, *COLOURS),
    "action": (None, *ACTION_WORDS),
    "place": (None, *PLACE_WORDS),
}
SILENT_SHARE = 0.15  # of each subject alone, so that any one of them can be left out


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """Steps and batch of the text encoder's training."""

    steps: int = 200
    batch: int = 192
    rate: float = 1e-3
    seed: int = 0
    log_every: int = 50


def train_text_encoder(crew: Crew, folder: Path, sizes: Sizes, plan: ReadingPlan) -> None:
    """Train in one process and write `folder/text_encoder`; one that is there is kept. The log holds the accuracy."""
    if crew.rank != 0 or (folder / "text_encoder").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(plan.seed)
    tokenizer = build_tokenizer(all_words())
    encoder = build_text_encoder(
        sizes, len(tokenizer), tokenizer.convert_tokens_to_ids(START), tokenizer.convert_tokens_to_ids(END)
    ).to(crew.device)
    heads = nn.ModuleDict({name: nn.Linear(sizes.text_width, len(found)) for name, found in QUESTIONS.items()})
    heads.to(crew.device)
    parameters = [*encoder.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=plan.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, total_steps=plan.steps, pct_start=0.1)
    for step in range(plan.steps):
        rng = np.random.default_rng([plan.seed, step])
        loss, right = _read(crew, encoder, heads, tokenizer, [_random_mention(rng) for _ in range(plan.batch)], rng)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
        if (step + 1) % plan.log_every == 0 or step + 1 == plan.steps:
            with (folder / "text_log.jsonl").open("a") as file:
                file.write(json.dumps({"step": step + 1, "loss": round(float(loss.detach()), 5), **right}) + "\n")
    encoder.save_pretrained(folder / "text_encoder")


def _read(
    crew: Crew,
    encoder: CLIPTextModel,
    heads: nn.ModuleDict,
    tokenizer: CLIPTokenizer,
    mentions: list[Mention],
    rng: Generator,
) -> tuple[Tensor, dict[str, float]]:
    """Cross entropy summed over the questions, and the share of right answers to each."""
    prompts = [phrase(rng, mention) for mention in mentions]
    tokens = tokenizer(prompts, padding="max_length", truncation=True, return_tensors="pt")["input_ids"]
    with crew.autocast():
        words = encoder(tokens.to(crew.device)).last_hidden_state
    summary = words.float().mean(1)
    losses, right = [], {}
    for name, answers in QUESTIONS.items():
        truth = torch.tensor([answers.index(getattr(mention, name)) for mention in mentions], device=crew.device)
        scores = heads[name](summary)
        losses.append(functional.cross_entropy(scores, truth))
        right[name] = round(float((scores.argmax(1) == truth).float().mean()), 4)
    return torch.stack(losses).sum(), right


def _random_mention(rng: Generator) -> Mention:
    """What some prompt could say: as in the pictures, or with any subject left out."""
    found = {name: str(rng.choice(answers[1:])) for name, answers in QUESTIONS.items()}  # type: ignore[arg-type]
    colour = found["colour"] if rng.random() < 0.5 else None
    mention = choose_mention(rng, Scene(found["character"], colour, found["action"], found["place"]))
    if mention == SILENCE or rng.random() >= SILENT_SHARE:
        return mention
    return Mention(
        mention.character if rng.random() < 0.5 else None,
        mention.colour if rng.random() < 0.5 else None,
        mention.action if rng.random() < 0.5 else None,
        mention.place if rng.random() < 0.5 else None,
    )
