"""People in the data: who could be recognised, who fares worse, and rows that no person wrote."""

from __future__ import annotations

import math
import re
from typing import Any

from advisor.base.safetext import plain
from advisor.evidence.checks.rows import percent
from advisor.evidence.kinds import spread
from advisor.evidence.personal import personal_columns
from advisor.evidence.sheet import CLASS_TASKS, Sheet
from advisor.records.look import Column, Pitfall

_MOST_CLASSES = 20
_TEMPLATE = re.compile(
    r"\{[a-z_]{2,40}\}|\{\{.{1,40}\}\}|<[a-z]+_[a-z_]+>|\[(your|insert|customer|product)[^\]]{0,40}\]", re.IGNORECASE
)


def personal_data(sheet: Sheet) -> Pitfall:
    """P601: kinds of personal data and the columns they stand in; never a value."""
    entry = sheet.entry("P601")
    found = personal_columns(sheet)
    if not found:
        return entry.passed()
    detail = "; ".join(f"{' and '.join(kinds)} in {plain(name, 60)}" for name, kinds in list(found.items())[:6])
    return entry.issue(list(found), detail=detail, kinds={plain(name): list(kinds) for name, kinds in found.items()})


def outcome_gap(sheet: Sheet) -> Pitfall:
    """P602: the outcome differs between groups of people."""
    entry = sheet.entry("P602")
    if not sheet.target:
        return entry.not_applicable()
    sensitive = sensitive_columns(sheet)
    if not sensitive:
        return entry.passed()
    gaps = [gap for gap in (_gap(sheet, column) for column in sensitive) if gap is not None]
    names = [column.name for column in sensitive]
    if not gaps:
        return entry.tip(names, detail=f"no gap in {plain(sheet.target, 60)} between the groups was seen")
    gaps.sort(key=lambda gap: (sheet.catalogue.says(gap["column"], "age_words"), gap["ratio"]))
    worst = {key: value for key, value in gaps[0].items() if key != "column"}
    if sheet.catalogue.says(gaps[0]["column"], "age_words"):
        spread_ = "{outcome} is {low} for {low_group} and {high} for {high_group}".format(**worst)
        return entry.tip(names, detail=f"by {plain(gaps[0]['column'], 60)}, {spread_}", **worst)
    return entry.issue([gap["column"] for gap in gaps], target=sheet.target, **worst)


def sensitive_columns(sheet: Sheet) -> list[Column]:
    """Columns named like a sensitive attribute. Age counts only beside another sign that rows are people."""
    named = [c for c in sheet.columns if c.role != "target" and sheet.catalogue.says(c.name, "sensitive")]
    people = [c for c in sheet.columns if sheet.catalogue.says(c.name, "people")]
    sure = [c for c in named if not sheet.catalogue.says(c.name, "age_words")]
    return named if sure or people else []


def _gap(sheet: Sheet, column: Column) -> dict[str, Any] | None:
    """The lowest against the highest outcome between groups, when it is large and no luck."""
    import pandas as pd

    cells = sheet.known[column.name]
    if column.kind == "number" and column.distinct > 8:
        try:
            quarters = pd.qcut(cells, 4, duplicates="drop")
            names = [f"{part.left:.4g} to {part.right:.4g}" for part in quarters.cat.categories]
            cells = quarters.cat.rename_categories(names)
        except ValueError:
            return None
    if column.kind not in ("number", "category", "boolean") or cells.nunique() > 50:
        return None
    groups = cells.map(str).where(cells.notna()).to_numpy()
    gaps = [_difference(groups, outcome, name, sheet) for name, outcome in _outcomes(sheet)]
    worst = min((gap for gap in gaps if gap is not None), key=lambda gap: gap["ratio"], default=None)
    return None if worst is None else {"column": column.name, **worst}


def _outcomes(sheet: Sheet) -> list[tuple[str, Any]]:
    """What may differ between groups: the rarer of two classes, each of several, or the number itself."""
    if sheet.task not in CLASS_TASKS:
        return [(f"mean {sheet.target}", sheet.answers)]
    codes = [1] if len(sheet.labels) == 2 else range(min(len(sheet.labels), _MOST_CLASSES))
    return [(f"{sheet.target} = {sheet.labels[code]}", (sheet.answers == code).astype(float)) for code in codes]


