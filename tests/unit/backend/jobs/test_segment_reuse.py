"""What an earlier job finished is not computed again, and the frames are those of a whole run, byte for byte."""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.jobs.engines import COMPUTING
from backend.jobs.folder import JobFolder
from backend.jobs.reuse import computing_code, machinery, shot_facts
from backend.jobs.runner import RUNNER
from backend.methods.masactrl.method import MasaCtrl
from backend.methods.per_frame.method import PerFrame
from shared.errors import CancelledError
from shared.files.digest import sha256_bytes
from shared.jobs.job import Job, canonical_json
from shared.jobs.reuse import RECORD_FILE, UNKNOWN, frames_to_generate, read_record, segment_keys
from shared.methods.latentman import LatentManSettings
from shared.models.files import LoraFile, ModelFiles
from shared.protocol.job_events import FrameDone, Progress, WorkerEvent
from tests.helpers.exr_shot import exr_shot
from tests.helpers.tiny_models import write_tiny_model

FRAMES = 6  # three segments of two
STEPS = 3


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    write_tiny_model(folder)
    return folder


@dataclasses.dataclass(frozen=True)
class Shot:
    """A shot's job, and where it is run: among others, or on its own."""

    model: Path
    method: str
    raised: tuple[int, ...] = ()
    frames: int = FRAMES
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)

    def write(self, parent: Path, name: str = "") -> tuple[Path, Job]:
        """Its folder below `parent`, named by its job, or by `name` where it shall have no neighbours."""
        parent.mkdir(parents=True, exist_ok=True)
        shot = exr_shot(parent, self.model, self.method, self.frames, self.raised)
        job = dataclasses.replace(shot.job, **self.changes)
        folder = parent / (name or sha256_bytes(canonical_json(job)))
        (folder / "inputs").mkdir(parents=True)
        for data in shot.inputs:
            (folder / "inputs" / sha256_bytes(data)).write_bytes(data)
        (folder / "job.json").write_bytes(canonical_json(job))
        return folder, job

    def changed(self, **changes: Any) -> Shot:
        return dataclasses.replace(self, changes=self.changes | changes)


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a run did."""

    folder: Path
    sampled: int  # segments
    matched: int  # pairs of frames
    reused: int  # frames
    pictures: list[bytes]


def run(folder: Path, job: Job) -> Ran:
    seen: list[WorkerEvent] = []
    RUNNER.run(folder, seen.append, lambda: False)
    stages = [event.stage for event in seen if isinstance(event, Progress)]
    left_s = [event.seconds_left for event in seen if isinstance(event, Progress) and event.stage == "sampling"]
    assert not left_s or left_s[-1] == 0  # what is taken over does not count as work to be done
    assert [event.frame for event in seen if isinstance(event, FrameDone)] == list(job.frames)
    reused = json.loads((folder / "result.json").read_bytes())["reused_frames"]
    pictures = [JobFolder(folder).frame_path(frame).read_bytes() for frame in job.frames]
    return Ran(folder, stages.count("sampling") // STEPS, stages.count("correspondence"), reused, pictures)


@pytest.fixture(scope="module")
def finished(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Ran]:
    """The plain shot of a method, run once in a folder of its own."""

    @functools.cache
    def once(method: str) -> Ran:
        return run(*Shot(model, method).write(tmp_path_factory.mktemp(method)))

    return once


@pytest.fixture
def plain(tmp_path: Path, finished: Callable[[str], Ran]) -> Callable[[str], Ran]:
    """The same, put among the jobs of this test."""

    def put(method: str) -> Ran:
        ran = finished(method)
        folder = tmp_path / "jobs" / ran.folder.name
        shutil.copytree(ran.folder, folder)
        return dataclasses.replace(ran, folder=folder)

    return put


@pytest.fixture
def beside(tmp_path: Path) -> Callable[[Shot], Ran]:
    """Run a shot beside those before it; it must come out as it does alone, and as many frames as were counted."""

    def both(shot: Shot) -> Ran:
        folder, job = shot.write(tmp_path / "jobs")
        facts = shot_facts(job, JobFolder(folder).passes(job))
        counted = frames_to_generate(job, facts, tmp_path / "jobs")
        ran = run(folder, job)
        assert len(job.frames) - ran.reused == counted
        if ran.reused:
            alone = run(*shot.write(tmp_path / "alone" / folder.name, "alone"))
            assert alone.reused == 0 and ran.pictures == alone.pictures
        return ran

    return both


@pytest.mark.parametrize(
    ("method", "raised", "sampled"),
    [
        ("latentman", (3,), 2),  # the segment of the edit, and the one behind it
        ("latentman", (1,), 3),
        ("text2video_zero", (3,), 1),  # the segment of the edit alone
        ("text2video_zero", (1,), 1),  # frame 0 comes out the same in another company
        ("text2video_zero", (0,), 3),
        ("per_frame", (0, 5), 2),
    ],
)
def test_an_edit_costs_what_depends_on_it(
    plain: Callable[[str], Ran],
    beside: Callable[[Shot], Ran],
    model: Path,
    method: str,
    raised: tuple[int, ...],
    sampled: int,
) -> None:
    first = plain(method)
    assert (first.sampled, first.reused) == (3, 0)
    edited = beside(Shot(model, method, raised))
    assert (edited.sampled, edited.reused) == (sampled, FRAMES - 2 * sampled)
    assert edited.pictures != first.pictures
    # A third job finds what the second took over in the second's folder alone.
    shutil.rmtree(first.folder)
    again = run(*Shot(model, method, raised, changes={"fps": 12.0}).write(first.folder.parent))
    assert (again.sampled, again.matched, again.reused) == (0, 0, FRAMES)
    assert again.pictures == edited.pictures


def test_a_longer_shot_and_a_later_key_begin_as_before(
    plain: Callable[[str], Ran], beside: Callable[[Shot], Ran], model: Path, tmp_path: Path
) -> None:
    plain("latentman")
    shot = Shot(model, "latentman")
    assert beside(dataclasses.replace(shot, frames=FRAMES + 2)).sampled == 1
    numbers = shot.write(tmp_path / "scratch")[1].frames
    assert beside(shot.changed(prompts=f"{numbers[3]}: a red robot\n{numbers[5]}: the moon")).sampled == 1
    same = f"{numbers[0]}: a red robot\n9999: a red robot"
    assert run(*shot.changed(prompts=same).write(tmp_path / "jobs")).sampled == 0


def keys(shot: Shot, scratch: Path) -> tuple[str, ...]:
    folder, job = shot.write(scratch, "shot")
    found = segment_keys(job, shot_facts(job, JobFolder(folder).passes(job)))
    shutil.rmtree(folder)
    return found


@pytest.mark.parametrize("method", ["text2video_zero", "latentman", "per_frame"])
@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"prompt": "a robot"},
        {"negative_prompt": "a moon"},
        {"steps": 4},
        {"guidance_scale": 3.0},
        {"controlnet_scale": 0.5},
        {"segment_frames": 3},
        {"model_files": ModelFiles(loras=(LoraFile("style.safetensors"),))},
    ],
)
def test_other_settings_share_nothing(model: Path, tmp_path: Path, method: str, changes: dict[str, Any]) -> None:
    shot = Shot(model, method)
    assert not set(keys(shot, tmp_path)) & set(keys(shot.changed(**changes), tmp_path))


def test_another_prompt_in_the_company_of_frame_0_shares_nothing_that_reads_it(model: Path, tmp_path: Path) -> None:
    shot = Shot(model, "text2video_zero")
    first = shot.write(tmp_path, "numbers")[1].frames[0]
    second = f"{first}: a red robot\n{first + 1}: the moon\n{first + 2}: a red robot"  # another in its company
    assert not set(keys(shot, tmp_path)) & set(keys(shot.changed(prompts=second), tmp_path))
    alone = dataclasses.replace(shot, method="per_frame")
    assert keys(alone, tmp_path)[1:] == keys(alone.changed(prompts=second), tmp_path)[1:]


def test_what_a_method_does_not_read_does_not_matter(model: Path, tmp_path: Path) -> None:
    guided = Shot(model, "latentman")
    own = guided.write(tmp_path)[1].settings
    assert isinstance(own, LatentManSettings)
    changes = {"settings": dataclasses.replace(own, guide_strength=0.9)}
    assert not set(keys(guided, tmp_path)) & set(keys(guided.changed(**changes), tmp_path))
    shot = Shot(model, "text2video_zero")
    assert keys(shot, tmp_path) == keys(shot.changed(fps=99.0), tmp_path)


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_what_is_damaged_gone_or_of_other_machinery_is_computed(
    plain: Callable[[str], Ran], model: Path, tmp_path: Path
) -> None:
    first = plain("latentman")
    damage(first.folder / "segments" / "0002.last.safetensors")
    second = run(*Shot(model, "latentman", (4,)).write(tmp_path / "jobs"))
    assert (second.sampled, second.reused) == (2, 2)  # the middle segment and the edited one
    damage(min((second.folder / "frames").iterdir()))  # and with it the first job's, which is the same file
    third = run(*Shot(model, "latentman", (5,)).write(tmp_path / "jobs"))
    assert (third.sampled, third.reused) == (2, 2)  # the first segment and the edited one
    assert second.pictures[:4] == third.pictures[:4] == first.pictures[:4]
    for folder in (first.folder, second.folder, third.folder):
        record = json.loads((folder / RECORD_FILE).read_bytes())
        (folder / RECORD_FILE).write_text(json.dumps(record | {"machinery": "another"}))
    assert run(*Shot(model, "latentman", (4, 5)).write(tmp_path / "jobs")).reused == 0
    (third.folder / RECORD_FILE).write_text("{")
    assert read_record(third.folder / RECORD_FILE) is None


def test_a_cancelled_job_leaves_its_finished_segments(
    finished: Callable[[str], Ran], tmp_path: Path, model: Path
) -> None:
    folder, job = Shot(model, "latentman").write(tmp_path / "jobs")
    seen: list[WorkerEvent] = []
    with pytest.raises(CancelledError):
        RUNNER.run(folder, seen.append, lambda: sum(isinstance(event, FrameDone) for event in seen) == 2)
    other = run(*Shot(model, "latentman", (2,)).write(tmp_path / "jobs"))
    assert (other.sampled, other.reused) == (2, 2)
    assert other.pictures[:2] == finished("latentman").pictures[:2]
    resumed = run(folder, job)
    assert (resumed.sampled, resumed.pictures) == (2, finished("latentman").pictures)
    again = run(*Shot(model, "latentman", changes={"fps": 12.0}).write(tmp_path / "jobs"))
    assert (again.sampled, again.reused) == (0, FRAMES)


def test_a_folder_with_work_of_other_machinery_is_not_recorded(
    plain: Callable[[str], Ran],
) -> None:
    folder = plain("per_frame").folder
    record = json.loads((folder / RECORD_FILE).read_bytes())
    other = json.dumps(record | {"machinery": "another"})
    (folder / RECORD_FILE).write_text(other)
    max((folder / "frames").iterdir()).unlink()
    assert run(folder, JobFolder(folder).job()).sampled == 1
    assert (folder / RECORD_FILE).read_text() == other
    (folder / RECORD_FILE).unlink()  # as a version left it that knew of no reuse
    assert run(folder, JobFolder(folder).job()).sampled == 0
    assert not (folder / RECORD_FILE).exists()


def test_a_pass_that_is_not_rendered_yet_counts_as_new(tmp_path: Path, plain: Callable[[str], Ran]) -> None:
    folder = plain("text2video_zero").folder
    job = JobFolder(folder).job()
    facts = shot_facts(job, JobFolder(folder).passes(job))
    assert frames_to_generate(job, facts, tmp_path / "jobs") == 0
    assert frames_to_generate(job, facts, tmp_path / "elsewhere") == FRAMES
    for changed, count in ((2, 2), (0, FRAMES)):
        passes = tuple(UNKNOWN if k == changed else digest for k, digest in enumerate(job.inputs.passes))
        wanted = dataclasses.replace(job, inputs=dataclasses.replace(job.inputs, passes=passes))
        assert frames_to_generate(wanted, facts, tmp_path / "jobs") == count


def test_the_programs_own_code_is_part_of_the_machinery() -> None:
    cpu = torch.device("cpu")
    one, same, other = (machinery(cpu, torch.float32, "files", code) for code in ("one", "one", "two"))
    assert one == same != other


def test_compiled_blocks_and_other_methods_are_other_code() -> None:
    codes = [
        computing_code(MasaCtrl, COMPUTING),
        computing_code(MasaCtrl, COMPUTING, compiled=True),
        computing_code(PerFrame, COMPUTING),
    ]
    assert len(set(codes)) == 3 and computing_code(MasaCtrl, COMPUTING) == codes[0]
