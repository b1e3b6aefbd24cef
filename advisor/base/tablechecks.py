"""What no table may be, whatever format it came in: without rows, too wide, ambiguous, or with a cell too long."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import BadInput
from advisor.base.files import check_file
from advisor.base.safetext import one_of, plain
from advisor.base.sniff import MAX_CELL_BYTES, MAX_COLUMNS

if TYPE_CHECKING:
    import pandas as pd


def check_columns(frame: pd.DataFrame, path: Path) -> None:
    """Raise `BadInput` when the table has no rows, too many columns, or two of one name."""
    names = [str(name) for name in frame.columns]
    if len(names) > MAX_COLUMNS:
        raise BadInput(
            f"{path.name} has {len(names):,} columns; at most {MAX_COLUMNS:,} are read.",
            where=str(path),
            fix="Keep the columns that matter.",
            code="too-many-columns",
        )
    if len(set(names)) < len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise BadInput(
            f"{path.name} has two columns of the same name: {one_of(repeated)}.",
            where=str(path),
            fix="Give each column its own name.",
            code="duplicate-columns",
        )
    if not len(frame):
        raise BadInput(
            f"{path.name} has a header and no rows.",
            where=str(path),
            fix="Export it again with its data, or collect examples first.",
            code="no-rows",
        )


def check_cells(frame: pd.DataFrame, path: Path) -> None:
    """Raise `BadInput` for a cell of text too long to be one: it would be compared, counted and shown many times."""
    import numpy as np
    import pandas as pd

    for name in frame.columns:
        if frame[name].dtype.kind not in "OUT":
            continue
        if isinstance(frame[name].dtype, pd.StringDtype):
            lengths = frame[name].str.len().fillna(0).to_numpy(np.int64)
        else:  # booleans, dates or decimals may stand beside gaps: only texts can be too long
            lengths = np.array([len(cell) if isinstance(cell, str) else 0 for cell in frame[name]], dtype=np.int64)
        row = int(lengths.argmax()) if len(lengths) else 0
        if len(lengths) and lengths[row] > MAX_CELL_BYTES:
            raise BadInput(
                f"A cell in column {plain(name, 60)!r} of {path.name} has {lengths[row]:,.0f} characters; at most "
                f"{MAX_CELL_BYTES:,} are read.",
                where=f"{path}, row {int(frame.index[row]) + 1:,}",
                why="So long a cell is a whole document, or text after a double quote that was never closed.",
                fix="Close the quote, or keep documents as files in a folder: train-or-not look FOLDER",
                code="large-cell",
            )


def check_readable(path: Path) -> Path:
    """The same path, or `BadInput` when it is no file whose bytes can be read."""
    if path.is_dir():
        raise BadInput(
            f"{path} is a folder, and one file is read here.",
            where=str(path),
            fix="Name a file inside it.",
            code="no-file",
        )
    if not path.exists():
        raise BadInput(
            f"There is no file {path}.",
            where=str(path),
            fix="Check the name; `ls` shows what is there.",
            code="no-file",
        )
    try:
        check_file(path)
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise BadInput(
            f"Cannot read {path}: {error.strerror}.", where=str(path), fix="Check its permissions.", code="cannot-read"
        ) from error
    if empty:
        raise BadInput(
            f"{path.name} is empty.", where=str(path), fix="Export the table again, with its header line.", code="empty"
        )
    return path
