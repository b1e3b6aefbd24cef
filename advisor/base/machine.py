"""What this machine has: memory, disk, processor, graphics cards. Read from the system, without a package of its own.

What cannot be found out is None, never zero. Inside a container the container's memory limit counts.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Card:
    """A graphics card as its driver names it; `memory_mb` in MiB."""

    name: str
    memory_mb: float | None
    driver: str


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory and disk in MiB. `processors` are those this process may use; `features` the processor's flags."""

    system: str
    processor: str
    processors: int
    features: frozenset[str] = field(default_factory=frozenset)
    memory_mb: float | None = None
    memory_free_mb: float | None = None
    disk_free_mb: float | None = None
    cards: tuple[Card, ...] = ()

    def memory_for(self, *, on_card: bool) -> float | None:
        """MiB that a run may find: its card's when it computes on one, else what is free of the machine's."""
        if on_card:
            return self.cards[0].memory_mb if self.cards else None
        return self.memory_free_mb


def look_at_machine(folder: Path, *, proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> Machine:
    """Look at this machine, and at the disk that holds `folder`."""
    processor, features = _processor(proc / "cpuinfo")
    total, free = _memory(proc / "meminfo", cgroup)
    return Machine(
        f"{platform.system()} {platform.machine()}",
        processor,
        _processors(),
        features,
        total,
        free,
        _disk_free(folder),
        cards(),
    )


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor(cpuinfo: Path) -> tuple[str, frozenset[str]]:
    name, features = platform.processor() or "unknown processor", frozenset[str]()
    for line in _lines(cpuinfo):
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        if key.strip() in ("flags", "Features"):
            features = frozenset(value.split())
            break
    return name, features


def _memory(meminfo: Path, cgroup: Path) -> tuple[float | None, float | None]:
    """Total and available MiB: the system's, or the container's where that is less."""
    cells = {key: value for key, _, value in (line.partition(":") for line in _lines(meminfo))}
    total, free = _kib(cells.get("MemTotal")), _kib(cells.get("MemAvailable"))
    if total is None and hasattr(os, "sysconf"):
        try:
            total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / MIB
        except (ValueError, OSError):
            total = None
    for limit_name, used_name in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        limit, used = _bytes(cgroup / limit_name), _bytes(cgroup / used_name)
        if limit is not None and (total is None or limit < total):
            total = limit
            left = limit - (used or 0.0)
            free = left if free is None else min(free, left)
    return total, free


def _kib(text: str | None) -> float | None:
    words = (text or "").split()
    return float(words[0]) / 1024 if words and words[0].isdigit() else None


def _bytes(path: Path) -> float | None:
    text = "".join(_lines(path)).strip()
    return float(text) / MIB if text.isdigit() else None


def _disk_free(folder: Path) -> float | None:
    """Free MiB on the disk of `folder`, or of its nearest parent that exists."""
    for place in (folder, *folder.resolve().parents):
        if place.exists():
            try:
                return shutil.disk_usage(place).free / MIB
            except OSError:
                return None
    return None


def cards() -> tuple[Card, ...]:
    """The NVIDIA cards that the driver reports; none when there is no driver or it does not answer in ten seconds."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    question = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run([tool, *question], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    rows = [[cell.strip() for cell in line.split(",")] for line in said.splitlines() if line.count(",") == 2]
    return tuple(Card(name, float(size) if size.isdigit() else None, driver) for name, size, driver in rows)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
