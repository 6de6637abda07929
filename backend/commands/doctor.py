"""`latentman doctor`: what works on this machine, what does not, and the command that mends it."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import zmq
from rich.console import Console
from rich.markup import escape

from backend.commands.base.model_arguments import add_model_arguments, chosen_files, chosen_model
from backend.models.sources import check_complete, find_sources
from backend.server.paths import default_work_folder
from backend.upscale import INSTALL, installed
from shared.errors import EXIT_DONE, EXIT_FAILED, InputError, ModelError
from shared.files.frame_files import prepare_output_folder
from shared.models.check import check_model_files
from shared.models.files import EMBEDDED, ModelFiles

PYTHONS = ((3, 11), (3, 12), (3, 13))  # as pyproject.toml has them
NEEDED_DISK_BYTES = 2 << 30
_TORCH_TIMEOUT_S = 120
_INSTALL = "make test"

# In a process of its own: a broken installation must not take the doctor with it.
_TORCH_QUESTION = """
import json, torch
device = "cuda: " + torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
print(json.dumps({"version": torch.__version__, "device": device, "threads": torch.get_num_threads()}))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `mend` is the command that helps, empty where all is well."""

    name: str
    works: bool
    text: str
    mend: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--work", type=Path, default=None, help="work folder to check")
    add_model_arguments(parser, "to check")
    parser.add_argument("--json", action="store_true", help="one JSON list on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Check everything; 1 if something does not work."""
    work: Path = arguments.work or default_work_folder()
    checks: tuple[Callable[[], Finding], ...] = (
        check_python,
        check_encryption,
        check_torch,
        lambda: check_model(chosen_model(arguments) or EMBEDDED, chosen_files(arguments, ModelFiles())),
        lambda: check_work_folder(work),
        lambda: check_disk(work),
        check_upscale,
    )
    findings = [check() for check in checks]
    if arguments.json:
        rows = [{"name": row.name, "works": row.works, "text": row.text, "mend": row.mend} for row in findings]
        print(json.dumps(rows))
    else:
        _print(findings)
    return EXIT_DONE if all(finding.works for finding in findings) else EXIT_FAILED


def check_python() -> Finding:
    """The interpreter's version."""
    text = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    first, last = (".".join(map(str, version)) for version in (PYTHONS[0], PYTHONS[-1]))
    return Finding("python", sys.version_info[:2] in PYTHONS, text, f"install it again with Python {first} to {last}")


def check_encryption() -> Finding:
    """ZeroMQ with CURVE."""
    works = bool(zmq.has("curve"))
    text = f"ZeroMQ {zmq.zmq_version()} {'with' if works else 'without'} CURVE"
    return Finding("zmq", works, text, f"{sys.executable} -m pip install --force-reinstall pyzmq")


def check_torch() -> Finding:
    """torch and the device that it would use."""
    mend = f"remove .venv and run: {_INSTALL}"
    try:
        question = [sys.executable, "-c", _TORCH_QUESTION]
        asked = subprocess.run(question, capture_output=True, text=True, timeout=_TORCH_TIMEOUT_S, check=True)
        told = json.loads(asked.stdout)
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
        return Finding("torch", False, f"cannot be imported: {last}", mend)
    except subprocess.TimeoutExpired:
        return Finding("torch", False, f"import took over {_TORCH_TIMEOUT_S} s", mend)
    return Finding("torch", True, f"{told['version']} on {told['device']}, {told['threads']} threads")


def check_model(model: str, files: ModelFiles) -> Finding:
    """The model's files: whether all are there and whole, and their size."""
    try:
        sources = find_sources(model, files)
        check_complete(sources)
        size = sum(file.stat().st_size for _, file in sources.files())
        faults = [f"{row.name}: {row.text}" for row in check_model_files(str(sources.model), files) if not row.usable]
    except ModelError as error:
        mend = "git checkout -- backend/embedded" if model == EMBEDDED else error.hint
        return Finding("model", False, error.message, mend)
    except OSError as error:
        return Finding("model", False, f"{model} cannot be read: {error.strerror or error}", f"chmod -R u+r {model}")
    if faults:
        return Finding(
            "model", False, f"{model} cannot be used. {' '.join(faults)}", "copy or download these files again"
        )
    return Finding("model", True, f"{model}: {size >> 20} MiB in {sources.model}")


def check_work_folder(work: Path) -> Finding:
    """Whether the backend can write to its work folder."""
    try:
        prepare_output_folder(work)
    except InputError as error:
        return Finding("work folder", False, error.message, f"latentman serve --work FOLDER, or: chmod u+rwx {work}")
    return Finding("work folder", True, str(work))


def check_disk(work: Path) -> Finding:
    """Room for passes and frames."""
    place = next(folder for folder in (work, *work.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    text = f"{free / 2**30:.1f} GiB free at {place}; {NEEDED_DISK_BYTES >> 30} GiB are recommended"
    return Finding("disk", free >= NEEDED_DISK_BYTES, text, f"remove old jobs from {work / 'jobs'}")


def check_upscale() -> Finding:
    """The optional extra that enlarges frames: if it is installed, it must be complete."""
    try:
        text = installed()
    except InputError as error:
        return Finding("upscale", False, error.message, error.hint)
    return Finding("upscale", True, text or f"not installed, so frames cannot be enlarged; to install it: {INSTALL}")


def _print(findings: list[Finding]) -> None:
    console = Console()
    for finding in findings:
        mark = "[green]works[/]" if finding.works else "[red]fails[/]"
        console.print(f"{mark}  {finding.name:<12} {escape(finding.text)}", soft_wrap=True, highlight=False)
        if not finding.works:
            console.print(f"       fix:         {escape(finding.mend)}", soft_wrap=True, highlight=False)
