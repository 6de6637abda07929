"""How a process ended, in words that a user understands: its exit code or its signal as part of a sentence."""

from __future__ import annotations

import signal
import sys

OUT_OF_MEMORY_HINT = "Close other programs and resume, or generate again with a smaller picture or shorter segments."

_SHELL_SIGNAL = 128  # a shell or a container reports the end by a signal as this plus the signal's number

# By signal name. On Linux nobody but the kernel's out-of-memory killer commonly sends SIGKILL.
_BY_SIGNAL = {
    "SIGKILL": "was killed from outside",
    "SIGTERM": "was stopped by another program",
    "SIGINT": "was interrupted",
    "SIGHUP": "was stopped because its terminal was closed",
    "SIGABRT": "crashed",
    "SIGBUS": "crashed",
    "SIGFPE": "crashed",
    "SIGILL": "crashed: it uses instructions that this processor does not have",
    "SIGSEGV": "crashed",
    "SIGXCPU": "was stopped by the system's limit on processor time",
    "SIGXFSZ": "was stopped by the system's limit on file sizes",
}
_BY_CODE = {
    0: "ended unexpectedly",
    126: "could not be run: the file is not a program",
    127: "could not be run: a program that it needs was not found",
}
_WINDOWS_CRASHES = {
    0xC0000005: "crashed: it accessed memory that is not its own",
    0xC000001D: "crashed: it uses instructions that this processor does not have",
    0xC0000135: "could not be run: a library (DLL) that it needs was not found",
    0xC0000017: "was stopped by the system because memory ran out",
}


def how_it_ended(code: int, platform: str = sys.platform) -> str:
    """The end of a process as the rest of a sentence that begins with its name, such as "was killed from outside".

    `code` is what `subprocess` calls the return code: negative if a signal ended the process.
    """
    if platform == "win32":
        return _WINDOWS_CRASHES.get(code & 0xFFFFFFFF) or _BY_CODE.get(code) or f"ended with exit code {code}"
    name = _signal_name(code)
    if name == "SIGKILL" and platform == "linux":
        return "was stopped by the system, probably because memory ran out (SIGKILL)"
    if name:
        return f"{_BY_SIGNAL.get(name, 'was stopped by a signal')} ({name})"
    return _BY_CODE.get(code) or f"ended with exit code {code}"


def probably_out_of_memory(code: int, platform: str = sys.platform) -> bool:
    """Whether a process with this return code probably ended because the machine had no memory left."""
    if platform == "win32":
        return code & 0xFFFFFFFF == 0xC0000017
    return platform == "linux" and _signal_name(code) == "SIGKILL"


def _signal_name(code: int) -> str:
    """The name of the signal that ended the process; empty where none did."""
    number = -code if code < 0 else code - _SHELL_SIGNAL
    if number <= 0 or (code > 0 and number > int(signal.SIGTERM)):
        return ""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
