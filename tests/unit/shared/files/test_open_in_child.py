"""A pickled file read by a process of its own gives what reading it here gives, errors too, and the process ends."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shared.errors import CancelledError, InputError, MotionError
from shared.files.containers import Wanted, holds_pickles, open_pickled
from shared.files.handed_over import handed_over, taken_over
from shared.files.open_in_child import open_in_child
from shared.files.pickle_reading import TooLarge
from shared.files.pickle_records import Opaque
from shared.files.strict_json import StrictJSONError
from tests.helpers.joblib_stream import joblib_bytes

CONTENT: dict[str, Any] = {
    "poses": np.arange(144, dtype=np.float32).reshape(2, 72),
    "deep": [{"a": (np.arange(3), "caf\udce9"), "b": [1, 2.5, None, True, math.inf, 2**80]}],
    "bytes": b"\x00\xff",
    "words": np.array(["ab", "c"]),
    "objects": np.array([{"k": np.ones(2)}, None, "x"], dtype=object),
    "big-endian": np.arange(3, dtype=">i2"),
    "people": {3: {"frames": np.arange(2)}, (1, 2): "pair"},
    "skipped": np.zeros(1000),
}
WANTED = Wanted(frozenset({"objects", "poses"}), frozenset({"skipped"}))


def torch_zip(path: Path) -> None:
    torch.save({**CONTENT, "tensor": torch.ones(2, dtype=torch.bfloat16)}, path)


def torch_stream(path: Path) -> None:
    torch.save({**CONTENT, "tensor": torch.ones(2)}, path, _use_new_zipfile_serialization=False)


def npy(path: Path) -> None:
    with path.open("wb") as stream:
        np.save(stream, np.array({**CONTENT, "tensor": torch.ones(2)}, dtype=object), allow_pickle=True)


def npz(path: Path) -> None:
    with path.open("wb") as stream:
        np.savez(stream, poses=CONTENT["poses"], objects=CONTENT["objects"])


def same(found: Any, want: Any) -> None:
    assert type(found) is type(want) or isinstance(want, int | float)
    if isinstance(want, dict):
        assert list(found) == list(want)
        for key in want:
            same(found[key], want[key])
    elif isinstance(want, list | tuple):
        assert len(found) == len(want)
        for one, other in zip(found, want, strict=True):
            same(one, other)
    elif isinstance(want, np.ndarray):
        assert found.shape == want.shape and found.dtype.newbyteorder("=") == want.dtype.newbyteorder("=")
        for one, other in zip(found.reshape(-1), want.reshape(-1), strict=True):
            same(one, other) if want.dtype.kind == "O" else np.testing.assert_array_equal(one, other)
    elif isinstance(want, Opaque):
        assert found.kind == want.kind
    elif isinstance(want, str):
        assert found == want.encode("utf-8", "backslashreplace").decode()
    elif isinstance(want, int) and abs(want) > 2**63:
        assert isinstance(found, Opaque)
    else:
        assert found == want


WRITERS: dict[str, Callable[[Path], object]] = {
    "torch's zip": torch_zip,
    "torch's stream": torch_stream,
    "an object .npy": npy,
    "an .npz with objects": npz,
    "joblib": lambda path: path.write_bytes(joblib_bytes(CONTENT)),
    "a pickle": lambda path: path.write_bytes(pickle.dumps(CONTENT)),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_the_child_gives_what_reading_here_gives(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.bin"
    WRITERS[kind](path)
    with path.open("rb") as stream:
        assert holds_pickles(stream, WANTED, name=path.name)
    same(open_in_child(path, WANTED), open_pickled(path, WANTED))


def test_plain_files_need_no_child(tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", poses=CONTENT["poses"], objects=CONTENT["objects"])
    np.save(tmp_path / "plain.npy", CONTENT["poses"])
    (tmp_path / "text.bvh").write_text("HIERARCHY")
    for name in ("plain.npz", "plain.npy", "text.bvh"):
        with (tmp_path / name).open("rb") as stream:
            assert not holds_pickles(stream, Wanted(frozenset({"poses"})), name=name)
            assert stream.tell() == 0


class Call:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def test_errors_come_back_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps(Call(f"touch {tmp_path}/ran")))
    cut = tmp_path / "cut.pkl"
    cut.write_bytes(joblib_bytes(CONTENT)[:-100])
    for file in (path, cut, tmp_path / "absent.pkl"):
        with pytest.raises(MotionError) as here:
            open_pickled(file, WANTED, error=MotionError)
        with pytest.raises(MotionError) as there:
            open_in_child(file, WANTED, error=MotionError)
        assert (there.value.code, str(there.value)) == (here.value.code, str(here.value))
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def endless(tmp_path: Path) -> tuple[Path, str]:
    """A file, and a program in Python's place that never answers; it writes its number beside itself."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/number\nexec sleep 600\n")
    program.chmod(0o700)
    file = tmp_path / "a.pkl"
    file.write_bytes(pickle.dumps([1]))
    return file, str(program)


