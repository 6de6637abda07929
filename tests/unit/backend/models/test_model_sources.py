"""What a job's files are: all of them in its id, all that are absent in one sentence, and what a command line says."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.commands.base.model_arguments import add_model_arguments, chosen_files, chosen_model
from backend.commands.submit import read_job, with_model, with_prompts
from backend.models.sources import EMBEDDED_FOLDER, check_complete, find_sources
from backend.server.model_digest import ModelDigests
from shared.errors import InputError, ModelError
from shared.jobs.job import Job, JobInputs
from shared.models.files import EmbeddingFile, LoraFile, ModelFiles


@pytest.fixture
def digests(tmp_path: Path) -> Iterator[ModelDigests]:
    found = ModelDigests(tmp_path / "cache.json")
    yield found
    found.close()


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def write_passes(folder: Path) -> None:
    """Files under the names that frame 7's passes have."""
    for name in ("0007.exr", "shot.json", "vertices.npy", "charts.npz"):
        write(folder / name)


def all_files(folder: Path) -> tuple[Path, ModelFiles, list[Path]]:
    """A checkpoint with everything beside it; the model, what the job names, and every file that it depends on."""
    model = write(folder / "models" / "checkpoint.safetensors")
    named = [write(folder / name) for name in ("control.pth", "vae.pt", "a.safetensors", "b.safetensors", "word.pt")]
    parts = ("unet/config.json", "vae/config.json", "text_encoder/config.json", "controlnet/config.json")
    config = [write(folder / "config" / name) for name in (*parts, "scheduler/scheduler_config.json")]
    tokenizer = [write(folder / "config" / "tokenizer" / name) for name in ("vocab.json", "merges.txt")]
    tiny = [write(folder / "taesd" / name) for name in ("config.json", "diffusion_pytorch_model.safetensors")]
    files = ModelFiles(
        str(named[0]),
        str(named[1]),
        str(folder / "config"),
        (LoraFile(str(named[2])), LoraFile(str(named[3]))),
        (EmbeddingFile(str(named[4])),),
        str(folder / "taesd"),
    )
    return model, files, [model, *named, *config, *tokenizer, *tiny]


def test_the_digest_changes_with_every_file(tmp_path: Path, digests: ModelDigests) -> None:
    model, files, paths = all_files(tmp_path / "all")
    seen = {digests.compute(str(model), files)}
    stamps = {find_sources(str(model), files).stamp()}
    for number, path in enumerate(paths, 1):
        path.write_text("y")
        os.utime(path, ns=(number, number))
        seen.add(digests.compute(str(model), files))
        stamps.add(find_sources(str(model), files).stamp())
    assert len(seen) == len(stamps) == len(paths) + 1


def test_files_that_change_places_are_another_model(tmp_path: Path, digests: ModelDigests) -> None:
    model, files, _ = all_files(tmp_path / "all")
    turned = ModelFiles(files.vae, files.controlnet, files.config, files.loras, files.embeddings)
    assert digests.compute(str(model), turned) != digests.compute(str(model), files)


def test_other_files_beside_a_checkpoint_do_not_matter(tmp_path: Path, digests: ModelDigests) -> None:
    model = write(tmp_path / "models" / "checkpoint.safetensors")
    control = ModelFiles(str(write(tmp_path / "control.pth")))
    before = digests.compute(str(model), control)
    write(tmp_path / "models" / "another.safetensors")
    assert digests.compute(str(model), control) == before
    write(tmp_path / "models" / "tokenizer" / "vocab.json")
    assert digests.compute(str(model), control) != before


def test_a_tiny_autoencoder_is_found_in_the_models_folder_or_beside_a_checkpoint(
    tmp_path: Path, digests: ModelDigests
) -> None:
    folder = write(tmp_path / "folder" / "unet" / "config.json").parents[1]
    model = write(tmp_path / "models" / "checkpoint.safetensors")
    control = ModelFiles(str(write(tmp_path / "control.pth")))
    for one, home in ((folder, folder), (model, model.parent)):
        before = digests.compute(str(one), control)
        assert find_sources(str(one), control).apart["tiny_vae"] == home / "tiny_vae"
        write(home / "tiny_vae" / "config.json")
        assert digests.compute(str(one), control) != before
    elsewhere = ModelFiles(config=str(folder), tiny_vae=str(tmp_path))
    assert find_sources(str(model), ModelFiles(config=str(folder))).apart["tiny_vae"] == folder / "tiny_vae"
    assert find_sources(str(model), elsewhere).apart["tiny_vae"] == tmp_path


def test_a_folders_own_parts_count_once_and_others_too(tmp_path: Path, digests: ModelDigests) -> None:
    plain = digests.compute("embedded")
    assert plain == digests.compute(str(EMBEDDED_FOLDER), ModelFiles())
    control = write(tmp_path / "control" / "config.json").parent
    assert digests.compute("embedded", ModelFiles(str(control))) != plain


@pytest.mark.parametrize("model", ["/nowhere", "m" * 900, "/proc/1/root/nowhere"])
def test_a_model_that_cannot_be_looked_up_is_not_there(model: str, digests: ModelDigests) -> None:
    with pytest.raises(ModelError, match="The backend has no model"):
        digests.compute(model)
    with pytest.raises(ModelError, match="The backend cannot find the LoRA"):
        digests.compute("embedded", ModelFiles(loras=(LoraFile(model),)))


