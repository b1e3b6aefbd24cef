"""Walks a case through its verbs in a process that can be killed or robbed of its disk at any point.

    python walker.py FOLDER count VERB…            how many times the verb writes, renames, removes or flushes
    python walker.py FOLDER kill VERB…             SIGKILL at each of those points, in a copy; then once more in peace
    python walker.py FOLDER full VERB…             at each point the disk is full instead
    python walker.py FOLDER at-once N VERB…        N processes at the same moment in the same folder

Every attempt is a fork, so that libraries load once. Prints one JSON object. A point is a system call that changes the
disk: what stands between two of them cannot be seen from outside.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import hashlib
import io
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.dont_write_bytecode = True  # a module compiled for the first time would be a point of its own
for limit in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[limit] = "1"

from advisor.cli.main import main  # noqa: E402


class Points:
    """Counts the calls that change the disk below a folder, and strikes at the one it was told to."""

    def __init__(self, folder: Path, at: int, strike: Callable[[], None]) -> None:
        self.folder, self.at, self.strike, self.seen = str(folder), at, strike, 0
        for name in ("replace", "rename", "unlink", "remove", "mkdir", "rmdir"):
            setattr(os, name, self._counted(getattr(os, name)))
        self._open, self._write, self._fsync = os.open, os.write, os.fsync
        os.open, os.write, os.fsync = self.open, self.write, self.fsync  # type: ignore[assignment]
        self._plain_open = builtins.open
        builtins.open = io.open = self.plain_open  # type: ignore[assignment]

    def point(self) -> None:
        self.seen += 1
        if self.seen == self.at:
            self.strike()

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*words: Any, **more: Any) -> Any:
            self.point()
            return call(*words, **more)

        return counted

    def open(self, path: Any, flags: int, *more: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            self.point()
        return self._open(path, flags, *more, **options)

    def plain_open(self, file: Any, mode: str = "r", *more: Any, **options: Any) -> Any:
        if isinstance(file, str | os.PathLike) and set(mode) & set("wax+"):
            self.point()
        return self._plain_open(file, mode, *more, **options)

    def write(self, descriptor: int, data: bytes) -> int:
        self.seen += 1
        if self.seen == self.at:
            self._write(descriptor, data[: len(data) // 2])  # the worst moment: half a line is out
            self.strike()
        return self._write(descriptor, data)

    def fsync(self, descriptor: int) -> None:
        self.point()
        self._fsync(descriptor)


def _killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def attempt(folder: Path, words: list[str], at: int = 0, strike: Callable[[], None] = _killed) -> tuple[int, int, str]:
    """How the verb ended in a fork (exit code, or minus the signal), how many points it passed, and its stderr."""
    said = folder.parent / f"{folder.name}.said"
    counted = folder.parent / f"{folder.name}.points"
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        sys.stderr = said.open("w")
        report = counted.open("w")
        points = Points(folder, at, strike)
        code = 70
        try:
            main(words)
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            points.at = 0
            report.write(str(points.seen))
            report.close()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    passed = counted.read_text() if counted.exists() else ""
    return os.waitstatus_to_exitcode(status), int(passed or 0), said.read_text()


def torn(folder: Path) -> list[str]:
    """Files that a reader would see as neither the old nor the new: not whole by their own form."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.startswith(".") or path.suffix == ".part":
            continue
        content = path.read_bytes()
        try:
            if path.suffix == ".json" or path.name == "COMPLETE":
                json.loads(content)
            elif path.suffix == ".html":
                assert content.rstrip().endswith(b"</html>")
            elif path.suffix == ".yaml":
                from advisor.base.strictyaml import parse

                assert isinstance(parse(content.decode(), path.name).data, dict)
            elif path.suffix == ".md" or (path.suffix == ".csv" and "runs" in path.parts):
                assert content.endswith(b"\n")
            elif path.suffix == ".npz":
                import numpy as np

                dict(np.load(io.BytesIO(content), allow_pickle=False))
        except Exception:
            found.append(str(path.relative_to(folder)))
    return found


