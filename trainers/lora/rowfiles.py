"""Rows of files as plain objects, each with its place: JSON lines, one JSON list, or a table; a folder's one by one.

Standard library only, unless there is a table: a broken file is refused before anything heavy loads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.errors import BadInput
from advisor.base.files import read_text
from advisor.base.jsonrows import HALF, NamedTwice, is_writable, json_value
from advisor.base.safetext import plain
from advisor.base.tablefolder import row_files
from trainers.lora.examples import Fault, Place, shape_of

if TYPE_CHECKING:
    import pandas as pd

MAX_BYTES = 512 * 2**20
_TABLES = (".csv", ".tsv", ".parquet", ".pq", ".xlsx")
_CONVERSED = ("messages", "conversations", "chosen", "rejected", "input", "preferred_output", "non_preferred_output")
_Trouble = tuple[str, str, str]
_NO_OBJECT = ("data-type", "it is not a JSON object", 'Write {"messages": […]}.')
_HALF = ("half-a-character", f"a text in it {HALF}", "Export it again as UTF-8, or take the row out.")


def rows_of(path: Path, faults: list[Fault]) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every row that is an object; what is none is added to `faults`. Rows are counted on over a folder's files."""
    before = 0
    for file in row_files(path):
        name, number = "" if file == path else file.name, 0
        for number, row in _rows(file):
            place = Place(before + number, name, number)
            if isinstance(row, dict):
                yield place, row
            else:
                faults.append(Fault(place, *row))
        before += number


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | _Trouble]]:
    """Each row with its number in the file, or what is wrong with it: code, words and cure."""
    if path.suffix.lower() in _TABLES:
        from advisor.base.tables import read_table

        for number, cells in enumerate(_records(read_table(path).frame), 1):
            yield number, {str(name): _told(str(name), value) for name, value in cells.items()}
        return
    text = read_text(path, MAX_BYTES)
    if text.lstrip()[:1] == "[":
        try:
            rows = json_value(text)
        except NamedTwice as error:
            raise BadInput(
                f"{path.name} cannot be learned from: {error}.", where=str(path), fix=error.fix, code=error.code
            ) from error
        except (ValueError, RecursionError) as error:
            raise BadInput(
                f"{path.name} is not whole JSON: {plain(error, 120)}.",
                where=str(path),
                fix="Write one example a line (JSONL): a fault then names its row.",
                code="bad-json",
            ) from error
        for number, row in enumerate(rows, 1):
            yield number, _object(row, checked=True)
        return
    # Not splitlines: JSON may hold U+2028 and its kin as they are, which Python takes for ends of lines.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json_value(line)
        except NamedTwice as error:
            yield number, (error.code, str(error), error.fix)
            continue
        except (ValueError, RecursionError) as error:
            yield number, ("bad-json", f"it is not JSON ({plain(error, 80)})", "Write one JSON object a line.")
            continue
        yield number, _object(row, checked="\\u" in line)


def _records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """The rows of a table; an empty cell is None as in JSON, for as a number it would be read as the word nan."""
    whole = frame.astype(object)
    return whole.where(frame.notna(), None).to_dict("records")


def _object(row: Any, *, checked: bool) -> dict[str, Any] | _Trouble:
    if checked and not is_writable(row):
        return _HALF
    return row if isinstance(row, dict) else _NO_OBJECT


def _without_gaps(value: Any) -> Any:
    """Parquet's objects name what they lack; JSON leaves it out."""
    if isinstance(value, dict):
        return {key: _without_gaps(inner) for key, inner in value.items() if inner is not None}
    return [_without_gaps(inner) for inner in value] if isinstance(value, list) else value


def _told(name: str, cell: Any) -> Any:
    """A cell of a table; a conversation, which a table can hold as JSON text alone, as the turns that it is."""
    if name in _CONVERSED and isinstance(cell, str) and cell.lstrip()[:1] in ("[", "{"):
        try:
            turns = _without_gaps(json.loads(cell))
        except (ValueError, RecursionError):
            return cell
        first = turns[0] if isinstance(turns, list) and turns else turns
        return turns if isinstance(first, dict) else cell
    return cell


def first_shape(path: Path, target: str) -> str:
    """The shape of the data's first row, or "" where it has none; a fault in it is told when the rows are read."""
    try:
        path = row_files(path)[0]
        if path.suffix.lower() in _TABLES:
            from advisor.base.tables import read_table

            found = _records(read_table(path, max_rows=1).frame)
            cells = found[0] if found else {}
            return shape_of({str(name): _told(str(name), cell) for name, cell in cells.items()}, target)
        with path.open(encoding="utf-8-sig") as lines:
            first = next((line for line in iter(lambda: lines.readline(1 << 20), "") if line.strip()), "")
        row = json.loads(first) if first.lstrip()[:1] == "{" else next(_rows(path))[1]
        return shape_of(row, target) if isinstance(row, dict) else ""
    except (BadInput, OSError, ValueError, RecursionError, StopIteration):
        return ""
