"""The facts that the data answers by itself, each with the sentence that proves it.

`observed` facts are counted. A `default` is only read off the data, such as the task off the target: anything the user
states overrules it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from advisor.base.imagefolder import is_image_name
from advisor.base.safetext import plain
from advisor.evidence.checks.signal import agreement_of, beats_trivial
from advisor.evidence.machine import graphics_gb
from advisor.evidence.sheet import CLASS_TASKS, Sheet
from advisor.evidence.targets import TASK_TYPES
from advisor.records.facts import Fact

if TYPE_CHECKING:
    from advisor.records.facts import Origin, Value
    from advisor.records.look import Pitfall

_MOST_NAMES_READ = 200
_MOST_WORDS_COUNTED = 5_000


def observed_facts(sheet: Sheet, file: str, as_of: str, *, tried: bool = True) -> tuple[Fact, ...]:
    """Facts of one table, in the rulebook's names and ranges; with `tried`, also whether a quick model learns."""
    facts: list[Fact] = []

    def add(name: str, value: Value, evidence: str, origin: Origin = "observed") -> None:
        facts.append(Fact(name, value, origin, evidence, as_of))

    target = plain(sheet.target, 60)
    modality, why = modality_of(sheet)
    add("modality", modality, why)
    if sheet.target:
        add("task_type", TASK_TYPES[sheet.task], _why_task(sheet), "default")
    add("n_rows", sheet.rows, f"{sheet.rows:,} rows in {file}")
    if sheet.target:
        empty = sheet.rows - sheet.labelled
        filled = f"{target} is filled in {sheet.labelled:,} of {sheet.rows:,} rows"
        add("n_labeled", sheet.labelled, filled if empty else f"{target} is filled in every row")
        others = len(sheet.columns) - 1
        beside = f"{others:,} column{'s' * (others != 1)} beside {target}"
        add("n_features", others, f"{beside}; {len(sheet.features):,} usable as found")
    if sheet.classes:
        label, rows = list(sheet.classes.items())[-1]
        add("n_classes", len(sheet.classes), f"{target} has {len(sheet.classes):,} different values")
        add(
            "min_per_class",
            rows,
            f"the rarest value of {target}, {plain(label, 40)}, has {rows:,} row{'s' * (rows != 1)}",
        )
        share = round(rows / sum(sheet.classes.values()), 4)
        add("minority_share", share, f"{target} = {plain(label, 40)} in {100 * share:.2f}% of the labelled rows")
    if modality == "text":
        column, words = words_of_text(sheet)
        add("median_words", words, f"half of the texts in {plain(column, 60)} have at most {words:,} words")
    agreement = agreement_of(sheet)
    if agreement is not None:
        names, share, alpha = agreement
        told = f"{len(names)} annotator columns agree on {share:.1%} of the pairs (Krippendorff's alpha {alpha:.2f})"
        add("label_agreement", round(share, 4), told)
    if tried and sheet.trial is not None:
        base = sheet.trial.baseline
        beats = beats_trivial(sheet)
        told = f"{base.metric} {base.score:.3f} by a quick {base.model}, {base.trivial:.3f} by the trivial answer"
        told += f"; gain in {base.loss} {base.gain} [{base.low}, {base.high}]"
        if beats:
            told += f", on {base.rows:,} rows never seen, {base.folds}"
            add("baseline_beats_trivial", beats, told, "measured")
    memory, how = graphics_gb()
    add("gpu_gb", memory, how, "observed" if memory else "default")
    return tuple(facts)


def suggested_facts(sheet: Sheet, pitfalls: Mapping[str, Pitfall], as_of: str) -> tuple[Fact, ...]:
    """What the data hints at and only a person can confirm."""
    hints: list[tuple[str, Value, str]] = []

    def found(code: str) -> Pitfall | None:
        finding = pitfalls.get(code)
        return finding if finding is not None and finding.outcome == "issue" else None

    leak = found("P101") or found("P103") or found("P102") or found("P104")
    if leak is not None:
        hints.append(("features_at_prediction_time", False, leak.text))
    narrow = found("P505")
    if narrow is not None:
        hints.append(("history_representative", False, narrow.text))
    personal = found("P601")
    if personal is not None:
        hints.append(("erasable_personal_data", True, personal.text))
        hints.append(("data_may_leave", "with_contract", personal.text))
    return tuple(Fact(name, value, "default", told, as_of) for name, value, told in hints)


