"""What the C library does with memory that tensors have freed: keep some for the next ones, or give it back."""

from __future__ import annotations

import ctypes
import platform

# glibc's own numbers (malloc.h) and the largest block that it takes from the heap at all.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
LARGEST_KEPT_BLOCK = 32 * 2**20
MOST_KEPT = 2**30


def keep_freed_memory() -> None:
    """Have this process keep up to 1 GiB of freed memory, in blocks of up to 32 MiB; only with glibc.

    Otherwise every larger tensor is new memory from the system, whose first touch of each page costs as much as
    computing the tensor: a tenth of a denoising step at 256x256.
    """
    if _is_glibc():
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, LARGEST_KEPT_BLOCK)
        library.mallopt(_TRIM_THRESHOLD, MOST_KEPT)


def give_back_freed_memory() -> None:
    """Return to the system what is freed and kept; only with glibc."""
    if _is_glibc():
        ctypes.CDLL(None).malloc_trim(0)


def _is_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"
