from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import pytest

from shared.errors import EXIT_BAD_ARGUMENTS, InputError
from shared.jobs.identity import job_id
from shared.jobs.job import Job, JobInputs, canonical_json, normal_job, parse_job, validate_job
from shared.methods import MethodSettings
from shared.methods.finish import FinishSettings
from shared.methods.latentman import LatentManSettings
from shared.models.files import EmbeddingFile, LoraFile, ModelFiles

DIGESTS = [hashlib.sha256(bytes([number])).hexdigest() for number in range(9)]
INPUTS = JobInputs((DIGESTS[0], DIGESTS[1]), DIGESTS[2], DIGESTS[3], DIGESTS[4])
JOB = Job("a robot", (1, 2), INPUTS, method="latentman")
MODEL = DIGESTS[5]


def changed(**values: Any) -> Job:
    return dataclasses.replace(JOB, **values)


def test_canonical_bytes_are_sorted_and_bare() -> None:
    data = canonical_json(JOB)
    value = json.loads(data)
    assert data == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert set(value) == {field.name for field in dataclasses.fields(Job)} - {"prompts"}


def test_a_job_of_one_prompt_is_spelled_without_keyed_ones() -> None:
    value = {field.name: getattr(JOB, field.name) for field in dataclasses.fields(Job) if field.name != "prompts"}
    nested = {"inputs", "model_files", "settings", "finish"}
    value = {name: dataclasses.asdict(item) if name in nested else item for name, item in value.items()}
    assert value["schema"] == 5
    spelled = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical_json(JOB) == spelled.encode()


def test_a_keyed_job_has_one_spelling_and_reads_back() -> None:
    job = changed(prompt="unused", prompts="1:  a robot,  30: a knight")
    normal = normal_job(job)
    assert (normal.prompt, normal.prompts, normal.schema) == ("a robot", "1: a robot\n30: a knight", 5)
    assert parse_job(canonical_json(job)) == normal == normal_job(normal)
    assert job_id(job, MODEL) == job_id(changed(prompts="1: a robot\r\n\n30: a knight,"), MODEL) != job_id(JOB, MODEL)
    validate_job(changed(prompt="", prompts="1: a robot"))


def test_a_job_reads_back() -> None:
    job = changed(prompt="un café \N{ROBOT FACE}", settings=LatentManSettings(align=(0.1, 0.5)), seed=2**63 - 1)
    assert parse_job(canonical_json(job)) == job
    files = ModelFiles(
        "/control", "/vae", "/config", (LoraFile("/lora", -0.5),), (EmbeddingFile("/word", "sks"),), "/tiny"
    )
    job = changed(model_files=files)
    assert parse_job(canonical_json(job)) == job


def test_a_job_without_settings_has_its_methods_own() -> None:
    assert JOB.settings == LatentManSettings()
    assert Job("a robot", (1, 2), INPUTS, method="per_frame").settings == MethodSettings()
    assert changed(settings=MethodSettings()) == JOB
    plain = changed(method="per_frame", settings=MethodSettings())
    assert json.loads(canonical_json(plain))["settings"] == {}
    assert parse_job(canonical_json(plain)) == plain


@pytest.mark.parametrize("schema", [1, 2, 3, 4])
def test_a_job_that_names_no_method_means_the_default_of_its_time(schema: int) -> None:
    value = json.loads(canonical_json(JOB))
    del value["method"], value["finish"]
    own = {"align": [0.1, 0.3], "guide_extent": "body"}
    named = value | {"schema": schema, "settings" if schema == 4 else "latentman": own}
    if schema < 4:
        del named["settings"]
    job = parse_job(json.dumps(named).encode())
    assert job.method == "latentman" and isinstance(job.settings, LatentManSettings)
    assert (job.settings.align, job.settings.guide_extent) == ((0.1, 0.3), "body")
    del value["settings"]
    assert parse_job(json.dumps(value).encode()).method == "surfacelock"


def test_whoever_writes_an_int_for_a_float_means_the_same_job() -> None:
    assert canonical_json(changed(guidance_scale=7)) == canonical_json(changed(guidance_scale=7.0))


