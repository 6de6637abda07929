"""joblib's files come through as joblib wrote them, packed or not, and hostile ones are refused with one sentence."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import zlib
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import InputError
from shared.files.joblib_file import is_packed, parse_joblib, unpacked
from shared.files.pickle_records import Opaque
from shared.files.torch_file import torch_names
from tests.helpers.joblib_stream import joblib_bytes

ARRAYS = [
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(4, dtype=">i2"),
    np.array(["ab", "c"]),
    np.array([True, False]),
    np.zeros((0, 3), dtype=np.float16),
    np.array(3.5),
]


def content() -> dict[str, Any]:
    objects = np.empty(3, dtype=object)
    objects[:] = [np.arange(3), None, "x"]
    return {
        "arrays": ARRAYS,
        "people": defaultdict(dict, {np.int64(7): {"pose": np.ones((2, 72), np.float32)}}),
        "objects": objects,
        "scalar": np.float32(2.5),
        "tensor": torch.ones(2, 3),
        "text": "a person walks",
        "set": {1, 2},
    }


def parsed(data: bytes, **options: Any) -> Any:
    stream = unpacked(io.BytesIO(data), name="a.pkl")
    return parse_joblib(stream, name="a.pkl", extra=torch_names(), **options)


def check(found: Any) -> None:
    for got, want in zip(found["arrays"], ARRAYS, strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(found["people"][7]["pose"], np.ones((2, 72)))
    np.testing.assert_array_equal(found["objects"][0], np.arange(3))
    assert found["objects"][1] is None and found["objects"][2] == "x"
    assert found["scalar"] == 2.5 and found["text"] == "a person walks" and found["set"] == {1, 2}
    np.testing.assert_array_equal(found["tensor"], np.ones((2, 3)))


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_files_come_through(protocol: int, aligned: bool) -> None:
    check(parsed(joblib_bytes(content(), protocol=protocol, aligned=aligned)))


@pytest.mark.parametrize("protocol", [2, 5])
def test_a_pickle_without_joblib_comes_through(protocol: int) -> None:
    check(parsed(pickle.dumps(content(), protocol)))


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "xz": lzma.compress,
}


@pytest.mark.parametrize("packer", PACKERS)
def test_packed_files_come_through(packer: str) -> None:
    large = {**content(), "large": np.arange(300_000.0) % 7.0}  # more than one piece
    data = PACKERS[packer](joblib_bytes(large))
    assert is_packed(data)
    found = parsed(data)
    check(found)
    np.testing.assert_array_equal(found["large"], large["large"])


@pytest.mark.parametrize("packer", PACKERS)
def test_packed_bombs_and_cut_off_files_give_one_sentence(packer: str) -> None:
    with pytest.raises(InputError, match="unpacks to more than 2 MiB") as caught:
        unpacked(io.BytesIO(PACKERS[packer](bytes(5 * 2**20))), name="a.pkl", max_bytes=2 * 2**20)
    assert caught.value.code == "file.too_large"
    assert code_of(PACKERS[packer](joblib_bytes(content()))[:-200]) == "file.damaged"


def code_of(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        parsed(data)
    assert str(caught.value).startswith("a.pkl ")
    return caught.value.code


def test_what_is_skipped_is_not_read() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.taken += len(data)
            return data

    stream = Counting(joblib_bytes({"verts": np.zeros(10_000_000), "pose": np.ones(3)}))
    found: Any = parse_joblib(stream, name="a.pkl", skip={"verts"})
    assert isinstance(found["verts"], Opaque)
    np.testing.assert_array_equal(found["pose"], np.ones(3))
    assert stream.taken < 10_000


class Call:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def test_functions_are_refused_and_not_run(tmp_path: Path) -> None:
    call = Call(f"touch {tmp_path}/ran")
    objects = np.empty(1, dtype=object)
    objects[0] = call
    for value in ({"a": np.ones(3), "b": call}, {"a": objects}, {"deep": [objects, np.ones(2)]}):
        assert code_of(joblib_bytes(value)) == "file.refused"
        assert code_of(zlib.compress(joblib_bytes(value))) == "file.refused"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "change",
    [
        (b"K\x01\x85", b"K\xff\x85"),  # 255 numbers, of which one is there
        (b"K\x01\x85", b"J\xff\xff\xff\x7f\x85"),  # 2^31 - 1
        (b"K\x01\x85", b"J\xff\xff\xff\xff\x85"),  # -1
        (b"K\x01\x85", b"\x8a\x09" + b"\x00" * 8 + b"\x01\x85"),  # 2^64
        (b"K\x01\x85", b"K\x01"),  # no shape
        (b"NumpyArrayWrapper", b"NumpyArrayWrappes"),
    ],
)
def test_descriptions_that_do_not_fit_are_refused(change: tuple[bytes, bytes]) -> None:
    data = joblib_bytes({"a": np.zeros(1)}, protocol=2, aligned=False)
    assert change[0] in data
    np.testing.assert_array_equal(parsed(data)["a"], [0.0])
    assert code_of(data.replace(*change)) in ("file.damaged", "file.refused")


@pytest.mark.parametrize(
    "stream",
    [
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",  # BINBYTES8 of 2^63 bytes
        b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\x00\x00.",  # BYTEARRAY8
        b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\x00\x00.",  # FRAME
        b"\x80\x04\x82\x01.",  # an extension code
        b"\x80\x04\x8c\x01aQ.",  # a persistent id
        b"\x80\x04" + b"]" * 100 + b"a" * 99 + b".",  # 100 lists in each other
        b"\x80\x04}]\x81.",  # NEWOBJ of a dictionary
        b"\x80\x04\x8c\x05numpy\x8c\x05dtype\x93N}\x8c\x01aK\x01s\x86b.",  # a name is given attributes
        b"\x80\x04.",
        b"\x80\x09N.",
        b"\x80\x04" + b"N0" * 2_100_000 + b"N.",  # more instructions than a data file has
    ],
)
def test_broken_and_hostile_streams_give_one_sentence(stream: bytes) -> None:
    assert code_of(stream) == "file.damaged"


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
def test_flipped_bytes_give_a_value_or_one_sentence(changes: list[tuple[int, int]]) -> None:
    data = bytearray(joblib_bytes(content()))
    for place, value in changes:
        data[place % len(data)] = value
    try:
        parsed(bytes(data))
    except InputError as error:
        assert error.code in ("file.damaged", "file.refused", "file.too_large")
