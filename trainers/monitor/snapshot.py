"""What a file holds at one moment, though it goes on growing: its rows, their bytes, and the hash of these."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from advisor.base.errors import BadInput
from advisor.base.tablechecks import check_readable
from advisor.base.tables import Table
from trainers.monitor.state import hash_of

_LINES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Snapshot:
    """The rows of a file's first `bytes`, which have this hash."""

    table: Table
    bytes: int
    sha256: str


def snapshot(file: Path, read: Callable[[Path], Table]) -> Snapshot:
    """The file as it stands, by `read`: rows, bytes and hash are of one moment. Raises what `read` does."""
    if file.is_dir():
        raise BadInput(
            f"{file.name} is a folder; what is watched is a table that rows are added to.",
            where=str(file),
            why="Rows that were checked before are told from new ones by their place in the file.",
            fix="List the names of the image files in a table, in the column that the run reads.",
            code="no-file",
        )
    size = check_readable(file).stat().st_size
    table = read(file)
    if file.stat().st_size == size:
        return Snapshot(table, size, hash_of(file, size))
    # A server writes into it right now. A copy stands still; a line that is half written belongs to the next check.
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / file.name
        shutil.copyfile(file, copy)
        if file.suffix.lower() in _LINES:
            _cut_to_lines(copy)
        size = copy.stat().st_size
        return Snapshot(read(copy), size, hash_of(copy, size))


def _cut_to_lines(file: Path) -> None:
    with file.open("r+b") as stream:
        end = stream.seek(0, 2)
        while end:
            start = max(0, end - (1 << 16))
            stream.seek(start)
            at = stream.read(end - start).rfind(b"\n")
            if at >= 0:
                stream.truncate(start + at + 1)
                return
            end = start
