"""The input store, sessions' credit, job folders and model digests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backend.server.job_folders import JobFolders
from backend.server.model_digest import ModelDigests
from backend.server.sessions import MAX_UPLOADS, UPLOAD_WINDOW_BYTES, Session
from backend.server.store import InputStore
from shared.errors import LatentManError, ModelError, ProtocolError
from shared.files.digest import sha256_bytes
from shared.files.frame_files import PNG_SIGNATURE
from shared.jobs.job import Job, JobInputs, canonical_json
from shared.protocol.job_events import FrameDone
from shared.protocol.messages import Put

DATA = b"0123456789"
NAME = sha256_bytes(DATA)
LIMIT = 1 << 30


@pytest.fixture
def store(tmp_path: Path) -> InputStore:
    return InputStore(tmp_path / "inputs")


def session() -> Session:
    return Session(b"identity", "test", 0, 0.0)


def test_an_input_is_there_only_once_it_is_whole(store: InputStore) -> None:
    upload = store.begin(NAME, 10)
    assert not upload.add(0, 10, DATA[:4])
    assert not store.has(NAME)
    assert upload.add(4, 10, DATA[4:])
    assert store.has(NAME) and store.path(NAME).read_bytes() == DATA
    assert [path.name for path in store.folder.iterdir()] == [NAME]


def test_an_empty_input(store: InputStore) -> None:
    assert store.begin(sha256_bytes(b""), 0).add(0, 0, b"")
    assert store.has(sha256_bytes(b""))


@pytest.mark.parametrize(
    ("offset", "size", "data", "code"),
    [
        (1, 10, DATA[1:], "protocol.chunk"),
        (0, 9, DATA, "protocol.chunk"),
        (0, 10, DATA + b"x", "protocol.chunk"),
        (0, 10, b"", "protocol.chunk"),
        (0, 10, b"012345678X", "protocol.input_digest"),
    ],
)
def test_what_is_not_the_input_leaves_nothing(
    store: InputStore, offset: int, size: int, data: bytes, code: str
) -> None:
    upload = store.begin(NAME, 10)
    with pytest.raises(ProtocolError) as caught:
        upload.add(offset, size, data)
    assert caught.value.code == code
    assert list(store.folder.iterdir()) == []


def test_names_that_are_no_digests_never_become_paths(store: InputStore, tmp_path: Path) -> None:
    folders = JobFolders(tmp_path / "jobs", store)
    for name in ("../escape", "", NAME.upper()):
        with pytest.raises(ProtocolError):
            store.has(name)
        with pytest.raises(ProtocolError):
            folders.path(name)


def test_what_a_killed_upload_left_is_cleared_away(store: InputStore) -> None:
    store.begin(NAME, 10).add(0, 10, DATA[:4])
    assert len(list(store.folder.iterdir())) == 1
    InputStore(store.folder)
    assert list(store.folder.iterdir()) == []


def test_a_client_cannot_send_more_than_its_credit(store: InputStore) -> None:
    client = session()
    chunk = bytes(UPLOAD_WINDOW_BYTES // 2)
    put = Put(NAME, len(chunk) * 3, 0)
    assert not client.take_chunk(store, put, chunk, LIMIT)
    assert not client.take_chunk(store, Put(NAME, put.size, len(chunk)), chunk, LIMIT)
    with pytest.raises(ProtocolError, match="more bytes than it was allowed"):
        client.take_chunk(store, Put(NAME, put.size, 2 * len(chunk)), b"x", LIMIT)
    client.close()
    assert list(store.folder.iterdir()) == []


def test_credit_comes_back_when_chunks_are_on_disk(store: InputStore) -> None:
    client = session()
    quarter = bytes(UPLOAD_WINDOW_BYTES // 4)
    client.take_chunk(store, Put(NAME, LIMIT, 0), quarter[:-1], LIMIT)
    assert client.grant() == 0
    client.take_chunk(store, Put(NAME, LIMIT, len(quarter) - 1), b"x", LIMIT)
    assert client.grant() == len(quarter)
    assert client.grant() == 0
    client.close()


def test_an_upload_started_over_begins_anew_and_few_may_be_begun(store: InputStore) -> None:
    client = session()
    client.take_chunk(store, Put(NAME, 10, 0), DATA[:4], LIMIT)
    assert client.take_chunk(store, Put(NAME, 10, 0), DATA, LIMIT)
    for number in range(MAX_UPLOADS):
        client.take_chunk(store, Put(sha256_bytes(bytes([number])), 10, 0), b"x", LIMIT)
    with pytest.raises(ProtocolError) as caught:
        client.take_chunk(store, Put(sha256_bytes(b"one more"), 10, 0), b"x", LIMIT)
    assert caught.value.code == "protocol.uploads"
    client.close()


def test_two_followers_on_one_connection_get_what_either_lacks() -> None:
    client = session()
    client.attach("job", 7, frozenset({1, 2}))
    client.attach("job", 3, frozenset({2, 4}))
    assert client.cursors["job"].after_seq == 3
    assert client.cursors["job"].have_frames == {2}


def test_a_job_folder_holds_all_that_the_job_needs(store: InputStore, tmp_path: Path) -> None:
    folders = JobFolders(tmp_path / "jobs", store)
    job = Job("x", (1,), JobInputs((NAME,), NAME, NAME, sha256_bytes(b"")))
    job_id = sha256_bytes(b"job")
    assert folders.missing(job_id, job) == (NAME, sha256_bytes(b""))
    store.begin(NAME, 10).add(0, 10, DATA)
    store.begin(sha256_bytes(b""), 0).add(0, 0, b"")
    folders.prepare(job_id, job)
    folder = folders.path(job_id)
    assert (folder / "job.json").read_bytes() == canonical_json(job)
    assert (folder / "inputs" / NAME).read_bytes() == DATA
    assert sorted(item.name for item in folder.iterdir()) == ["frames", "inputs", "job.json", "segments"]
    store.path(NAME).unlink()
    assert folders.missing(job_id, job) == ()
    folders.prepare(job_id, job)


def test_damaged_frames_are_found_and_removed(store: InputStore, tmp_path: Path) -> None:
    folders = JobFolders(tmp_path / "jobs", store)
    job_id = sha256_bytes(b"job")
    png = PNG_SIGNATURE + b"whole"
    (folders.path(job_id) / "frames").mkdir(parents=True)
    for frame in (1, 2):
        folders.frame_path(job_id, frame).write_bytes(png)
    folders.frame_path(job_id, 2).write_bytes(PNG_SIGNATURE + b"cut")
    done = [FrameDone(frame, sha256_bytes(png)) for frame in (1, 2, 3)]
    assert folders.damaged(job_id, done) == [2, 3]
    assert folders.read_frame(job_id, 1, sha256_bytes(png)) == png
    assert not folders.frame_path(job_id, 2).exists()


def test_a_model_is_its_files_names_and_contents(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "unet").mkdir(parents=True)
    weights = model / "unet" / "weights"
    weights.write_bytes(b"one")
    digests = ModelDigests(tmp_path / "cache.json")
    first = digests.compute(str(model))
    assert digests.request(str(model)).result() == first
    assert ModelDigests(tmp_path / "cache.json").compute(str(model)) == first
    weights.write_bytes(b"two")
    os.utime(weights, ns=(1, 1))
    second = digests.compute(str(model))
    weights.rename(model / "unet" / "other")
    assert len({first, second, digests.compute(str(model)), digests.compute(str(model / "unet"))}) == 4
    digests.close()


def test_a_model_that_is_not_there_or_empty(tmp_path: Path) -> None:
    digests = ModelDigests(tmp_path / "cache.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="no model"):
        digests.compute(str(tmp_path / "nothing"))
    with pytest.raises(ModelError, match="is empty"):
        digests.compute(str(tmp_path / "empty"))
    with pytest.raises(ModelError):
        digests.request(str(tmp_path / "nothing")).result()
    digests.close()


def test_a_store_where_none_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LatentManError) as caught:
        InputStore(tmp_path / "file" / "inputs")
    assert caught.value.code == "storage.unwritable"
