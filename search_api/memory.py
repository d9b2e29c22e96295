"""How the C library hands out memory to a process that serves for months."""

import ctypes
from typing import Final

M_MMAP_THRESHOLD: Final = -3
M_ARENA_MAX: Final = -8
ARENAS: Final = 2
LARGE_BYTES: Final = 256 * 1024


def stay_flat() -> None:
    """Give all threads the same few heaps, and what is large pages of its own.

    By itself glibc makes a heap for every few threads and keeps ever larger arrays inside them, and
    heaps with holes never shrink. Other C libraries are left as they are. Call it before any
    thread is started.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_ARENA_MAX, ARENAS)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
