"""What a declaration of a model family alone brings about: its files told apart, its places, its contradictions."""

from __future__ import annotations

import ast
import dataclasses
import json
from pathlib import Path

import pytest

from shared.models.check import FileState, check_model_files
from shared.models.files import ModelFiles
from shared.models.recognition import family_of, weight_kinds
from shared.models.sd15 import SD15
from shared.models.spec import Agreement, Control
from shared.models.table import FAMILIES, PLACES, SINGLE_PLACES, places_of
from tests.helpers.toy_family import TOY
from tests.unit.shared.models.test_model_check import EMBEDDED, NAMES, safetensors

BOTH = (SD15, TOY)


def toy_checkpoint(folder: Path) -> Path:
    """A file of a toy's network, its words and its guide beside it."""
    (folder / "words").mkdir(parents=True)
    (folder / "words" / "words.json").write_text('{"hop": 1}')
    safetensors(folder / "guide" / "model.safetensors", {"guide.0": (2,)})
    (folder / "guide" / "config.json").write_text('{"_class_name": "ToyGuide"}')
    return safetensors(folder / "toy.safetensors", {"toy.0": (2,), "leftover": (1,)})


def toy_folder(folder: Path) -> Path:
    """The same as a folder with a folder a part."""
    toy_checkpoint(folder).unlink()
    safetensors(folder / "network" / "model.safetensors", {"toy.0": (2,)})
    (folder / "network" / "config.json").write_text('{"_class_name": "ToyNetwork"}')
    return folder


def test_the_places_of_the_families_are_the_fields_of_a_job() -> None:
    assert {place.name for place in PLACES} == {field.name for field in dataclasses.fields(ModelFiles)}
    assert {place.name for place in SINGLE_PLACES} == set(dataclasses.asdict(ModelFiles())) - {"loras", "embeddings"}
    assert all(place.label and place.description for place in SINGLE_PLACES)


def test_a_place_of_two_families_is_offered_once() -> None:
    assert places_of(BOTH) == SD15.places
    assert [place.role for place in places_of((TOY, SD15))][0] == "toy guide"
    assert len(places_of((TOY, SD15))) == len(SD15.places)


def test_a_model_is_of_the_family_that_its_files_tell(tmp_path: Path) -> None:
    assert family_of(toy_checkpoint(tmp_path / "file"), BOTH) is TOY
    assert family_of(toy_folder(tmp_path / "folder"), BOTH) is TOY
    other = safetensors(tmp_path / "sd.safetensors", {NAMES["checkpoint"]: (320, 4, 3, 3)})
    for families in (BOTH, (TOY, SD15)):
        assert family_of(other, families) is SD15
        assert family_of(EMBEDDED, families) is SD15
    (tmp_path / "pickle.ckpt").write_bytes(b"\x80")
    assert family_of(tmp_path / "pickle.ckpt", BOTH) is SD15
    assert family_of(tmp_path / "none", BOTH) is SD15


def test_a_folder_is_not_told_by_parts_that_describe_another_class(tmp_path: Path) -> None:
    folder = toy_folder(tmp_path)
    for name in ("network", "guide"):
        (folder / name / "config.json").write_text('{"_class_name": "AutoencoderKL"}')
    (folder / "words").rename(folder / "tokenizer")
    assert family_of(folder, BOTH) is SD15


def test_every_file_of_a_new_family_is_looked_at(tmp_path: Path) -> None:
    found = {row.name: row for row in check_model_files(str(toy_checkpoint(tmp_path / "file")), families=BOTH)}
    assert set(found) == {"toy.safetensors", "words/words.json", "guide/config.json", "guide/model.safetensors"}
    assert {row.state for row in found.values()} == {FileState.WHOLE}
    folder = toy_folder(tmp_path / "folder")
    (folder / "guide" / "model.safetensors").rename(folder / "guide" / "model.safetensors.part")
    (folder / "words" / "words.json").unlink()
    faults = {row.name: row.state for row in check_model_files(str(folder), families=BOTH) if not row.usable}
    assert faults == {"guide/ weights": FileState.PARTIAL, "words/words.json": FileState.MISSING}


