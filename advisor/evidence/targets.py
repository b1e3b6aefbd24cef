"""Which column looks like the answer, and which task it makes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.evidence.catalogue import Catalogue
from advisor.evidence.kinds import spread

if TYPE_CHECKING:
    import pandas as pd

    from advisor.records.look import Column


def candidates(columns: tuple[Column, ...], catalogue: Catalogue) -> tuple[str, ...]:
    """Columns that look like a target, best first: by name, then by place (exports put it last or first)."""
    able = [column for column in columns if column.kind not in ("id", "constant", "empty", "text", "date")]
    named = [c for c in able if catalogue.says(c.name, "target") or catalogue.says(c.name, "anomaly")]
    edges = [c for c in (able[-1:] + able[:1]) if c not in named]
    few = [c for c in able if c.kind in ("boolean", "category") and c.distinct <= 20 and c not in named + edges]
    return tuple(column.name for column in (named + edges + few)[:5])


def check_target(name: str, frame: pd.DataFrame, where: str, found: tuple[str, ...]) -> None:
    """Raise `BadInput` when the target is not there, empty, or the same in every row."""
    if name not in frame.columns:
        close = did_you_mean(name, map(str, frame.columns))
        columns = one_of(tuple(map(str, frame.columns)), 12)
        named = found[0] if found else frame.columns[-1]
        raise BadInput(
            f"There is no column {plain(name, 80)!r}.",
            where=where,
            why=f"The columns are: {columns}.",
            fix=close or f"Name one of them: --target {plain(named, 60)!r}",
            code="no-target",
        )
    present = frame[name].dropna()
    if not len(present):
        raise BadInput(
            f"The target {plain(name, 80)!r} is empty in every row.",
            where=where,
            why="Without known answers there is nothing to learn from and nothing to test against.",
            fix="Label some rows first, or look without a target: leave --target away.",
            code="empty-target",
        )
    if present.map(str).nunique() == 1:
        raise BadInput(
            f"The target {plain(name, 80)!r} is {plain(present.iloc[0], 40)!r} in every labelled row.",
            where=where,
            why="A model of one class learns nothing, and its score of 1.0 means nothing.",
            fix="Add rows of the other class, or look without a target: leave --target away.",
            code="one-class",
        )


def task_of(target: pd.Series[Any], catalogue: Catalogue, *, steps: bool) -> str:
    """binary, multiclass, regression, forecast or anomaly. `steps`: each row is one time step of one series."""
    import pandas as pd

    present = target.dropna()
    distinct = int(present.map(str).nunique()) if present.dtype == object else int(present.nunique())
    is_number = pd.api.types.is_numeric_dtype(present) and not pd.api.types.is_bool_dtype(present)
    if distinct == 2:
        rare = float(present.map(str).value_counts(normalize=True).iloc[-1])
        return "anomaly" if catalogue.says(str(target.name), "anomaly") and rare < 0.2 else "binary"
    if is_number:
        whole = bool((present == present.round()).all())
        limit = min(catalogue.settings["class_limit"], max(2.0, len(present) / 10))
        if not (whole and distinct <= limit):
            return "forecast" if steps else "regression"
    return "multiclass"


def written_task(frame: pd.DataFrame, target: str, catalogue: Catalogue) -> str:
    """The task where answers are texts of their own, extract or generate; empty where they are classes or numbers.

    JSON, and words that stand in another column of the same row, are to be taken out of it; other prose is to be
    written. Looks at some of the rows, evenly over the table.
    """
    settings = catalogue.settings
    cells = spread(frame[target].dropna(), int(settings["written_rows"]))
    if cells.dtype.kind not in "OUT" or not len(cells):
        return ""
    answers = cells.map(str)
    distinct = int(answers.nunique())
    if distinct <= min(settings["class_limit"], max(2.0, len(answers) / 10)):
        return ""
    if float(cells.map(holds_json).mean()) >= settings["written_share"]:
        return "extract"
    if distinct < settings["written_distinct"] * len(answers):
        return ""
    if _stands_in_the_row(frame.loc[cells.index].drop(columns=target), answers) >= settings["written_share"]:
        return "extract"
    return "generate" if float(answers.str.count(r"\S+").median()) >= settings["text_words"] else ""


def holds_json(cell: Any) -> bool:
    """Whether a cell is a JSON object or list, as text or already read."""
    if isinstance(cell, dict | list):
        return True
    text = str(cell).strip()
    if text[:1] not in ("{", "["):
        return False
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _stands_in_the_row(others: pd.DataFrame, answers: pd.Series[Any]) -> float:
    """The largest share of answers that stand word for word in one other column, as a part of a longer text."""
    shares = [0.0]
    for name in others.columns:
        cells = others[name]
        if cells.dtype.kind in "OUT":
            pairs = zip(cells.map(str), answers, strict=True)
            shares.append(sum(answer in cell and len(cell) > len(answer) for cell, answer in pairs) / len(answers))
    return max(shares)


TASK_TYPES = {
    "binary": "classify",
    "multiclass": "classify",
    "regression": "predict_number",
    "forecast": "forecast",
    "anomaly": "detect_anomaly",
    "extract": "extract",
    "generate": "generate_text",
}
