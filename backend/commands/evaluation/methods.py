"""`latentman eval methods`: the project's methods beside each other on many shots, resumable, with intervals."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backend.measure.eval.document_block import filled_document
from backend.measure.eval.progress import DIGESTS_FILE, clip_progress, require_numba
from backend.server.model_digest import ModelDigests
from shared.errors import EXIT_DONE
from shared.files.frame_files import prepare_output_folder, write_atomic
from shared.models.files import EMBEDDED

if TYPE_CHECKING:
    from backend.measure.eval.cell_store import CellKey, CellStore
    from backend.measure.eval.methods_plan import MethodsPlan
    from backend.measure.eval.methods_run import MethodCell

JSON_FILE = "methods.json"
MARKDOWN_FILE = "methods.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--output", type=Path, default=Path("out/methods"), help="folder for the clips and the table")
    parser.add_argument("--prompts", type=int, default=10, help="number of prompts, at most ten")
    parser.add_argument(
        "--motions", type=int, default=5, help="number of motions, at most five, each with every prompt"
    )
    parser.add_argument("--seeds", type=int, default=2, help="seeds per shot")
    parser.add_argument("--frames", type=int, default=16, help="frames per clip")
    parser.add_argument("--steps", type=int, default=20, help="steps of every clip")
    parser.add_argument("--guidance", type=float, default=2.0, help="guidance scale")
    parser.add_argument("--model", default=EMBEDDED, help='"embedded", or a local model')
    parser.add_argument("--into", type=Path, help="Markdown file to write the table into, such as docs/benchmarks.md")


def run(arguments: argparse.Namespace) -> int:
    """Compute the missing clips, then write the table from all of them. Running the same command again continues."""
    require_numba()
    from backend.measure.eval.cell_store import CellStore
    from backend.measure.eval.methods_plan import MethodsPlan
    from backend.measure.eval.methods_run import MethodCell

    plan = MethodsPlan(
        prompts=arguments.prompts,
        motions=arguments.motions,
        seeds=arguments.seeds,
        frames=arguments.frames,
        steps=arguments.steps,
        guidance_scale=arguments.guidance,
        model=arguments.model,
    )
    if arguments.into is not None:
        filled_document(arguments.into, "")  # before hours of work
    folder = prepare_output_folder(arguments.output)
    digest = ModelDigests(folder / DIGESTS_FILE).compute(plan.model)
    store = CellStore(folder, plan.identity(digest), MethodCell)
    try:
        _complete(plan, store)
    finally:
        if store.cells:
            _write(plan, store, arguments.into)
    return EXIT_DONE


def _complete(plan: MethodsPlan, store: CellStore[MethodCell]) -> None:
    """Compute what is missing, with progress on stderr."""
    from backend.measure.eval.methods_run import missing_keys, missing_steps, run_cells

    if not missing_keys(plan, store):
        return
    with clip_progress(missing_steps(plan, store)) as progress:

        def advance(key: CellKey, steps: int) -> None:
            progress(f"shot {key.scene}, seed {key.seed}, {key.row}", steps)

        run_cells(plan, store, advance)


def _write(plan: MethodsPlan, store: CellStore[MethodCell], into: Path | None) -> None:
    """The table from the plan's cells that are there, as JSON and Markdown, on stdout and into a document."""
    from backend.measure.eval.methods_summary import summarise_methods
    from backend.measure.eval.methods_text import methods_markdown

    wanted = {key for shot in plan.shots for key in plan.keys(shot)}
    cells = [cell for key, cell in store.cells.items() if key in wanted]
    rows = summarise_methods(cells, [row.label for row in plan.rows])
    document = {"schema": 1, "plan": dataclasses.asdict(plan), "rows": [dataclasses.asdict(row) for row in rows]}
    text = methods_markdown(plan, rows)
    write_atomic(store.folder / JSON_FILE, json.dumps(document, indent=1).encode())
    write_atomic(store.folder / MARKDOWN_FILE, text.encode())
    if into is not None:
        write_atomic(into, filled_document(into, text).encode())
    print(text)
    print(f"latentman: wrote {store.folder / JSON_FILE} and {MARKDOWN_FILE}.", file=sys.stderr)
