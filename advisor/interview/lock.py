"""One questionnaire a case: the second is told who holds it, and a dead holder holds nothing.

What is covered: two processes on one machine, a holder killed in any way, a stale file left behind. The operating
system drops the lock when its holder dies, so nothing has to guess whether a process id is still the same process.
What is not: machines that share a folder without shared locks, and Windows, where nothing is held.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from advisor.base.case import Case, now
from advisor.base.errors import BadInput
from advisor.base.safetext import plain

LOCK = ".ask.lock"


@contextlib.contextmanager
def hold(case: Case) -> Iterator[None]:
    """Hold the case while its questions are asked. Raises `BadInput` that names the process that has it."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    path = case.folder / LOCK
    while True:
        try:
            # A link in the lock's place, in a case that somebody sent, would have what it points at emptied.
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise BadInput(
                f"The case cannot be held: {LOCK} {'is a link' if path.is_symlink() else error.strerror}.",
                where=str(path),
                fix="Delete it and run this again." if path.is_symlink() else "Make the folder writable.",
                code="cannot-hold",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(descriptor, 200, 0).decode(errors="replace")
            os.close(descriptor)
            raise _held(case, holder) from None
        # The holder before us may have removed the file between our open and our lock: then we hold a ghost.
        with contextlib.suppress(FileNotFoundError):
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                break
        os.close(descriptor)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, since {now()}".encode(), 0)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _held(case: Case, holder: str) -> BadInput:
    return BadInput(
        f"Another questionnaire holds the case {plain(case.name, 80)!r} ({plain(holder, 100) or 'it just started'}).",
        where=str(case.folder),
        why="Two at once would overwrite each other's answers.",
        fix="Finish or stop the other one (^C; it loses nothing), then run this again.",
        code="case-in-use",
    )
