"""Is this body a row, or rows, that the run can answer? Every fault is named with its place, as FastAPI would."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from advisor.base.errors import did_you_mean
from advisor.base.safetext import plain
from trainers.use.inputs import InputColumn, lost_cells

Fault = dict[str, Any]
_MOST_FAULTS = 20


class Refused(Exception):
    """A body that cannot be answered: the status, and what is wrong where."""

    def __init__(self, status: int, faults: list[Fault]) -> None:
        super().__init__(faults[0]["msg"])
        self.status, self.faults = status, faults


def fault(place: Sequence[str | int], message: str, kind: str) -> Fault:
    """One entry of a 422's `detail`: `loc`, `msg`, `type`, as FastAPI's own."""
    return {"loc": ["body", *place], "msg": message, "type": kind}


def rows_of(body: bytes, columns: Sequence[InputColumn], most: int) -> tuple[list[dict[str, Any]], bool]:
    """The rows of a body, and whether it was one row: `{column: value}` or `{"rows": [{…}, …]}`. Raises `Refused`."""
    try:
        content = parsed(body)
    except ValueError as error:
        raise Refused(422, [fault([], f"Not JSON: {plain(error, 160)}.", "json_invalid")]) from None
    if not isinstance(content, dict):
        raise Refused(422, [fault([], 'Send one row as {"column": value}, or {"rows": [row, …]}.', "not_an_object")])
    many = content.get("rows")
    single = not (isinstance(many, list) and len(content) == 1)
    rows: list[Any] = [content] if single or not isinstance(many, list) else many
    if len(rows) > most:
        raise Refused(413, [fault(["rows"], f"{len(rows):,} rows; at most {most:,} at once.", "too_many_rows")])
    if not rows:
        raise Refused(422, [fault(["rows"], "There is no row in it.", "no_rows")])
    known = [column.name for column in columns]
    faults: list[Fault] = []
    for at, row in enumerate(rows):
        place: list[str | int] = [] if single else ["rows", at]
        faults += _faults_of(row, columns, known, place)
        if len(faults) >= _MOST_FAULTS:
            break
    if not faults and columns:
        faults = _unreadable(rows, columns, single)
    if faults:
        raise Refused(422, faults[:_MOST_FAULTS])
    return rows, single


def parsed(body: bytes) -> Any:
    """A body's JSON. Raises `ValueError` for what is none, or cannot be written down again as it came."""

    def no_number(word: str) -> float:
        raise ValueError(f"{word} is no JSON number; send null for a value that is not known")

    try:
        text = body.decode(json.detect_encoding(body))  # json.loads itself would let halves of characters through
        content = json.loads(text, parse_constant=no_number)
        if "\\u" in text:
            json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("half a character (a lone surrogate) stands in a text; send whole ones") from None
    except RecursionError as error:
        raise ValueError(str(error)) from None
    return content


def _faults_of(row: Any, columns: Sequence[InputColumn], known: list[str], place: list[str | int]) -> list[Fault]:
    if not isinstance(row, dict):
        return [fault(place, 'A row is an object: {"column": value}.', "not_an_object")]
    if not columns:
        return []
    faults = []
    for column in columns:
        if column.name not in row:
            spare = [str(name) for name in row if name not in known]
            hint = did_you_mean(column.name, spare) or "Send null where the value is not known."
            faults.append(fault([*place, column.name], f"This column is missing. {hint}", "missing"))
            continue
        value = row[column.name]
        if isinstance(value, dict | list):
            faults.append(fault([*place, column.name], "A cell is a number, a text, true, false or null.", "nested"))
        elif column.kind == "number" and (isinstance(value, bool) or _infinite(value)):
            faults.append(fault([*place, column.name], "This column holds numbers.", "not_a_number"))
        elif column.kind == "text" and not isinstance(value, str | None):
            faults.append(fault([*place, column.name], "This column holds texts.", "not_a_text"))
        elif column.kind == "date" and not isinstance(value, str | None):
            faults.append(fault([*place, column.name], "This column holds dates, written as text.", "not_a_date"))
    return faults


def _infinite(value: Any) -> bool:
    return isinstance(value, float | int) and not -1e300 < value < 1e300


def _unreadable(rows: list[dict[str, Any]], columns: Sequence[InputColumn], single: bool) -> list[Fault]:
    """Texts in columns of numbers or dates that say none. A table would count them; a client should mend them."""
    doubtful = [
        column
        for column in columns
        if column.kind in ("number", "date") and any(isinstance(row[column.name], str) for row in rows)
    ]
    faults: list[Fault] = []
    for column in doubtful:
        # The whole column at once: a thousand dates read one by one would hold up everybody else's requests.
        texts = {at: row[column.name] for at, row in enumerate(rows) if isinstance(row[column.name], str)}
        lost = lost_cells(pd.Series(texts, dtype=object), column)
        for at, cell in lost.iloc[: _MOST_FAULTS - len(faults)].items():
            place: list[str | int] = [] if single else ["rows", int(str(at))]
            words = f"{plain(cell, 40)!r} is no {column.kind}; send null if it is not known."
            faults.append(fault([*place, column.name], words, f"not_a_{column.kind}"))
    return faults


def body_schema(columns: Sequence[InputColumn], most: int) -> dict[str, Any]:
    """The OpenAPI schema of what `rows_of` takes."""
    row = {
        "type": "object",
        "required": [column.name for column in columns],
        "properties": {column.name: _cell_schema(column) for column in columns},
        "additionalProperties": True,
    }
    many = {
        "type": "object",
        "required": ["rows"],
        "properties": {"rows": {"type": "array", "items": row, "minItems": 1, "maxItems": most}},
    }
    return {"oneOf": [row, many]}


def _cell_schema(column: InputColumn) -> dict[str, Any]:
    kinds = {"number": ["number", "null"], "text": ["string", "null"], "date": ["string", "null"]}
    schema: dict[str, Any] = {"type": kinds.get(column.kind, ["string", "number", "boolean", "null"])}
    if column.kind == "category" and column.categories:
        schema["examples"] = list(column.categories[:20])
        schema["description"] = "Values met in training are answered as such; any other counts as unknown."
    if column.form:
        schema["description"] = f"A date, written {column.form}."
    return schema
