"""A real Blender with the built zip installed, outside of pytest: for the commands that measure and take pictures."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from build_addon import ABI3, TARGETS, build_zip, wheel_cache

from .provision import SUITES, Suite, provision
from .real_blender import RealBlender, show


def suite_of(series: str) -> Suite:
    """The suite of a Blender series, "4.3" for example."""
    return next(suite for suite in SUITES if suite.series == series)


def built_zip(suite: Suite, folder: Path) -> Path:
    """The extension's zip for the suite's Python. Both Blenders run a Python that only the abi3 wheel fits."""
    target = next(target for target in TARGETS if target.platform == "linux-x64" and target.abi is ABI3)
    older = "4.2.0" if suite.series < "5.1" else None  # Debian's 4.3 has a later Python than Blender's own 4.3
    return build_zip(target, folder, cache=wheel_cache(), blender_min=older)


def installed(suite: Suite, root: Path, zip_file: Path, scratch: Path) -> RealBlender:
    """The Blender in `root` with the zip installed as a user does it; its configuration goes to `scratch`."""
    found = RealBlender(suite, root, scratch)
    (scratch / zip_file.name).write_bytes(zip_file.read_bytes())
    done = found.run("--command", "extension", "install-file", "-r", "user_default", "-e", f"/scratch/{zip_file.name}")
    assert done.returncode == 0, show(done)
    return found


@contextlib.contextmanager
def ready_blender(series: str) -> Iterator[RealBlender]:
    """A Blender of a series, made ready in a temporary folder. Raises ProvisionError where it cannot be had."""
    suite = suite_of(series)
    root = provision(suite)
    with tempfile.TemporaryDirectory(prefix="latentman-window-") as folder:
        scratch = Path(folder)
        yield installed(suite, root, built_zip(suite, scratch / "zip"), scratch)