def test_the_id_is_sha256_of_the_canonical_job_and_the_model() -> None:
    expected = hashlib.sha256(canonical_json(JOB) + b"\n" + MODEL.encode()).hexdigest()
    assert job_id(JOB, MODEL) == expected


@pytest.mark.parametrize(
    "values",
    [
        {"prompt": "a robot."},
        {"prompts": "1: a robot"},
        {"seed": 1},
        {"frames": (1, 3)},
        {"fps": 25.0},
        {"inputs": dataclasses.replace(INPUTS, shot=DIGESTS[6])},
        {"settings": LatentManSettings(features="released")},
        {"settings": LatentManSettings(guide_decoder="tiny")},
        {"settings": LatentManSettings(guide_extent="all")},
        {"model_files": ModelFiles(vae="/models/vae")},
        {"model_files": ModelFiles(tiny_vae="/models/taesd")},
        {"model_files": ModelFiles(loras=(LoraFile("/models/style.safetensors", 0.5),))},
    ],
)
def test_everything_that_the_result_depends_on_is_in_the_id(values: dict[str, Any]) -> None:
    assert job_id(changed(**values), MODEL) != job_id(JOB, MODEL)


def test_the_model_is_in_the_id() -> None:
    assert job_id(JOB, DIGESTS[6]) != job_id(JOB, MODEL)
    with pytest.raises(ValueError, match="not a SHA-256"):
        job_id(JOB, "embedded")


def test_inputs_are_listed_once() -> None:
    assert JobInputs((DIGESTS[0], DIGESTS[0]), DIGESTS[1], DIGESTS[1], DIGESTS[2]).digests() == tuple(DIGESTS[:3])


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"prompt": "x" * 10_000}, "job.prompt_long"),
        ({"prompt": "  "}, "job.prompt_empty"),
        ({"prompt": "a\0b"}, "job.prompt_text"),
        ({"negative_prompt": "x" * 2_001}, "job.prompt_long"),
        ({"frames": ()}, "job.frames_empty"),
        ({"frames": (2, 1)}, "job.frames_order"),
        ({"frames": (1, 1)}, "job.frames_order"),
        ({"frames": (-1, 1)}, "job.frames_range"),
        ({"frames": tuple(range(10_001))}, "job.frames_many"),
        ({"width": 513}, "job.size"),
        ({"height": 0}, "job.size"),
        ({"height": 8192}, "job.size"),
        ({"steps": 0}, "job.number"),
        ({"guidance_scale": float("nan")}, "job.number"),
        ({"fps": float("inf")}, "job.number"),
        ({"seed": -1}, "job.number"),
        ({"segment_frames": 0}, "job.number"),
        ({"method": "magic"}, "job.method"),
        ({"model": ""}, "job.model"),
        ({"schema": 3}, "job.schema"),
        ({"schema": 6, "prompts": "1: a robot"}, "job.schema"),
        ({"schema": 0}, "job.schema"),
        ({"prompts": "a robot"}, "job.prompts"),
        ({"prompts": f"1: {'x' * 2_001}"}, "job.prompt_long"),
        ({"model_files": ModelFiles(vae="v" * 1_001)}, "job.model_files"),
        ({"model_files": ModelFiles(controlnet="a\0b")}, "job.model_files"),
        ({"model_files": ModelFiles(loras=(LoraFile(""),))}, "job.model_files"),
        ({"model_files": ModelFiles(loras=(LoraFile("/caf\udce9.safetensors"),))}, "job.model_path"),
        ({"model": "/caf\udce9"}, "job.model_path"),
        ({"prompt": "caf\udce9"}, "job.prompt_text"),
        ({"negative_prompt": "caf\udce9"}, "job.prompt_text"),
        ({"model_files": ModelFiles(loras=(LoraFile("a"),) * 17)}, "job.model_files"),
        ({"model_files": ModelFiles(loras=(LoraFile("a", float("nan")),))}, "job.lora_scale"),
        ({"model_files": ModelFiles(loras=(LoraFile("a", -11.0),))}, "job.lora_scale"),
        ({"model_files": ModelFiles(embeddings=(EmbeddingFile("a", " sks"),))}, "job.embedding_token"),
        (
            {"model_files": ModelFiles(embeddings=(EmbeddingFile("a", "x"), EmbeddingFile("b", "X")))},
            "job.embedding_token",
        ),
        ({"settings": LatentManSettings(align=(0.5, 0.4))}, "job.settings"),
        ({"settings": LatentManSettings(guide=(float("nan"), 1.0))}, "job.settings"),
        ({"settings": LatentManSettings(guide_strength=-1.0)}, "job.number"),
        ({"method": "per_frame"}, "job.settings"),
        ({"finish": FinishSettings(upscale="2"), "height": 2056}, "job.upscale"),
        ({"finish": FinishSettings(upscale="4"), "width": 1032}, "job.upscale"),
        ({"inputs": dataclasses.replace(INPUTS, passes=(DIGESTS[0],))}, "job.inputs_count"),
        ({"inputs": dataclasses.replace(INPUTS, shot="../../etc/passwd")}, "job.inputs_digest"),
    ],
)
def test_a_job_that_cannot_run_is_refused_with_its_sentence(values: dict[str, Any], code: str) -> None:
    with pytest.raises(InputError) as caught:
        validate_job(changed(**values))
    assert caught.value.code == code
    assert caught.value.exit_code == EXIT_BAD_ARGUMENTS
    assert caught.value.message.endswith(".") and "\n" not in caught.value.message


