"""A table from a file a team gave us: read fast, what was assumed is told, what cannot be read gets its cure.

CSV and TSV (UTF-8, UTF-16 or Windows-1252; comma, semicolon, tab or bar), JSON lines, and Parquet or Excel where their
packages are installed. Nothing is dropped in silence: a row that does not fit is an error with its line.

A cell counts as missing when it is empty or one of `MISSING`. "NA" is left out on purpose: it is Namibia, and an R
export's gap. It is read as missing only in a column that otherwise holds numbers; in a text column it stays text.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.datafolder import is_image_folder
from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.evenlines import check_lines
from advisor.base.imagefolder import image_table
from advisor.base.jsonrows import flattened, json_pieces, json_rows
from advisor.base.plaincells import plain_cells
from advisor.base.safetext import one_of, plain
from advisor.base.sniff import Written, notes_on, sniff
from advisor.base.tablechecks import check_cells, check_columns, check_readable
from advisor.base.tablefolder import read_as_one
from advisor.base.textnumbers import numbers_with_gaps
from advisor.base.unpacked import check_parquet, check_workbook

if TYPE_CHECKING:
    import pandas as pd

MISSING = ("", "NaN", "nan", "NULL", "null", "N/A", "n/a", "#N/A", "<NA>", "None")
MAX_BYTES = 2 * 2**30
_SAMPLE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Table:
    """Rows and columns as read. `notes` are sentences on what was assumed; `whole` is false when rows were left.

    `decimal` is the mark in numbers of text that was read as it is written; `files` says of a folder what each held.
    """

    frame: pd.DataFrame
    encoding: str
    delimiter: str
    notes: tuple[str, ...] = ()
    format: str = "csv"
    whole: bool = True
    decimal: str = "."
    files: tuple[tuple[str, int], ...] = ()


def read_table(path: str | Path, *, max_rows: int | None = None, as_written: bool = False) -> Table:
    """The table in a file or in all of a folder's, or its first `max_rows` rows.

    Raises `BadInput` or `EnvironmentMissing` with the cure.

    A folder of images is a table with a row for each. `as_written` keeps the cells of text as text: 007 stays 007.
    """
    path = Path(path)
    if is_image_folder(path):
        frame, notes = image_table(path)
        return _cut(_whole(Table(frame, "", "", notes, "images"), path), max_rows)
    if path.is_dir():
        return read_as_one(path, max_rows=max_rows, as_written=as_written)
    kind = _format_of(check_readable(path))
    if max_rows is None and path.stat().st_size > MAX_BYTES:
        raise BadInput(
            f"{path.name} has {path.stat().st_size:,} bytes; at most {MAX_BYTES:,} are read at once.",
            where=str(path),
            why="A boosted tree on a sample beats a streaming model on everything.",
            fix="Take a random sample of the rows (shuf -n 200000), or store it as Parquet with fewer columns.",
            code="too-large",
        )
    if kind == "csv":
        return _read_csv(path, max_rows, as_written)
    read = {"parquet": _read_parquet, "excel": _read_excel}.get(kind)
    table = read(path) if read else _read_json(path, kind, max_rows)
    return _whole(_cut(table, max_rows), path)


def read_chunks(path: str | Path, *, rows: int = 50_000, as_written: bool = False) -> Generator[Table, None, None]:
    """The table of one file in pieces of at most `rows` rows, for files larger than memory. Row numbers go on counting.

    `as_written` keeps each cell of a text table or of JSON lines as it stands there, whatever else is in its piece.
    """
    path = Path(path)
    kind = "images" if is_image_folder(path) else _format_of(check_readable(path))
    if kind in ("jsonl", "parquet"):
        pieces = _json_pieces(path, rows, as_written) if kind == "jsonl" else _parquet_pieces(path, rows)
        yield from (Table(frame, "utf-8", "", (), kind) for frame in pieces)
        return
    if kind != "csv":
        table = read_table(path)
        for start in range(0, len(table.frame), rows):
            yield Table(table.frame.iloc[start : start + rows], table.encoding, table.delimiter, (), table.format)
        return
    written = sniff(path)
    with _told_as_problems(path, written):
        check_lines(path, written)
        with _csv_reader(path, written, as_written, chunksize=rows) as reader:
            for frame in reader:
                check_cells(frame, path)
                read = frame if as_written else numbers_with_gaps(frame)[0]
                yield Table(read, written.encoding, written.delimiter, decimal=written.decimal)


def _format_of(path: Path) -> str:
    kind = {
        ".parquet": "parquet", ".pq": "parquet", ".xlsx": "excel", ".xlsm": "excel",
        ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    }.get(path.suffix.lower(), "csv")  # fmt: skip
    with path.open("rb") as stream:
        start = stream.read(4)
    return "parquet" if start == b"PAR1" else kind


def _read_csv(path: Path, max_rows: int | None, as_written: bool) -> Table:
    written = sniff(path, only_bytes=None if max_rows is None else _SAMPLE_BYTES)
    with _told_as_problems(path, written):
        frame = _csv_reader(path, written, as_written, nrows=None if max_rows is None else max_rows + 1)
        frame, gaps = (frame, ()) if as_written else numbers_with_gaps(frame)
        # pandas fills short rows with missing cells at the end: only then can a row have been short.
        if len(frame) and bool(frame.iloc[:, -1].isna().any()):
            check_lines(path, written, limit=max_rows)
    notes = notes_on(path, written) + gaps
    table = Table(frame, written.encoding, written.delimiter, notes, decimal=written.decimal)
    return _whole(_cut(table, max_rows), path)


def _csv_reader(path: Path, written: Written, as_written: bool, **options: Any) -> Any:
    import pandas as pd

    return pd.read_csv(
        path,
        sep=written.delimiter,
        decimal=written.decimal,
        encoding=written.encoding,
        header=0,
        names=list(written.header),
        index_col=False,
        keep_default_na=False,
        na_values=list(MISSING),
        low_memory=False,
        skip_blank_lines=len(written.header) > 1,
        dtype=str if as_written else None,
        engine="c",
        **options,
    )


@contextmanager
def _told_as_problems(path: Path, written: Written) -> Iterator[None]:
    """What pandas raises or warns on a broken text table, as an error with the line and the cure."""
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            yield
    except UnicodeError as error:
        raise BadInput(
            f"{path.name} is not whole {written.encoding} text.",
            where=str(path),
            fix=f"Convert it: iconv -f WINDOWS-1252 -t UTF-8 {path.name} > converted.csv",
            code="bad-encoding",
        ) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        check_lines(path, written)
        raise BadInput(
            f"{path.name} cannot be read as a table: {plain(error, 200)}.",
            where=str(path),
            why="Often a double quote was opened and never closed.",
            fix="Open the file near that row and close the quote.",
            code="broken-quote",
        ) from error


def _read_json(path: Path, kind: str, max_rows: int | None) -> Table:
    import pandas as pd

    rows, nested = flattened(json_rows(path, kind, max_rows))
    notes = (f"Nested values were kept as JSON text in: {one_of(nested)}.",) if nested else ()
    return Table(pd.DataFrame(rows), "utf-8", "", notes, kind)


def _read_parquet(path: Path) -> Table:
    import pandas as pd

    with _parquet_problems(path):
        check_parquet(path)
        frame, notes = plain_cells(pd.read_parquet(path))
        return Table(frame, "", "", notes, "parquet")


@contextmanager
def _parquet_problems(path: Path) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise _reader_missing(path, "pyarrow") from error
    except BadInput:
        raise
    except Exception as error:  # pyarrow has its own error tree, which must not leak out
        raise BadInput(
            f"{path.name} cannot be read as Parquet: {plain(error, 160)}.",
            where=str(path),
            fix="Write it again, or export it as CSV.",
            code="bad-parquet",
        ) from error


def _parquet_pieces(path: Path, rows: int) -> Iterator[pd.DataFrame]:
    with _parquet_problems(path):
        import pyarrow.parquet

        file = pyarrow.parquet.ParquetFile(path)
    pieces = file.iter_batches(batch_size=rows)
    while True:
        with _parquet_problems(path):
            piece = next(pieces, None)
        if piece is None:
            return
        yield plain_cells(piece.to_pandas())[0]


def _json_pieces(path: Path, rows: int, as_written: bool) -> Iterator[pd.DataFrame]:
    import pandas as pd

    kind = object if as_written else None
    yield from (pd.DataFrame(flattened(piece)[0], dtype=kind) for piece in json_pieces(path, rows))


def _read_excel(path: Path) -> Table:
    import pandas as pd

    try:
        check_workbook(path)
        with pd.ExcelFile(path) as book:
            names = list(map(str, book.sheet_names))
            frame = book.parse(names[0], keep_default_na=False, na_values=list(MISSING))
    except BadInput:
        raise
    except ImportError as error:
        raise _reader_missing(path, "openpyxl") from error
    except Exception as error:  # openpyxl raises zip, XML and key errors alike on a broken file
        raise BadInput(
            f"{path.name} cannot be read as an Excel workbook: {plain(error, 160)}.",
            where=str(path),
            fix="Open and save it again, or export the sheet as CSV.",
            code="bad-excel",
        ) from error
    notes = () if len(names) == 1 else (f"Read the first of {len(names)} sheets, {plain(names[0], 60)}.",)
    return Table(frame, "", "", notes, "excel")


def _reader_missing(path: Path, package: str) -> EnvironmentMissing:
    return EnvironmentMissing(
        f"Reading {path.name} needs the package {package}.",
        where=str(path),
        fix=f"pip install {package}, or export the table as CSV.",
        code="reader-missing",
    )


def _cut(table: Table, max_rows: int | None) -> Table:
    if max_rows is None or len(table.frame) <= max_rows:
        return table
    note = f"Only the first {max_rows:,} rows were read."
    return replace(table, frame=table.frame.iloc[:max_rows], notes=(*table.notes, note), whole=False)


def _whole(table: Table, path: Path) -> Table:
    """The same table, or `BadInput` when it is none: no rows, too many columns, two of one name, a cell too long."""
    check_columns(table.frame, path)
    table.frame.columns = [str(name) for name in table.frame.columns]
    check_cells(table.frame, path)
    return table
