"""The installation of the backend with real environments, a real pip, and a tiny wheel instead of gigabytes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from blender_addon.client.backend_command import Places, find_backend, parse_backend_command, program_in
from blender_addon.client.install_backend import STAGES, BackendInstall
from blender_addon.client.install_steps import CPU, NVIDIA, InstallOrder, by_hand, python_commands, python_of
from blender_addon.client.own_environment import drop_environment, own_environment, remove_others
from blender_addon.help.backend_version import BackendVersion
from shared.errors import InputError, LatentManError
from tests.helpers.tiny_backend import tiny_wheel

PLENTY = 10**12
GUARD_S = 120.0  # ends a test that would hang; nothing is measured with it


@pytest.fixture(autouse=True)
def no_package_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip looks at nothing but the given wheel: its own variables hold."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def order_for(folder: Path, **wheel: object) -> InstallOrder:
    """The order for a tiny wheel."""
    path = tiny_wheel(folder / "wheels", **wheel)  # type: ignore[arg-type]
    return InstallOrder(folder / "own", "0.1.0", sys.executable, str(path))


def drive(install: BackendInstall, until_stage: int = len(STAGES)) -> set[int]:
    """Step until the installation has ended, or reached a stage; the stages that were seen."""
    limit, seen = time.monotonic() + GUARD_S, set()
    while install.running:
        assert time.monotonic() < limit
        if install.progress is not None:
            seen.add(install.progress.stage)
            if install.progress.stage >= until_stage:
                break
        install.step()
        time.sleep(0.01)
    return seen


def installed(order: InstallOrder) -> BackendInstall:
    """A whole installation."""
    install = BackendInstall(lambda folder: PLENTY)
    install.start(order)
    assert drive(install) == {0, 1, 2, 3}
    return install


def failed(order: InstallOrder, free: int = PLENTY) -> LatentManError:
    """The error of an installation that must fail and leave nothing."""
    install = BackendInstall(lambda folder: free)
    install.start(order)
    drive(install)
    assert install.error is not None and not install.done and own_environment(order.root) is None
    assert install.error.hint
    return install.error


def no_environments(root: Path) -> bool:
    """Whether none is left once what removes them has had its time."""
    limit = time.monotonic() + GUARD_S
    while list(root.glob("env-*")) and time.monotonic() < limit:
        time.sleep(0.01)
    return not list(root.glob("env-*"))


def test_a_wheel_is_installed_found_asked_for_its_version_replaced_and_removed(tmp_path: Path) -> None:
    order = order_for(tmp_path / "with a space", version="0.1.0")
    install = installed(order)
    assert install.done and install.error is None
    first = own_environment(order.root)
    assert first is not None and program_in(first) is not None
    command = find_backend(None, Places(own=first))
    assert Path(command.words[0]) == program_in(first) and command.words[1:] == ("serve", "--stdio")
    log = (order.root / "install.log").read_text()
    assert "Successfully installed latentman-0.1.0" in log

    version = BackendVersion()
    version.ask(command)
    while version.running:
        version.step()
    assert version.of(command) == "0.1.0"
    named = parse_backend_command(str(first))
    assert named == parse_backend_command(str(program_in(first))) == command

    newer = order_for(tmp_path / "with a space", version="0.2.0", torch="9.9+cu130 on cuda: A Card, 1 threads")
    assert installed(replace(newer, card=NVIDIA)).done
    second = own_environment(order.root)
    assert second is not None and second != first
    said = subprocess.run([str(program_in(second)), "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "latentman 0.2.0"

    drop_environment(order.root)
    assert own_environment(order.root) is None and no_environments(order.root)


def test_a_failure_says_what_pip_says_and_the_next_try_works(tmp_path: Path) -> None:
    order = order_for(tmp_path)
    whole = Path(order.package).read_bytes()
    Path(order.package).write_bytes(whole[: len(whole) // 2])
    error = failed(order)
    assert error.code == "backend.install_failed" and "latentman-0.1.0-py3-none-any.whl" in error.message
    Path(order.package).write_bytes(whole)
    assert installed(order).done


def test_an_upgrade_that_fails_leaves_the_backend_that_was_there(tmp_path: Path) -> None:
    order = order_for(tmp_path)
    installed(order)
    before = own_environment(order.root)
    install = BackendInstall(lambda folder: PLENTY)
    install.start(order_for(tmp_path, version="0.2.0", works=False, torch="cannot be imported"))
    drive(install)
    assert install.error is not None and install.error.code == "backend.install_check"
    assert "torch: cannot be imported" in install.error.message and install.error.hint == "mend it"
    assert own_environment(order.root) == before and before is not None and program_in(before) is not None


def test_cancelled_in_the_middle_nothing_stays(tmp_path: Path) -> None:
    order = order_for(tmp_path)
    install = BackendInstall(lambda folder: PLENTY)
    install.start(order)
    assert max(drive(install, until_stage=1)) == 1  # it runs still
    install.close()
    assert not install.running and install.error is None and not install.done
    assert own_environment(order.root) is None and no_environments(order.root)
    assert installed(order).done


def test_without_room_nothing_is_begun(tmp_path: Path) -> None:
    order = order_for(tmp_path)
    error = failed(order, free=order.needed_bytes - 1)
    assert error.code == "backend.install_space" and "GB" in error.message and str(order.root) in error.message
    assert no_environments(order.root)


@pytest.mark.skipif(os.name == "nt", reason="a file in the way says the same everywhere, but its error differs")
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    error = failed(replace(order_for(tmp_path), root=tmp_path / "file" / "own"))
    assert str(tmp_path / "file") in error.message


def test_a_package_that_is_no_package_is_refused(tmp_path: Path) -> None:
    assert failed(replace(order_for(tmp_path), package=str(tmp_path))).code == "backend.package"
    other = failed(order_for(tmp_path, command=False))
    assert other.code == "backend.install_failed" and "no latentman program" in other.message


def test_a_card_that_is_wanted_must_be_found(tmp_path: Path) -> None:
    error = failed(replace(order_for(tmp_path), card=NVIDIA))
    assert error.code == "backend.install_card" and "9.9 on cpu" in error.message


def test_without_a_python_that_fits_it_says_which_ones_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = failed(replace(order_for(tmp_path), python=str(tmp_path / "gone")))
    assert error.code == "backend.install_python" and "Python 3.11 to 3.13" in error.message
    assert python_commands(sys.executable) == [(sys.executable,)]


def test_a_log_that_cannot_be_written_is_not_taken_for_a_missing_python(tmp_path: Path) -> None:
    order = order_for(tmp_path)
    install = BackendInstall(lambda folder: PLENTY)
    install.start(order)
    (order.root / "install.log").unlink()
    (order.root / "install.log").mkdir()
    drive(install)
    assert install.error is not None and install.error.code.startswith("storage.")


def test_the_commands_to_copy_do_what_the_button_does(tmp_path: Path) -> None:
    order = order_for(tmp_path / "with a space")
    folder = tmp_path / "by hand"
    text = by_hand(order, folder)
    assert len(text.splitlines()) == 2 and str(python_of(folder)) in text.splitlines()[1]
    subprocess.run(text.replace("\n", " && "), shell=True, check=True, capture_output=True)
    assert find_backend(None, Places(usual=(folder,))).words[0] == str(program_in(folder))


def test_without_a_package_no_index_is_asked_for_the_backend(tmp_path: Path) -> None:
    order = InstallOrder(tmp_path, "1.2.3", index="https://packages.example/simple")
    with pytest.raises(InputError, match="No package is chosen") as caught:
        order.requirement  # noqa: B018
    assert "latentman-1.2.3-py3-none-any.whl" in caught.value.hint
    words = "--extra-index-url https://packages.example/simple latentman-1.2.3-py3-none-any.whl"
    assert words in by_hand(order, tmp_path / "env")
    small = replace(order, card=CPU)
    assert small.needed_bytes < replace(order, card=NVIDIA).needed_bytes
    assert small.environment["CUDA_VISIBLE_DEVICES"] == "-1"


def test_what_says_nothing_of_an_environment_is_none(tmp_path: Path) -> None:
    assert own_environment(tmp_path / "gone") is None
    (tmp_path / "env-1").mkdir()
    for text in ("", "[]", "{}", '{"folder": "../elsewhere"}', '{"folder": "env-2"}'):
        (tmp_path / "installed.json").write_text(text)
        assert own_environment(tmp_path) is None
    (tmp_path / "installed.json").write_text('{"folder": "env-1"}')
    assert own_environment(tmp_path) is None  # its Python is gone
    thread = remove_others(tmp_path)
    assert thread is not None
    thread.join()
    assert not (tmp_path / "env-1").exists()


def test_a_folder_without_a_backend_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no latentman program in the folder") as caught:
        parse_backend_command(str(tmp_path))
    assert caught.value.code == "backend.not_found"
