"""The EXR reader and writer against the OpenEXR library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
from numpy.typing import NDArray

from blender_addon.passes.exr import read_attribute, read_channels, write_channels
from blender_addon.passes.frame_file import body_pixels_of_equal_frame, passes_from_render
from shared.errors import RenderError
from tests.blender.scenes import read_exr

NAMES = ("Depth.Z", "iuv.B", "iuv.G", "iuv.R")


def planes(height: int = 37, width: int = 21, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    values = {name: random.normal(0, 1, (height, width)).astype(np.float32) for name in NAMES}
    values["Depth.Z"][0, :3] = np.inf
    return values


def blender_like(path: Path, layers: Any, compression: Any, half: tuple[Any, ...] = (), parts: bool = True) -> Any:
    """A file as Blender writes it: a part a pass (5.x) or one part (4.x), names with the view layer in front."""
    header = {"compression": compression, "type": OpenEXR.scanlineimage}
    stored = {name: value.astype(np.float16) if name in half else value for name, value in layers.items()}
    channels = {f"ViewLayer.{name}": value for name, value in stored.items()}
    channels["ViewLayer.Combined.R"] = np.ones_like(layers["Depth.Z"])
    if not parts:
        with OpenEXR.File(header, channels) as file:
            file.write(str(path))
        return path.read_bytes()
    groups: dict[str, dict[str, NDArray[Any]]] = {}
    for name, value in channels.items():
        groups.setdefault(name.rpartition(".")[0], {})[name] = value
    with OpenEXR.File([OpenEXR.Part(dict(header), group, name) for name, group in groups.items()]) as file:
        file.write(str(path))
    return path.read_bytes()


@pytest.mark.parametrize("parts", [True, False])
@pytest.mark.parametrize("compression", [OpenEXR.NO_COMPRESSION, OpenEXR.ZIPS_COMPRESSION, OpenEXR.ZIP_COMPRESSION])
@pytest.mark.parametrize("size", [(37, 21), (16, 16), (1, 1), (33, 500)])
def test_reads_what_the_library_writes(tmp_path: Path, parts: bool, compression: Any, size: tuple[int, ...]) -> None:
    layers = planes(*size)
    data = blender_like(tmp_path / "a.exr", layers, compression, ("iuv.G", "iuv.B"), parts)
    found = read_channels(data, NAMES)
    for name in NAMES:
        expected = layers[name].astype(np.float16).astype(np.float32) if name in ("iuv.G", "iuv.B") else layers[name]
        assert np.array_equal(found[name], expected), name


@pytest.mark.parametrize("size", [(37, 21), (16, 16), (1, 1), (64, 500)])
def test_the_library_reads_what_is_written(tmp_path: Path, size: tuple[int, ...]) -> None:
    layers = planes(*size)
    data = write_channels(layers, {"latentmanKey": "a" * 64})
    (tmp_path / "b.exr").write_bytes(data)
    found = read_exr(tmp_path / "b.exr")
    assert set(found) == set(NAMES)
    assert all(found[name].dtype == np.float32 and np.array_equal(found[name], layers[name]) for name in NAMES)
    with OpenEXR.File(str(tmp_path / "b.exr"), separate_channels=True) as file:
        assert file.parts[0].compression() == OpenEXR.ZIP_COMPRESSION
        assert file.parts[0].header["latentmanKey"] == "a" * 64
    assert write_channels(dict(reversed(layers.items())), {"latentmanKey": "a" * 64}) == data
    assert read_attribute(data, "latentmanKey") == "a" * 64
    assert read_attribute(data, "other") is None
    assert read_attribute(b"no picture", "latentmanKey") is None


def test_damaged_files_are_refused_whatever_is_cut_or_changed(tmp_path: Path) -> None:
    data = write_channels(planes(), {})
    for length in range(0, len(data), 97):
        with pytest.raises(RenderError, match="OpenEXR|layer"):
            read_channels(data[:length], NAMES)
    random = np.random.default_rng(1)
    for place in random.integers(0, len(data), 300):
        broken = bytearray(data)
        broken[place] ^= 0xFF
        try:
            found = read_channels(bytes(broken), NAMES)
        except RenderError:
            continue
        assert found["iuv.R"].dtype == np.float32  # the change hit a name or a value that no check guards
    with pytest.raises(RenderError, match="has no layer iuv.A"):
        read_channels(data, ("iuv.A",))


def test_a_layer_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    layers = planes(4, 4)
    with OpenEXR.File(
        {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage},
        {"A.iuv.R": layers["iuv.R"], "B.iuv.R": layers["iuv.R"]},
    ) as file:
        file.write(str(tmp_path / "c.exr"))
    with pytest.raises(RenderError, match="two layers named iuv.R"):
        read_channels((tmp_path / "c.exr").read_bytes(), ("iuv.R",))


def rendered(tmp_path: Path, part: Any, depth: float = 2.0) -> Any:
    shape = np.shape(part)
    full = {name: np.zeros(shape, np.float32) for name in NAMES}
    full["iuv.R"][:] = part
    full["Depth.Z"][:] = np.where(np.asarray(part) > 0, depth, 1e10)
    full["iuv.G"][:] = 0.25
    return blender_like(tmp_path / "render.exr", full, OpenEXR.NO_COMPRESSION)


def test_labels_leave_as_whole_numbers_and_the_background_has_its_values(tmp_path: Path) -> None:
    part = [[0, 22.984375, 1], [24, 6.9960938, 0]]
    data, pixels = passes_from_render(rendered(tmp_path, part), "k")
    (tmp_path / "0001.exr").write_bytes(data)
    layers = read_exr(tmp_path / "0001.exr")
    assert layers["iuv.R"].tolist() == [[0, 23, 1], [24, 7, 0]]
    assert layers["Depth.Z"].tolist() == [[np.inf, 2, 2], [2, 2, np.inf]]
    assert layers["iuv.G"].tolist() == [[0, 0.25, 0.25], [0.25, 0.25, 0]]
    assert pixels == 4
    assert body_pixels_of_equal_frame(tmp_path / "0001.exr", "k") == 4
    assert body_pixels_of_equal_frame(tmp_path / "0001.exr", "other") is None
    assert body_pixels_of_equal_frame(tmp_path / "none.exr", "k") is None


def test_mixed_labels_and_a_body_without_distance_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="mixed"):
        passes_from_render(rendered(tmp_path, [[0, 3.5]]), "k")
    with pytest.raises(RenderError, match="mixed"):
        passes_from_render(rendered(tmp_path, [[0, 25.0]]), "k")
    with pytest.raises(RenderError, match="mixed"):
        passes_from_render(rendered(tmp_path, [[0, np.nan]]), "k")
    with pytest.raises(RenderError, match="not a distance"):
        passes_from_render(rendered(tmp_path, [[0, 3.0]], depth=np.inf), "k")