def ended(number: Path) -> bool:
    """Whether the process is gone, or dead and not yet collected."""
    try:
        status = Path(f"/proc/{number.read_text().strip()}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] == "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_process_ends_when_it_is_stopped_or_takes_too_long(endless: tuple[Path, str], tmp_path: Path) -> None:
    file, program = endless
    number = tmp_path / "number"
    with pytest.raises(CancelledError):
        open_in_child(file, WANTED, python=program, cancelled=number.exists)
    assert ended(number)
    number.unlink()
    with pytest.raises(InputError) as caught:
        open_in_child(file, WANTED, python=program, limit_s=0.3)
    assert caught.value.code == "file.too_slow"
    assert not number.exists() or ended(number)


def test_a_python_that_cannot_be_started_or_dies_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "a.pkl"
    file.write_bytes(pickle.dumps([1]))
    for python in (str(tmp_path / "none"), "/bin/false"):
        with pytest.raises(MotionError) as caught:
            open_in_child(file, WANTED, error=MotionError, python=python)
        assert caught.value.code == "file.reader_failed" and "a.pkl cannot be opened" in str(caught.value)


def test_the_child_imports_neither_blender_nor_torch_nor_anything_of_the_add_on(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import shared.files.unpickling_child; "
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    root = str(Path(__file__).resolve().parents[4])
    done = subprocess.run([sys.executable, "-I", "-c", program, root], capture_output=True, text=True, check=True)
    assert "'shared'" in done.stdout
    for name in ("bpy", "torch", "blender_addon", "backend", "zmq", "scipy"):
        assert f"'{name}'" not in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_the_child_may_write_no_file_and_take_no_more_memory(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from shared.files import unpickling_child as child; child._limit()\n"
        "for attempt in (lambda: open(sys.argv[2], 'w').write('x' * 100000), lambda: bytearray(child.MEMORY_BYTES)):\n"
        "    try: attempt(); print('done')\n"
        "    except (OSError, MemoryError) as error: print(type(error).__name__)\n"
    )
    root = str(Path(__file__).resolve().parents[4])
    command = [sys.executable, "-I", "-c", program, root, str(tmp_path / "written")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["OSError", "MemoryError"] and (tmp_path / "written").stat().st_size == 0


def test_a_few_shared_parts_that_stand_for_millions_are_refused(tmp_path: Path) -> None:
    wide: object = "x"
    for _ in range(25):
        wide = [wide, wide]
    started = time.monotonic()
    with pytest.raises(TooLarge):
        handed_over(wide)
    file = tmp_path / "wide.pkl"
    file.write_bytes(pickle.dumps(wide))
    with pytest.raises(InputError) as caught:
        open_in_child(file, WANTED)
    assert caught.value.code == "file.too_large" and time.monotonic() > started


@pytest.mark.parametrize(
    "tree",
    [
        b'["array",0,0,[5]]',
        b'["array",9,0,[1]]',
        b'["array",0,-1,[1]]',
        b'["array",0,0,[-1]]',
        b'["array",0,0,[1e9]]',
        b'["what"]',
        b"[]",
        b"{}",
        b'{"a":1}',
    ],
)
def test_an_answer_that_does_not_fit_is_refused(tree: bytes) -> None:
    answer = handed_over(np.arange(4.0))
    start = answer.index(b"\n")
    assert answer[:start] == b'{"tree":["array",0,0,[4]]}'
    with pytest.raises(StrictJSONError):
        taken_over(b'{"tree":' + tree + b"}" + answer[start:])
