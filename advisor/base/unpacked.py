"""How large a packed table becomes: asked before it is unpacked, since a kilobyte can hold a billion cells."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from advisor.base.errors import BadInput
from advisor.base.sniff import MAX_COLUMNS

MAX_CELLS = 200_000_000
MAX_WORKBOOK_CELLS = 20_000_000
MAX_WORKBOOK_BYTES = 2**30
_PIECE = 1 << 20
_CELL = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')


def check_parquet(path: Path) -> None:
    """Raise `BadInput` for more than `MAX_CELLS` cells, by the file's own count."""
    import pyarrow.parquet

    told = pyarrow.parquet.read_metadata(path)
    if told.num_rows * max(1, told.num_columns) > MAX_CELLS:
        raise _too_many(path, told.num_rows, told.num_columns, MAX_CELLS, "Read it in pieces: train-or-not predict")


def check_workbook(path: Path) -> None:
    """Raise `BadInput` for an Excel file that unpacks to more than a gibibyte, or whose first sheet spans too much.

    A sheet with one cell in its last row and last column would be filled up to 17 billion cells.
    """
    with zipfile.ZipFile(path) as packed:
        whole = sum(member.file_size for member in packed.infolist())  # zipfile itself reads no more than it says
        if whole > MAX_WORKBOOK_BYTES:
            raise BadInput(
                f"{path.name} unpacks to {whole:,} bytes; at most {MAX_WORKBOOK_BYTES:,} are read.",
                where=str(path),
                fix="Export the sheet as CSV, or check where this file comes from.",
                code="too-large",
            )
        for name in packed.namelist():
            if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                _check_sheet(path, packed, name)


def _check_sheet(path: Path, packed: zipfile.ZipFile, name: str) -> None:
    rows = columns = 0
    rest = b""
    with packed.open(name) as stream:
        while piece := stream.read(_PIECE):
            for letters, number in _CELL.findall(rest + piece):
                rows, columns = max(rows, int(number)), max(columns, _column(letters))
            rest = piece[-32:]
    if columns > MAX_COLUMNS or rows * columns > MAX_WORKBOOK_CELLS:
        raise _too_many(path, rows, columns, MAX_WORKBOOK_CELLS, "Delete what stands far off, or export it as CSV")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _too_many(path: Path, rows: int, columns: int, most: int, fix: str) -> BadInput:
    return BadInput(
        f"{path.name} spans {rows:,} rows and {columns:,} columns; at most {most:,} cells and {MAX_COLUMNS:,} columns "
        "are read.",
        where=str(path),
        why="A packed file can be small and its table larger than the memory.",
        fix=f"{fix}.",
        code="too-large",
    )