def _difference(groups: Any, outcome: Any, name: str, sheet: Sheet) -> dict[str, Any] | None:
    """The lowest against the highest mean of an outcome of 0 and 1, or of a number; None where it is small or luck."""
    import numpy as np
    import pandas as pd

    limits, of_class = sheet.entry("P602").thresholds, sheet.task in CLASS_TASKS
    table = pd.DataFrame({"group": groups, "outcome": outcome}).groupby("group")["outcome"].agg(["mean", "size", "var"])
    table = table[table["size"] >= limits["fewest_rows"]]
    if len(table) < 2:
        return None
    low, high = table["mean"].idxmin(), table["mean"].idxmax()
    first: Any = table.loc[str(low)]
    second: Any = table.loc[str(high)]
    error = math.sqrt(float(first["var"] / first["size"] + second["var"] / second["size"])) or 1e-12
    difference = float(second["mean"] - first["mean"])
    if difference / error < limits["z"]:
        return None
    if of_class:
        ratio, least = float(first["mean"] / second["mean"]), limits["ratio"]
    else:
        ratio, least = 1 - difference / (float(np.std(outcome)) or 1.0), 1 - limits["effect"]
    if ratio >= least:
        return None
    shown = [percent(float(end["mean"])) if of_class else f"{end['mean']:.4g}" for end in (first, second)]
    ends = {"low": shown[0], "high": shown[1], "low_group": str(low), "high_group": str(high)}
    return {"ratio": round(ratio, 3), "outcome": name, **ends}


def synthetic_rows(sheet: Sheet) -> Pitfall:
    """P603: rows marked as generated, or texts with leftovers of a template or a chat model."""
    entry, limits = sheet.entry("P603"), sheet.entry("P603").thresholds
    told: dict[str, str] = {}
    for column in sheet.columns:
        name = plain(column.name, 60)
        if column.role != "target" and sheet.catalogue.says(column.name, "synthetic"):
            told[column.name] = f"{name} marks rows as generated"
            continue
        cells = spread(sheet.frame[column.name].dropna(), 5000)
        if column.kind == "text":
            texts = cells.map(str)
            left = float(texts.map(lambda text: bool(_TEMPLATE.search(text))).mean())
            chat = float(texts.map(lambda text: _chats(sheet, text)).mean())
            skeletons = _skeletons(sheet, column)
            if left >= limits["placeholders"]:
                told[column.name] = f"{percent(left)} of the texts in {name} hold unfilled template fields"
            elif chat >= limits["phrases"]:
                told[column.name] = f"{percent(chat)} of the texts in {name} hold phrases of chat models"
            elif skeletons >= limits["skeletons"]:
                told[column.name] = f"{percent(skeletons)} of the texts in {name} are set phrases with names filled in"
        elif column.kind == "category" and column.distinct <= 50 and len(cells):
            shares = cells.map(str).value_counts(normalize=True)
            marked = sum(
                float(share) for value, share in shares.items() if sheet.catalogue.says(str(value), "synthetic")
            )
            if marked >= limits["marked"]:
                told[column.name] = f"{percent(marked)} of the rows are marked as generated in {name}"
    return entry.issue(list(told), detail="; ".join(told.values())) if told else entry.passed()


def _chats(sheet: Sheet, text: str) -> bool:
    lower = text.lower()
    return any(phrase in lower for phrase in sheet.catalogue.words["chat_phrases"])


def _skeletons(sheet: Sheet, text: Column) -> float:
    """Share of texts that repeat another one once the values of the row's own categories are taken out."""
    glance = sheet.frame[sheet.frame[text.name].notna()].iloc[:3000]
    categories = [c.name for c in sheet.columns if c.kind == "category" and c.distinct <= 500]
    if len(glance) < 100 or not categories:
        return 0.0
    skeletons, named = [], 0
    for row in glance[[text.name, *categories]].itertuples(index=False):
        cell = str(row[0])
        bare = cell
        for value in row[1:]:
            if isinstance(value, str) and len(value) >= 4:
                bare = bare.replace(value, "{}")
        named += bare != cell
        skeletons.append(bare)
    if named < sheet.entry("P603").thresholds["names_in_text"] * len(glance):
        return 0.0
    return 1 - len(set(skeletons)) / len(skeletons)
