"""A whole file answered in pieces: memory stays flat, and a killed run goes on without losing or repeating a row.

What is answered goes to `.NAME.part` beside the target; after each piece a small note says how many rows of it are
good. A resumed run cuts the part back to there, passes over those rows and goes on, so the finished file is the same to
the byte. It is renamed to the target only when it is whole.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

import pandas as pd

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.files import sha256_of_file, sha256_of_text, to_json, write_atomically
from advisor.base.jsonrows import json_columns
from advisor.base.tablechecks import check_columns
from advisor.base.tables import Table, read_chunks
from trainers.common.runfolder import MARKER
from trainers.contract import Progress
from trainers.use.cells import as_read, with_numbers
from trainers.use.inputs import check_readable, rename_to_fit, unreadable_cells
from trainers.use.opened import OpenedRun
from trainers.use.sinks import check_format, keeps_numbers, sink_for
from trainers.use.spread import Piece, answered_elsewhere

PIECE = 10_000
_WHOLE = 1 << 40


@dataclass
class Done:
    """How far the part file is good: its `rows`, and `good` in the words of its sink.

    `unreadable` counts cells that were answered as missing, by column.
    """

    key: str
    rows: int = 0
    good: int = 0
    unreadable: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """A file that was answered: how many rows, how many of them by an earlier, killed attempt."""

    rows: int
    resumed: int
    unreadable: dict[str, int]
    renamed: dict[str, str]


class Reader:
    """A file's rows in pieces, fitted to a run's columns. `renamed` tells what was matched under another name.

    The rows come as they are written; with `typed`, as numbers where the run reads numbers.
    """

    def __init__(
        self,
        opened: OpenedRun,
        file: str | Path,
        names: Mapping[str, str],
        *,
        spread: bool = False,
        typed: bool = False,
    ) -> None:
        self.opened, self.file, self.names, self.spread, self.typed = opened, file, names, spread, typed
        self.renamed: dict[str, str] = {}
        self.unreadable: dict[str, int] = {}

    def pieces(self, skip: int = 0) -> Generator[Piece, None, None]:
        """Every piece after the first `skip` rows, answered. Raises `BadInput` where columns do not fit."""
        if self.spread:
            yield from answered_elsewhere(self.opened.folder, self._fitted(skip))
            return
        for frame, fitted, start in self._fitted(skip):
            yield Piece(frame, self.opened.backend.answer(fitted), start)

    def _fitted(self, skip: int) -> Generator[tuple[pd.DataFrame, pd.DataFrame, int], None, None]:
        """Rows as they stand, the same fitted to the run's columns, and how many rows stand before them."""
        start = 0
        names: list[str] | None = None
        backend = self.opened.backend
        size = _WHOLE if backend.together else min(PIECE, backend.at_once)
        with contextlib.closing(read_chunks(self.file, rows=size, as_written=True)) as tables:
            for table in tables:
                frame = table.frame.set_axis(list(map(str, table.frame.columns)), axis=1)
                if names is None:
                    # JSON lines may name a column late, or leave it out of a whole stretch of rows: a gap there.
                    late = json_columns(Path(self.file)) if table.format == "jsonl" else []
                    names = late or list(frame.columns)
                    self.renamed = rename_to_fit(names, self.opened.columns, self.names)
                if names != list(frame.columns):
                    frame = frame.reindex(columns=names)
                before, start = start, start + len(frame)
                if start > skip:
                    fitted = self._checked(frame, before, table)
                    yield with_numbers(frame, fitted, self.opened.columns) if self.typed else frame, fitted, before
        if not start:
            check_columns(pd.DataFrame(), Path(self.file))  # says that there is no row, as every other reading does

    def _checked(self, frame: pd.DataFrame, start: int, table: Table) -> pd.DataFrame:
        fitted = as_read(frame.rename(columns=self.renamed), self.opened.columns, table)
        check = check_readable if start == 0 else unreadable_cells
        for name, count in check(fitted, self.opened.columns).items():
            self.unreadable[name] = self.unreadable.get(name, 0) + count
        return fitted


