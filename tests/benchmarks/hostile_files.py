"""How every hostile file ends, and the most time and memory that any of them took.

    python -m tests.benchmarks.hostile_files

Each file is looked at by `train-or-not look FILE --target label` in a process of its own, as by a user. A file passes
when it is profiled, or refused with one sentence and its cure; a traceback, a crash or our own error code fails it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT
from tests.evidence.hostile import Hostile, files


@dataclass(frozen=True)
class Ended:
    """CPU seconds and MB of one process, how it ended, and what it said when it refused."""

    name: str
    seconds: float
    megabytes: float
    code: int
    said: str

    @property
    def fault(self) -> bool:
        refused = self.code in (2, 5) and self.said.startswith("error[") and "fix:" in self.said
        return "Traceback" in self.said or not (self.code == 0 or refused)


def look(hostile: Hostile, folder: Path) -> Ended:
    """One file in one process."""
    path = hostile.write(folder)
    words = ["look", str(path), "--json", *(["--target", hostile.target] if hostile.target else [])]
    errors = folder / "stderr"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with errors.open("wb") as stream:
        started = subprocess.Popen(
            [sys.executable, "-m", "advisor", *words], stdout=subprocess.DEVNULL, stderr=stream, env=environment
        )
        _, status, used = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    said = errors.read_text(errors="replace").strip()
    path.unlink(missing_ok=True)
    return Ended(
        hostile.name, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, os.waitstatus_to_exitcode(status), said
    )


def main() -> int:
    """Print the worst of them and the counts; 1 when one failed."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ended = [look(hostile, Path(folder)) for hostile in files()]
    for title, worst in (("time", lambda e: e.seconds), ("memory", lambda e: e.megabytes)):
        print(f"most {title}:")
        for one in sorted(ended, key=worst, reverse=True)[:3]:
            print(f"  {one.name:<32}{one.seconds:6.1f} s CPU{one.megabytes:8.0f} MB   exit {one.code}")
    for one in ended:
        if one.fault:
            print(f"FAULT {one.name}: exit {one.code}\n{one.said[:400]}")
    looked = sum(one.code == 0 for one in ended)
    faults = sum(one.fault for one in ended)
    refused = len(ended) - looked - faults
    print(f"{len(ended)} files: {looked} profiled, {refused} refused with their cure, {faults} faults")
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