def test_files_of_two_families_in_each_others_place_are_told(tmp_path: Path) -> None:
    toy = toy_checkpoint(tmp_path)
    files = ModelFiles(controlnet=str(toy))
    (fault,) = (row.text for row in check_model_files(str(EMBEDDED), files, BOTH) if not row.usable)
    assert fault == "It is a toy network, not a ControlNet."
    depth = safetensors(tmp_path / "depth.safetensors", {NAMES["controlnet"]: (1,)})
    (fault,) = (row.text for row in check_model_files(str(toy), ModelFiles(str(depth)), BOTH) if not row.usable)
    assert fault == "It is a ControlNet, not a toy guide."
    (fault, *_) = (row.text for row in check_model_files(str(toy), ModelFiles(), (SD15,)) if not row.usable)
    assert fault == "It is of an unknown kind, not a Stable Diffusion 1.5 checkpoint."


def test_a_missing_part_of_a_new_family_has_its_own_advice(tmp_path: Path) -> None:
    toy = safetensors(tmp_path / "toy.safetensors", {"toy.0": (2,)})
    texts = [row.text for row in check_model_files(str(toy), families=BOTH) if row.name == "guide"]
    assert texts == [f"There is no {tmp_path / 'guide'}. Name a guide of a toy."]


def test_numbers_that_must_agree_are_compared(tmp_path: Path) -> None:
    agreement = Agreement("network", "loud", "guide", "quiet", lambda loud, quiet: f"{loud} is not {quiet}.")
    family = dataclasses.replace(TOY, agreements=(agreement,))
    folder = toy_folder(tmp_path)
    for name, values in (("network", {"loud": 3}), ("guide", {"quiet": 4})):
        path = folder / name / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))
    faults = {row.name: row.text for row in check_model_files(str(folder), families=(family,)) if not row.usable}
    assert faults == {"network/config.json": "3 is not 4."}


def test_a_file_of_a_decisive_kind_is_nothing_else() -> None:
    found = weight_kinds(["toy.0", NAMES["checkpoint"]], BOTH)
    assert found.name == "a toy network"
    assert found.fits(TOY.kinds[0]) and not found.fits(SD15.kinds[0])


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"places": ()}, "the place controlnet"),
        ({"kinds": TOY.kinds[:1]}, "the kind a toy guide"),
        ({"controls": (Control("rope", "skeleton"),)}, "the part rope"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(changed: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=f"toy uses and does not list {named}"):
        dataclasses.replace(TOY, **changed)  # type: ignore[arg-type]


def test_no_two_families_have_one_name() -> None:
    assert len({family.name for family in FAMILIES}) == len({family.label for family in FAMILIES}) == len(FAMILIES)


def test_parts_are_listed_in_declarations_alone() -> None:
    """Whoever needs the parts reads them there; a module for one part may name that one. A method's declaration names
    those that it works on. Training and measurement build networks of their own."""
    root = Path(__file__).resolve().parents[4]
    declarations = {f"shared/models/{family.name}.py" for family in FAMILIES}
    declarations |= {path.relative_to(root).as_posix() for path in (root / "shared" / "methods").glob("*.py")}
    rooms = (
        "shared",
        "blender_addon",
        *(f"backend/{room}" for room in ("commands", "jobs", "loop", "models", "server")),
    )
    sources = {path for room in rooms for path in (root / room).rglob("*.py")}
    # A ControlNet is a model's part and a place that a user names.
    names = {part.name for part in SD15.parts} - {"controlnet"}
    listing = {path.relative_to(root).as_posix() for path in sources if len(_listed(path) & names) > 1}
    assert len(sources) > 100 and listing <= declarations


def _listed(path: Path) -> set[str]:
    """The texts that stand in tuples, lists, sets or as keys of a dict."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        entries = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", ())
        found |= {entry.value for entry in entries if isinstance(entry, ast.Constant) and isinstance(entry.value, str)}
    return found
