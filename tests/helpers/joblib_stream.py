"""What `joblib.dump` writes, by its rules: a pickle with a description for each array, and the bytes behind that."""

from __future__ import annotations

import io
import pickle
import sys
import types
from typing import Any

import numpy as np

_ALIGNED = 16


class NumpyArrayWrapper:
    """joblib's description of an array, by the name that it has there."""

    def __init__(self, array: np.ndarray[Any, Any], aligned: bool) -> None:
        self.subclass = np.ndarray
        self.shape = array.shape
        self.order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
        self.dtype = array.dtype
        self.allow_mmap = not array.dtype.hasobject
        if aligned:  # since joblib 1.2
            self.numpy_array_alignment_bytes = _ALIGNED


NumpyArrayWrapper.__module__ = "joblib.numpy_pickle"


class _Pickler(pickle._Pickler):
    framer: Any

    def __init__(self, stream: io.BytesIO, protocol: int, aligned: bool) -> None:
        super().__init__(stream, protocol)
        self._stream, self._aligned = stream, aligned

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if type(obj) is not np.ndarray:
            super().save(obj, save_persistent_id)  # type: ignore[misc]
            return
        super().save(NumpyArrayWrapper(obj, self._aligned), save_persistent_id)  # type: ignore[misc]
        self.framer.commit_frame(force=True)
        if obj.dtype.hasobject:
            pickle.dump(obj, self._stream, protocol=5)
            return
        if self._aligned:
            padding = _ALIGNED - (self._stream.tell() + 1) % _ALIGNED
            self._stream.write(bytes([padding]) + b"\xff" * padding)
        self._stream.write(obj.tobytes("F" if NumpyArrayWrapper(obj, False).order == "F" else "C"))


def joblib_bytes(value: object, *, protocol: int = 4, aligned: bool = True) -> bytes:
    """The bytes that `joblib.dump(value, file, protocol=protocol)` writes; `aligned` as joblib does since 1.2."""
    stream = io.BytesIO()
    package, module = types.ModuleType("joblib"), types.ModuleType("joblib.numpy_pickle")
    module.NumpyArrayWrapper = NumpyArrayWrapper  # type: ignore[attr-defined]
    absent = {name: sys.modules.get(name) for name in ("joblib", "joblib.numpy_pickle")}
    sys.modules |= {"joblib": package, "joblib.numpy_pickle": module}
    try:
        _Pickler(stream, protocol, aligned).dump(value)
    finally:
        for name, before in absent.items():
            if before is None:
                del sys.modules[name]
            else:
                sys.modules[name] = before
    return stream.getvalue()
