"""Passes on disk: what is refused when a shot is opened, what when a frame is read, and how little is held."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
from numpy.typing import NDArray

from backend.passes import exr
from backend.passes.exr import FramePasses
from backend.passes.shot_passes import KEPT_FRAMES, FrameFiles, ShotPasses, open_passes
from shared.errors import PassesError
from shared.shot import shot_json
from tests.helpers.exr_shot import moving_square, square_passes, write_exr
from tests.helpers.synthetic_passes import all_parts

FRAMES = 6


@dataclasses.dataclass(frozen=True)
class Folder:
    """Passes as the add-on writes them, and the passes that they were written from."""

    path: Path
    made: ShotPasses

    def exr(self, position: int) -> Path:
        return self.path / f"{position:04d}.exr"

    def open(self) -> ShotPasses:
        exrs = [self.exr(position) for position in self.made.positions]
        return open_passes(exrs, *(self.path / name for name in ("shot.json", "vertices.npy", "charts.npz")))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    vertices, charts = moving_square(FRAMES)
    made = square_passes(vertices, charts)
    for position in made.positions:
        write_exr(tmp_path / f"{position:04d}.exr", made.frame(position))
    (tmp_path / "shot.json").write_bytes(shot_json(made.shot))
    np.save(tmp_path / "vertices.npy", made.vertices)
    np.savez(tmp_path / "charts.npz", f=charts.f, part=charts.part, chart_uv=charts.chart_uv)
    return Folder(tmp_path, made)


def write_half(folder: Folder) -> None:
    data = folder.exr(4).read_bytes()
    folder.exr(4).write_bytes(data[: len(data) // 2 + 100])


def write_header_alone(folder: Folder) -> None:
    folder.exr(4).write_bytes(folder.exr(4).read_bytes()[:60])


def write_smaller(folder: Folder) -> None:
    frame = folder.made.frame(4)
    write_exr(folder.exr(4), FramePasses(frame.depth_m[:8], frame.part[:8], frame.uv[:8]))


def write_without_u(folder: Folder) -> None:
    zeros = np.zeros(folder.made.size, np.float32)
    with OpenEXR.File({}, {name: zeros for name in ("Depth.Z", "iuv.R", "iuv.B")}) as file:
        file.write(str(folder.exr(4)))


def write_filtered_labels(folder: Folder) -> None:
    frame = folder.made.frame(4)
    filtered: NDArray[Any] = frame.part * 0.75  # not whole numbers, as a writer must not have them
    write_exr(folder.exr(4), dataclasses.replace(frame, part=filtered))


def write_no_depth(folder: Folder) -> None:
    frame = folder.made.frame(4)
    write_exr(folder.exr(4), dataclasses.replace(frame, depth_m=np.zeros_like(frame.depth_m)))


def write_vertices(change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Folder], None]:
    return lambda folder: np.save(folder.path / "vertices.npy", change(folder.made.vertices))


def write_archive_as_vertices(folder: Folder) -> None:
    (folder.path / "vertices.npy").write_bytes((folder.path / "charts.npz").read_bytes())


def with_infinity(vertices: NDArray[Any]) -> NDArray[Any]:
    changed = vertices.copy()
    changed[-1, 0, 0] = np.inf
    return changed


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (write_header_alone, "passes.unreadable"),
        (write_smaller, "passes.size"),
        (write_without_u, "passes.layer"),
        (write_vertices(lambda vertices: vertices[1:]), "passes.vertices"),
        (write_vertices(lambda vertices: vertices.astype(np.float64)), "passes.vertices"),
        (write_vertices(lambda vertices: np.array([None])), "passes.vertices"),
        (write_vertices(with_infinity), "passes.vertices"),
        (write_archive_as_vertices, "passes.vertices"),
    ],
)
def test_a_shot_is_refused_when_it_is_opened(folder: Folder, damage: Callable[[Folder], None], code: str) -> None:
    damage(folder)
    with pytest.raises(PassesError) as caught:
        folder.open()
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (write_half, "passes.unreadable"),
        (write_filtered_labels, "passes.labels"),
        (write_no_depth, "passes.depth"),
    ],
)
def test_a_frames_pixels_are_refused_when_it_is_read(
    folder: Folder, damage: Callable[[Folder], None], code: str
) -> None:
    damage(folder)
    passes = folder.open()
    assert np.array_equal(passes.read(range(4)).part, all_parts(folder.made)[:4])
    with pytest.raises(PassesError, match=r"0004\.exr") as caught:
        passes.read(range(2, 6))
    assert caught.value.code == code


def test_frames_are_read_as_they_were_written(folder: Folder) -> None:
    read = folder.open().read(range(1, 4))
    for row, position in enumerate((1, 2, 3)):
        made = folder.made.frame(position)
        assert np.array_equal(read.depth_m[row], made.depth_m)
        assert np.array_equal(read.part[row], made.part)
        assert np.array_equal(read.uv[row], np.where(made.part[..., None] > 0, made.uv, 0))


def test_a_frame_that_the_shot_does_not_have_is_refused(folder: Folder) -> None:
    passes = folder.open()
    for position in (-1, FRAMES):
        with pytest.raises(PassesError, match=f"none at position {position}"):
            passes.frame(position)


def test_only_the_last_frames_are_kept(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = folder.open()
    assert isinstance(passes.source, FrameFiles)
    read: list[str] = []
    whole = exr.read_frame

    def counted(path: Path) -> FramePasses:
        read.append(path.stem)
        return whole(path)

    monkeypatch.setattr("backend.passes.shot_passes.read_frame", counted)
    for position in (*range(FRAMES), FRAMES - 1, FRAMES - KEPT_FRAMES, 0):
        passes.frame(position)
    assert read == [f"{position:04d}" for position in (*range(FRAMES), 0)]


def write_charts(folder: Folder, rest: NDArray[Any] | None) -> None:
    charts = folder.made.charts
    extra = {} if rest is None else {"rest": rest}
    np.savez(folder.path / "charts.npz", f=charts.f, part=charts.part, chart_uv=charts.chart_uv, **extra)


def test_charts_may_hold_the_rest_pose(folder: Folder) -> None:
    write_charts(folder, None)
    assert folder.open().charts.rest is None
    rest = np.arange(12.0).reshape(4, 3)
    write_charts(folder, rest)
    read = folder.open().charts.rest
    assert read is not None and read.dtype == np.float32
    np.testing.assert_array_equal(read, rest)


@pytest.mark.parametrize(
    "rest",
    [
        np.zeros((4, 2)),
        np.zeros(12),
        np.zeros((3, 3)),  # the faces name vertex 3
        np.zeros((5, 3)),  # the shot has four vertices
        np.full((4, 3), np.nan),
        np.full((4, 3), "0"),
    ],
)
def test_a_rest_pose_that_does_not_fit_is_refused(folder: Folder, rest: NDArray[Any]) -> None:
    write_charts(folder, rest)
    with pytest.raises(PassesError, match="rest") as caught:
        folder.open()
    assert caught.value.code == "passes.charts"
