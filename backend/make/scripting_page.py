"""The samples in `docs/scripting.md`, from the files in `docs/samples` that the tests run.

    python -m backend.make.scripting_page

puts them between their markers, `<!-- made: FILE -->` and `<!-- end: FILE -->`.
"""

from __future__ import annotations

from pathlib import Path

from backend.make.family_tables import filled

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "scripting.md"
SAMPLES = DOCS / "samples"
_LANGUAGES = {".py": "python", ".sh": "sh"}


def main() -> None:
    """Write the page."""
    PAGE.write_text(with_samples(PAGE.read_text("utf-8")), "utf-8")


def with_samples(page: str, folder: Path = SAMPLES) -> str:
    """The page with every sample of a folder in its place. Raises ValueError where one has no place."""
    for path in sorted(folder.iterdir()):
        if path.suffix in _LANGUAGES:
            page = filled(page, path.name, f"```{_LANGUAGES[path.suffix]}\n{path.read_text('utf-8').rstrip()}\n```")
    return page


if __name__ == "__main__":
    main()
