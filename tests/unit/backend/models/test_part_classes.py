"""The loader against the family's declaration: every class that it names, and the sizes that it states."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.models.sd15.files.classes import CLASSES, build_empty, class_of
from backend.models.sd15.files.original_layout import NAMES
from backend.models.sd15.files.single_file import built_in_config
from backend.models.sources import EMBEDDED_FOLDER, check_complete, find_sources
from backend.motion.embedded.model import EMBEDDED_FOLDER as EMBEDDED_MOTION
from shared.errors import ModelError
from shared.models.files import ModelFiles
from shared.models.sd15 import SCHEDULER, SD15, TEXT_ENCODER, VAE
from shared.models.spec import Part
from tests.helpers.toy_family import TOY
from tests.unit.shared.models.test_families import toy_checkpoint

FROM_FILES = [part for part in SD15.parts if part.may_be_a_file]


@pytest.mark.parametrize("part", SD15.parts, ids=lambda part: part.name)
def test_every_declared_class_is_the_one_of_that_name(part: Part) -> None:
    assert class_of(part).__name__ == part.classes[0]
    assert callable(class_of(part).from_pretrained)


def test_no_class_is_without_a_part() -> None:
    assert set(CLASSES) == {part.classes[0] for part in SD15.parts}


def test_every_part_that_may_be_a_file_has_its_names() -> None:
    assert set(NAMES) == {part.name for part in FROM_FILES}


@pytest.mark.parametrize("part", SD15.own_parts, ids=lambda part: part.name)
def test_the_built_in_sizes_make_the_class(part: Part) -> None:
    made = build_empty(part, built_in_config(part.name))
    assert type(made) is class_of(part)
    assert all(weight.is_meta for weight in made.parameters())


def test_the_declared_sizes_are_those_of_the_built_in_files() -> None:
    vae = built_in_config(VAE.name)
    assert vae["latent_channels"] == SD15.latent_channels
    assert 2 ** (len(vae["block_out_channels"]) - 1) == SD15.latent_factor
    assert built_in_config(TEXT_ENCODER.name)["hidden_size"] == SD15.prompt_width
    assert built_in_config(SCHEDULER.name)["prediction_type"] == "epsilon"


def test_the_embedded_model_has_every_declared_part() -> None:
    folders = {folder for folder in EMBEDDED_FOLDER.iterdir() if folder.is_dir()} - {EMBEDDED_MOTION}
    assert {folder.name for folder in folders} == {part.name for part in SD15.parts}


def test_the_sources_of_a_new_family_are_found_and_missed(tmp_path: Path) -> None:
    model = toy_checkpoint(tmp_path)
    sources = find_sources(str(model), families=(SD15, TOY))
    assert sources.family is TOY
    check_complete(sources)
    assert {path for _, path in sources.files()} == {path for path in tmp_path.rglob("*") if path.is_file()}
    (tmp_path / "words" / "words.json").unlink()
    (tmp_path / "words").rmdir()
    elsewhere = find_sources(str(model), ModelFiles(controlnet=str(tmp_path)), (TOY,))
    with pytest.raises(ModelError, match=r"lacks words \(\S+words\)"):
        check_complete(elsewhere)
