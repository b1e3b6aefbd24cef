"""How a text table is written: its encoding, its delimiter and its header.

Standard library only, so that a hostile file is refused before anything heavy is loaded or allocated.
"""

from __future__ import annotations

import codecs
import csv
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from advisor.base.errors import BadInput
from advisor.base.safetext import one_of

MAX_COLUMNS = 5_000
MAX_CELL_BYTES = 2**20
_PIECE = 1 << 20
_SAMPLE = 1 << 16
_MAX_HEADER = 4 * MAX_CELL_BYTES
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_BINARY = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "compressed with gzip",
    b"BZh": "compressed with bzip2",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"\x7fELF": "a program",
    b"\x93NUMPY": "a NumPy array",
    b"SQLite format 3": "a SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Excel (.xls) file",
}


@dataclass(frozen=True)
class Written:
    """How a text table is written. `header` holds the column names as they stand."""

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    decimal: str = "."


def sniff(path: Path, *, only_bytes: int | None = None) -> Written:
    """Encoding, delimiter and header of a text table; looks at the first `only_bytes` bytes, or at all of them.

    Raises `BadInput` for what cannot be a table: binary, no usable encoding, too many or repeated columns.
    """
    encoding = encoding_of(path, only_bytes=only_bytes)
    first = _first_line(path, encoding)
    if not first.strip():
        raise BadInput(
            f"The first line of {path.name} is blank.",
            where=f"{path}:1",
            why="It should hold the column names.",
            fix="Delete the blank lines at the top of the file.",
            code="no-header",
        )
    sample = _sample(path, encoding)
    delimiter = _delimiter_of(path, first, sample)
    # A bound before any parsing: a million columns must cost milliseconds, not gigabytes.
    if first.count(delimiter) >= MAX_COLUMNS:
        raise BadInput(
            f"{path.name} has at least {first.count(delimiter) + 1:,} columns; at most {MAX_COLUMNS:,} are read.",
            where=f"{path}:1",
            why="So many columns usually mean a table stored on its side, or a wrong delimiter.",
            fix="Turn it so that each example is a row, or keep the columns that matter.",
            code="too-many-columns",
        )
    header = tuple(_named(cell, position) for position, cell in enumerate(next(_cells([first], delimiter)), start=1))
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise BadInput(
            f"{path.name} has two columns of the same name: {one_of(repeated)}.",
            where=f"{path}:1",
            why="One of them would silently hide the other; or the file has no header line and this is data.",
            fix="Give each column its own name in the first line.",
            code="duplicate-columns",
        )
    return Written(encoding, delimiter, header, "," if _decimal_commas(sample, delimiter) else ".")


def encoding_of(path: Path, *, only_bytes: int | None = None) -> str:
    """`utf-8`, `utf-8-sig`, `utf-16`, `utf-16-le`, `utf-16-be` or `cp1252`; `BadInput` for binary files.

    Windows-1252 is the fallback because nearly every byte is a letter in it: it is told, for a person to check.
    """
    with path.open("rb") as stream:
        start = stream.read(_SAMPLE)
        for magic, kind in _BINARY.items():
            if start.startswith(magic):
                raise _not_text(path, f"it is {kind}")
        if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
            raise _not_text(path, "it looks like a Python pickle, which can run code when opened and is never read")
        for bom, name in _BOMS:
            if start.startswith(bom):
                return name
        guess = _utf16_without_mark(start)
        if guess:
            return guess
        decoder = codecs.getincrementaldecoder("utf-8")()
        utf8, seen, piece = True, 0, start
        while piece:
            if b"\0" in piece:
                raise _not_text(path, f"it holds a NUL byte at byte {seen + piece.index(0):,}")
            if utf8:
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    utf8 = False
            seen += len(piece)
            if only_bytes is not None and seen >= only_bytes:
                break
            piece = stream.read(_PIECE)
    return "utf-8" if utf8 else "cp1252"


