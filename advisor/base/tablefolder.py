"""A folder of files that hold rows, read as one table: which files those are, and what tells that one changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.case import Case
from advisor.base.documents import files_below
from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_file, sha256_of_text
from advisor.base.safetext import one_of, plain

if TYPE_CHECKING:
    from advisor.base.tables import Table

# JSON is left out: beside rows in JSON lines it mostly holds what is said about them.
ROWS = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq"})


def row_files(path: Path) -> list[Path]:
    """The file itself, or the files with rows that lie in the folder, by name. Raises `BadInput` for a folder without.

    What lies deeper is not read: a case beside its data holds tables of its own.
    """
    if not path.is_dir():
        return [path]
    found = rows_in(path)
    if not found:
        raise BadInput(
            f"{path} is a folder without a table.",
            where=str(path),
            why=f"Read as one are its own files that end in {one_of(sorted(ROWS), len(ROWS))}.",
            fix="Name a file inside it.",
            code="no-file",
        )
    return found


def rows_in(folder: Path) -> list[Path]:
    """The files with rows that lie in the folder itself, by name. Raises `BadInput` for a case, which is no data."""
    if Case(folder).ledger.is_file():
        raise BadInput(
            f"{folder} is a case, and holds more than its data.",
            where=str(folder),
            fix="Put the data into a folder of its own, or name one file.",
            code="no-file",
        )
    return [file for file in files_below(folder, ROWS) if file.parent == folder]


def bytes_of_rows(path: Path) -> int:
    """How many bytes a file, or a folder's files with rows, have together."""
    return sum(file.stat().st_size for file in row_files(path))


def sha256_of_rows(path: Path) -> str:
    """Hex SHA-256 of a file, or of the names and contents of a folder's files with rows; "" where there are none."""
    if not path.is_dir():
        return sha256_of_file(path) if path.is_file() else ""
    files = rows_in(path)
    told = (f"{file.name}\0{sha256_of_file(file)}\n" for file in files)
    return sha256_of_text("".join(told)) if files else ""


def read_as_one(folder: Path, *, max_rows: int | None = None, as_written: bool = False) -> Table:
    """The rows of all files of a folder, file after file by name. Raises `BadInput` where their columns differ.

    Rows of JSON lines may lack a key; other tables must have the columns of the first. A column that holds numbers in
    one file and text in another is kept as it is written in all.
    """
    import pandas as pd

    from advisor.base.tables import MAX_BYTES, Table, read_table

    files = row_files(folder)
    size = bytes_of_rows(folder)
    if max_rows is None and size > MAX_BYTES:
        raise BadInput(
            f"The tables in {folder} have {size:,} bytes; at most {MAX_BYTES:,} are read at once.",
            where=str(folder),
            fix="Keep fewer of them in the folder, or store them as Parquet with fewer columns.",
            code="too-large",
        )
    tables: list[Table] = []
    for file in files:
        left = None if max_rows is None else max_rows - sum(len(table.frame) for table in tables)
        if left == 0:
            break
        tables.append(read_table(file, max_rows=left, as_written=as_written))
        _check_same(tables, files, as_written)
    if not as_written and (torn := _torn(tables)):
        for table, file in zip(tables, files, strict=False):
            table.frame[torn] = read_table(file, max_rows=len(table.frame), as_written=True).frame[torn]
    frame = pd.concat([table.frame for table in tables], ignore_index=True)
    read = [file.name for file in files[: len(tables)]]
    told = f"{len(files):,} files of {plain(folder.name, 60)} are read as one: {one_of(read)}."
    notes = (told, *dict.fromkeys(note for table in tables for note in table.notes))
    first, whole = tables[0], len(tables) == len(files) and all(table.whole for table in tables)
    kind = first.format if len({table.format for table in tables}) == 1 else "mixed"
    rows = tuple((name, len(table.frame)) for name, table in zip(read, tables, strict=True))
    return Table(frame, first.encoding, first.delimiter, notes, kind, whole, first.decimal, rows)


def where(path: Path, files: Sequence[tuple[str, int]], number: int) -> str:
    """Where row `number` (from 1) of all the rows stands, as FILE:ROW. `files` are names and rows of a folder's."""
    for name, rows in files:
        if number <= rows:
            return f"{path / name}:{number}"
        number -= rows
    return f"{path}:{number}"


def _check_same(tables: list[Table], files: list[Path], as_written: bool) -> None:
    """Raise `BadInput` when the last of the tables has other columns than the first, or other decimal marks in text."""
    first, last = (list(map(str, table.frame.columns)) for table in (tables[0], tables[-1]))
    name, other = files[len(tables) - 1].name, files[0].name
    lacking, more = [c for c in first if c not in last], [c for c in last if c not in first]
    if (lacking or more) and any(table.format != "jsonl" for table in tables):
        said = f"lacks {one_of(lacking)}, which {other} has" if lacking else f"has {one_of(more)}, which {other} lacks"
    elif as_written and tables[0].decimal != tables[-1].decimal:
        said = f"writes 1{tables[-1].decimal}5 where {other} writes 1{tables[0].decimal}5"
    else:
        return
    raise BadInput(
        f"The tables of the folder differ: {name} {said}.",
        where=str(files[len(tables) - 1]),
        why="Files of a folder are read as one table, so all must be written alike.",
        fix="Export them alike, move the odd one out of the folder, or name one file.",
        code="files-differ",
    )


def _torn(tables: list[Table]) -> list[str]:
    """Columns of text tables that one file reads as numbers and another as text."""
    from pandas.api.types import is_numeric_dtype

    if any(table.format != "csv" for table in tables):
        return []
    filled = [table.frame.dropna(axis="columns", how="all") for table in tables]
    return [
        str(name)
        for name in tables[0].frame.columns
        if len({is_numeric_dtype(frame[name]) for frame in filled if name in frame}) > 1
    ]
