"""Passes of a shot, rendered by a child Blender while this one stays free.

    render = PassRender.start(context, PassRequest(output, frames, width, height, engine))
    while not render.done:
        for frame in render.step():
            ...                         # frame.path is whole and in its place
    render.close()

The panel calls `step` from a timer, the command line in a loop: the same code for both.
"""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import compat
from ..child_process import KILL_WAIT_S, kill_group, pump_lines
from ..rig.character import require_characters
from ..shared.errors import RenderError, error_of
from ..shared.files.frame_files import file_error, frame_name, prepare_output_folder, storage_error, write_atomic
from ..shared.jobs.reuse import ShotFacts
from ..shared.protocol.process_end import how_it_ended
from ..shared.shot import CHARTS_FILE, SHOT_FILE, VERTICES_FILE
from .geometry import require_camera
from .saved_copy import save_copy
from .spec import ChildFailed, Ended, FrameReady, PassSpec, ShotReady, parse_event
from .trust import running_drivers, scripts_of_open_file

PASS_SUFFIX = ".exr"
LOG_FILE = "child_blender.log"  # beside the frames, after the child failed
_SCRIPT = Path(__file__).with_name("child_main.py")
_KEPT_LINES = 200


@dataclass(frozen=True, slots=True)
class PassRequest:
    """What to render: into which folder, which frames of the scene, at which size, with "cycles" or "eevee"."""

    output: Path
    frames: tuple[int, ...]
    width: int
    height: int
    engine: str = "cycles"


@dataclass(frozen=True, slots=True)
class RenderedFrame:
    """One finished frame's file; `reused` where an equal frame was there from an earlier run.

    `sha256` is that of the file where a comparison found it, else empty.
    """

    frame: int
    path: Path
    reused: bool
    sha256: str = ""


