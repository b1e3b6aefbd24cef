"""Where answers are written, piece by piece, so that a resumed run knows what is good: one text file, or Parquet.

A text file grows; what is good of it is a number of bytes. Parquet cannot grow after a kill, so each piece is a small
Parquet file of its own, whole or absent, and the last step puts them together.
"""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import IO, Any, Protocol

import pandas as pd

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.files import inside, write_atomically
from trainers.use.answers import Answers
from trainers.use.written import as_table, csv_header, csv_lines, json_lines

_JSON = (".jsonl", ".ndjson")
_TEXT = ("", ".csv", ".tsv", ".txt", *_JSON)
_PARQUET = (".parquet", ".pq")


class Sink(Protocol):
    """A file that is being written. `good` is a number that says how far, kept in the note beside it."""

    def holds(self, good: int) -> bool:
        """Whether what the note calls good is still there."""

    def resume(self, good: int) -> None:
        """Drop whatever was written after `good`."""

    def add(self, rows: pd.DataFrame | None, answers: Answers, *, first: bool) -> int:
        """Write some rows to disk, and return how far the file is good now."""

    def finish(self) -> None:
        """Make the part a whole file; it is renamed by the caller."""


def sink_for(target: Path, stream: IO[bytes]) -> Sink:
    """The sink for a file of that ending; `stream` is its part, open and locked."""
    return _Parquet(target, stream) if target.suffix.lower() in _PARQUET else _Text(target, stream)


def keeps_numbers(target: Path) -> bool:
    """Whether a file of that ending tells a number from the text of one, as JSON lines and Parquet do."""
    return target.suffix.lower() in (*_JSON, *_PARQUET)


def check_format(target: Path) -> None:
    """Raise `BadInput` for an ending nobody writes, `EnvironmentMissing` where the package for it is not there."""
    ending = target.suffix.lower()
    if ending in _PARQUET:
        try:
            import pyarrow.parquet  # noqa: F401  asked for before anything is answered
        except ImportError:
            raise EnvironmentMissing(
                "Writing Parquet needs the package pyarrow.",
                where=str(target),
                fix='pip install "train-or-not[files]", or write CSV.',
                code="extra-missing",
            ) from None
    elif ending not in _TEXT:
        raise BadInput(
            f"Answers are written as CSV, JSON lines or Parquet, not as {target.suffix}.",
            where=str(target),
            fix=f"--output {target.with_suffix('.csv').name}, {target.with_suffix('.jsonl').name} or "
            f"{target.with_suffix('.parquet').name}",
            code="output-format",
        )


class _Text:
    def __init__(self, target: Path, stream: IO[bytes]) -> None:
        self._stream = stream
        self._json = target.suffix.lower() in _JSON

    def holds(self, good: int) -> bool:
        return os.fstat(self._stream.fileno()).st_size >= good

    def resume(self, good: int) -> None:
        self._stream.truncate(good)
        self._stream.seek(good)

    def add(self, rows: pd.DataFrame | None, answers: Answers, *, first: bool) -> int:
        own = [] if rows is None else list(map(str, rows.columns))
        text = csv_header(own, answers) if first and not self._json else ""
        text += json_lines(rows, answers) if self._json else csv_lines(rows, answers)
        self._stream.write(text.encode())
        self._stream.flush()
        os.fsync(self._stream.fileno())
        return self._stream.tell()

    def finish(self) -> None:
        pass


class _Parquet:
    def __init__(self, target: Path, stream: IO[bytes]) -> None:
        self._stream, self._folder = stream, target.with_name(f".{target.name}.pieces")
        self._count = 0

    def _piece(self, number: int) -> Path:
        return self._folder / f"{number:08d}.parquet"

    def holds(self, good: int) -> bool:
        return all(self._piece(number).is_file() for number in range(good))

    def resume(self, good: int) -> None:
        inside(self._folder.parent, self._folder.name)  # a link here would have another folder's files deleted
        keep = {self._piece(number).name for number in range(good)}
        for path in list(self._folder.iterdir()) if self._folder.is_dir() else []:
            if path.name not in keep:
                path.unlink()
        self._count = good

    def add(self, rows: pd.DataFrame | None, answers: Answers, *, first: bool) -> int:
        buffer = io.BytesIO()
        as_table(rows, answers).to_parquet(buffer, index=False)
        write_atomically(self._piece(self._count), buffer.getvalue())
        self._count += 1
        return self._count

    def finish(self) -> None:
        import pyarrow.parquet as parquet
        from pyarrow import unify_schemas

        pieces = [self._piece(number) for number in range(self._count)]
        # A column may be whole numbers in one piece and decimals, or nothing, in another: the wider type holds both.
        schema: Any = unify_schemas(
            [parquet.read_schema(piece).remove_metadata() for piece in pieces], promote_options="permissive"
        )
        self._stream.truncate(0)
        self._stream.seek(0)
        with parquet.ParquetWriter(self._stream, schema) as writer:
            for piece in pieces:
                writer.write_table(parquet.read_table(piece).cast(schema))
        self._stream.flush()
        os.fsync(self._stream.fileno())
        shutil.rmtree(self._folder, ignore_errors=True)
