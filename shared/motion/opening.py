"""A motion file's entries: plain arrays are read here, pickles by an `Opener`, which may be a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ..errors import MotionError
from ..files.containers import Wanted, holds_pickles, open_pickled, require_size
from ..files.open_in_child import open_in_child
from ..files.safe_load import file_fault, is_npy, is_npz, npz_names, parse_npy, parse_npz
from .readers.bvh import bvh_fields
from .readers.table import not_a_motion_file, opened_entries, skipped_entries
from .reading.clip import Reader
from .reading.fields import BARE, Fields
from .reading.scene_file import is_scene_file, parse_scene_file
from .retarget.bvh import is_bvh

Opener = Callable[[Path, Wanted], object]
_START = 64


def read_here(path: Path, wanted: Wanted) -> object:
    """A pickled file read by this process. Raises MotionError."""
    return open_pickled(path, wanted, error=MotionError)


def read_in_child(path: Path, wanted: Wanted) -> object:
    """A pickled file read by a process of its own, as in Blender. Raises MotionError."""
    return open_in_child(path, wanted, error=MotionError)


def opened(path: Path, opener: Opener = read_here) -> Fields:
    """The file's entries; an array without a name has the key `BARE`. Raises MotionError."""
    wanted = Wanted(opened_entries(), skipped_entries())
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # a device or a pipe, which may have no end
            raise MotionError("motion.unknown_format", f"{path} is a device, not a file.", "Choose a motion file.")
        with path.open("rb") as stream:
            if holds_pickles(stream, wanted, name=path.name, error=MotionError):
                return _named(path.name, opener(path, wanted))
            require_size(stream, name=path.name, error=MotionError)
            return _plain(stream, path.name, wanted)
    except OSError as fault:
        raise file_fault(path, fault, MotionError) from fault


def with_companions(path: Path, fields: Fields, reader: Reader, opener: Opener = read_here) -> Fields:
    """The entries, and those of the files that the reader's programs write beside the motion, as `FILE/ENTRY`."""
    found = dict(fields.entries)
    for companion in reader.companions:
        beside = path.parent / companion
        if beside.is_file():
            entries = opened(beside, opener).entries
            found |= {f"{beside.name}/{key}": value for key, value in entries.items()}
    return replace(fields, entries=found)


def _plain(stream: BinaryIO, name: str, wanted: Wanted) -> Fields:
    """The entries of a file that needs no unpickling."""
    data = stream.read()
    if is_bvh(data):
        return bvh_fields(data, name)
    if is_npz(data):
        entries = parse_npz(data, wanted.entries, name=name, error=MotionError, pickles=False)
        names = npz_names(data, name=name, error=MotionError)
        return Fields(name, entries, tuple(one for one in names if one not in entries))
    if is_npy(data):
        return _named(name, parse_npy(data, name=name, error=MotionError, pickles=False))
    if is_scene_file(data):
        return Fields(name, parse_scene_file(data, name))
    raise not_a_motion_file(name, data[:_START])


def _named(name: str, content: object) -> Fields:
    if isinstance(content, np.ndarray) and not content.ndim:
        content = content.item()
    if isinstance(content, list | tuple | np.ndarray) and len(content) == 1 and isinstance(content[0], dict):
        content = content[0]
    if isinstance(content, dict):
        return Fields(name, {str(key): value for key, value in content.items()})
    return Fields(name, {BARE: content})
