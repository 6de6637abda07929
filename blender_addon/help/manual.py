"""The pages of the manual that come with the add-on. No bpy in here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..shared.errors import InputError

_ADDON = Path(__file__).resolve().parents[1]
_FOLDERS = (_ADDON / "manual", _ADDON.parent / "docs")  # in the extension; in a checkout


@dataclass(frozen=True, slots=True)
class Page:
    """One page: the name that buttons use, what a menu calls it, and its file."""

    name: str
    label: str
    file: str


# `build_addon.MANUAL` puts their files into the extension; a test holds the two together.
PAGES = (
    Page("panel", "The Panel", "panel.md"),
    Page("troubleshooting", "Troubleshooting", "troubleshooting.md"),
    Page("install", "Installation", "install.md"),
    Page("stable_diffusion", "Stable Diffusion 1.5", "stable_diffusion.md"),
    Page("glossary", "Glossary", "glossary.md"),
    Page("methods", "Methods", "methods.md"),
    Page("surfacelock", "SurfaceLock", "surfacelock.md"),
    Page("models", "Models", "models.md"),
    Page("upscale", "Upscale", "upscale.md"),
)


def page_text(name: str) -> tuple[str, str]:
    """The file name and the text of the page with this name. Raises InputError if the file is missing."""
    (page,) = (one for one in PAGES if one.name == name)
    path = next((one for folder in _FOLDERS if (one := folder / page.file).is_file()), None)
    if path is None:
        raise InputError("help.no_file", f"The manual's {page.file} is missing.", "Install the add-on again.")
    return page.file, path.read_text(encoding="utf-8")
