"""What this machine does best: which arithmetic, how many threads, how much memory. Measured, not looked up."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A worker that spins while it waits makes two threads slower than one on a busy machine (65 s against 20 s measured at
# load 4), and torch reads this only when it is first imported.
_BEFORE_TORCH = {"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_TELEMETRY": "1"}


def prepare() -> None:
    """Set what must be set before torch and transformers are imported, and keep their progress bars quiet."""
    for name, value in _BEFORE_TORCH.items():
        os.environ.setdefault(name, value)
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How to multiply: the weights' type, torch's float32 precision setting, and why."""

    dtype: str
    precision: str
    reason: str


@dataclass(frozen=True, slots=True)
class Device:
    """Where to train: `kind` is cuda, mps or cpu; `memory_mb` is what it has in all."""

    kind: str
    name: str
    memory_mb: float


def find_device() -> Device:
    """The GPU when torch sees one, else the processor."""
    import torch

    if torch.cuda.is_available():
        about = torch.cuda.get_device_properties(0)
        return Device("cuda", about.name, about.total_memory / 2**20)
    return Device("cpu", _processor_name(), total_memory_mb())


def choose_arithmetic(device: Device) -> Arithmetic:
    """The fastest arithmetic that trains well. Never float16 on a processor (21 against 88 GFLOP/s measured).

    On a processor by 0.1 s of matrix products of this very shape: what `lscpu` promises and what the libraries do with
    it are two things (MKL takes its AVX2 path on AMD; oneDNN emulates bfloat16 where the processor lacks it).
    """
    import torch

    if device.kind == "cuda":
        # Left to itself torch says yes to an emulation too, which older cards such as the T4 have and which is slow.
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Arithmetic("bfloat16", "high", "the GPU has bfloat16; TF32 for what stays in float32")
        return Arithmetic("float32", "high", "the GPU has no bfloat16, and float16 needs loss scaling")
    speeds = {}
    before = torch.get_float32_matmul_precision()
    for dtype, precision in (("float32", "highest"), ("float32", "medium"), ("bfloat16", "highest")):
        torch.set_float32_matmul_precision(precision)
        speeds[dtype, precision] = _product_speed(getattr(torch, dtype))
    torch.set_float32_matmul_precision(before)
    told = ", ".join(f"{dtype} ({precision}) {speed:.0f}" for (dtype, precision), speed in speeds.items())
    # Half the memory traffic of bfloat16 is worth having only when it is no slower; "medium" only when clearly faster.
    if speeds["bfloat16", "highest"] >= 1.2 * max(speeds["float32", "highest"], speeds["float32", "medium"]):
        return Arithmetic("bfloat16", "highest", f"fastest here, in GFLOP/s: {told}")
    precision = "medium" if speeds["float32", "medium"] > 1.15 * speeds["float32", "highest"] else "highest"
    return Arithmetic("float32", precision, f"bfloat16 is not fast on this processor; in GFLOP/s: {told}")


def _product_speed(dtype: Any) -> float:
    import torch

    left, right = torch.ones(512, 576, dtype=dtype), torch.ones(1536, 576, dtype=dtype)
    best = float("inf")
    for _ in range(6):
        start = time.perf_counter()
        torch.nn.functional.linear(left, right)
        best = min(best, time.perf_counter() - start)
    return 2 * 512 * 576 * 1536 / best / 1e9


def usable_processors() -> int:
    """Processors this process may run on, which in a container is fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fastest_threads(work: Callable[[], None], *, most: int | None = None) -> tuple[int, dict[int, float]]:
    """The thread count that does `work` soonest, and the seconds of each count tried, after a warm-up.

    More threads must win by a tenth to be taken: a second hyper-thread often costs more than it brings.
    """
    import torch

    most = most or min(usable_processors(), 16)
    counts = sorted({1, most, max(1, most // 2)})
    seconds: dict[int, float] = {}
    work()
    for count in counts:
        torch.set_num_threads(count)
        seconds[count] = seconds_of(work)
    chosen = 1
    for count in counts:
        if seconds[count] < 0.9 * seconds[chosen]:
            chosen = count
    torch.set_num_threads(chosen)
    return chosen, seconds


def seconds_of(work: Callable[[], None]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def resident_mb() -> float:
    """Memory this process holds now, in MiB."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20
    except (OSError, ValueError, IndexError):
        return peak_resident_mb()


def peak_resident_mb() -> float:
    """The most memory this process ever held, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def total_memory_mb() -> float:
    """Memory of the machine, or of the container where that has a limit of its own, in MiB."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
    try:
        return min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()) / 2**20)
    except (OSError, ValueError):
        return total


def available_memory_mb() -> float:
    """Memory that can still be had without swapping, in MiB."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return min(int(line.split()[1]) / 1024, total_memory_mb())
    except (OSError, ValueError, IndexError):
        pass
    return total_memory_mb()


def _processor_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    import platform

    return platform.processor() or platform.machine()
