"""Small motion models with random weights, opened once for all tests of motions."""

from __future__ import annotations

import pytest
import torch

from backend.models.mdm.model import MDMModel, open_mdm
from tests.helpers.tiny_mdm import DIP_ARGUMENTS, write_model


@pytest.fixture(scope="package")
def mdm(tmp_path_factory: pytest.TempPathFactory) -> MDMModel:
    """MDM with 4 steps."""
    return open_mdm(write_model(tmp_path_factory.mktemp("mdm")), device=torch.device("cpu"))


@pytest.fixture(scope="package")
def dip(tmp_path_factory: pytest.TempPathFactory) -> MDMModel:
    """DiP with 4 steps: 20 frames before, 40 made."""
    return open_mdm(write_model(tmp_path_factory.mktemp("dip"), DIP_ARGUMENTS), device=torch.device("cpu"))