def answer_file(
    opened: OpenedRun,
    file: Path,
    target: Path,
    progress: Progress,
    *,
    with_rows: bool = True,
    names: Mapping[str, str] | None = None,
    spread: bool = False,
) -> Finished:
    """Answer every row of `file` into `target`, in the format of its ending, going on where a kill stopped it.

    `spread` sends the pieces to the workers that joblib was told of; each must see the run's folder under its path.
    """
    _check_target(file, target)
    part, note = (target.with_name(f".{target.name}.{ending}") for ending in ("part", "done"))
    reader = Reader(opened, file, names or {}, spread=spread, typed=keeps_numbers(target))
    key = _key(opened, file, target, with_rows, names or {})
    total = _rows_of(file)
    try:
        with _alone(part) as stream:
            sink = sink_for(target, stream)
            done = _done_before(note, key)
            if not sink.holds(done.good):
                done = Done(key)
            sink.resume(done.good)
            resumed = done.rows
            reader.unreadable = dict(done.unreadable)
            progress.phase(f"Answering {file.name}" + (f", going on after {resumed:,} rows" if resumed else ""))
            for piece in reader.pieces(skip=done.rows):
                rows = piece.frame if with_rows else None
                done.good = sink.add(rows, piece.answers, first=not piece.start)
                done.rows = piece.start + len(piece.answers)
                done.unreadable = dict(reader.unreadable)
                write_atomically(note, to_json(asdict(done)))
                progress.step(done.rows, max(total, done.rows), f"{done.rows:,} rows")
            sink.finish()
            # The note goes first: a part without a note is started again, a note without a part would lose rows.
            note.unlink(missing_ok=True)
            for scratch in [one for one in target.parent.iterdir() if one.name.startswith(f".{note.name}.")]:
                scratch.unlink(missing_ok=True)
            part.replace(target)
    except OSError as error:
        raise EnvironmentMissing(
            f"Cannot write {target.name}: {error.strerror}.",
            where=str(target),
            why="What was answered so far is kept beside it, and the same command goes on from there.",
            fix="Free some space, or choose another place with --output.",
            code="cannot-write",
        ) from error
    except BadInput:
        # The file or the mapping has to change, so nothing of this attempt can be gone on with.
        if not note.exists():
            part.unlink(missing_ok=True)
        raise
    return Finished(done.rows, resumed, done.unreadable, reader.renamed)


def _check_target(file: Path, target: Path) -> None:
    if target.exists() and file.exists() and target.samefile(file):
        raise BadInput(
            "The answers would overwrite the rows they are for.",
            where=str(target),
            fix="Give --output another name.",
            code="same-file",
        )
    check_format(target)


def _key(opened: OpenedRun, file: Path, target: Path, with_rows: bool, names: Mapping[str, str]) -> str:
    """What two attempts must share for one to go on where the other stopped."""
    state = file.stat() if file.exists() else None
    seen = [state.st_size, state.st_mtime_ns] if state else []
    marker = sha256_of_file(opened.folder / MARKER)
    told = [marker, str(file.resolve()), seen, target.suffix, with_rows, dict(names), PIECE]
    return sha256_of_text(to_json(told, indent=None))


def _done_before(note: Path, key: str) -> Done:
    try:
        told = Done(**json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Done(key)
    return told if told.key == key else Done(key)


@contextlib.contextmanager
def _alone(part: Path) -> Iterator[IO[bytes]]:
    """The part file, held by this process alone; the kernel lets go of it when the process dies."""
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
    with os.fdopen(descriptor, "r+b") as stream:
        try:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows has no such lock; there the last one to finish wins
            pass
        except BlockingIOError as error:
            raise BadInput(
                "Another run is writing these answers right now.",
                where=str(part),
                fix="Wait for it, or choose another --output.",
                code="already-answering",
            ) from error
        yield stream


def _rows_of(file: Path) -> int:
    """About how many rows the file has, for the progress bar: its line breaks; 0 when that says nothing."""
    if file.suffix.lower() not in (".csv", ".tsv", ".txt", ".jsonl", ".ndjson") or not file.is_file():
        return 0
    lines = 0
    with file.open("rb") as stream:
        while block := stream.read(1 << 22):
            lines += block.count(b"\n")
    return lines
