"""`latentman eval motion`: what the embedded motion model makes of held-out texts."""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
from functools import lru_cache
from pathlib import Path

import torch
from rich.console import Console

from backend.make.motion.training.clips import ClipSet, ClipStore, write_clips
from backend.make.motion.training.judge import load_judge, save_judge, share_right, train_judge
from backend.measure.motion.measure import TextResult, held_out_texts, physics_of_store, result_of
from backend.measure.motion.summary import summary_of, table_of
from backend.motion.embedded.model import EMBEDDED_FOLDER, EmbeddedMotionModel, open_embedded
from shared.errors import EXIT_DONE
from shared.files.frame_files import write_atomic

# Two sets of clips of which the model saw none: the judge learns from one and is tested on the other.
JUDGING = ClipSet(1300, 900_002, only_held_out=None)
JUDGE_TEST = ClipSet(260, 900_003, only_held_out=None)
JUDGE_FILE = "judge.pt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--model", type=Path, default=EMBEDDED_FOLDER, help="folder of the model")
    parser.add_argument(
        "--folder", type=Path, default=Path(".cache/motion-training"), help="clips for the judge, and the judge"
    )
    parser.add_argument("--output", type=Path, default=Path("out/motion"), help="folder for results.json and table.md")
    parser.add_argument("--guidance", type=float, help="guidance scale (default: the model's)")
    parser.add_argument("--texts", type=int, help="only so many texts, evenly chosen")
    parser.add_argument("--processes", type=int, default=1, help="processes that make clips and motions")


def run(arguments: argparse.Namespace) -> int:
    """Measure, write the results, and print the table."""
    model = open_embedded(arguments.model)
    right = _judge(arguments.folder, tuple(model.config.by_name), arguments.processes)
    results = _results(model, arguments)
    library = physics_of_store(ClipStore(arguments.folder / "judge_test"))
    summary = summary_of(results, right, library)
    table = table_of(summary)
    arguments.output.mkdir(parents=True, exist_ok=True)
    content = {"summary": dataclasses.asdict(summary), "texts": [dataclasses.asdict(one) for one in results]}
    write_atomic(arguments.output / "results.json", json.dumps(content, indent=1, ensure_ascii=False).encode())
    write_atomic(arguments.output / "table.md", (table + "\n").encode())
    print(table)
    return EXIT_DONE


def _judge(folder: Path, actions: tuple[str, ...], processes: int) -> float:
    console = Console(stderr=True)
    for name, content in (("judging", JUDGING), ("judge_test", JUDGE_TEST)):
        for done in write_clips(folder / name, content, processes):
            console.print(f"{name}: {done} of {content.clips} clips")
    file = folder / JUDGE_FILE
    if not file.exists() or load_judge(file).actions != actions:  # of a model that knew other actions
        save_judge(train_judge(ClipStore(folder / "judging"), actions), file)
    return share_right(load_judge(file), ClipStore(folder / "judge_test"))


def _results(model: EmbeddedMotionModel, arguments: argparse.Namespace) -> list[TextResult]:
    """A result a text, in the texts' order; text n has the seed n."""
    console = Console(stderr=True)
    texts = held_out_texts(model)
    if arguments.texts is not None and arguments.texts < len(texts):
        texts = [texts[index * len(texts) // arguments.texts] for index in range(arguments.texts)]
    tasks = [
        (arguments.model, arguments.folder / JUDGE_FILE, text, wanted, seed, arguments.guidance)
        for seed, (text, wanted) in enumerate(texts)
    ]
    found = []
    with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
        for result in pool.imap(_one, tasks):
            found.append(result)
            console.print(f"{len(found)} of {len(texts)}: {result.text}: {result.read or 'refused'}, {result.seen}")
    return found


def _one(task: tuple[Path, Path, str, str, int, float | None]) -> TextResult:
    model, judge, text, wanted, seed, guidance_scale = task
    torch.set_num_threads(1)
    return result_of(_opened(model), _read_judge(judge), text, wanted, seed, guidance_scale)


_opened = lru_cache(maxsize=1)(open_embedded)
_read_judge = lru_cache(maxsize=1)(load_judge)
