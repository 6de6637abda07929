"""torch's files come through as torch wrote them, and hostile ones are refused with one sentence."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shared.errors import InputError
from shared.files.pickle_records import Opaque
from shared.files.safe_load import unpickle
from shared.files.torch_file import is_torch_stream, is_torch_zip, parse_torch_stream, parse_torch_zip, torch_names

BASE = torch.arange(24.0)
TENSORS: dict[str, torch.Tensor] = {
    "plain": torch.ones(2, 3),
    "transposed": BASE.reshape(4, 6).T,
    "a part of a storage": BASE[5:9],
    "every second": BASE.reshape(4, 6)[::2, 1::2],
    "one number for many": torch.zeros(1, 3).expand(4, 3),
    "half": torch.tensor([0.5, -2.0], dtype=torch.half),
    "bfloat16": torch.tensor([1.0, -3.140625, 1e30], dtype=torch.bfloat16),
    "double": torch.tensor([1.5], dtype=torch.double),
    "int64": torch.tensor([2**40, -1]),
    "uint16, without a storage type of its own": torch.tensor([1, 65535], dtype=torch.uint16),
    "bool": torch.tensor([True, False]),
    "a number": torch.tensor(3),
    "nothing": torch.zeros(0, 3),
    "a parameter": torch.nn.Parameter(torch.ones(2)),
}
CONTENT: dict[str, Any] = {
    "tensors": TENSORS,
    "ordered": OrderedDict(deep=[TENSORS["plain"], {"deeper": (TENSORS["half"],)}]),
    "numpy": np.arange(3),
    "size": torch.Size([1, 2]),
    "text": "a person walks",
}


def zipped(content: object) -> io.BytesIO:
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream


def streamed(content: object) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def check(found: Any) -> None:
    for name, tensor in TENSORS.items():
        want = tensor.detach().to(torch.float32 if tensor.dtype == torch.bfloat16 else tensor.dtype).numpy()
        assert found["tensors"][name].dtype == want.dtype, name
        np.testing.assert_array_equal(found["tensors"][name], want, err_msg=name)
        assert not found["tensors"][name].flags.writeable
    np.testing.assert_array_equal(found["ordered"]["deep"][0], np.ones((2, 3)))
    np.testing.assert_array_equal(found["ordered"]["deep"][1]["deeper"][0], [0.5, -2.0])
    np.testing.assert_array_equal(found["numpy"], np.arange(3))
    assert found["size"] == (1, 2) and found["text"] == "a person walks"


def test_a_zip_comes_through() -> None:
    stream = zipped(CONTENT)
    assert is_torch_zip(zipfile.ZipFile(stream).namelist())
    check(parse_torch_zip(stream, name="a.pt"))


def test_a_stream_of_before_1_6_comes_through() -> None:
    data = streamed(CONTENT)
    assert is_torch_stream(data)
    check(parse_torch_stream(data, name="a.pt"))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_tensors_in_a_pickle_come_through(protocol: int) -> None:
    check(unpickle(pickle.dumps(CONTENT, protocol), name="a.pkl", extra=torch_names()))


def test_big_endian_archives_are_turned() -> None:
    numbers = torch.tensor([1.0, 2.0])
    stream = rewritten(zipped({"a": numbers}), byteorder=b"big", **{"data/0": numbers.numpy().astype(">f4").tobytes()})
    found: Any = parse_torch_zip(stream, name="a.pt")
    np.testing.assert_array_equal(found["a"], [1.0, 2.0])


def test_what_is_skipped_is_not_read() -> None:
    stream = rewritten(zipped({"net_outputs": torch.ones(3), "a": torch.zeros(2)}), **{"data/0": b""})
    found: Any = parse_torch_zip(stream, name="a.pt", skip={"net_outputs"})
    assert isinstance(found["net_outputs"], Opaque) and found["a"].shape == (2,)
    assert code_of(stream) == "file.damaged"  # its bytes are gone, so that reading it fails


def rewritten(stream: io.BytesIO, **members: bytes) -> io.BytesIO:
    """The archive with other content for some members, by their names below the first folder."""
    changed = io.BytesIO()
    with zipfile.ZipFile(stream) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            after.writestr(name, members.get(name.partition("/")[2], before.read(name)))
    return changed


def archive(pickled: bytes, **members: bytes) -> io.BytesIO:
    """An archive with this pickle."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as writing:
        writing.writestr("archive/data.pkl", pickled)
        for name, content in members.items():
            writing.writestr(f"archive/{name}", content)
    return stream


def code_of(stream: io.BytesIO) -> str:
    with pytest.raises(InputError) as caught:
        parse_torch_zip(stream, name="evil.pt")
    assert str(caught.value).startswith("evil.pt ")
    return caught.value.code


