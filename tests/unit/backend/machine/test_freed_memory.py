"""What a process keeps of freed memory: as its page faults and its size tell, with glibc."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

# 16 MiB over and over, each page of it touched; then the same memory, freed, in the process's size.
SCRIPT = """
import ctypes, json, resource, sys
import psutil
from backend.machine.freed_memory import give_back_freed_memory, keep_freed_memory
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
if sys.argv[1] == "keep":
    keep_freed_memory()
size = 16 << 20
def use(count):
    blocks = [libc.malloc(size) for _ in range(count)]
    for block in blocks: libc.memset(block, 1, size)
    for block in blocks: libc.free(block)
use(4)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10): use(4)
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
held = psutil.Process().memory_info().rss
give_back_freed_memory()
print(json.dumps({"faults": faults, "given_back": held - psutil.Process().memory_info().rss}))
"""


def measured(what: str) -> dict[str, int]:
    done = subprocess.run([sys.executable, "-c", SCRIPT, what], capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
def test_kept_memory_is_used_again_and_given_back_when_asked() -> None:
    plain, kept = measured("plain"), measured("keep")
    assert kept["faults"] < 100 < plain["faults"]
    assert kept["given_back"] > 4 * (16 << 20) * 0.9
