"""The tables of `docs/models.md` that follow from what the model families declare.

    python -m backend.make.family_tables

rewrites them between their markers, `<!-- made: NAME -->` and `<!-- end: NAME -->`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from shared.models.spec import Family, Part, Place
from shared.models.table import FAMILIES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"
ACCEPTED, PARTS = "accepted", "parts"


def with_tables(page: str, families: Iterable[Family] = FAMILIES) -> str:
    """The page with its tables as the families declare them. Raises ValueError where a marker is missing."""
    known = tuple(families)
    accepted = (f"**{family.label}**\n\n{accepted_table(family)}" for family in known)
    parts = (f"{_described(family)}\n\n{parts_table(family)}" for family in known)
    return filled(filled(page, ACCEPTED, "\n\n".join(accepted)), PARTS, "\n\n".join(parts))


def accepted_table(family: Family) -> str:
    """What a user may give for a family, and which formats are accepted."""
    model = ("model", "`--model`, the job's own `model`", family.accepted)
    rows = [(place.role, f"`{_usage(place)}`, `{place.name}`", place.accepted) for place in family.places]
    return markdown_table(("what", "argument, field of `model_files`", "accepted"), [model, *rows])


def parts_table(family: Family) -> str:
    """The parts of a family's models, as folders."""
    rows = [
        (
            f"`{part.name}/`",
            part.label,
            part.description,
            f"`{part.classes[0]}`",
            " or ".join(" and ".join(f"`{name}`" for name in names) for names in part.config),
            _needed(part),
        )
        for part in family.parts
    ]
    return markdown_table(("folder", "part", "what it does", "class", "other files", "needed"), rows)


def main() -> None:
    """Write the page."""
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")


def _described(family: Family) -> str:
    """The family's sentence: what it is, and its sizes as published."""
    cell = f"{family.latent_factor}x{family.latent_factor}"
    steered = ", ".join(f"`{control.part}/` with {control.picture} pictures" for control in family.controls)
    facts = (
        f"latents with {family.latent_channels} channels, one cell for {cell} pixels",
        f"prompt vectors of width {family.prompt_width}",
        *([f"steered by {steered}"] if steered else ()),
    )
    return f"**{family.label}**, {family.description}. As published: {'; '.join(facts)}."


def _usage(place: Place) -> str:
    return f"{place.argument} {place.metavar}"


def _needed(part: Part) -> str:
    if part.need == "never":
        return "only for jobs that use it"
    if part.need == "in a folder":
        return "in a folder; with a checkpoint only if it differs"
    if part.in_checkpoint:
        return "yes; a checkpoint contains it"
    return "yes" if part.may_lie_apart else "yes, with a checkpoint too"


def markdown_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown; no cell holds a bar."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"|{'|'.join(cells)}|" if cells[0] == "---" else f"| {' | '.join(cells)} |" for cells in lines)


def filled(page: str, name: str, content: str) -> str:
    """The page with the content between the markers of that name."""
    begin, end = f"<!-- made: {name} -->\n", f"<!-- end: {name} -->\n"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f'The page has no "{begin.strip()}" and "{end.strip()}" around its table.')
    return f"{before}{begin}\n{content}\n\n{end}{after}"


if __name__ == "__main__":
    main()
