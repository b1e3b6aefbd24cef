"""Whether every line of a text table has as many cells as its header, and which is the first that has not."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.base.sniff import MAX_CELL_BYTES, Written, large_cells

_BLOCK = 1 << 20
_MEND = "Mend that line: put text that holds the delimiter in double quotes, or fill empty cells."
_IN_A_CELL = (
    "A carriage return stands inside a cell there: put that cell in double quotes, or take the return out of it."
)


class _Ending:
    """The lines of a stream, and whether the latest ended with a carriage return alone, unlike the first."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._first = ""
        self.by_return_alone = False

    def __iter__(self) -> Iterator[str]:
        for line in self._stream:
            self._first = self._first or line[-1:]
            self.by_return_alone = line[-1:] == "\r" != self._first
            yield line


def check_lines(path: Path, written: Written, *, limit: int | None = None) -> None:
    """Raise `BadInput` with the number of the first line that has more or fewer cells than the header."""
    wanted = len(written.header)
    if _is_plainly_even(path, written, limit):
        return
    with path.open(encoding=written.encoding, errors="replace", newline="") as stream, large_cells():
        ending = _Ending(stream)
        rows = csv.reader(ending, delimiter=written.delimiter)
        try:
            for count, cells in enumerate(rows):
                if cells and len(cells) != wanted:
                    held = f"{len(cells):,} cell{'s' * (len(cells) != 1)}"
                    raise BadInput(
                        f"Line {rows.line_num:,} of {path.name} has {held}; the header has {wanted:,}.",
                        where=f"{path}:{rows.line_num}",
                        line=plain(written.delimiter.join(cells), 160),
                        why="Cells would slip into the wrong columns.",
                        fix=_IN_A_CELL if ending.by_return_alone else _MEND,
                        code="ragged-row",
                    )
                if limit is not None and count > limit:
                    return
        except csv.Error as error:
            raise BadInput(
                f"Line {rows.line_num:,} of {path.name} cannot be read: {error}.",
                where=f"{path}:{rows.line_num}",
                why=f"A cell holds at most {MAX_CELL_BYTES:,} characters; often a double quote was never closed.",
                fix="Close the quote on that line or above it.",
                code="broken-quote",
            ) from error


def _is_plainly_even(path: Path, written: Written, limit: int | None) -> bool:
    """Whether all lines have the header's cells and nothing needs a closer look, which takes far longer."""
    if written.encoding.startswith("utf-16"):
        return False
    delimiter, between, seen = written.delimiter.encode(), len(written.header) - 1, 0
    with path.open("rb") as stream:
        while lines := stream.readlines(_BLOCK):
            block = b"".join(lines)
            if b'"' in block or block.count(b"\r") != block.count(b"\r\n") or max(map(len, lines)) > MAX_CELL_BYTES:
                return False
            if {line.count(delimiter) for line in lines if line.strip(b"\r\n")} - {between}:
                return False
            seen += len(lines)
            if limit is not None and seen > limit + 1:
                return True
    return True
