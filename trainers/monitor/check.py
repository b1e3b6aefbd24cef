"""One look at new rows: every test of every column, answers and right answers, and what is an alarm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.safetext import plain
from trainers.common.labels import label_text
from trainers.monitor import shifts
from trainers.monitor.domain import Vectors, told_apart
from trainers.monitor.findings import Finding, judged
from trainers.monitor.gathered import beside
from trainers.monitor.paid import Bill, Paid, bill, promise_of
from trainers.monitor.performance import Standing, stand
from trainers.monitor.policy import Policy
from trainers.monitor.reference import ColumnReference, Reference, category_counts, numbers_of, score_of
from trainers.use.answers import Answers
from trainers.use.inputs import unreadable_cells
from trainers.use.opened import OpenedRun

# Columns that `serve --keep` writes beside each row: how they are told, at which quantile they are compared.
SERVED: dict[str, tuple[str, float | None, str]] = {
    "answered_seconds": ("the slowest five of a hundred answers take", 0.95, "seconds"),
    "answered_usd": ("an answer costs", None, "USD"),
}


@dataclass(frozen=True)
class Look:
    """What one look found: the findings, how labelled rows stand and what they cost (None without), and the answers."""

    rows: int
    compared: int
    findings: tuple[Finding, ...]
    standing: Standing | None
    answers: Answers
    bill: Bill | None = None


def look_at(
    opened: OpenedRun,
    reference: Reference,
    frame: pd.DataFrame,
    policy: Policy,
    *,
    before: tuple[int, int, int] = (0, 0, 0),
    ignored: Sequence[str] = (),
    only_labels: bool = False,
    vectors: Vectors | None = None,
    served: Mapping[str, Sequence[float]] | None = None,
    kept: pd.DataFrame | None = None,
    paid: tuple[Paid, int] = ({}, 0),
) -> Look:
    """Compare `frame`, whose columns bear the run's names, with the reference. `before` counts labelled rows so far.

    `only_labels` counts right answers and nothing else: for rows that were compared before, or chosen for labelling.
    `vectors` compares texts by meaning too; `served` holds the seconds and USD of earlier answers, by column. `kept`
    are rows of earlier files that were too few to compare: they are compared along with these, and not counted again.
    `paid` is what labelled rows so far cost, and of how many files they are.
    """
    answers = _answers(opened, frame)
    seed = opened.record.plan.seed
    whole = beside(kept, frame)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(whole))[: int(policy["window"]["rows"])])
    window = whole.iloc[chosen]
    findings: list[Finding] = []
    if not only_labels and len(whole) >= int(policy["window"]["fewest"]):
        said = answers if kept is None or not len(kept) else _answers(opened, kept).followed_by(answers)
        lost = unreadable_cells(window, opened.columns)
        for column in reference.columns:
            if column.name in frame.columns and column.name not in ignored:
                findings += _column(column, reference, window, lost.get(column.name, 0), policy, seed, vectors)
        findings += _answers_moved(opened, reference, said, chosen, policy)
        findings += _service(window, served or {}, policy)
    standing = _standing(opened, reference, frame, answers, before, policy)
    cost = _bill(opened, frame, answers, paid, policy) if standing else None
    compared = len(window) if findings else 0
    return Look(len(frame), compared, tuple(judged(findings, policy)), standing, answers, cost)


def _answers(opened: OpenedRun, frame: pd.DataFrame) -> Answers:
    """What the run says to the rows; what `serve --keep` wrote down is taken where asking again is dear."""
    beside = [name for name in ("prediction", *SERVED) if name in frame.columns]
    if opened.backend.dear and "prediction" in beside and "answered_seconds" in beside:
        said = [None if pd.isna(one) else one for one in frame["prediction"]]
        return Answers(said, opened.classes)
    kept = "answered_seconds" in beside
    return opened.answer(frame.drop(columns=beside) if kept else frame)


def _column(
    old: ColumnReference,
    reference: Reference,
    window: pd.DataFrame,
    lost: int,
    policy: Policy,
    seed: int,
    vectors: Vectors | None,
) -> Iterator[Finding]:
    cells = window[old.name]
    if old.kind == "number":
        numbers = numbers_of(cells)
        yield from _gaps(old, int(numbers.isna().sum()) - lost, lost, len(cells))
        new = numbers.dropna().to_numpy(dtype=np.float64)
        known = reference.numbers[old.name]
        if len(new) and len(known):
            yield _number(old, known, new, policy)
            yield _range(old, new)
    elif old.kind == "category":
        yield from _gaps(old, int(cells.isna().sum()), 0, len(cells))
        yield from _category(old, category_counts(cells), policy)
    else:
        yield from _gaps(old, int(cells.isna().sum()), lost, len(cells))
        if old.kind == "text":
            yield from _texts(old, [str(text) for text in cells.dropna()], policy, seed, vectors)


def _number(old: ColumnReference, known: Any, new: Any, policy: Policy) -> Finding:
    p, distance = shifts.moved_number(known, new)
    index, line = _stability(*shifts.in_parts(known, new, int(policy["psi"]["bins"])), policy)
    middle, was = float(np.median(new)), float(np.median(known))
    text = f"the middle value is {middle:.4g}, in training it was {was:.4g}"
    return Finding(
        "inputs", old.name, "Kolmogorov-Smirnov", p, "ks", distance, text, len(new), psi=index, psi_line=line
    )


def _stability(old: Any, new: Any, policy: Policy) -> tuple[float, float]:
    line = shifts.stability_line(
        int(new.sum()), int(old.sum()), len(old), float(policy["psi"]["line"]), float(policy["psi"]["level"])
    )
    return shifts.stability_index(old, new), line


def _range(old: ColumnReference, new: Any) -> Finding:
    beyond = int(((new < old.low) | (new > old.high)).sum())
    p = shifts.never_seen(beyond, len(new), old.rows - old.missing, 2)
    text = f"{beyond:,} of {len(new):,} lie outside {old.low:.4g} to {old.high:.4g}, the range of training"
    return Finding("quality", old.name, "outside the range", p, "share", beyond / len(new), text, len(new))


def _gaps(old: ColumnReference, missing: int, lost: int, rows: int) -> Iterator[Finding]:
    p, difference = shifts.more_than_before(old.missing, old.rows, missing, rows)
    text = f"{missing / rows:.1%} are missing, in training {old.missing / old.rows:.1%} were"
    yield Finding("quality", old.name, "missing cells", p, "share", difference, text, rows)
    if lost:
        p = shifts.never_seen(lost, rows, old.rows)
        text = f"{lost:,} of {rows:,} cells cannot be read as in training"
        yield Finding("quality", old.name, "unreadable cells", p, "share", lost / rows, text, rows)


def _category(old: ColumnReference, new: dict[str, int], policy: Policy) -> Iterator[Finding]:
    known, rows = old.counts or {}, sum(new.values())
    if not rows or not known:
        return
    p, distance = shifts.moved_category(known, new)
    names = sorted({*known, *new})
    before, now = (np.array([part.get(name, 0) for name in names], dtype=np.float64) for part in (known, new))
    index, line = _stability(before, now, policy)
    moved = names[int(np.argmax(np.abs(now / rows - before / before.sum())))]
    text = (
        f"{plain(moved, 40)!r} is {new.get(moved, 0) / rows:.1%} of the rows, in training it was "
        f"{known.get(moved, 0) / before.sum():.1%}"
    )
    yield Finding("inputs", old.name, "chi-squared", p, "js", distance, text, rows, psi=index, psi_line=line)
    unseen = {name: count for name, count in new.items() if name not in known}
    once = sum(count == 1 for count in known.values())
    p = shifts.never_seen(sum(unseen.values()), rows, sum(known.values()), once + 1)
    shown = ", ".join(plain(name, 30) for name in sorted(unseen, key=lambda name: -unseen[name])[:3])
    text = f"{sum(unseen.values()):,} of {rows:,} are values never met in training" + (f": {shown}" if shown else "")
    yield Finding("quality", old.name, "new categories", p, "share", sum(unseen.values()) / rows, text, rows)


def _texts(
    old: ColumnReference, new: list[str], policy: Policy, seed: int, vectors: Vectors | None
) -> Iterator[Finding]:
    draw = np.random.default_rng(seed)
    most, fewest = int(policy["window"]["texts"]), int(policy["window"]["fewest"])
    if len(new) < fewest or len(old.texts) < fewest:
        return
    some = [new[at] for at in np.sort(draw.permutation(len(new))[:most])]
    line = policy["texts"]
    ways: list[tuple[str, Vectors | None]] = [("domain classifier", None)]
    if vectors is not None:
        ways.append(("domain classifier on meaning", vectors))
    for test, embed in ways:
        how = {"permutations": line["permutations"], "folds": line["folds"], "ridge": line["ridge"]}
        p, area = told_apart(old.texts, some, **how, seed=seed, vectors=embed)
        text = f"a classifier tells new texts from old ones with an area under the curve of {area:.2f}"
        yield Finding("texts", old.name, test, p, "auc", area, text, len(some))


def _service(window: pd.DataFrame, served: Mapping[str, Sequence[float]], policy: Policy) -> Iterator[Finding]:
    """Whether answers have become slower or dearer than the first ones that were served."""
    fewest = int(policy["service"]["fewest"])
    for column, (words, at, unit) in SERVED.items():
        if column not in window.columns or len(served.get(column, ())) < fewest:
            continue
        now, before = numbers_of(window[column]).dropna().to_numpy(), np.asarray(served[column], dtype=np.float64)
        if len(now) < fewest or not before.any():
            continue
        p, times = shifts.dearer(before, now, at=at)
        text = f"{words} {times:.2f} times what the first answers took, in {unit}"
        yield Finding("service", column, "Mann-Whitney", p, "ratio", times, text, len(now))


def _answers_moved(
    opened: OpenedRun, reference: Reference, answers: Answers, chosen: Any, policy: Policy
) -> Iterator[Finding]:
    said = [answers.predictions[at] for at in chosen]
    unread = sum(one is None for one in said)
    if unread or reference.unread:
        p, difference = shifts.more_than_before(reference.unread, reference.answered, unread, len(said))
        text = f"{unread / len(said):.1%} could not be read as an answer, of the sealed rows {reference.unread:,}"
        yield Finding("outputs", "unreadable answers", "missing answers", p, "share", difference, text, len(said))
    if answers.scores is not None:
        leaning = score_of(answers.scores[chosen])
    elif any(isinstance(one, str) for one in said):
        leaning = np.array([len(one or "") for one in said], dtype=np.float64)
    else:
        leaning = np.asarray(said, dtype=np.float64)
    if len(reference.scores):
        p, distance = shifts.moved_number(reference.scores, leaning)
        words = "score" if answers.scores is not None else "length" if reference.labels else "answer"
        text = f"the middle {words} is {np.median(leaning):.4g}, on the sealed rows it was "
        text += f"{np.median(reference.scores):.4g}"
        yield Finding("outputs", "answers", "Kolmogorov-Smirnov", p, "ks", distance, text, len(said))
    if answers.classes and reference.labels:
        now = category_counts(pd.Series(said, dtype=object))
        p, distance = shifts.moved_category(reference.labels, now)
        share = {name: now.get(name, 0) / len(said) for name in answers.classes}
        mix = ", ".join(
            f"{plain(name, 30)} {part:.1%}" for name, part in sorted(share.items(), key=lambda i: -i[1])[:3]
        )
        text = f"the mix of answers is {mix}"
        yield Finding("outputs", "label mix", "chi-squared", p, "js", distance, text, len(said))


def _standing(
    opened: OpenedRun,
    reference: Reference,
    frame: pd.DataFrame,
    answers: Answers,
    before: tuple[int, int, int],
    policy: Policy,
) -> Standing | None:
    target = opened.record.plan.target
    if not target or target not in frame.columns or not reference.answered:
        return None  # no right answers here, or none that were promised
    truth = frame[target]
    if reference.within or not reference.labels:
        numbers = numbers_of(truth)
        known = numbers.notna().to_numpy()
        off = np.abs(np.asarray(answers.predictions, dtype=np.float64) - numbers.to_numpy())
        right = int((off[known] <= reference.within).sum())
    else:
        known = truth.notna().to_numpy()
        pairs = zip(truth[known].map(label_text), np.asarray(answers.predictions, dtype=object)[known], strict=True)
        right = sum(wanted.strip() == str(said).strip() for wanted, said in pairs)
    rows = int(known.sum())
    if not rows:
        return None
    return stand(right, rows, before, reference.promised, float(policy["performance"]["level"]))


def _bill(
    opened: OpenedRun, frame: pd.DataFrame, answers: Answers, paid: tuple[Paid, int], policy: Policy
) -> Bill | None:
    promise = promise_of(opened, policy)
    if promise is None:
        return None
    target = opened.record.plan.target
    return bill(promise, frame, target, answers.predictions, paid, float(policy["costs"]["level"]))
