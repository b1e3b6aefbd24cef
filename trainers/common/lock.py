"""One training of a case at a time: a lock that names its holder, and is taken from the dead."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advisor.base.case import now
from advisor.base.errors import BadInput
from advisor.base.files import own_folder

LOCK = "lock"
_BEING_WRITTEN_SECONDS = 5.0


@contextlib.contextmanager
def locked(runs: Path, doing: str = "training") -> Iterator[None]:
    """Hold a folder's lock, or raise `BadInput` that names who is `doing` what there. A dead holder's lock is taken."""
    path = own_folder(runs) / LOCK
    me = {**this_process(), "since": now()}
    while not _taken(path, me):
        holder = _holder(path)
        if holder is None:
            continue
        if is_alive(holder):
            raise BadInput(
                f"Another {doing} of this case is running: process {holder.get('pid')} on {holder.get('host')} "
                f"since {holder.get('since')}.",
                where=str(path),
                why="Two at once would open the sealed rows twice and fight for the machine.",
                fix=f"Wait for it, or stop it; if that machine is gone, delete {path}.",
                code=f"already-{'training' if doing == 'training' else 'running'}",
            )
        _remove_stale(path, holder)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def this_process() -> dict[str, Any]:
    """What `is_alive` tells this process by, wherever it is asked."""
    return {"pid": os.getpid(), "host": socket.gethostname(), "born": _born(os.getpid())}


def _taken(path: Path, me: dict[str, Any]) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as stream:
        stream.write(json.dumps(me))
    return True


def _holder(path: Path) -> dict[str, Any] | None:
    """Who holds the lock; None when it has just gone, or its holder has not signed it yet."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):  # a link to nothing would be waited for without end
            raise BadInput(
                f"{path} is a link, a folder or a pipe; a lock is a plain file.",
                where=str(path),
                why="Nothing of ours made it, so nobody can tell who holds it.",
                fix=f"Remove it: rm -r {shlex.quote(str(path))}",
                code="odd-lock",
            )
        with path.open("rb") as stream:
            text = stream.read(4096).decode(errors="replace")
        age = time.time() - found.st_mtime
    except FileNotFoundError:
        return None
    try:
        holder = json.loads(text)
        return holder if isinstance(holder, dict) else {}
    except ValueError:
        if age < _BEING_WRITTEN_SECONDS:
            time.sleep(0.01)
            return None
        return {}


def is_alive(holder: dict[str, Any]) -> bool:
    """Whether a process still runs. One on another machine counts as running: nobody here can tell."""
    if not holder:
        return False
    if holder.get("host") != socket.gethostname():
        return True
    pid = holder.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # The number may have been given to another process since.
    return not holder.get("born") or _born(pid) == holder["born"]


def _born(pid: int) -> str:
    """When a process started, in the kernel's ticks since boot; empty where that cannot be read, or it has ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        # A container without an init keeps the ended as zombies: still listed, but they hold and watch over nothing.
        return "" if told[0] in "ZX" else told[19]
    except (OSError, IndexError):
        return ""


def _remove_stale(path: Path, seen: dict[str, Any]) -> None:
    """Take away a dead holder's lock, and only that one: another process may have replaced it meanwhile."""
    guard = path.with_name(f"{LOCK}.removing")
    with contextlib.suppress(FileNotFoundError):
        if time.time() - guard.stat().st_mtime > _BEING_WRITTEN_SECONDS:
            guard.unlink()
    try:
        os.close(os.open(guard, os.O_CREAT | os.O_EXCL, 0o644))
    except FileExistsError:
        time.sleep(0.01)
        return
    try:
        if _holder(path) == seen:
            path.unlink(missing_ok=True)
    finally:
        guard.unlink(missing_ok=True)
