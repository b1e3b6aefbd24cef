"""On what a run was made: versions, machine, peak memory."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import sys

from advisor import __version__

# mallopt(3): M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD.
_ARENAS, _OWN_PAGES, _GIVE_BACK = -8, -3, -1


def versions(*packages: str) -> dict[str, str]:
    """Versions of this tool, of Python and of the named packages; a package that is not installed is left out."""
    found = {"train-or-not": __version__, "python": platform.python_version()}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str]:
    """System, processor and cores; no name of machine or user."""
    return {"system": f"{platform.system()} {platform.machine()}", "cores": str(os.cpu_count() or 1)}


def peak_memory_mb() -> float:
    """The most memory this process has held, in MiB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def keep_memory_low() -> None:
    """Let freed memory go back to the system at once, and threads share one heap: a tenth less at the peak of a run.

    By its habit glibc keeps what it was given, a heap for each thread. Other systems are left as they are.
    """
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):  # a system without glibc
            adjust = ctypes.CDLL(None).mallopt
            for parameter, value in ((_ARENAS, 1), (_OWN_PAGES, 2**20), (_GIVE_BACK, 2**20)):
                adjust(parameter, value)


def processors() -> int:
    """How many processors this process may use, at most 8."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(allowed or 1, 8))
