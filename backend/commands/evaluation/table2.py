"""`latentman eval table2`: the paper's Table 2 on a model that is at hand, resumable, with confidence intervals."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backend.measure.eval.progress import DIGESTS_FILE, clip_progress, require_numba
from backend.server.model_digest import ModelDigests
from shared.errors import EXIT_DONE
from shared.files.frame_files import prepare_output_folder, write_atomic
from shared.methods.latentman import PARITIES, LatentManSettings
from shared.methods.setting import declared, defaults
from shared.models.files import EMBEDDED

if TYPE_CHECKING:
    from backend.measure.eval.cell_store import Cell, CellKey, CellStore
    from backend.measure.eval.table2_plan import Table2Plan

JSON_FILE = "table2.json"
MARKDOWN_FILE = "table2.md"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--output", type=Path, default=Path("out/table2"), help="folder for the clips and the table")
    parser.add_argument("--prompts", type=int, default=10, help="number of prompts, at most ten")
    parser.add_argument("--seeds", type=int, default=3, help="seeds per prompt")
    parser.add_argument("--frames", type=int, default=8, help="frames per clip")
    parser.add_argument("--steps", type=int, help="steps of every clip (default: the paper's, 100 and 50)")
    parser.add_argument("--guidance", type=float, default=2.0, help="guidance scale")
    parser.add_argument("--parity", choices=("ours", *PARITIES), default="ours", help="which settings LatentMan uses")
    own = declared(LatentManSettings)
    for name, help in (
        ("guide_decoder", "which decoder guidance uses"),
        ("guide_extent", "which latent cells guidance moves"),
    ):
        choices = [choice.value for choice in own[name].choices]
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, choices=choices, default=defaults(LatentManSettings)[name], help=help)
    parser.add_argument(
        "--guide-through", choices=("unet", "decoder"), default="unet", help="which networks its gradient runs through"
    )
    parser.add_argument("--model", default=EMBEDDED, help='"embedded", or a local model')


def run(arguments: argparse.Namespace) -> int:
    """Compute the missing cells, then write the table from all of them. The same command again goes on."""
    require_numba()
    from backend.measure.eval.cell_store import Cell, CellStore
    from backend.measure.eval.table2_plan import Table2Plan

    plan = Table2Plan(
        prompts=arguments.prompts,
        seeds=arguments.seeds,
        frames=arguments.frames,
        steps=arguments.steps,
        guidance_scale=arguments.guidance,
        parity=arguments.parity,
        guide_decoder=arguments.guide_decoder,
        guide_through=arguments.guide_through,
        guide_extent=arguments.guide_extent,
        model=arguments.model,
    )
    folder = prepare_output_folder(arguments.output)
    digest = ModelDigests(folder / DIGESTS_FILE).compute(plan.model)
    store = CellStore(folder, plan.identity(digest), Cell)
    try:
        _complete(plan, store)
    finally:
        if store.cells:
            _write(plan, store)
    return EXIT_DONE


def _complete(plan: Table2Plan, store: CellStore[Cell]) -> None:
    """Compute what is missing, with progress on stderr."""
    from backend.measure.eval.table2_run import missing_steps, run_cells
    from backend.models.sd15.components import load_components
    from backend.models.sd15.tiny_decoder import with_tiny_decoder
    from backend.models.sources import find_sources

    total = missing_steps(plan, store)
    if not total:
        return
    components = load_components(plan.model, "auto", "auto")
    if plan.guide_decoder == "tiny":
        components = with_tiny_decoder(components, find_sources(plan.model))
    with clip_progress(total) as progress:

        def advance(key: CellKey, steps: int) -> None:
            progress(f"prompt {key.scene + 1} of {plan.prompts}, seed {key.seed}, {key.baseline} {key.row}", steps)

        run_cells(plan, components, store, advance)


def _write(plan: Table2Plan, store: CellStore[Cell]) -> None:
    """The table from the plan's cells that are there, as JSON and Markdown, and on stdout."""
    from backend.measure.eval.table2_summary import summarise
    from backend.measure.eval.table2_text import table2_markdown

    wanted = {key for scene in range(plan.prompts) for key in plan.keys(scene)}
    rows = summarise(cell for key, cell in store.cells.items() if key in wanted)
    document = {"schema": 1, "plan": dataclasses.asdict(plan), "rows": [dataclasses.asdict(row) for row in rows]}
    text = table2_markdown(plan, rows)
    write_atomic(store.folder / JSON_FILE, json.dumps(document, indent=1).encode())
    write_atomic(store.folder / MARKDOWN_FILE, text.encode())
    print(text)
    print(f"latentman: wrote {store.folder / JSON_FILE} and {MARKDOWN_FILE}.", file=sys.stderr)
