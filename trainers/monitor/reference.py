"""What a run's training rows looked like, kept beside the run so that later files can be compared with them.

The numbers and texts of a sample, and exact counts over all training rows: gaps, extremes, categories. The answers to
compare with are those on the sealed rows, which the model had not seen either.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.files import read_text, to_json, write_atomically
from advisor.base.tables import read_table
from trainers.common.labels import label_text
from trainers.monitor.policy import Policy
from trainers.use.cells import file_as_read, truths_as_trained
from trainers.use.inputs import InputColumn, rename_to_fit
from trainers.use.opened import OpenedRun

Floats = npt.NDArray[np.float64]
FILE = "reference.npz"
_MOST_CATEGORIES = 2_000


@dataclass(frozen=True)
class ColumnReference:
    """One column of the training rows: `rows` in all, of which `missing` are gaps; `counts` of categories."""

    name: str
    kind: str
    rows: int
    missing: int
    low: float = 0.0
    high: float = 0.0
    counts: dict[str, int] | None = None
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """All columns, the numbers' samples by name, and the answers on the sealed rows (`unread` of them were none)."""

    columns: tuple[ColumnReference, ...]
    numbers: dict[str, Floats]
    labels: dict[str, int]
    scores: Floats
    promised: float
    within: float
    unread: int = 0
    answered: int = 0


def numbers_of(cells: pd.Series[Any]) -> pd.Series[Any]:
    """A column as numbers; what is none becomes a gap."""
    if not pd.api.types.is_numeric_dtype(cells):
        cells = pd.to_numeric(cells.map(lambda cell: cell.strip() if isinstance(cell, str) else cell), errors="coerce")
    numbers = cells.astype("float64")
    return numbers.where(np.isfinite(numbers))


def category_counts(cells: pd.Series[Any]) -> dict[str, int]:
    """How often each value stands there, gaps left out."""
    found = cells.dropna().map(label_text).value_counts()
    return {str(name): int(count) for name, count in found.items()}


def columns_of(opened: OpenedRun, frame: pd.DataFrame, ignored: Sequence[str]) -> list[InputColumn]:
    """The columns to watch: those the run reads; of a run that names none, every column of text."""
    named = list(opened.columns) or [
        InputColumn(str(name), "text")
        for name in frame.columns
        if name != opened.record.plan.target and not pd.api.types.is_numeric_dtype(frame[name])
    ]
    return [column for column in named if column.name not in ignored]


