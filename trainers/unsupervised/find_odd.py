"""Odd rows, or odd steps of a series: scored in several ways, judged by the few labels there are, or by two halves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.records.plan import Plan
from advisor.records.run import Candidate, GateVerdict, RunRecord, Score
from trainers.common.account import accounted
from trainers.common.ending import Watch, end_run
from trainers.common.gate import hold_against
from trainers.common.intervals import bootstrap, percentile
from trainers.common.metrics import Floats, Integers, Metric, Output, metric_by_name
from trainers.common.policy import policy
from trainers.common.runfolder import keep
from trainers.common.sealed import open_sealed, opening_note
from trainers.contract import Progress
from trainers.unsupervised.firmness import LACKING, curve_of, point
from trainers.unsupervised.halves import SAME_ODD, halves
from trainers.unsupervised.lenses import SeriesLens, TableLens
from trainers.unsupervised.model_file import Found, save_found
from trainers.unsupervised.oddness import WAYS, WORDS, Detector, fit_detector
from trainers.unsupervised.start import LABELLED, Begun
from trainers.unsupervised.telling import row_words, sheet, table

Trials = list[tuple[str, tuple[str, ...], Score | None]]


def find_odd(plan: Plan, folder: Path, run: Path, progress: Progress, watch: Watch, begun: Begun) -> RunRecord:
    """From features to scores, the sheet of the oddest rows and the record."""
    share = _share(plan)
    labelled = plan.task == LABELLED
    if labelled:
        _check_odd(plan, begun)
    features, train = begun.features, begun.sample
    progress.phase("Learning what is usual from the training part")
    detector = fit_detector(features[train], plan.seed)
    trials, ways, reason = _choice(plan, begun, detector)
    scores = detector.score(features, ways)
    line = float(np.quantile(scores[begun.split.train], 1 - share))
    save_found(run, Found(begun.lens, detector=detector, ways=ways, line=line))
    watch.lap("fit")

    progress.phase("Opening the sealed rows")
    opening = open_sealed(folder, run.name, begun.test_part, len(begun.split.test))
    notes = list(begun.rows.notes)
    judged = (
        _by_labels(plan, begun, scores, features) if labelled else _by_halves(plan, begun, features, train, ways, share)
    )
    oddest = np.argsort(-scores, kind="stable")[: policy("discovering")["shown"]["odd_rows"]]
    extra = {"row": oddest, "oddness": scores[oddest].round(4), "why": [_why(begun, row) for row in oddest.tolist()]}
    extra |= {"odd indeed? yes or no": [""] * len(oddest)}
    keep(run, "odd_rows.csv", sheet(begun.rows.whole, extra, oddest))
    watch.lap("sealed")

    progress.phase("Looking whether more rows would tell better what is usual")
    left = plan.budget_seconds - watch.seconds()
    found: dict[str, Any] = {
        "tables": [_told(begun, scores, oddest)],
        "learning_curve": _curve(plan, begun, ways, share, watch.times["fit"], left),
        **(_confusion(begun, scores, line) if labelled else {}),
    }
    watch.lap("look")
    if note := opening_note(opening):
        notes.append(note)
    called, most_alike = float((scores[begun.split.train] >= line).mean()), policy("discovering")["oddities"]["alike"]
    alike = f", more than the {share:.1%} asked for, because rows are alike" if called > most_alike * share else ""
    notes.append(f"{called:.1%} of the training rows are called odd{alike}; what really is odd a person has to say.")
    return end_run(
        run,
        plan,
        watch,
        chosen=trials[0][0] if not labelled else next(name for name, of, _ in trials if of == ways),
        candidates=tuple(Candidate(name, score) for name, _, score in trials),
        judged=judged,
        rows={"train": len(begun.split.train), "test": len(begun.split.test)},
        packages=("skops",),
        hyperparameters={"ways": list(ways), "share_called_odd": share, "line": line, "seed": plan.seed},
        diagnostics={
            "choice": reason,
            **accounted(plan.task, found, LACKING),
            "sealed_openings": opening,
            "test_part": begun.test_part,
        },
        notes=tuple(notes),
        represented="What is usual was learnt from the training rows alone.",
    )


def _check_odd(plan: Plan, begun: Begun) -> None:
    odd, least = int(np.nansum(begun.rows.odd[begun.split.test])), policy("discovering")["labelled"]["judge"]
    if odd < least:
        raise BadInput(
            f"Only {odd} sealed rows are labelled odd; judging by them takes at least {least}.",
            where=plain(plan.target, 60),
            why="A score on so few says nothing. The sealed rows were not opened.",
            fix="Label more odd rows, or take target: out of answers.yaml and plan again without labels.",
            code="too-few-odd",
        )


def _share(plan: Plan) -> float:
    setting = plan.settings.get("share")
    value = policy("discovering")["oddities"]["share"] if setting is None else setting.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 0.5:
        raise BadInput(
            f"The share of odd rows cannot be {plain(value, 20)!r}.",
            where="plan.yaml: settings.share",
            fix="Give a share above 0 and up to 0.5, such as 0.02.",
            code="bad-setting",
        )
    return float(value)


def _metric(plan: Plan) -> Metric:
    return metric_by_name(str(plan.metric.value), "binary") if plan.task == LABELLED else SAME_ODD


def _choice(plan: Plan, begun: Begun, detector: Detector) -> tuple[Trials, tuple[str, ...], str]:
    """All ways together, unless enough labelled training rows show that one alone, or all but one, does better."""
    options: list[tuple[str, tuple[str, ...]]] = [("all four ways together", WAYS)]
    options += [(WORDS[way], (way,)) for way in WAYS]
    odd = begun.rows.odd[begun.split.train]
    if plan.task != LABELLED:
        return [(name, of, None) for name, of in options], WAYS, "Without labels all ways count alike."
    known = np.isfinite(odd)
    rows, truth = begun.split.train[known], odd[known]
    if truth.sum() < policy("discovering")["labelled"]["choose"] or truth.all():
        return (
            [(name, of, None) for name, of in options],
            WAYS,
            "Too few labelled rows to choose by: all ways count alike.",
        )
    metric = _metric(plan)
    trials: Trials = []
    for name, of in options:
        output = _output(detector.score(begun.features[rows], of))
        units = np.arange(len(rows))
        low, high = percentile(bootstrap(metric, truth, {"it": output}, units, plan.seed, 300)["it"], 0.95)
        method = "labelled training rows, bootstrap"
        trials.append((name, of, Score(metric.name, metric.value(truth, output), low, high, len(rows), 0.95, method)))
    best = max(trials, key=lambda one: _gain(metric, one[2]))
    together = trials[0]
    # One way alone must be better than all together by more than their intervals leave open.
    if (
        together[2] is not None
        and best[2] is not None
        and metric.gain(best[2].value, together[2].value) < _reach(best[2])
    ):
        best = together
    return trials, best[1], f"{best[0]} did best, or level with the best, on {int(truth.sum()):,} labelled odd rows"


def _gain(metric: Metric, score: Score | None) -> float:
    return -np.inf if score is None else metric.gain(score.value, 0.0)


def _reach(score: Score) -> float:
    return (score.high - score.low) / 4


def _output(scores: Floats) -> Output:
    shares = np.clip(scores, 0.0, 1.0)
    return Output(probabilities=np.stack([1 - shares, shares], axis=1), labels=(shares >= 0.5).astype(np.int64))


def _by_labels(plan: Plan, begun: Begun, scores: Floats, features: Floats) -> tuple[Score, GateVerdict]:
    """The score of the labelled sealed rows, against no score at all and against the most extreme column."""
    test = begun.split.test
    known = np.isfinite(begun.rows.odd[test])
    rows, truth = test[known], begun.rows.odd[test][known]
    constant = np.full(len(rows), 0.5)
    rungs = {"trivial": _output(constant), "one_column": _output(_one_column(begun, features)[rows])}
    cheaper = {name: rungs[name] for name in plan.gate.against}
    units = np.unique(begun.split.test_units()[known], return_inverse=True)[1]
    return hold_against(_metric(plan), truth, _output(scores[rows]), cheaper, units, plan.gate, plan.seed)


def _one_column(begun: Begun, features: Floats) -> Floats:
    """The simplest rule: how far the most extreme column lies out, or of a series how far the value does; 0 … 1."""
    if isinstance(begun.lens, SeriesLens):
        cells = begun.rows.frame[begun.lens.layout.target].to_numpy(dtype=np.float64)
        middle = float(np.nanmedian(cells[begun.split.train]))
        out = np.nan_to_num(np.abs(cells - middle))
    else:
        out = np.abs(features).max(axis=1)
    return np.asarray(out / (out + max(float(np.median(out)), 1e-9)))


def _by_halves(
    plan: Plan, begun: Begun, features: Floats, train: Integers, ways: tuple[str, ...], share: float
) -> tuple[Score, GateVerdict]:
    """Do two halves call the same sealed rows odd? Against as many drawn by lot."""
    called = _called(features[train], features[begun.split.test], ways, share, plan.seed)
    drawn = np.random.default_rng(plan.seed).permutation(called[1])
    rungs = {"chance": Output(labels=drawn)}
    cheaper = {name: rungs[name] for name in plan.gate.against}
    truth, ours = called[0].astype(np.float64), Output(labels=called[1])
    return hold_against(_metric(plan), truth, ours, cheaper, begun.split.test_units(), plan.gate, plan.seed)


def _called(known: Floats, asked: Floats, ways: tuple[str, ...], share: float, seed: int) -> list[Integers]:
    """Which of the rows asked about each half of the known rows calls odd: as many as the share."""
    called = []
    for half in halves(len(known), seed):
        scores = fit_detector(known[half], seed).score(asked, ways)
        most = max(2, round(share * len(asked)))
        rank = np.argsort(np.argsort(-scores, kind="stable"), kind="stable")
        called.append((rank < most).astype(np.int64))
    return called


def _curve(
    plan: Plan, begun: Begun, ways: tuple[str, ...], share: float, fit: float, seconds: float
) -> list[dict[str, float]]:
    """How far two halves of fewer training rows agree on which rows of a third part are odd; the last is of all."""
    order = np.random.default_rng(plan.seed).permutation(begun.sample)
    asked, known = begun.features[order[: len(order) // 3]], begun.features[order[len(order) // 3 :]]

    def agree(count: int) -> list[float]:
        first, second = _called(known[:count], asked, ways, share, plan.seed)
        return [SAME_ODD.value(first.astype(np.float64), Output(labels=second))]

    points = curve_of(agree, len(known), policy("discovering")["limits"]["fewest_rows"], 2 * fit, seconds)
    return [*points, point(len(known), agree(len(known)))] if points else []


def _confusion(begun: Begun, scores: Floats, line: float) -> dict[str, Any]:
    """The labelled sealed rows by what they are and what they are called."""
    odd = begun.rows.odd[begun.split.test]
    known = np.isfinite(odd)
    called = (scores[begun.split.test][known] >= line).astype(np.int64)
    table = np.zeros((2, 2), dtype=int)
    np.add.at(table, (odd[known].astype(int), called), 1)
    return {"confusion": {"classes": ["usual", "odd"], "rows_actual_columns_predicted": table.tolist()}}


def _why(begun: Begun, row: int) -> str:
    """The features in which a row lies furthest out, in words."""
    lens, cells = begun.lens, begun.features[row]
    names = lens.profile.names() if isinstance(lens, SeriesLens) else ()
    if isinstance(lens, TableLens):
        names = lens.encoder.names()
    far = np.argsort(-np.abs(cells))[:2]
    return "; ".join(f"{plain(names[at], 40)} lies {abs(cells[at]):.1f} scales out" for at in far if abs(cells[at]) > 1)


def _told(begun: Begun, scores: Floats, oddest: Integers) -> dict[str, Any]:
    columns = list(begun.lens.columns())
    lines = [
        [int(row), round(float(scores[row]), 3), _why(begun, int(row)), row_words(begun.rows.frame, int(row), columns)]
        for row in oddest[:10]
    ]
    return table("The ten oddest rows", ["Row of the file", "Oddness", "Why", "The row"], lines)
