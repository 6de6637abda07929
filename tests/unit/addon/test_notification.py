"""Notes on the desktop: the arguments of each system, and a real program that is given them."""

from __future__ import annotations

import os
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

import psutil
import pytest

from blender_addon.help.notification import WAYS, Note, Notifier

GUARD_S = 60.0  # ends a test that would hang; nothing is measured with it
NASTY = Note("LatentMan", 'take-001; rm -rf ~ $(id) `id` "%PATH%" <b>&amp; \'--help')


def program(folder: Path, name: str, then: str) -> None:
    """An executable that writes its arguments, one a line, and then does something."""
    path = folder / name
    record = f"open({str(folder / 'told.part')!r}, 'w').write('\\n'.join(sys.argv[1:]))"
    done = f"os.replace({str(folder / 'told.part')!r}, {str(folder / 'told')!r})"
    path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{record}\n{done}\n{then}\n")
    path.chmod(0o755)


def told(folder: Path) -> list[str]:
    limit = time.monotonic() + GUARD_S
    while not (folder / "told").exists():
        assert time.monotonic() < limit
        time.sleep(0.01)
    return (folder / "told").read_text().split("\n")


@pytest.mark.skipif(os.name != "posix", reason="the programs are scripts")
@pytest.mark.parametrize(
    ("platform", "last"),
    [
        ("linux", ["--", "LatentMan", NASTY.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")]),
        ("darwin", ["LatentMan", NASTY.text]),
    ],
)
def test_texts_reach_the_program_as_they_are_and_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, last: list[str]
) -> None:
    program(tmp_path, WAYS[platform].program, "time.sleep(10_000)")
    monkeypatch.setenv("PATH", str(tmp_path))
    notifier = Notifier(platform)
    before = set(psutil.Process().children())
    assert notifier.show(NASTY)
    assert told(tmp_path)[-len(last) :] == last
    (running,) = set(psutil.Process().children()) - before
    notifier.step()
    assert running.is_running()
    notifier.close()
    notifier.close()
    assert set(psutil.Process().children()) <= before


@pytest.mark.skipif(os.name != "posix", reason="the program is a script")
def test_a_program_that_has_ended_is_reaped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "notify-send", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    notifier = Notifier("linux")
    before = set(psutil.Process().children())
    assert notifier.show(NASTY) and told(tmp_path)
    limit = time.monotonic() + GUARD_S
    while not set(psutil.Process().children()) <= before:
        assert time.monotonic() < limit
        notifier.step()
        time.sleep(0.01)


@pytest.mark.parametrize("platform", [*WAYS, "plan9"])
def test_a_system_without_the_program_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not Notifier(platform).show(NASTY)


def test_windows_gets_a_fixed_script_and_the_text_as_a_document() -> None:
    way = WAYS["win32"]
    assert way.arguments(NASTY) == way.arguments(Note("other", "text")) and '"' not in way.arguments(NASTY)[-1]
    document = xml.fromstring(way.environment(NASTY)["LATENTMAN_TOAST"])
    assert [line.text for line in document.iter("text")] == [NASTY.title, NASTY.text]