def modality_of(sheet: Sheet) -> tuple[str, str]:
    """text, image, time_series or tabular, and why."""
    for one in sheet.columns:
        # Beside columns that say something themselves, an image is one thing more that is known of a row.
        alone = one.name != sheet.target and all(other.name == one.name for other in sheet.features)
        cells = list(sheet.frame[one.name].dropna().iloc[:_MOST_NAMES_READ]) if alone else []
        if cells and all(isinstance(cell, str) and is_image_name(cell) for cell in cells):
            return "image", f"{plain(one.name, 60)} holds names of image files, and nothing else describes a row"
    texts = [column for column in sheet.features if column.kind == "text"]
    if texts:
        column, words = words_of_text(sheet)
        if words >= sheet.catalogue.settings["text_words"]:
            return "text", f"{plain(column, 60)} holds free text, half of it of {words:,} words or more"
    pixels = _pixels(sheet)
    if pixels:
        return "image", f"{pixels:,} columns of numbers from 0 to 255 form a square: pictures, one pixel a column"
    order = sheet.order
    if order and order.certain and order.one_series and sheet.task in ("", "forecast", "anomaly"):
        return "time_series", f"each row is one step in time by {', '.join(plain(name, 40) for name in order.columns)}"
    kinds = {column.kind for column in sheet.columns}
    return "tabular", f"{len(sheet.columns):,} columns of {', '.join(sorted(kinds))}"


def words_of_text(sheet: Sheet) -> tuple[str, int]:
    """The column with the longest texts, and its median number of words."""
    best = ("", 0)
    for column in sheet.features:
        if column.kind == "text":
            texts = sheet.frame[column.name].dropna().iloc[:_MOST_WORDS_COUNTED].map(str)
            words = round(float(texts.str.count(r"\S+").median())) if len(texts) else 0
            best = max(best, (column.name, words), key=lambda item: item[1])
    return best


def _pixels(sheet: Sheet) -> int:
    """How many columns are pixels, or 0: at least 64 of them, a square number or so named, whole numbers in 0..255."""
    names = [c.name for c in sheet.columns if c.role in ("feature", "constant") and c.kind != "text"]
    named = [name for name in names if re.fullmatch(r"(p|px|pixel|pix)[_ ]?\d+([_x]\d+)?", name.lower())]
    grid = named if len(named) >= 64 else names
    if len(grid) < 64 or (len(grid) != len(named) and round(len(grid) ** 0.5) ** 2 != len(grid)):
        return 0
    glance = sheet.frame[grid].iloc[:200]
    if not all(kind.kind in "iuf" for kind in glance.dtypes):
        return 0
    values = glance.to_numpy(dtype=float)
    whole = bool((values == values.round()).all())
    return len(grid) if whole and values.min() >= 0 and 1 < values.max() <= 255 else 0


def _why_task(sheet: Sheet) -> str:
    target = plain(sheet.target, 60)
    number = next(column for column in sheet.columns if column.name == sheet.target)
    if sheet.task == "anomaly":
        return f"{target} marks a few rows as odd"
    if sheet.task in CLASS_TASKS:
        return f"{target} has {number.distinct:,} different values, so the output is a category"
    if sheet.task == "extract":
        return f"{target} holds JSON, or words that stand in the row, and hardly repeats"
    if sheet.task == "generate":
        return f"{target} holds {number.distinct:,} different texts, so the output is written and not chosen"
    if sheet.task == "forecast":
        return f"{target} is a number and each row is one step in time"
    return f"{target} is a number with {number.distinct:,} different values"