class PassRender:
    """One run of the child Blender. It never changes the open file or the scene: the child works on a saved copy."""

    def __init__(
        self, request: PassRequest, process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]
    ) -> None:
        self._request = request
        self._process = process
        self._folder = folder
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._tail: deque[str] = deque(maxlen=_KEPT_LINES)
        self._finished: set[int] = set()
        self._shot: ShotReady | None = None
        self._ended = False
        self._closed = False
        # The threads only move text from the child's pipes; they touch neither bpy nor this object's state.
        self._readers = [
            threading.Thread(target=pump_lines, args=(stream, _as_text(put)), daemon=True)
            for stream, put in ((process.stdout, self._lines.put), (process.stderr, _into(self._tail)))
        ]
        for reader in self._readers:
            reader.start()

    @classmethod
    def start(cls, context: Any, request: PassRequest, *, compare_only: bool = False) -> PassRender:
        """Save a copy of the open file and start the child on it; returns at once.

        With `compare_only` nothing is rendered and the request's folder stays as it is: the frames that come are
        those that would be rendered, or with `reused` those that would be kept.
        Raises InputError if the request, the scene's characters or its camera cannot be used, RenderError where
        the copy cannot be saved or the child not be started.
        """
        scene = context.scene
        require_characters(scene, context.view_layer)
        require_camera(scene)
        try:
            folder = tempfile.TemporaryDirectory(prefix="latentman-passes-")
        except OSError as error:
            raise file_error(error) from error
        try:
            kept = request.output.absolute()
            spec = PassSpec(
                blend=str(save_copy(Path(folder.name).resolve())),
                scene=scene.name,
                view_layer=context.view_layer.name,
                output=folder.name if compare_only else str(prepare_output_folder(request.output)),
                frames=tuple(request.frames),
                width=request.width,
                height=request.height,
                engine=request.engine,
                scripts=scripts_of_open_file(context),
                drivers=running_drivers(context),
                compare_with=str(kept) if compare_only else "",
            )
            process = _start_child(spec, Path(folder.name))
        except OSError as error:
            folder.cleanup()
            raise storage_error(error, Path(folder.name)) from error
        except BaseException:
            folder.cleanup()
            raise
        return cls(request, process, folder)

    @property
    def done(self) -> bool:
        """True when every frame is there and the child has ended, or after `cancel`."""
        return self._closed

    @property
    def shot_ready(self) -> bool:
        """True as soon as shot.json, vertices.npy and charts.npz are in place; that is before the first frame."""
        return self._shot is not None

    @property
    def facts(self) -> ShotFacts | None:
        """What a comparison told of the shot; None as long as it has not."""
        shot = self._shot
        return None if shot is None else ShotFacts(shot.near_m, shot.far_m, shot.charts, tuple(shot.geometry))

    @property
    def shot_file(self) -> Path:
        """Where shot.json is."""
        return self._request.output.absolute() / SHOT_FILE

    @property
    def vertices_file(self) -> Path:
        """Where vertices.npy is."""
        return self._request.output.absolute() / VERTICES_FILE

    @property
    def charts_file(self) -> Path:
        """Where charts.npz is."""
        return self._request.output.absolute() / CHARTS_FILE

    def frame_path(self, frame: int) -> Path:
        """Where a frame's EXR file is, or will be."""
        return self._request.output.absolute() / frame_name(frame, PASS_SUFFIX)

    def step(self) -> list[RenderedFrame]:
        """The frames that were finished since the last call, without waiting for any.

        Raises the child's error (InputError, PassesError or RenderError) once it has failed; the frames that were
        finished before stay on disk, and a new run with the same request takes them over.
        """
        finished: list[RenderedFrame] = []
        while not self._closed:
            try:
                line = self._lines.get_nowait()
            except queue.Empty:
                break
            if line is None:
                self._end()
                break
            self._take(line, finished)
        return finished

    def cancel(self) -> None:
        """End the child and whatever it started, now. Finished frames stay on disk."""
        self.close()

    def close(self) -> None:
        """End the child if it still runs, and remove the copy. Harmless when called twice."""
        if not self._closed:
            self._closed = True
            kill_group(self._process)
        for reader in self._readers:
            reader.join(KILL_WAIT_S)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._folder.cleanup()

    def _take(self, line: str, finished: list[RenderedFrame]) -> None:
        try:
            event = parse_event(line)
        except RenderError:
            self.close()
            raise
        if isinstance(event, ChildFailed):
            self.close()
            where = f" {self._keep_log()}" if event.unexpected else ""
            raise error_of(replace(event, hint=f"{event.hint}{where}".rstrip()), unsaid=RenderError)
        if isinstance(event, ShotReady):
            self._shot = event
        elif isinstance(event, FrameReady):
            self._finished.add(event.frame)
            finished.append(RenderedFrame(event.frame, self.frame_path(event.frame), event.reused, event.sha256))
        elif isinstance(event, Ended):
            self._ended = True
        elif line:
            self._tail.append(line)

    def _end(self) -> None:
        """The child has closed its output: it has ended well, or its death becomes an error."""
        code = self._process.poll()
        if code is None:  # it will within moments; the next step looks again
            self._lines.put(None)
            return
        self.close()
        if not self._ended:
            missing = [frame for frame in self._request.frames if frame not in self._finished]
            raise RenderError(
                "render.child_died",
                f"The second Blender, which renders the passes, {how_it_ended(code)}; {len(missing)} of "
                f"{len(self._request.frames)} frames are not rendered yet.",
                f"Resume: rendered frames are kept. {self._keep_log()}".strip(),
            )

    def _keep_log(self) -> str:
        """Keep the child's last lines for a report; returns where they are, in a sentence."""
        lines = "".join(f"{line}\n" for line in self._tail)
        path = self._request.output.absolute() / LOG_FILE
        if not lines or not path.parent.is_dir():
            return ""
        write_atomic(path, lines.encode())
        return f"Its last lines are in {path}."


def _start_child(spec: PassSpec, folder: Path) -> subprocess.Popen[bytes]:
    spec_file = folder / "spec.json"
    spec_file.write_text(spec.to_json(), encoding="utf-8")
    command = compat.child_command(_SCRIPT, [str(spec_file)])
    try:
        # Its own session, so that the whole tree can be ended. The pipe on its standard input is never written to:
        # when it closes, because this process died, the child ends itself.
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            start_new_session=sys.platform != "win32",
        )
    except OSError as error:
        raise RenderError("render.start", f"The child Blender could not be started: {error}.") from error


def _as_text(put: Callable[[str | None], None]) -> Callable[[bytes | None], None]:
    """Hands a line on as text; None stays None."""
    return lambda line: put(None if line is None else line.decode("utf-8", "replace").rstrip())


def _into(tail: deque[str]) -> Callable[[str | None], None]:
    def put(line: str | None) -> None:
        if line:
            tail.append(line)

    return put