def test_a_config_folder_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not a folder"):
        find_sources("embedded", ModelFiles(config=str(write(tmp_path / "file"))))
    with pytest.raises(
        ModelError, match="file is not a folder. Choose the folder that contains the tiny autoencoder's"
    ):
        find_sources("embedded", ModelFiles(tiny_vae=str(tmp_path / "file")))
    with pytest.raises(ModelError, match="cannot find the tiny autoencoder /no/taesd"):
        find_sources("embedded", ModelFiles(tiny_vae="/no/taesd"))


def test_what_a_model_lacks_is_told_at_once(tmp_path: Path) -> None:
    check_complete(find_sources("embedded"))
    model = write(tmp_path / "checkpoint.safetensors")
    with pytest.raises(
        ModelError, match=r"lacks tokenizer \(.*\), controlnet \(.*contains no tokenizer.*depth ControlNet"
    ):
        check_complete(find_sources(str(model)))
    with pytest.raises(ModelError, match=r"lacks tokenizer .*, text_encoder .*, vae .*, unet .*, scheduler .*, contr"):
        check_complete(find_sources(str(tmp_path)))
    with pytest.raises(ModelError, match=r"text_encoder \(\S*\), unet"):
        check_complete(find_sources(str(tmp_path), ModelFiles(vae=str(model))))


def parsed(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_model_arguments(parser, "to use")
    return parser.parse_args(given)


def test_a_command_line_names_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a=b.pt")
    told = parsed(
        *("--model", "sd.safetensors", "--controlnet", "/depth", "--vae", "vae.pt", "--model-config", "sizes"),
        *("--tiny-vae", "taesd"),
        *("--lora", "one.safetensors", "--lora", "two.safetensors=-0.5"),
        *("--embedding", "a=b.pt", "--embedding", "c.pt=sks"),
    )
    assert chosen_model(told) == str(tmp_path / "sd.safetensors")
    assert chosen_files(told, ModelFiles(vae="/before")) == ModelFiles(
        "/depth",
        str(tmp_path / "vae.pt"),
        str(tmp_path / "sizes"),
        (LoraFile(str(tmp_path / "one.safetensors")), LoraFile(str(tmp_path / "two.safetensors"), -0.5)),
        (EmbeddingFile(str(tmp_path / "a=b.pt")), EmbeddingFile(str(tmp_path / "c.pt"), "sks")),
        str(tmp_path / "taesd"),
    )
    with pytest.raises(InputError, match='scale of "x=much" is not a number'):
        chosen_files(parsed("--lora", "x=much"), ModelFiles())


def test_submit_takes_keyed_prompts_from_a_file(tmp_path: Path) -> None:
    job = Job("a robot", (1,), JobInputs(("0" * 64,), "0" * 64, "0" * 64, "0" * 64))
    assert with_prompts(job, None) == job
    (tmp_path / "along.txt").write_text("1: a robot, 30: a knight", "utf-8")
    assert with_prompts(job, tmp_path / "along.txt").prompts == "1: a robot, 30: a knight"
    (tmp_path / "along.txt").write_text(f"1: {'x' * 2_001}", "utf-8")
    with pytest.raises(InputError, match="prompt of frame 1 has 2,001 characters"):
        with_prompts(job, tmp_path / "along.txt")
    with pytest.raises(InputError, match="cannot be read"):
        with_prompts(job, tmp_path / "none.txt")


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("[1]", r"job\.json is not a job file: it has no frames"),
        ('{"frames": "1-4"}', r"job\.json is not a job file: \$: a list is needed"),
        ('{"frames": [-1]}', r"job\.json has a frame outside 0 to 1048574"),
        ('{"latentman_shot": 1, "frames": "1-4"}', r"job\.json is a shot saved in the panel"),
        ('{"frames": [7]}', r"0007\.exr is missing"),
    ],
)
def test_submit_names_what_is_wrong_with_a_job(job: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(job)
    with pytest.raises(InputError, match=said):
        read_job(tmp_path / "job.json", tmp_path)


@pytest.mark.parametrize(
    ("unread", "name"),
    [
        ({"stepz": 3}, "'stepz'"),
        ({"schema": 3, "settings": {}, "masactrl": {}}, "'settings'"),
        ({"\x1b[2J": 3}, r"'\x1b[2J'"),
    ],
)
def test_submit_tells_what_it_does_not_read(
    unread: dict[str, object], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_passes(tmp_path)
    job = {"prompt": "a robot", "frames": [7], "steps": 4} | unread
    (tmp_path / "job.json").write_text(json.dumps(job))
    assert read_job(tmp_path / "job.json", tmp_path)[1].steps == 4
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1 and name in said[0] and "was ignored" in said[0]


def test_submit_only_refuses_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_passes(tmp_path)
    (tmp_path / "job.json").write_text('{"prompt": "a robot", "frames": [7], "masactrl": {}}')
    with pytest.raises(InputError, match=r"\$\.masactrl: the settings of a job's method belong under settings"):
        read_job(tmp_path / "job.json", tmp_path)
    assert capsys.readouterr().err == ""


def test_submit_keeps_what_the_command_line_does_not_name() -> None:
    digest = "0" * 64
    job = Job(
        "a robot", (1,), JobInputs((digest,), digest, digest, digest), model="/sd", model_files=ModelFiles("/depth")
    )
    assert with_model(job, parsed()) == job
    changed = with_model(job, parsed("--model", "embedded", "--lora", "/style.pt=2"))
    assert (changed.model, changed.model_files) == (
        "embedded",
        ModelFiles("/depth", loras=(LoraFile("/style.pt", 2.0),)),
    )
    with pytest.raises(InputError, match="The scale of the LoRA /style.pt is 99"):
        with_model(job, parsed("--lora", "/style.pt=99"))
