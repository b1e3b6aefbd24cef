"""The rows of a file: whole when they fit in memory, else counted in pieces while a sample is kept."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from advisor.base.tables import read_chunks, read_table
from advisor.evidence.catalogue import load_catalogue
from advisor.evidence.preparing import Counted
from advisor.evidence.sheet import as_label

if TYPE_CHECKING:
    import pandas as pd

    from advisor.evidence.look import Progress

_PIECE_BYTES = 32 * 2**20
_MOST_CLASSES = 10_000
_STRETCH = 200
_JSON = (".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".xlsx", ".xlsm")


@dataclass(frozen=True)
class Data:
    """A table in memory. `counted` is set when only a sample of it is; `sampled` says so in a sentence."""

    frame: pd.DataFrame
    format: str
    notes: tuple[str, ...] = ()
    counted: Counted | None = None
    sampled: str = ""
    files: tuple[tuple[str, int], ...] = ()


def read_data(path: Path, target: str, told: Progress) -> Data:
    """The table in `path`, bounded in memory. Only text tables are read in pieces; others have to fit."""
    large = load_catalogue().settings["whole_file_bytes"]
    if path.suffix.lower() not in _JSON and path.is_file() and path.stat().st_size > large:
        return _read_in_pieces(path, target, told)
    table = read_table(path)
    return Data(table.frame, table.format, table.notes, files=table.files)


def _read_in_pieces(path: Path, target: str, told: Progress) -> Data:
    """Rows, gaps and classes counted over the whole file; the sample takes stretches of neighbours from every piece."""
    import pandas as pd

    wanted = int(load_catalogue().settings["kept_rows"])
    size, line = path.stat().st_size, _bytes_a_line(path)
    share = min(1.0, wanted / max(size / line, 1))
    rows, labelled, missing, classes = 0, 0, Counter[str](), Counter[str]()
    kept: list[pd.DataFrame] = []
    told.phase("Checking every line, then counting in pieces")
    notes: tuple[str, ...] = ()
    for table in read_chunks(path, rows=max(_STRETCH, int(_PIECE_BYTES / line))):
        piece = table.frame
        notes = notes or table.notes
        missing.update({str(name): int(gaps) for name, gaps in piece.isna().sum().items()})
        if target in piece:
            labels = piece[target].dropna()
            labelled += len(labels)
            if len(classes) <= _MOST_CLASSES:
                classes.update({as_label(value): int(n) for value, n in labels.value_counts().items()})
        kept.append(_stretches(piece, share, rows))
        rows += len(piece)
        told.step(min(rows * line, size), size)
    frame = pd.concat(kept)  # the index goes on counting over the pieces, so that a row keeps its number in the file
    counted = Counted(rows, labelled, dict(missing), dict(classes))
    sampled = (
        f"{path.name} is too large for memory: rows, gaps and classes were counted over all {rows:,} rows; every other "
        f"check looked at a sample of {len(frame):,} rows, in stretches of {_STRETCH} from all over the file."
    )
    return Data(frame, "csv", notes, counted, sampled)


def _stretches(piece: pd.DataFrame, share: float, before: int) -> pd.DataFrame:
    """Every n-th stretch of neighbouring rows, counted over the whole file, so that `share` of all rows is kept."""
    import numpy as np

    if share >= 1:
        return piece
    stretch = (before + np.arange(len(piece))) // _STRETCH
    every = max(1, round(1 / share))
    return piece.iloc[np.flatnonzero(stretch % every == 0)]


def _bytes_a_line(path: Path) -> float:
    with path.open("rb") as stream:
        start = stream.read(1 << 20)
    return max(1.0, len(start) / max(1, start.count(b"\n")))


@contextmanager
def standard_input(stream: IO[bytes]) -> Iterator[Path]:
    """What is piped in, as a file that is deleted afterwards: reading it takes several passes."""
    with tempfile.TemporaryDirectory(prefix="train-or-not-") as folder:
        first = stream.read(1 << 20)
        name = "standard-input.jsonl" if first.lstrip()[:1] == b"{" else "standard-input.csv"
        path = Path(folder) / name
        with path.open("wb") as copy:
            while first:
                copy.write(first)
                first = stream.read(1 << 20)
        yield path