def content_of(folder: Path) -> dict[str, str]:
    """Every file that is made from the case's inputs, by the hash of its bytes.

    A run's record holds times, and so does what is made from a run: there the content without times and stamps counts.
    """
    timed = any(folder.rglob("runs/*/run.json"))
    found = {}
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.suffix not in (".json", ".yaml", ".md", ".html", ".csv"):
            continue
        content = path.read_bytes()
        if path.name == "run.json":
            record = json.loads(content)
            content = json.dumps([record["chosen"], record["sealed"], record["gate"], record["notes"]]).encode()
        elif timed and path.suffix == ".json" and "runs" not in path.parts:
            content = json.dumps({**json.loads(content), "stamp": None}).encode()
        found[str(path.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    return found


def remembered(folder: Path) -> set[str]:
    """What the ledger tells, without times; a line that a kill tore is none."""
    told = set()
    for ledger in folder.rglob("ledger.jsonl"):
        for line in ledger.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                told.add(json.dumps({key: event[key] for key in event if key not in ("at", "seconds", "state")}))
    return told


def unfinished(folder: Path) -> list[str]:
    """Runs that are not complete and whole, and what is left in them that was only for resuming."""
    from advisor.base.errors import Problem
    from trainers.common.runfolder import verify

    found = []
    for run in folder.glob("*/runs/*/"):
        try:
            verify(run)
        except Problem as problem:
            found.append(problem.what)
        found += [str(path) for path in run.rglob("*") if path.name == "work" or path.suffix == ".part"]
    return found


def strike_everywhere(folder: Path, words: list[str], strike: Callable[[], None]) -> dict[str, Any]:
    """The verb struck at each of its points in a fresh copy, then run once more in peace."""
    once = folder.parent / "once"  # caches of the home folder are made by the first run and would count as points
    shutil.copytree(folder, once)
    attempt(once, words)
    peace = folder.parent / "peace"
    shutil.copytree(folder, peace)
    code, points, said = attempt(peace, words)
    assert code in (0, 4), said
    wanted, told_in_peace = content_of(peace), remembered(peace)
    report: dict[str, Any] = {
        "code": code,
        "points": points,
        "torn": [],
        "other": [],
        "ends": [],
        "said": [],
        "lines": 0,
    }
    for at in range(1, points + 1):
        copy = folder.parent / f"struck-{at}"
        shutil.copytree(folder, copy)
        end, _, told = attempt(copy, words, at, strike)
        report["ends"].append(end)
        report["said"].append(told.strip())
        report["torn"] += [f"point {at}: {name}" for name in torn(copy)]
        again, _, told = attempt(copy, words)
        if again != code and "error[case-exists]" not in told:  # `new` had written all before it was struck
            report["other"].append(f"point {at}: exit {again} afterwards: {told[-300:]}")
        different = {name for name, digest in content_of(copy).items() if wanted.get(name) != digest}
        different |= set(wanted) - set(content_of(copy))
        report["other"] += [f"point {at}: {name} differs afterwards" for name in sorted(different)]
        report["other"] += [f"point {at}: {name}" for name in unfinished(copy)]
        report["other"] += [f"point {at}: the ledger never told {event}" for event in told_in_peace - remembered(copy)]
        report["torn"] += [f"after point {at}: {name}" for name in torn(copy)]
        shutil.rmtree(copy)
    return report


def at_once(folder: Path, count: int, words: list[str]) -> dict[str, Any]:
    """Many processes start the verb at the same moment; each one's end and words."""
    start = time.time() + 0.3
    children = []
    for number in range(count):
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            sys.stderr = (folder.parent / f"said-{number}").open("w")
            while time.time() < start:
                pass
            code = 70
            try:
                main(words)
            except SystemExit as end:
                code = int(end.code or 0)
            finally:
                sys.stderr.flush()
                os._exit(code)
        children.append(child)
    ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    said = [(folder.parent / f"said-{number}").read_text() for number in range(count)]
    return {"ends": ends, "said": said, "torn": torn(folder)}


def warm(verb: str) -> None:
    """Load what the verb needs once, before any fork."""
    import importlib

    importlib.import_module(f"advisor.cli.{verb}")
    import pydantic  # noqa: F401

    from advisor.reasoning.rulebook import load_rulebook

    load_rulebook()
    if verb in ("look", "train", "plan"):
        import pandas  # noqa: F401
        import skops.io  # noqa: F401

        import trainers.classical.trainer  # noqa: F401


if __name__ == "__main__":
    where, what, *rest = Path(sys.argv[1]), *sys.argv[2:]
    count = int(rest.pop(0)) if what == "at-once" else 0
    warm(rest[0])
    if what == "at-once":
        found = at_once(where, count, rest)
    else:
        found = strike_everywhere(where, rest, _killed if what == "kill" else _full)
    sys.stdout.write(json.dumps(found))
