"""Rows of JSON objects, one a line or one list, with the line of the first that is not.

Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from advisor.base.errors import BadInput
from advisor.base.safetext import plain

MAX_LINE = 16 * 2**20
HALF = "holds half a character (a lone surrogate such as \\ud83d), which no file can keep"


class NamedTwice(ValueError):
    """Raised for an object in which a key stands twice: JSON itself would keep the last and lose the others."""

    code = "duplicate-columns"
    fix = "Give each key its own name, or take one of the two out."


def json_value(text: str) -> Any:
    """A JSON text as plain values. Raises `NamedTwice`, and `ValueError` for what is no JSON."""
    return _DECODER.decode(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NamedTwice(f"the key {plain(twice, 60)!r} stands twice in one object")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def json_rows(path: Path, kind: str, max_rows: int | None) -> list[dict[str, Any]]:
    """The objects of a `json` or `jsonl` file, or its first `max_rows` + 1. Raises `BadInput` with the line."""
    rows: list[Any] = []
    line = 0
    try:
        with path.open(encoding="utf-8-sig") as stream:
            if kind == "json":
                rows = _checked(json_value(stream.read()))
            else:
                for text in _lines(stream):
                    line += 1
                    if text.strip():
                        rows.append(_loaded(text))
                    if max_rows is not None and len(rows) > max_rows:
                        break
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return rows
        raise ValueError('each row must be an object: {"column": value, …}')
    except (RecursionError, ValueError) as error:
        fix = "Write one JSON object a line (.jsonl), or one list of objects (.json)."
        raise _no_table(path, line, error, fix) from error


def _no_table(path: Path, line: int, error: Exception, fix: str) -> BadInput:
    trouble = "it is nested too deeply" if isinstance(error, RecursionError) else plain(error, 160)
    code, cure = (error.code, error.fix) if isinstance(error, NamedTwice) else ("bad-json", fix)
    return BadInput(
        f"{path.name} is not a table of JSON objects: {trouble}.",
        where=f"{path}:{line}" if line else str(path),
        fix=cure,
        code=code,
    )


def is_writable(value: Any) -> bool:
    """Whether all texts in it can be written down again: JSON can name half a character, which UTF-8 cannot hold."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _loaded(text: str) -> Any:
    row = json_value(text)
    return _checked(row) if "\\u" in text else row


def _checked(value: Any) -> Any:
    if not is_writable(value):
        raise ValueError(f"a text {HALF}")
    return value


def _lines(stream: TextIO) -> Iterator[str]:
    """Its lines. Raises `ValueError` at one that is longer than a row can be, before it fills the memory."""
    while text := stream.readline(MAX_LINE):
        if len(text) == MAX_LINE:
            raise ValueError(f"a line has more than {MAX_LINE:,} characters")
        yield text


def json_pieces(path: Path, rows: int) -> Iterator[list[dict[str, Any]]]:
    """The objects of a `jsonl` file, at most `rows` at a time, for files larger than memory."""
    piece: list[dict[str, Any]] = []
    line = 0
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for text in _lines(stream):
                line += 1
                if not text.strip():
                    continue
                row = _loaded(text)
                if not isinstance(row, dict):
                    raise ValueError('each row must be an object: {"column": value, …}')
                piece.append(row)
                if len(piece) == rows:
                    yield piece
                    piece = []
    except (RecursionError, ValueError) as error:
        raise _no_table(path, line, error, "Write one JSON object a line (.jsonl).") from error
    if piece:
        yield piece


def json_columns(path: Path) -> list[str]:
    """Every column of a `jsonl` file, in the order in which its rows first name them."""
    return list({str(name): None for piece in json_pieces(path, 10_000) for row in piece for name in row})


def flattened(rows: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows with nested values as JSON text, and the names of the columns that held some."""
    nested = sorted({str(key) for row in rows for key, cell in row.items() if isinstance(cell, dict | list)})
    for row in rows:
        for key in nested:
            if isinstance(row.get(key), dict | list):
                row[key] = json.dumps(row[key], ensure_ascii=False)
    return rows, nested
