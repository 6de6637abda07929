"""What a worker holds of the memory, and what of it is left when the model is released."""

from __future__ import annotations

import weakref
from pathlib import Path

import psutil
import torch

from backend.jobs import runner
from backend.jobs.warm_model import warm_model
from backend.machine.device_memory import give_back, measure_memory
from shared.models.files import ModelFiles
from shared.protocol.worker_memory import WorkerMemory
from tests.helpers.tiny_models import write_tiny_model

BLOCK_BYTES = 256 << 20


def test_a_released_model_is_gone_and_is_loaded_again(tmp_path: Path) -> None:
    write_tiny_model(tmp_path)
    runner.prepare(str(tmp_path), ModelFiles())
    before = weakref.ref(warm_model(str(tmp_path), ModelFiles()).components.unet)
    assert before() is not None and runner.memory().model_loaded
    runner.release()
    assert before() is None and not runner.memory().model_loaded
    runner.prepare(str(tmp_path), ModelFiles())
    assert runner.memory().model_loaded
    runner.release()


def test_the_process_memory_is_what_the_system_says_it_is() -> None:
    empty = measure_memory(torch.device("cpu"), model_loaded=False)
    block = torch.ones(BLOCK_BYTES, dtype=torch.uint8)
    full = measure_memory(torch.device("cpu"), model_loaded=True)
    assert 0.9 * BLOCK_BYTES < full.held_bytes - empty.held_bytes < 1.5 * BLOCK_BYTES
    assert full.kind == "process" and full.peak_bytes is None
    assert full.total_bytes == psutil.virtual_memory().total >= full.used_bytes
    del block
    give_back(torch.device("cpu"))  # a test before may have had this process keep freed memory
    left = measure_memory(torch.device("cpu"), model_loaded=False)
    assert left.held_bytes < full.held_bytes - 0.9 * BLOCK_BYTES


def test_card_and_process_are_named_as_what_they_are() -> None:
    card = WorkerMemory("NVIDIA X", "card", True, 3 << 30, 5 << 30, 8 << 30, 4 << 30)
    assert card.text == "NVIDIA X: the worker holds 3.0 GiB (at most 4.0 GiB); 5.0 GiB of 8.0 GiB in use"
    process = WorkerMemory("CPU", "process", False, 1 << 29, 5 << 30, 8 << 30)
    assert process.text == ("CPU: the worker's process holds 0.5 GiB, no model loaded; 5.0 GiB of 8.0 GiB in use")
