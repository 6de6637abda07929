"""A training run's processes end with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[4]
WAITS = """
import sys, time
from pathlib import Path
from backend.make.training.training_loop import launch

def wait(crew, folder):
    (Path(folder) / str(crew.rank)).touch()
    time.sleep(600)

if __name__ == "__main__":
    launch(wait, 2, 1, int(sys.argv[2]), sys.argv[1])
"""
GUARD_S = 120.0  # ends a test that would hang


@pytest.mark.slow
def test_a_killed_run_leaves_no_member_behind(tmp_path: Path, unused_port: int) -> None:
    script = tmp_path / "waits.py"
    script.write_text(WAITS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen([sys.executable, str(script), str(tmp_path), str(unused_port)], env=environment)
    limit = time.monotonic() + GUARD_S
    while not ((tmp_path / "0").exists() and (tmp_path / "1").exists()):
        assert run.poll() is None and time.monotonic() < limit
        time.sleep(0.1)
    members = psutil.Process(run.pid).children(recursive=True)
    assert len(members) >= 2
    run.send_signal(signal.SIGTERM)
    assert run.wait(GUARD_S) == 143
    _, alive = psutil.wait_procs(members, timeout=GUARD_S)
    assert alive == []
