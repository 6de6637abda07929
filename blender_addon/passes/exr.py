"""The OpenEXR files of the passes, in numpy and zlib: Blender's own are read, ours are written.

Blender cannot hand a multilayer picture's pixels to Python, and stamps date and render times into each file. So the
child reads what Blender wrote and writes the channels that the passes need, and nothing else: equal pictures give
equal bytes. Format: https://openexr.com/en/latest/OpenEXRFileLayout.html, scan lines, no, ZIPS or ZIP compression.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..shared.errors import RenderError

_MAGIC = 20000630
_VERSION = 2
_TILED, _DEEP, _MULTI_PART = 0x200, 0x800, 0x1000
_PIXEL_TYPES: dict[int, np.dtype[Any]] = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}
_LINES_PER_BLOCK = {0: 1, 2: 1, 3: 16}  # no compression, ZIPS, ZIP
_ZIP = 3
_ZIP_LINES = 16
_ZIP_LEVEL = 4


@dataclass(frozen=True, slots=True)
class _Part:
    """One part's header."""

    channels: tuple[tuple[str, np.dtype[Any]], ...]  # in the order of the scan lines
    compression: int
    width: int
    height: int
    first_line: int

    @property
    def lines_per_block(self) -> int:
        return _LINES_PER_BLOCK[self.compression]

    @property
    def blocks(self) -> int:
        return -(-self.height // self.lines_per_block)


def read_channels(data: bytes, wanted: tuple[str, ...]) -> dict[str, NDArray[np.float32]]:
    """The wanted channels, each (height, width) float32, from the bytes of an EXR file.

    A channel is found by the end of its name: `Depth.Z` is found as `ViewLayer.Depth.Z`. Raises RenderError if the
    file is not whole, is of a kind that Blender does not write, or if a channel is missing or there twice.
    """
    try:
        parts, position, multi_part = _read_headers(data)
        planes: dict[str, NDArray[np.float32]] = {}
        for part in parts:
            offsets = struct.unpack_from(f"<{part.blocks}Q", data, position)
            position += 8 * part.blocks
            names = _matches(part, wanted)
            if not names:
                continue
            found = _read_planes(data, part, offsets, set(names), 4 if multi_part else 0)
            for full, name in names.items():
                if name in planes:
                    raise _unreadable(f"holds two layers named {name}")
                planes[name] = found[full]
    except (struct.error, zlib.error, ValueError, IndexError, KeyError) as error:
        raise _unreadable("is not a whole OpenEXR file") from error
    for name in wanted:
        if name not in planes:
            raise _unreadable(f"has no layer {name}")
    return planes


def write_channels(planes: Mapping[str, NDArray[np.float32]], attributes: Mapping[str, str]) -> bytes:
    """An EXR file of one part with 32-bit float channels, ZIP compression and the given string attributes.

    Every plane is (height, width). The bytes depend on nothing but the arguments.
    """
    names = sorted(planes)
    height, width = planes[names[0]].shape
    if any(planes[name].shape != (height, width) for name in names):
        raise ValueError("the planes of an EXR file must have the same size")
    header = _header(names, width, height, attributes)
    rows = np.stack([np.asarray(planes[name], "<f4") for name in names], axis=1)  # (height, channels, width)
    blocks = [_pack(rows[y : y + _ZIP_LINES].tobytes()) for y in range(0, height, _ZIP_LINES)]
    offset = len(header) + 8 * len(blocks)
    table, chunks = [], []
    for index, block in enumerate(blocks):
        table.append(struct.pack("<Q", offset))
        chunks.append(struct.pack("<ii", index * _ZIP_LINES, len(block)) + block)
        offset += 8 + len(block)
    return header + b"".join(table) + b"".join(chunks)


def read_attribute(data: bytes, name: str) -> str | None:
    """A string attribute of the file's first part; None if it is not there or the file is not an EXR file."""
    try:
        attributes, _ = _read_attributes(data, 8)
    except (struct.error, ValueError, IndexError):
        return None
    value = attributes.get(name)
    return None if value is None else value.decode("utf-8", "replace")


def _matches(part: _Part, wanted: tuple[str, ...]) -> dict[str, str]:
    """The part's channels that are wanted: full name -> wanted name."""
    return {full: name for full, _ in part.channels for name in wanted if full == name or full.endswith("." + name)}


def _read_headers(data: bytes) -> tuple[list[_Part], int, bool]:
    magic, version = struct.unpack_from("<ii", data)
    if magic != _MAGIC or version & 0xFF != _VERSION or version & (_TILED | _DEEP):
        raise ValueError("not a scan line EXR file")
    multi_part = bool(version & _MULTI_PART)
    parts = []
    position = 8
    while True:
        attributes, position = _read_attributes(data, position)
        parts.append(_part(attributes))
        if not multi_part:
            return parts, position, False
        if data[position] == 0:
            return parts, position + 1, True


def _read_attributes(data: bytes, position: int) -> tuple[dict[str, bytes], int]:
    """One header: its attributes' values by name, and the position behind its closing zero byte."""
    attributes = {}
    while data[position] != 0:
        name, position = _read_text(data, position)
        _, position = _read_text(data, position)
        (size,) = struct.unpack_from("<i", data, position)
        position += 4
        if size < 0 or position + size > len(data):
            raise ValueError("an attribute runs past the end of the file")
        attributes[name] = data[position : position + size]
        position += size
    return attributes, position + 1


def _read_text(data: bytes, position: int) -> tuple[str, int]:
    end = data.index(b"\0", position)
    return data[position:end].decode("utf-8", "replace"), end + 1


def _part(attributes: dict[str, bytes]) -> _Part:
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    compression = attributes["compression"][0]
    if compression not in _LINES_PER_BLOCK or right < left or bottom < top:
        raise ValueError("an unknown compression or an empty picture")
    channels: list[tuple[str, np.dtype[Any]]] = []
    block = attributes["channels"]
    position = 0
    while block[position] != 0:
        name, position = _read_text(block, position)
        pixel_type, _, x_sampling, y_sampling = struct.unpack_from("<iiii", block, position)
        if (x_sampling, y_sampling) != (1, 1):
            raise ValueError("subsampled channels")
        channels.append((name, _PIXEL_TYPES[pixel_type]))
        position += 16
    return _Part(tuple(channels), compression, right - left + 1, bottom - top + 1, top)


def _read_planes(
    data: bytes, part: _Part, offsets: tuple[int, ...], wanted: set[str], skip: int
) -> dict[str, NDArray[np.float32]]:
    """The wanted channels of a part; `skip` is the size of the part number in front of each block."""
    ends = np.cumsum([part.width * pixel.itemsize for _, pixel in part.channels])
    line_bytes = int(ends[-1])
    planes = {name: np.empty((part.height, part.width), np.float32) for name in wanted}
    for offset in offsets:
        line, size = struct.unpack_from("<ii", data, offset + skip)
        start = offset + skip + 8
        first = line - part.first_line
        lines = min(part.lines_per_block, part.height - first)
        raw = _unpack(data[start : start + size], size, lines * line_bytes, part.compression)
        block = np.frombuffer(raw, np.uint8).reshape(lines, line_bytes)
        for (name, pixel), end in zip(part.channels, ends, strict=True):
            if name in wanted:
                columns = np.ascontiguousarray(block[:, end - part.width * pixel.itemsize : end])
                planes[name][first : first + lines] = columns.view(pixel)
    return planes


def _unpack(block: bytes, size: int, raw_size: int, compression: int) -> bytes:
    if len(block) != size:
        raise ValueError("the file ends inside a block")
    if compression == 0 or size == raw_size:
        return block
    differences = np.frombuffer(zlib.decompress(block), np.uint8).copy()
    differences[1:] += 128
    halves = np.cumsum(differences, dtype=np.uint8)
    if halves.size != raw_size:
        raise ValueError("a block of the wrong size")
    raw = np.empty_like(halves)
    middle = (raw_size + 1) // 2
    raw[0::2], raw[1::2] = halves[:middle], halves[middle:]
    return raw.tobytes()


def _pack(raw: bytes) -> bytes:
    values = np.frombuffer(raw, np.uint8)
    halves = np.concatenate([values[0::2], values[1::2]])
    differences = halves.copy()
    differences[1:] -= halves[:-1]
    differences[1:] += 128
    packed = zlib.compress(differences.tobytes(), _ZIP_LEVEL)
    return packed if len(packed) < len(raw) else raw


def _header(names: list[str], width: int, height: int, attributes: Mapping[str, str]) -> bytes:
    channels = b"".join(name.encode() + b"\0" + struct.pack("<iiii", 2, 0, 1, 1) for name in names) + b"\0"
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    entries = [
        ("channels", "chlist", channels),
        ("compression", "compression", bytes([_ZIP])),
        ("dataWindow", "box2i", window),
        ("displayWindow", "box2i", window),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
        *((name, "string", value.encode()) for name, value in sorted(attributes.items())),
    ]
    body = b"".join(
        name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
        for name, kind, value in entries
    )
    return struct.pack("<ii", _MAGIC, _VERSION) + body + b"\0"


def _unreadable(what: str) -> RenderError:
    return RenderError("render.exr", f"The picture that Blender rendered {what}.", "Render the passes again.")
