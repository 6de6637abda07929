"""Files of strangers: what they name is never run, and damage gives one sentence."""

from __future__ import annotations

import builtins
import io
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.errors import InputError, MotionError
from shared.files.safe_load import MAX_FILE_BYTES, Opaque, Record, parse_npy, parse_npz, read_bytes, unpickle

ROOT = Path(__file__).resolve().parents[4]


class Call:
    """Pickles as a call of `function` with `arguments`, which a plain unpickler would run."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.function, self.arguments


def npy(value: object) -> bytes:
    holder = np.empty((), dtype=object)
    holder[()] = value
    stream = io.BytesIO()
    np.save(stream, holder, allow_pickle=True)
    return stream.getvalue()


def named(module: str, name: str, argument: str) -> bytes:
    """A protocol-4 stream that calls module.name(argument), for names that need not exist here."""

    def text(value: str) -> bytes:
        return b"\x8c" + bytes([len(value)]) + value.encode()

    return b"\x80\x04" + text(module) + text(name) + b"\x93" + text(argument) + b"\x85R."


def in_object_array(value: object) -> NDArray[Any]:
    array = np.empty(2, dtype=object)
    array[0], array[1] = "harmless", [{"deep": (value,)}]
    return array


def touch(marker: Path) -> str:
    return f"open({str(marker)!r}, 'w').close()"


PAYLOADS: dict[str, Callable[[Path], object]] = {
    "os.system in an entry": lambda marker: {"motion": Call(os.system, f"touch {marker}")},
    "os.system as the whole file": lambda marker: Call(os.system, f"touch {marker}"),
    "eval": lambda marker: {"text": Call(builtins.eval, touch(marker))},
    "exec": lambda marker: [Call(builtins.exec, touch(marker))],
    "nested in an object array": lambda marker: {"a": in_object_array(Call(builtins.eval, touch(marker)))},
    "subprocess": lambda marker: {"a": Call(subprocess.Popen, ["touch", str(marker)])},
    "getattr": lambda marker: {"a": Call(builtins.getattr, np.ndarray, "tofile")},
    "an import": lambda marker: {"a": Call(builtins.__import__, "antigravity")},
    "a pickle in a pickle": lambda marker: {"a": Call(pickle.loads, pickle.dumps(Call(os.system, f"touch {marker}")))},
    "numpy's own loader": lambda marker: {"a": Call(np.load, str(marker))},
    "a key": lambda marker: {Call(os.system, f"touch {marker}"): 1},
}  # fmt: skip


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_file_that_tries_to_run_code_is_refused_before_it_runs(payload: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with pytest.raises(MotionError) as caught:
        parse_npy(npy(PAYLOADS[payload](marker)), name="evil.npy", error=MotionError)
    assert caught.value.code == "file.refused"
    assert "evil.npy" in str(caught.value)
    assert not marker.exists()


def test_the_payloads_are_live(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    np.load(io.BytesIO(npy(PAYLOADS["os.system in an entry"](marker))), allow_pickle=True)
    assert marker.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("nt", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("numpy", "load"),
        ("numpy.testing._private.utils", "runstring"),
        ("numpy._core.multiarray", "fromfile"),
        ("functools", "partial"),
        ("operator", "attrgetter"),
        ("runpy", "_run_code"),
        ("copyreg", "_reconstructor"),
        ("shared.files.safe_load", "read_bytes"),
        ("numpy", "ndarray.tofile"),
        ("collections", "OrderedDict.__init__.__globals__"),
        ("torchish", "load"),
        ("", "eval"),
    ],
)
def test_names_that_are_not_on_the_list_are_refused(module: str, name: str) -> None:
    with pytest.raises(InputError) as caught:
        unpickle(named(module, name, "echo"), name="evil")
    assert caught.value.code == "file.refused"
    assert f"{module}.{name}" in str(caught.value)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("torch", "load"),
        ("torch.serialization", "os.system"),
        ("torch.storage", "_load_from_bytes"),
        ("torch", "hub.load"),
    ],
)
def test_torchs_names_do_nothing(module: str, name: str, tmp_path: Path) -> None:
    value = unpickle(named(module, name, f"touch {tmp_path}/ran"), name="file")
    assert isinstance(value, Opaque)
    assert not (tmp_path / "ran").exists()


def test_a_payload_inside_a_tensors_bytes_is_never_looked_at(tmp_path: Path) -> None:
    inner = pickle.dumps(Call(os.system, f"touch {tmp_path}/ran"))
    stream = b"\x80\x04}\x8c\x01v\x8c\x0dtorch.storage\x8c\x10_load_from_bytes\x93B" + struct.pack("<I", len(inner))
    value = unpickle(stream + inner + b"\x85Rs.", name="file")
    assert isinstance(value, dict) and isinstance(value["v"], Opaque)
    assert not (tmp_path / "ran").exists()


def test_a_payload_beside_a_tensor_is_still_refused(tmp_path: Path) -> None:
    stream = b"\x80\x04\x8c\x05torch\x8c\x04load\x93" + named("os", "system", f"touch {tmp_path}/ran")[2:-1] + b"\x85R."
    with pytest.raises(InputError) as caught:
        unpickle(stream, name="file")
    assert caught.value.code == "file.refused"
    assert not (tmp_path / "ran").exists()


def test_a_stream_cannot_alter_the_stand_ins() -> None:
    # GLOBAL numpy.dtype, then BUILD with a state that would set attributes on it
    stream = b"\x80\x04\x8c\x05numpy\x8c\x05dtype\x93N}\x8c\x0c__defaults__K\x01s\x86b."
    with pytest.raises(InputError) as caught:
        unpickle(stream, name="evil")
    assert caught.value.code == "file.damaged"
    assert "change a function" in str(caught.value)
    array = np.arange(3.0)
    found = unpickle(pickle.dumps(array), name="good")
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    "stream",
    [
        b"\x80\x04\x8c\x01ar\xff\xff\xff\x7f.",  # LONG_BINPUT: a memo of 2^31 slots
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",  # BINBYTES8 of 2^63 bytes
        named("builtins", "bytearray", "x").replace(b"\x8c\x01x", b"J\xff\xff\xff\x7f"),  # bytearray(2**31)
        named("numpy", "dtype", "V16"),
        b"\x80\x04\x82\x01.",  # an extension code
        b"\x80\x04\x8c\x01aQ.",  # a persistent id
        b"\x80\x04" + b"]" * 100 + b"a" * 99 + b".",  # 100 lists in each other
        b"",
        b"\x80\x04.",
        b"\x80\x09N.",
    ],
)
def test_bombs_and_broken_streams_give_one_sentence(stream: bytes) -> None:
    with pytest.raises(InputError) as caught:
        unpickle(stream, name="broken")
    assert caught.value.code == "file.damaged"
    assert str(caught.value).startswith("broken cannot be read")


def test_a_list_in_itself_and_shared_parts() -> None:
    shared = [1, 2]
    value = unpickle(pickle.dumps({"a": shared, "b": shared}), name="file")
    assert isinstance(value, dict) and value["a"] is value["b"]
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(InputError) as caught:
        unpickle(pickle.dumps(loop), name="loop")
    assert caught.value.code == "file.damaged"
    wide: object = "x"
    for _ in range(25):  # 2^25 references to one string: quick only if shared parts stay shared
        wide = [wide, wide]
    assert isinstance(unpickle(pickle.dumps(wide), name="wide"), list)


ARRAYS = [
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(4, dtype=">i2"),
    np.array(["ab", "c"]),
    np.array([b"ab", b"c"]),
    np.array([True, False]),
    np.zeros((0, 3), dtype=np.float16),
    np.array(3.5),
    np.array([1 + 2j]),
]


@pytest.mark.parametrize(
    ("protocol", "core"),  # streams of protocol 4 and 5 hold lengths, so the other name cannot simply be put in
    [
        (2, b"numpy._core"),
        (3, b"numpy._core"),
        (4, b"numpy._core"),
        (5, b"numpy._core"),
        (2, b"numpy.core"),
        (3, b"numpy.core"),
    ],
)
def test_arrays_come_through_unchanged(protocol: int, core: bytes) -> None:
    values = {"arrays": ARRAYS, "scalar": np.int64(7), "flag": np.bool_(True), "set": {1, 2}, "odd": OrderedDict(a=1)}
    stream = pickle.dumps(values, protocol)
    if core not in stream:
        stream = stream.replace(b"numpy._core", core)
    result = unpickle(stream, name="file")
    assert isinstance(result, dict)
    for got, want in zip(result["arrays"], ARRAYS, strict=True):
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)
    assert result["scalar"] == 7 and result["flag"] and result["set"] == {1, 2} and result["odd"] == {"a": 1}


def test_object_arrays_come_through() -> None:
    array = np.empty((2, 2), dtype=object)
    array[:] = [["a", np.arange(3)], [None, {"k": np.float32(2)}]]
    result = unpickle(pickle.dumps(array), name="file")
    assert isinstance(result, np.ndarray) and result.shape == (2, 2)
    np.testing.assert_array_equal(result[0, 1], np.arange(3))
    assert result[0, 0] == "a" and result[1, 0] is None and result[1, 1] == {"k": 2.0}


def test_callers_can_add_names_and_records() -> None:
    class Pair(Record):
        __slots__ = ("parts",)

        def __init__(self, *parts: object) -> None:
            self.parts = parts

        def build(self, settle: Callable[[object], object]) -> object:
            return tuple(settle(part) for part in self.parts)

    stream = pickle.dumps(Call(os.path.join, np.arange(2), "x"))
    names = {("posixpath", "join"): Pair, ("ntpath", "join"): Pair}
    value = unpickle(stream, name="file", extra=names)
    assert isinstance(value, tuple) and value[1] == "x"
    np.testing.assert_array_equal(value[0], np.arange(2))
    with pytest.raises(InputError):
        unpickle(stream, name="file")


@pytest.mark.parametrize("array", ARRAYS)
def test_plain_npy_files_need_no_unpickling(array: NDArray[Any]) -> None:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    got = parse_npy(stream.getvalue(), name="plain.npy")
    assert isinstance(got, np.ndarray) and got.dtype == array.dtype
    np.testing.assert_array_equal(got, array)


def header(text: str) -> bytes:
    padded = text.encode() + b" " * (-(10 + len(text) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded


@pytest.mark.parametrize(
    "data",
    [
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"),
        header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }") + b"\0" * 8,
        header("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }") + b"N.",
        header("__import__('os').system('true')"),
        header("{" * 500),
        b"\x93NUMPY\x09\x00\x00\x00",
        b"\x93NUMPY",
        b"",
    ],
)
def test_wrong_npy_headers_give_one_sentence(data: bytes) -> None:
    with pytest.raises(InputError) as caught:
        parse_npy(data, name="bad.npy")
    assert caught.value.code == "file.damaged"


GOOD = npy({"motion": np.zeros((2, 3), dtype=np.float32), "text": ["a"], "n": np.int64(4), "u": np.array(["é"])})


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(GOOD) - 1))
def test_every_cut_off_file_gives_one_sentence(size: int) -> None:
    with pytest.raises(InputError) as caught:
        parse_npy(GOOD[:size], name="cut.npy")
    assert caught.value.code == "file.damaged"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(6, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_flipped_bytes_give_a_value_or_one_sentence(changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for place, byte in changes:
        data[place] = byte
    try:
        value = parse_npy(bytes(data), name="flipped.npy")
    except InputError as error:
        assert error.code in ("file.damaged", "file.refused")
    else:
        assert isinstance(value, dict | list | tuple | np.ndarray | np.generic | Opaque | str | int | float | None)


def npz(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return stream.getvalue()


def plain(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def test_npz_members_are_opened_only_where_wanted(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    data = npz(good=plain(np.arange(3)), evil=npy(Call(os.system, f"touch {marker}")), gender=npy(b"female"))
    found = parse_npz(data, ("good", "gender", "absent"), name="a.npz")
    assert set(found) == {"good", "gender"} and found["gender"] == b"female"
    with pytest.raises(MotionError) as caught:
        parse_npz(data, ("evil",), name="a.npz", error=MotionError)
    assert caught.value.code == "file.refused" and "a.npz (evil)" in str(caught.value)
    assert not marker.exists()


def test_npz_bombs_and_damage_are_named() -> None:
    data = npz(big=plain(np.zeros(100_000)))
    assert len(data) < 10_000
    with pytest.raises(InputError) as caught:
        parse_npz(data, ("big",), name="bomb.npz", max_bytes=100_000)
    assert caught.value.code == "file.too_large"
    for broken in (data[:-30], data[:200], data.replace(b"big.npy", b"bag.npy", 1)):
        with pytest.raises(InputError) as caught:
            parse_npz(broken, ("big", "bag"), name="broken.npz")
        assert caught.value.code == "file.damaged"


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_bytes(tmp_path / "absent.npy")
    with pytest.raises(InputError) as caught:
        read_bytes(tmp_path)
    assert caught.value.code == "file.unreadable"
    large = tmp_path / "large.npy"
    with large.open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)  # sparse: takes no room
    with pytest.raises(InputError) as caught:
        read_bytes(large)
    assert caught.value.code == "file.too_large"


def test_reading_needs_no_torch(tmp_path: Path) -> None:
    (tmp_path / "file.pkl").write_bytes(named("torch", "load", "x"))
    code = (
        "import sys, pathlib; from shared.files.safe_load import unpickle; "
        f"unpickle(pathlib.Path({str(tmp_path / 'file.pkl')!r}).read_bytes(), name='file'); "
        "print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
