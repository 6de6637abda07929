"""One pickle from a stream, without running anything in it, and its records turned into what they stand for."""

from __future__ import annotations

import contextlib
import io
import lzma
import pickle
import pickletools
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

import numpy as np

from ..errors import InputError
from .pickle_records import Maker, Mark, Names, Opaque, Record

MAX_FILE_BYTES: Final = 512 * 1024 * 1024
MAX_OPCODES: Final = 4_000_000
_MAX_DEPTH: Final = 32
TRUST_HINT: Final = "Use a file from a source you trust, or save it again as plain arrays."
DAMAGE_HINT: Final = "The file is cut off or damaged: copy or export it again."
SHORTEN_HINT: Final = "Shorten it to the frames that you need."

# What a damaged or hostile stream makes pickle, zipfile or NumPy raise; anything else is a fault of ours.
STREAM_ERRORS: Final = (
    pickle.UnpicklingError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OverflowError,
    MemoryError, RecursionError, NotImplementedError, SyntaxError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
    RuntimeError, struct.error,
)  # fmt: skip


class Refused(pickle.UnpicklingError):
    """The stream asks for a name that is not on the list."""


class TooLarge(pickle.UnpicklingError):
    """What the stream holds comes to more bytes than are read."""


@contextlib.contextmanager
def told_as(error: type[InputError], name: str) -> Iterator[None]:
    """Inside, what a damaged or hostile stream raises becomes `error` with the file's name: `file.refused`,
    `file.too_large` or `file.damaged`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Python's word on odd escapes in old streams' texts
            yield
    except Refused as refusal:
        raise error(
            "file.refused",
            f"{name} was not opened: it asks for {refusal}, which a data file does not need. Nothing in it was run.",
            TRUST_HINT,
        ) from refusal
    except TooLarge as fault:
        raise error("file.too_large", f"{name} {fault}.", SHORTEN_HINT) from fault
    except STREAM_ERRORS as fault:
        raise error("file.damaged", f"{name} cannot be read: {fault or type(fault).__name__}.", DAMAGE_HINT) from fault


def named(names: Names, module: str, name: str) -> object:
    """What stands for a name in the stream. Raises Refused for a name that is not on the list."""
    found = names.get((module, name))
    if isinstance(found, Mark):
        return found
    if found is not None:
        return Maker(found)
    if module == "torch" or module.startswith("torch."):
        return Opaque(f"{module}.{name}")
    raise Refused(f"{module}.{name}")


class _AllowListUnpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, encoding: str, names: Names, kept: Callable[[Any], object] | None) -> None:
        super().__init__(stream, encoding=encoding)
        self._names = names
        self._kept = kept

    def find_class(self, module: str, name: str, /) -> Any:
        return named(self._names, module, name)

    def persistent_load(self, pid: Any, /) -> Any:
        if self._kept is None:
            raise pickle.UnpicklingError("it refers to data outside itself")
        return self._kept(pid)


def load_one(
    stream: io.BytesIO, names: Names, *, encoding: str = "ASCII", kept: Callable[[Any], object] | None = None
) -> object:
    """What the pickle at the stream's position builds, records unsettled; the stream is then behind it.

    `kept` gives what a persistent id stands for. Raises one of `STREAM_ERRORS`.
    """
    start = stream.tell()
    _scan(stream)
    stream.seek(start)
    return _AllowListUnpickler(stream, encoding, names, kept).load()


def _scan(stream: io.BytesIO) -> None:
    """Reads the opcodes without running them: lengths must fit the data, and the memo must not be a memory bomb."""
    for count, (opcode, argument, _position) in enumerate(pickletools.genops(stream)):
        if count > MAX_OPCODES or (opcode.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > MAX_OPCODES):
            raise pickle.UnpicklingError("the file has far more instructions than data")


def settled(value: object, *, skip: Collection[str] = (), max_bytes: int = MAX_FILE_BYTES) -> object:
    """The value with every record turned into its object; parts that are shared stay shared.

    Entries of dictionaries whose key is in `skip` become `Opaque`. Raises one of `STREAM_ERRORS`, TooLarge where the
    arrays come to more than `max_bytes`.
    """
    return _Settling(frozenset(skip), max_bytes).settled(value, 0)


class _Settling:
    """One walk through what a stream has built."""

    def __init__(self, skip: frozenset[str], max_bytes: int) -> None:
        self._skip = skip
        self._max_bytes = max_bytes
        self._bytes = 0
        self._done: dict[int, object] = {}

    def settled(self, value: object, depth: int) -> object:
        if not isinstance(value, dict | list | tuple | set | frozenset | Record | Maker | Mark):
            return value
        if id(value) not in self._done:
            if depth > _MAX_DEPTH:
                raise pickle.UnpicklingError("the data is nested too deeply")
            self._done[id(value)] = self._rebuilt(value, lambda item: self.settled(item, depth + 1))
        return self._done[id(value)]

    def _rebuilt(self, value: object, settle: Callable[[object], object]) -> object:
        match value:
            case Record():
                return self._counted(value.build(settle))
            case dict():
                return {_key(settle(key)): self._entry(key, item, settle) for key, item in value.items()}
            case list():
                return [settle(item) for item in value]
            case tuple():
                return tuple(settle(item) for item in value)
            case set() | frozenset():
                return frozenset(_key(settle(item)) for item in value)
            case Mark():
                return Opaque(value.kind)
            case _:
                return Opaque("function")

    def _entry(self, key: object, item: object, settle: Callable[[object], object]) -> object:
        return Opaque("left out") if isinstance(key, str) and key in self._skip else settle(item)

    def _counted(self, built: object) -> object:
        if isinstance(built, np.ndarray):
            self._bytes += built.nbytes
            if self._bytes > self._max_bytes:
                raise TooLarge(f"unpacks to more than {self._max_bytes / 2**20:.0f} MiB")
        return built


def _key(value: object) -> object:
    """A number of NumPy's as Python's, so that it can be a key."""
    return value.item() if isinstance(value, np.ndarray) and value.shape == () else value
