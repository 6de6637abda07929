"""Cards for several workers: what the user allows is divided, nothing else is taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.machine.devices import card_environment
from backend.server.dispatch.local import LocalDispatcher
from backend.server.dispatch.port import Assignment, DispatchSettings, Lost
from backend.server.wakeup import Wakeup
from tests.unit.backend.server.dispatch.test_local_dispatcher import until_end

CUDA, HIP = "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"

SHARES: list[tuple[dict[str, str], list[dict[str, str]]]] = [
    ({}, [{CUDA: "0"}, {CUDA: "1"}]),
    ({CUDA: "2,5"}, [{CUDA: "2"}, {CUDA: "5"}]),
    ({CUDA: "3"}, [{CUDA: "3"}, {CUDA: "3"}]),
    ({CUDA: " 4, 6 ,7"}, [{CUDA: "4,7"}, {CUDA: "6"}]),
    ({CUDA: "GPU-8932f937,GPU-a1b2c3d4"}, [{CUDA: "GPU-8932f937"}, {CUDA: "GPU-a1b2c3d4"}]),
    ({CUDA: "MIG-89/1/0,MIG-89/2/0"}, [{CUDA: "MIG-89/1/0"}, {CUDA: "MIG-89/2/0"}]),
    ({CUDA: ""}, [{CUDA: ""}, {CUDA: ""}]),
    ({CUDA: "-1", HIP: "-1"}, [{CUDA: "-1", HIP: "-1"}] * 2),
    ({CUDA: "1,-1,2"}, [{CUDA: "1"}, {CUDA: "1"}]),  # the driver reads no further than -1
    ({HIP: "1,0"}, [{HIP: "1"}, {HIP: "0"}]),
]  # fmt: skip


@pytest.mark.parametrize(("given", "shares"), SHARES)
def test_two_places_share_what_is_allowed(given: dict[str, str], shares: list[dict[str, str]]) -> None:
    assert [card_environment({**given, "PATH": "/bin"}, 2, index) for index in range(2)] == shares


def test_one_place_keeps_what_there_is() -> None:
    assert card_environment({CUDA: "2,5"}, 1, 0) == {} == card_environment({}, 1, 0)


def test_the_workers_are_started_with_their_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real processes; their runner ends them with the card that they see as exit code."""
    (tmp_path / "card_runner.py").write_text("import os\nos._exit(int(os.environ['CUDA_VISIBLE_DEVICES']))\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv(CUDA, "4,6")
    wakeup = Wakeup()
    dispatcher = LocalDispatcher(DispatchSettings("card_runner", 2, tmp_path / "logs"), wakeup)
    codes: list[str] = []
    for job in ("a", "b"):
        dispatcher.submit(Assignment(job, 1, tmp_path))
    while len(codes) < 2:
        codes += [event.reason for event in until_end(dispatcher) if isinstance(event, Lost)]
    dispatcher.close()
    wakeup.close()
    assert sorted(codes) == ["ended with exit code 4", "ended with exit code 6"]