class Tensor:
    """Pickles as a call that rebuilds a tensor of the storage `0` with whatever shape."""

    def __init__(self, offset: object, size: object, stride: object, count: int = 4) -> None:
        self.parts = (offset, size, stride)
        self.count = count

    def __reduce__(self) -> tuple[Any, ...]:
        return torch._utils._rebuild_tensor_v2, (_Storage(self.count), *self.parts, False, OrderedDict())


class _Storage:
    def __init__(self, count: int) -> None:
        self.count = count


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: object) -> object:
        return ("storage", torch.FloatStorage, "0", "cpu", obj.count) if isinstance(obj, _Storage) else None


def hostile(content: object) -> io.BytesIO:
    stream = io.BytesIO()
    _Pickler(stream, 2).dump(content)
    return archive(stream.getvalue(), **{"data/0": np.ones(4, np.float32).tobytes()})


def test_the_hostile_files_are_files() -> None:
    found: Any = parse_torch_zip(hostile({"a": Tensor(1, (3,), (1,))}), name="a.pt")
    np.testing.assert_array_equal(found["a"], [1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("tensor", "code"),
    [
        (Tensor(0, (5,), (1,)), "file.damaged"),  # beyond the storage
        (Tensor(2, (3,), (1,)), "file.damaged"),
        (Tensor(0, (2, 2), (3, 1)), "file.damaged"),
        (Tensor(-1, (2,), (1,)), "file.damaged"),
        (Tensor(0, (2,), (-1,)), "file.damaged"),
        (Tensor(0, (2, 2), (1,)), "file.damaged"),
        (Tensor(0, (1,) * 40, (0,) * 40), "file.damaged"),
        (Tensor(0, ("2",), (1,)), "file.damaged"),
        (Tensor(0, (2**30, 2**10), (0, 0)), "file.too_large"),  # one number, a thousand thousand million times
        (Tensor(0, (2**27 + 1,), (0,)), "file.too_large"),
        (Tensor(0, (2**60,), (0,)), "file.damaged"),
        (Tensor(0, (1,), (1,), count=2**40), "file.damaged"),
        (Tensor(0, (1,), (1,), count=2**20), "file.damaged"),  # more than the file has
    ],
)
def test_shapes_that_do_not_fit_are_refused(tensor: Tensor, code: str) -> None:
    assert code_of(hostile({"a": tensor})) == code


def test_many_views_of_one_storage_are_bounded_together() -> None:
    views = [Tensor(0, (2**24,), (0,)) for _ in range(9)]  # 64 MiB each
    assert code_of(hostile(views)) == "file.too_large"


def test_zip_bombs_are_refused() -> None:
    assert code_of(archive(b"\x80\x02." + b"0" * (513 * 2**20))) == "file.too_large"


class Call:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def test_functions_are_refused_and_not_run(tmp_path: Path) -> None:
    command = f"touch {tmp_path}/ran"
    assert code_of(zipped({"a": torch.ones(2), "b": Call(command)})) == "file.refused"
    inside = pickle.dumps(Call(command))
    tensor = b"\x80\x04\x8c\x0ctorch._utils\x8c\x12_rebuild_tensor_v2\x93("
    tensor += b"\x8c\x0dtorch.storage\x8c\x10_load_from_bytes\x93C" + bytes([len(inside)]) + inside + b"\x85R"
    tensor += b"K\x00K\x01\x85K\x01\x85\x89NtR."
    with pytest.raises(InputError) as caught:
        unpickle(tensor, name="evil.pkl", extra=torch_names())
    assert caught.value.code == "file.refused"
    assert not (tmp_path / "ran").exists()


def test_storages_in_storages_end() -> None:
    stream = io.BytesIO()
    np.save(stream, np.array({"a": torch.ones(2)}, dtype=object), allow_pickle=True)
    inner = streamed(torch.ones(2).untyped_storage())
    for _ in range(3):  # a storage whose bytes ask for another storage from bytes
        inner = streamed(Nested(inner))
    with pytest.raises(InputError):
        unpickle(pickle.dumps(Rebuilt(inner)), name="deep.pkl", extra=torch_names())


class Nested:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        return torch.storage._load_from_bytes, (self.data,)


class Rebuilt(Nested):
    def __reduce__(self) -> tuple[Any, ...]:
        return torch._utils._rebuild_tensor_v2, (Nested(self.data), 0, (1,), (1,), False, OrderedDict())


@pytest.mark.parametrize("size", range(0, 370, 17))
def test_cut_off_streams_give_one_sentence(size: int) -> None:
    data = streamed({"a": torch.ones(3), "b": [1, 2]})
    assert size < len(data)
    with pytest.raises(InputError) as caught:
        parse_torch_stream(data[:size], name="cut.pt")
    assert caught.value.code == "file.damaged"


def test_conjugated_numbers_are_refused() -> None:
    assert code_of(zipped({"a": torch.ones(2, dtype=torch.complex64).conj()})) == "file.damaged"
