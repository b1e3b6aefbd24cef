"""The sheet that people fill in, and what comes back: one column a person, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.base.tables import read_table
from trainers.common.labels import label_text
from trainers.common.metrics import Integers
from trainers.labelling.picking import Picked
from trainers.unsupervised.telling import sheet

PERSON = "label by "
ROW, WHY, BOTH = "row", "why", "for"
SETTLED, CONFLICT = "settled", "conflict in row"


@dataclass(frozen=True)
class Answered:
    """What people answered: their names, the classes, and codes [rows, people], -1 where somebody gave none."""

    people: tuple[str, ...]
    classes: tuple[str, ...]
    codes: Integers

    @property
    def shared(self) -> Integers:
        """The rows that two people or more have labelled."""
        return np.flatnonzero((self.codes >= 0).sum(axis=1) >= 2)


def people_in(frame: pd.DataFrame, named: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The columns that hold one person's labels: those named, or those a sheet of ours has."""
    return named or tuple(str(name) for name in frame if str(name).startswith(PERSON))


def answered(frame: pd.DataFrame, people: tuple[str, ...]) -> Answered:
    """The answers of each person; case and spaces around a label do not make it another one."""
    columns = [frame[name].map(label_text, na_action="ignore").fillna("").map(str).str.strip() for name in people]
    folded = [column.str.casefold() for column in columns]
    shown: dict[str, str] = {}
    for column, folds in zip(columns, folded, strict=True):
        for text, fold in zip(column, folds, strict=True):
            if fold:
                shown.setdefault(fold, text)
    classes = tuple(sorted(shown))
    code = {fold: at for at, fold in enumerate(classes)}
    codes = np.stack([[code.get(fold, -1) for fold in column] for column in folded], axis=1).astype(np.int64)
    return Answered(people, tuple(shown[fold] for fold in classes), codes)


def new_sheet(frame: pd.DataFrame, picked: Picked, people: int, both: int) -> str:
    """One line a row to label: why it was taken, who labels it, an empty column for each person, then the row.

    The first `both` test rows are for everybody; the others go to one person in turn. The model's guess is not shown:
    it would lead those who label.
    """
    test = [at for at, why in enumerate(picked.why) if why.startswith("test")]
    everybody = set(test[:both])
    who = [
        "everybody" if at in everybody else f"person {number % people + 1}"
        for at, number in zip(range(len(picked.rows)), _counting(len(picked.rows), everybody), strict=True)
    ]
    extra = {ROW: picked.rows, WHY: list(picked.why), BOTH: who}
    extra |= {f"{PERSON}{number}": [""] * len(who) for number in range(1, people + 1)}
    return sheet(frame, extra, picked.rows)


def _counting(rows: int, passed: set[int]) -> list[int]:
    """0, 1, 2 … for the rows that one person labels."""
    found, number = [], 0
    for at in range(rows):
        found.append(number)
        number += at not in passed
    return found


def conflicts(frame: pd.DataFrame, told: Answered) -> tuple[str, Integers]:
    """The rows on which people differ, with an empty column for the answer they settle on; and which rows."""
    rows = np.array(
        [row for row in told.shared if len({code for code in told.codes[row].tolist() if code >= 0}) > 1],
        dtype=np.int64,
    )
    return sheet(frame, {SETTLED: [""] * len(rows), CONFLICT: rows + 1}, rows), rows


def decisions(path: Path, told: Answered, differ: Integers) -> dict[int, int]:
    """What was settled, row by row as codes of classes, on a sheet of conflicts that came back. Raises `BadInput`."""
    frame = read_table(path, as_written=True).frame
    if lacking := [name for name in (SETTLED, CONFLICT) if name not in frame.columns]:
        raise _no_decision(path, f"it has no column {lacking[0]!r}")
    known = {name.casefold(): code for code, name in enumerate(told.classes)}
    waiting = {str(row + 1): int(row) for row in differ}
    found: dict[int, int] = {}
    for number, said in zip(*(frame[name].fillna("").map(label_text) for name in (CONFLICT, SETTLED)), strict=True):
        if not (label := said.strip()):
            continue
        row, code = waiting.pop(number.strip(), None), known.get(label.casefold())
        if row is None:
            raise _no_decision(path, f"people do not differ on row {plain(number, 20)!r}, or it stands there twice")
        if code is None:
            fix = did_you_mean(label, told.classes) or f"The labels given are: {one_of(told.classes, 20)}."
            raise _no_decision(path, f"nobody gave the label {plain(label, 40)!r} of row {number}", fix)
        found[row] = code
    return found


def _no_decision(path: Path, what: str, fix: str = "") -> BadInput:
    return BadInput(
        f"{path.name} does not settle what people differ on: {what}.",
        where=str(path),
        fix=fix
        or f"Take the conflicts.csv that a run made of this very data, and fill in its column {SETTLED!r} alone.",
        code="bad-decisions",
    )


def labelled(frame: pd.DataFrame, told: Answered, target: str, decided: Mapping[int, int]) -> str:
    """Every row with the label that nobody contradicts, or that was `decided`; a row in conflict is left empty.

    A row that none of the people labelled keeps the label that it has.
    """
    name = target or "label"
    before = frame[name].map(label_text, na_action="ignore").fillna("") if name in frame else [""] * len(frame)
    labels = []
    for row, (codes, known) in enumerate(zip(told.codes.tolist(), before, strict=True)):
        given = {decided[row]} if row in decided else {code for code in codes if code >= 0}
        labels.append(told.classes[given.pop()] if len(given) == 1 else "" if given else known)
    kept = frame.drop(columns=[column for column in (*told.people, name) if column in frame.columns])
    return sheet(kept, {name: labels}, np.arange(len(frame)))
