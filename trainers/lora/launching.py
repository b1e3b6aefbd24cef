"""A launcher such as `accelerate launch --num_processes 2` set to train one run, and followed until it ends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.files import to_json, write_atomically
from advisor.base.safetext import plain
from trainers.common.lock import this_process
from trainers.common.runfolder import WORK, work_file
from trainers.contract import Progress

# A command to run is never read from a plan, which may come from somebody else: only from who typed it here.
VARIABLE = "TRAIN_OR_NOT_LAUNCH"
PARENT = "TRAIN_OR_NOT_PARENT"
_COUNTS = ("num_processes", "num_machines", "nproc_per_node", "nnodes")
_KNOWN = {"accelerate": "accelerate.commands.accelerate_cli", "torchrun": "torch.distributed.run"}


@contextlib.contextmanager
def launched_by(words: str, runs: Path) -> Iterator[None]:
    """Inside, fine-tuning is done by the launcher `words` names; by this process where it names none."""
    if not words:
        yield
        return
    launch_command(words, runs)  # refused now, not after the rows are read
    os.environ[VARIABLE] = words
    try:
        yield
    finally:
        del os.environ[VARIABLE]


def launch_command(words: str, run: Path) -> list[str]:
    """The command line of a launcher, by this very Python. Raises `BadInput` for one unknown, or of no process."""
    parts = shlex.split(words)
    if not parts or parts[0] not in _KNOWN or (parts[0] == "accelerate" and parts[1:2] != ["launch"]):
        raise BadInput(
            f"The launcher {plain(words, 80)!r} is not known.",
            where="--launch",
            fix='Use for example --launch "accelerate launch --multi_gpu" or --launch "torchrun --nproc_per_node 2".',
            code="no-launcher",
        )
    _refuse_none(parts)
    return [sys.executable, "-m", _KNOWN[parts[0]], *parts[1:], "-m", "trainers.lora.worker", str(run)]


def _refuse_none(parts: Sequence[str]) -> None:
    """Raise `BadInput` where no process or machine is asked for: a launcher may take that for one."""
    for name, value in re.findall(r"--([\w-]+)[ =](-?\d+)(?= |$)", " ".join(parts)):
        if name.replace("-", "_") in _COUNTS and int(value) < 1:
            raise BadInput(
                f"--{name} {value} starts no process to train in.",
                where="--launch",
                fix=f"Give --{name} 1 or more; or leave --launch out, and this process trains alone.",
                code="no-process",
            )


def train_launched(words: str, run: Path, progress: Progress) -> None:
    """Train `run` in the launcher's processes, which end when this one is stopped, and soon after it is killed.

    Raises `EnvironmentMissing` with the last words of one that failed.
    """
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    log = work_file(run, "launch.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as said, _stopped_by_sigterm():
        started = subprocess.Popen(
            launch_command(words, run),
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": path, PARENT: json.dumps(this_process())},
            start_new_session=True,
        )
        try:
            while started.poll() is None:
                time.sleep(0.2)
                _tell(work_file(run, "progress.json"), progress)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGTERM)
            started.wait()
            raise
    if started.returncode:
        last = [line for line in log.read_text(errors="replace").splitlines() if line.strip()][-1:]
        raise EnvironmentMissing(
            f"The launcher ended with {started.returncode}: {plain(' '.join(last), 300)}",
            where=str(log),
            fix="Read that log; then train again, which goes on from the last checkpoint.",
            code="launch-failed",
        )


@contextlib.contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Inside, SIGTERM stops this process as ^C does; left alone it would end without a word to those it started."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def keep_peak(run: Path, rank: int, peak_mb: float) -> None:
    """Write down what one process of a team took at most, in MiB; of a run that was resumed, the larger sitting's."""
    peak = max(_peaks(run).get(rank, 0.0), peak_mb)
    write_atomically(work_file(run, f"peak-{rank}.json"), to_json({"rank": rank, "peak_memory_mb": peak}))


def peaks(run: Path, own_mb: float) -> dict[str, object]:
    """For the run's record: the most memory that one process took, of its card or else of the machine, and each one's.

    A run without a launcher has one process, which took `own_mb`.
    """
    several = [peak for _, peak in sorted(_peaks(run).items())]
    return {"peak_memory_mb": max(several, default=own_mb), "processes_mb": several}


def _peaks(run: Path) -> dict[int, float]:
    found = [json.loads(file.read_text()) for file in (run / WORK).glob("peak-*.json")]
    return {int(one["rank"]): float(one["peak_memory_mb"]) for one in found}


def _tell(file: Path, progress: Progress) -> None:
    try:
        found = json.loads(file.read_text())
        progress.step(float(found["done"]), float(found["total"]), str(found["note"]))
    except (OSError, ValueError, KeyError):
        return