def test_the_sentences_of_the_two_classics() -> None:
    with pytest.raises(InputError, match=r"The prompt has 10,000 characters; the limit is 2,000\."):
        validate_job(changed(prompt="x" * 10_000))
    with pytest.raises(InputError, match=r"The job has no frames\."):
        validate_job(changed(frames=(), inputs=dataclasses.replace(INPUTS, passes=())))


@pytest.mark.parametrize("length", [1, 2_000])
def test_prompts_up_to_the_limit_pass(length: int) -> None:
    assert parse_job(canonical_json(changed(prompt="x" * length))).prompt == "x" * length


@pytest.mark.parametrize(
    ("patch", "place"),
    [
        ({"steps": "20"}, r"\$\.steps"),
        ({"steps": True}, r"\$\.steps"),
        ({"frames": [1, "2"]}, r"\$\.frames\[1\]"),
        ({"settings": {"align": [0.0]}}, r"\$\.settings\.align"),
        ({"settings": {"features": "best"}}, r"\$\.settings\.features"),
        (
            {"settings": {"algin": [0.0, 0.4]}},
            r"\$\.settings: 'algin' is not a setting of latentman; its settings are: ",
        ),
        ({"settings": [0.0]}, r"\$\.settings: an object"),
        ({"method": "per_frame"}, r"\$\.settings: 'align' is not a setting of per_frame; its settings are: none"),
        ({"latentman": {"align": [0.0, 0.4]}}, r"\$\.latentman: the settings of a job's method belong under settings"),
        ({"inputs": {}}, r"\$\.inputs"),
        ({"finish": {"lock": "maybe"}}, r"\$\.finish\.lock: one of 'auto', 'on', 'off'"),
        ({"settings": {"a\n" + "b" * 99: 1}}, r"\$\.settings: 'a\\nb{58}' is not a setting of latentman"),
        *(({"schema": schema, "latentman": {"align": "x"}}, r"\$\.latentman\.align: ") for schema in (1, 2, 3)),
        ({"schema": 3, "latentman": None}, r"\$\.latentman: an object"),
        ({"schema": "5"}, 'has schema "5"; this version reads schemas 1 to 5'),
        ({"schema": True}, "has schema true; this version"),
        ({"schema": 6}, "has schema 6; this version"),
    ],
)
def test_a_job_file_with_a_wrong_field_names_the_place(patch: dict[str, Any], place: str) -> None:
    value = json.loads(canonical_json(JOB)) | patch
    with pytest.raises(InputError, match=place):
        parse_job(json.dumps(value).encode())


def test_a_job_file_that_is_cut_off() -> None:
    with pytest.raises(InputError) as caught:
        parse_job(canonical_json(JOB)[:-10])
    assert caught.value.code == "job.invalid"
