"""The script that the child runs: `blender --python child_main.py -- SPEC.json`, or Python in place of Blender.

It loads the add-on it lies in as a package without registering it, ends when its parent's pipe closes, prints one line
an event on standard output, and leaves errors as an event and exit code 1.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import shutil
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn

_PACKAGE = "latentman_child"


def _load_package() -> None:
    root = Path(__file__).resolve().parents[1]
    spec = importlib.util.spec_from_file_location(
        _PACKAGE, root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no package at {root}")
    package = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE] = package
    spec.loader.exec_module(package)


def _leave_own_folder() -> None:
    """Take this script's folder off the import path, where Python has put it: its modules have common names."""
    own = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != own]


def _end_with_parent() -> None:
    """Wait for the end of standard input, into which the parent never writes, and end at once. Touches no bpy."""
    while os.read(0, 4096):
        pass
    os._exit(1)


def main() -> int:
    """Run the spec named behind `--`; returns the exit code."""
    _leave_own_folder()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _load_package()
    language = importlib.import_module(f"{_PACKAGE}.passes.spec")
    errors = importlib.import_module(f"{_PACKAGE}.shared.errors")

    def emit(event: object) -> None:
        sys.stdout.write(language.event_line(event))
        sys.stdout.flush()

    try:
        child = importlib.import_module(f"{_PACKAGE}.passes.child")
        spec_file = Path(sys.argv[sys.argv.index("--") + 1])
        child.run(language.PassSpec.from_json(spec_file.read_text(encoding="utf-8")), emit)
        emit(language.Ended())
    except errors.LatentManError as error:
        emit(language.ChildFailed(*errors.told(error)))
        return 1
    except Exception:  # noqa: BLE001 - whatever it is, the user gets a sentence, and the traceback goes to the log
        traceback.print_exc()
        sys.stderr.flush()
        unknown = errors.RenderError(
            "render.unexpected",
            "The child Blender failed with an unknown error.",
            "Run it again. If it happens again, report it with the log.",
        )
        emit(language.ChildFailed(*errors.told(unknown), unexpected=True))
        return 1
    return 0


def _leave(code: int) -> NoReturn:
    """End at once, with the exit code. Where drivers have run, Blender 4.2 crashes and 4.5 hangs in an orderly end."""
    sys.stdout.flush()
    sys.stderr.flush()
    blender = sys.modules.get("bpy")
    folder = Path(blender.app.tempdir) if blender is not None else None
    if folder is not None and folder.name.startswith("blender_"):  # this Blender's own, which it would remove
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
