"""ST-LPIPS: a net of few channels against a slow twin, how its weights are read, and the installed weights if any."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.measure.metrics.followed import BackwardFlow
from backend.measure.metrics.st_lpips import PACKAGE, WEIGHTS, StLpips, load_st_lpips, st_lpips
from shared.errors import InputError, ModelError
from tests.reference import st_lpips as twin

CHANNELS = (3, 4, 5, 3, 4, 2)
KERNELS = (11, 5, 3, 3, 3)


def few_channels(seed: int = 0) -> dict[str, Tensor]:
    """Weights of a net with the real one's layers and a few channels."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for stage, (name, *_) in enumerate(twin.STAGES):
        inner, outer, side = CHANNELS[stage], CHANNELS[stage + 1], KERNELS[stage]
        weights[f"{name}.weight"] = torch.randn(outer, inner, side, side, generator=generator) / side
        weights[f"{name}.bias"] = torch.randn(outer, generator=generator)
        weights[f"lin{stage}.model.1.weight"] = torch.rand(1, outer, 1, 1, generator=generator)
    return weights


def random_pictures(count: int, height: int, width: int, seed: int = 1) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [(33, 40), (38, 35)])
def test_the_distance_equals_the_twin(size: tuple[int, int]) -> None:
    weights = few_channels()
    one, other = random_pictures(2, *size), random_pictures(2, *size, seed=2)
    found = StLpips(weights).distance(one, other)
    plain = {name: value.double().numpy() for name, value in weights.items()}
    for k in range(2):
        expected = twin.distance(one[k].double().numpy(), other[k].double().numpy(), plain)
        assert float(found[k]) == pytest.approx(expected, rel=1e-4)


def test_a_picture_is_itself_and_order_does_not_matter() -> None:
    metric = StLpips(few_channels())
    one, other = random_pictures(1, 40, 40), random_pictures(1, 40, 40, seed=2)
    assert float(metric.distance(one, one)) == 0
    assert float(metric.distance(one, other)) == pytest.approx(float(metric.distance(other, one)), rel=1e-6)
    assert float(metric.distance(one, other)) > 0


def test_a_clip_that_moves_as_the_flow_says_is_steady() -> None:
    texture = np.random.default_rng(0).integers(0, 256, (48, 52, 3))
    images = np.stack([texture[:, 4:52], texture[:, 3:51]])  # the second is the first, one pixel to the right
    part = np.zeros((2, 48, 48), np.uint8)
    part[0, 8:40, 8:40], part[1, 8:40, 9:41] = 1, 1
    row, column = np.nonzero(part[1])
    flow = BackwardFlow(row * 48 + column, np.stack([column - 0.5, row + 0.5], axis=1))
    metric = StLpips(few_channels())
    steady = st_lpips(images, part, [flow], metric)
    assert steady.mean == pytest.approx(0, abs=1e-9)
    painted = images.copy()
    painted[1][part[1] > 0] = 255 - painted[1][part[1] > 0]
    changed = st_lpips(painted, part, [flow], metric)
    assert changed.mean is not None and changed.mean > 0.01
    nowhere = BackwardFlow(np.zeros(0, np.int64), np.zeros((0, 2)))
    assert st_lpips(images, part, [nowhere], metric).values == (None,)
    with pytest.raises(InputError, match="2 flows"):
        st_lpips(images, part, [flow, flow], metric)


def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of the right name whose code must not run; where its weights belong."""
    path = folder / PACKAGE / WEIGHTS
    path.parent.mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").write_text("raise SystemExit('this package was run')")
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    return path


def test_weights_are_read_and_the_package_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = few_channels()
    torch.save({**weights, "further": torch.ones(2)}, installed(tmp_path, monkeypatch))
    found = load_st_lpips()
    assert found is not None and set(found.weights) == set(weights)
    assert all(torch.equal(found.weights[name], value) for name, value in weights.items())


def test_other_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = installed(tmp_path, monkeypatch)
    torch.save({"net.slice1.0.weight": torch.ones(2)}, path)
    with pytest.raises(ModelError, match=r"contains no net\.slice1\.0\.bias"):
        load_st_lpips()
    torch.save({"net": Path("whole objects")}, path)
    with pytest.raises(ModelError):
        load_st_lpips()
    path.unlink()
    assert load_st_lpips() is None


def test_with_the_real_weights_a_shift_is_less_than_a_change() -> None:
    metric = load_st_lpips()
    if metric is None:
        pytest.skip("stlpips_pytorch is not installed")
    wide = torch.nn.functional.interpolate(random_pictures(1, 9, 10), size=(72, 80), mode="bicubic").clamp(0, 1)
    one, shifted = wide[..., :-1], wide[..., 1:]
    other = one.flip(1)
    assert float(metric.distance(one, one)) == 0
    assert 0 < float(metric.distance(one, shifted)) < 0.2 * float(metric.distance(one, other))