def make_reference(
    opened: OpenedRun, policy: Policy, source: Path | None = None, names: Mapping[str, str] | None = None
) -> Reference:
    """The reference of a run, from the plan's data or from `source`. Raises `BadInput` when neither can be used.

    `names` maps columns of `source` to the run's; those that are not in it are left.
    """
    plan = opened.record.plan
    frame = _training_rows(opened) if source is None else _rows_of(opened, source, names or {})
    columns = columns_of(opened, frame, ())
    draw = np.random.default_rng(plan.seed)
    limit = policy["reference"]
    most = max(1_000, min(int(limit["rows"]), int(limit["cells"]) // max(1, len(columns))))
    sample = frame.iloc[np.sort(draw.permutation(len(frame))[:most])]
    texts = sample.iloc[np.sort(draw.permutation(len(sample))[: int(limit["texts"])])]
    kept, numbers = [], {}
    for column in columns:
        cells = frame[column.name]
        base = ColumnReference(column.name, column.kind, len(cells), int(cells.isna().sum()))
        if column.kind == "number":
            whole = numbers_of(cells)
            numbers[column.name] = numbers_of(sample[column.name]).dropna().to_numpy(dtype=np.float64)
            gaps = int(whole.isna().sum())
            low, high = (float(whole.min()), float(whole.max())) if gaps < len(whole) else (0.0, 0.0)
            base = ColumnReference(column.name, "number", len(cells), gaps, low, high)
        elif column.kind == "category":
            counts = category_counts(cells)
            base = ColumnReference(column.name, "category", len(cells), base.missing, counts=counts)
        elif column.kind == "text":
            said = tuple(str(text) for text in texts[column.name].dropna())
            base = ColumnReference(column.name, "text", len(cells), base.missing, texts=said)
        kept.append(base)
    return Reference(tuple(kept), numbers, *_sealed(opened, policy))


def _rows_of(opened: OpenedRun, source: Path, names: Mapping[str, str]) -> pd.DataFrame:
    def renamed(there: list[str]) -> Mapping[str, str]:
        own = {old: new for old, new in names.items() if old in there and new not in there}
        return rename_to_fit(there, opened.columns, own)

    try:
        return truths_as_trained(opened.columns)(file_as_read(source, opened.columns, renamed))
    except BadInput as error:
        raise BadInput(
            f"{source.name} cannot be compared with. {error.what}",
            where=f"--reference {source}",
            why="A reference holds every column that the run reads.",
            fix="Name rows with the same columns, or leave --reference out to compare with the training rows.",
            code=error.code,
        ) from error


def _training_rows(opened: OpenedRun) -> pd.DataFrame:
    from trainers.common.rows import data_path

    try:
        frame = read_table(data_path(opened.record.plan, opened.folder.parent.parent)).frame
    except BadInput as error:
        raise BadInput(
            "What the run was trained on is no longer there to compare with.",
            where=error.where,
            why=error.what,
            fix="Put the file back for the first check, or name its copy with each check: --reference FILE",
            code="no-reference",
        ) from error
    sealed = opened.folder / "test_predictions.csv"
    if sealed.exists():
        frame = frame.drop(index=frame.index[pd.read_csv(sealed)["row"].to_numpy()])
    return frame


def _sealed(opened: OpenedRun, policy: Policy) -> tuple[dict[str, int], Floats, float, float, int, int]:
    """The answers on the sealed rows: label counts, scores or numbers, the promised share right, the error allowed.

    Last, how many of how many could not be read as an answer.
    """
    from trainers.common.intervals import wilson

    confidence = float(policy["performance"]["promise"])
    path = opened.folder / "test_predictions.csv"
    if path.exists():
        sealed = pd.read_csv(path)
        if "ours" not in sealed.columns:  # a policy's: how likely each action is, and no right one
            shares = sealed[[f"ours_p{code}" for code in range(len(opened.classes))]].to_numpy(dtype=np.float64)
            most = pd.Series([opened.classes[at] for at in shares.argmax(axis=1)])
            return category_counts(most), score_of(shares), 0.0, 0.0, 0, 0
        truth, ours = sealed["truth"].to_numpy(dtype=np.float64), sealed["ours"].to_numpy(dtype=np.float64)
        if not opened.classes:
            within = float(np.quantile(np.abs(ours - truth), float(policy["performance"]["within"])))
            right = int((np.abs(ours - truth) <= within).sum())
            return {}, ours, wilson(right, len(truth), confidence)[0], within, 0, len(truth)
        labels = {opened.classes[code]: int((ours == code).sum()) for code in range(len(opened.classes))}
        shares = sealed[[f"ours_p{code}" for code in range(len(opened.classes))]].to_numpy(dtype=np.float64)
        right = int((truth == ours).sum())
        return labels, score_of(shares), wilson(right, len(truth), confidence)[0], 0.0, 0, len(truth)
    lines = [json.loads(line) for line in _said(opened.folder)]
    counts = category_counts(pd.Series([line["ours"] for line in lines], dtype=object))
    # Where answers are labels without scores there is nothing to lean; of texts, how long they are.
    lengths = np.array([] if opened.classes else [len(line["ours"] or "") for line in lines], dtype=np.float64)
    right = sum((line["ours"] or "").strip() == line["wanted"].strip() for line in lines)
    promised = wilson(right, len(lines), confidence)[0] if lines else 0.0
    return counts, lengths, promised, 0.0, sum(line["ours"] is None for line in lines), len(lines)


def _said(run: Path) -> list[str]:
    path = run / "test_answers.jsonl"
    return [line for line in read_text(path).split("\n") if line] if path.exists() else []


def score_of(shares: Floats) -> Floats:
    """One number a row of how a classifier leans: of two classes the second's score, of more the highest."""
    return np.asarray(shares[:, 1] if shares.shape[1] == 2 else shares.max(axis=1))


def save_reference(folder: Path, reference: Reference) -> None:
    """Keep it, whole or not at all, readable by its owner: it holds rows."""
    told = {
        "schema": 1,
        "columns": [
            {name: value for name, value in vars(column).items() if value is not None} for column in reference.columns
        ],
        "labels": reference.labels,
        "promised": reference.promised,
        "within": reference.within,
        "unread": [reference.unread, reference.answered],
    }
    arrays: dict[str, Any] = {f"number {at}": reference.numbers[name] for at, name in enumerate(reference.numbers)}
    told["numbers"] = list(reference.numbers)
    stream = io.BytesIO()
    text = np.frombuffer(to_json(told, indent=None).encode(), dtype=np.uint8)
    np.savez_compressed(stream, text=text, scores=reference.scores, **arrays)
    write_atomically(folder / FILE, stream.getvalue())
    (folder / FILE).chmod(0o600)


def load_reference(folder: Path) -> Reference | None:
    """The kept reference, or None when there is none yet or it cannot be read: it is then made again."""
    try:
        with np.load(folder / FILE, allow_pickle=False) as kept:
            told = json.loads(kept["text"].tobytes())
            numbers = {name: kept[f"number {at}"] for at, name in enumerate(told["numbers"])}
            columns = tuple(
                ColumnReference(**{**column, "texts": tuple(column.get("texts", ()))}) for column in told["columns"]
            )
            return Reference(
                columns,
                numbers,
                told["labels"],
                kept["scores"],
                told["promised"],
                told["within"],
                *told.get("unread", (0, 0)),
            )
    except (OSError, ValueError, KeyError, TypeError):
        return None