def notes_on(path: Path, written: Written) -> tuple[str, ...]:
    """What was assumed about how the table is written, a sentence each."""
    notes = []
    if written.encoding == "cp1252":
        notes.append(f"{path.name} is not UTF-8; it was read as Windows-1252. Check that its accents look right.")
    if written.delimiter != ",":
        notes.append(f"Cells are separated by {_DELIMITERS[written.delimiter]}.")
    if written.decimal == ",":
        notes.append("Numbers are written with a decimal comma.")
    if all(_is_number(name) for name in written.header):
        notes.append("The column names are all numbers: if the first line is data, add a header line.")
    return tuple(notes)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _not_text(path: Path, kind: str) -> BadInput:
    return BadInput(
        f"{path.name} is not a text table: {kind}.",
        where=str(path),
        fix="Export the table as CSV (UTF-8), or name it .xlsx, .parquet or .jsonl if that is what it is.",
        code="not-a-table",
    )


def _utf16_without_mark(start: bytes) -> str:
    """UTF-16 text of western scripts has a zero in every second byte; real text has line ends to confirm it."""
    even, odd = start[0::2], start[1::2]
    if not odd or b"\0" not in start:
        return ""
    if odd.count(0) > 0.7 * len(odd) and even.count(0) < 0.05 * len(even) and b"\n\0" in start:
        return "utf-16-le"
    if even.count(0) > 0.7 * len(even) and odd.count(0) < 0.05 * len(odd) and b"\0\n" in start:
        return "utf-16-be"
    return ""


def _first_line(path: Path, encoding: str) -> str:
    """The header, which may span physical lines inside quotes."""
    text = ""
    with path.open(encoding=encoding, errors="replace", newline=None) as stream:
        while True:
            line = stream.readline(_MAX_HEADER)
            text += line
            if not line or text.count('"') % 2 == 0 or len(text) >= _MAX_HEADER:
                return text.rstrip("\n")


def _sample(path: Path, encoding: str) -> list[str]:
    """The data lines within the first 64 thousand characters; the last, perhaps cut, one is left out."""
    with path.open(encoding=encoding, errors="replace", newline=None) as stream:
        text = stream.read(_SAMPLE)
    lines = text.split("\n")
    whole = lines if len(text) < _SAMPLE else lines[:-1]
    return [line for line in whole[1:201] if line.strip()]


def _delimiter_of(path: Path, first: str, sample: list[str]) -> str:
    """The delimiter under which most lines have as many cells as the header, and the header has most."""
    if path.suffix.lower() in (".tsv", ".tab") and "\t" in first:
        return "\t"
    best, best_key = ",", (0.0, 0)
    for delimiter in (",", ";", "\t", "|"):
        width = len(next(_cells([first], delimiter)))
        if width < 2:
            continue
        rows = list(_cells(sample, delimiter))
        fitting = sum(len(row) == width for row in rows) / len(rows) if rows else 0.5
        if (round(fitting, 1), width) > best_key:
            best, best_key = delimiter, (round(fitting, 1), width)
    return best


def _decimal_commas(sample: list[str], delimiter: str) -> bool:
    """Whether numbers are written 1,5: only possible where the comma does not separate cells."""
    if delimiter == ",":
        return False
    commas = points = 0
    for row in _cells(sample, delimiter):
        for cell in row:
            digits = cell.strip().lstrip("+-")
            commas += digits.count(",") == 1 and digits.replace(",", "").isdigit()
            points += digits.count(".") == 1 and digits.replace(".", "").isdigit()
    return commas > 0 and points == 0


def _cells(lines: list[str], delimiter: str) -> Iterator[list[str]]:
    with large_cells():
        try:
            yield from csv.reader(lines, delimiter=delimiter)
        except csv.Error:
            yield from (line.split(delimiter) for line in lines)


def _named(cell: str, position: int) -> str:
    return cell if cell.strip() else f"column {position}"


@contextmanager
def large_cells() -> Iterator[None]:
    """The csv module takes cells of at most `MAX_CELL_BYTES` characters meanwhile."""
    before = csv.field_size_limit(MAX_CELL_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)
