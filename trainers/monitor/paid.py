"""Labels have arrived: what answers cost, at the stated costs of errors, and whether that is more than was promised.

Shares the allowed error as right answers do, so that it may be asked after every file, for years. Costs lie between
nothing and the dearest error, so a bet on each row that it costs more than promised multiplies its stake by at most 1
on average while that is not so, whatever the costs' distribution; a mixture of bets passes 1 / level with at most that
chance, whenever it is looked at (Waudby-Smith and Ramdas 2024, JRSS B 86, Estimating means of bounded random variables
by betting; Ville 1939). Half of the level is spent on all rows since the start, half on each file alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from trainers.classical.error_costs import stated_costs
from trainers.common.intervals import percentile
from trainers.common.labels import label_text
from trainers.common.metrics import Floats
from trainers.common.weights import weight_column
from trainers.monitor.policy import Policy
from trainers.monitor.reference import numbers_of
from trainers.use.opened import OpenedRun

# How many labelled rows cost so much and count so much: (cost, weight) to rows. What later checks add up.
Paid = Mapping[tuple[float, float], int]
_RESAMPLES = 2_000
# Stakes as shares of the highest that cannot be lost below nothing: small rises are found by small stakes on many rows.
_STAKES = np.geomspace(1e-3, 0.99, 24)


@dataclass(frozen=True)
class Promise:
    """What answers cost on the sealed rows, and `most`, the highest mean cost a row that these allow for.

    `costs` are [true class, said class]. Weights are told as multiples of the mean weight `one` of the sealed rows;
    `heaviest` is the largest of the run's data, and no later row counts more. `column` holds them, or is empty.
    """

    costs: Floats
    classes: tuple[str, ...]
    sealed: float
    low: float
    high: float
    most: float
    column: str = ""
    one: float = 1.0
    heaviest: float = 1.0


@dataclass(frozen=True)
class Costs:
    """What labelled rows cost: `mean` since the start with its 95 % interval over `rows`, and in this file alone.

    `sealed` is what the sealed rows cost, `promised` the most that they allow for. `evidence` is how many times
    likelier a rise has become; `breach` names the test that passed its line, or is empty. `weighted` tells whether rows
    counted by their weights, `left_out` how many had no stated cost or no weight.
    """

    rows: int
    mean: float
    low: float
    high: float
    file_rows: int
    file_mean: float
    sealed: float
    sealed_low: float
    sealed_high: float
    promised: float
    evidence: float
    breach: str
    weighted: bool
    left_out: int
    text: str


@dataclass(frozen=True)
class Bill:
    """The costs of one look, and the rows that they come from."""

    costs: Costs
    paid: Paid


def promise_of(opened: OpenedRun, policy: Policy) -> Promise | None:
    """What a run's sealed rows promise of costs; None where it was not stated what errors cost."""
    plan, path = opened.record.plan, opened.folder / "test_predictions.csv"
    costs = stated_costs(plan, opened.classes) if opened.classes and path.exists() else None
    if costs is None:
        return None
    sealed = pd.read_csv(path)
    each = costs[sealed["truth"].to_numpy(dtype=np.int64), sealed["ours"].to_numpy(dtype=np.int64)]
    column = weight_column(plan)
    weights = sealed["weight"].to_numpy(dtype=np.float64) if column else np.ones(len(sealed))
    one = float(weights.mean())
    told = opened.record.diagnostics.get("row_weights")
    heaviest = float(told["most"]) if column and isinstance(told, dict) else float(weights.max())
    paid = _grouped(each, weights / one)
    confidence = float(policy["costs"]["promise"])
    low, high = _interval(paid, 0.95, float(costs.max()))
    most = _interval(paid, confidence, float(costs.max()))[1]
    return Promise(costs, opened.classes, _mean(paid), low, high, most, column, one, heaviest / one)


def bill(
    promise: Promise, frame: pd.DataFrame, target: str, said: Iterable[Any], before: tuple[Paid, int], level: float
) -> Bill | None:
    """What the labelled rows of `frame` cost, answered with `said`; None where none of them has a stated cost.

    `before` holds what earlier files cost and how many of them there were.
    """
    code = {name: at for at, name in enumerate(promise.classes)}
    known = frame[target].notna().to_numpy()
    wanted = [code.get(label_text(one).strip(), -1) for one in frame[target][known]]
    given = [code.get(str(one).strip(), -1) for one, labelled in zip(said, known, strict=True) if labelled]
    truth, labels = np.array(wanted, dtype=np.int64), np.array(given, dtype=np.int64)
    weighted = bool(promise.column) and promise.column in frame.columns
    if weighted:
        weights = numbers_of(frame[promise.column])[known].to_numpy(dtype=np.float64) / promise.one
    else:
        weights = np.ones(len(truth))
    counted = (truth >= 0) & (labels >= 0) & (weights > 0)
    if not counted.any():
        return None
    weights = np.minimum(weights[counted], promise.heaviest)
    now = _grouped(promise.costs[truth[counted], labels[counted]], weights)
    left_out = int(len(counted) - counted.sum())
    return Bill(_standing(promise, now, before, level, weighted=weighted, left_out=left_out), now)


def _standing(
    promise: Promise, now: Paid, before: tuple[Paid, int], level: float, *, weighted: bool, left_out: int
) -> Costs:
    every, files = dict(Counter(now) + Counter(before[0])), before[1] + 1
    evidence = evidence_of_a_rise(every, promise.most, promise.heaviest)
    here = evidence_of_a_rise(now, promise.most, promise.heaviest)
    breach = ""
    if here >= -math.log(level / 2 * 6 / (math.pi * files) ** 2):
        breach = "this file"
    elif evidence >= math.log(2 / level):
        breach = "since the start"
    low, high = _interval(every, 0.95, float(promise.costs.max()))
    file_rows, rows, mean = sum(now.values()), sum(every.values()), _mean(every)
    text = (
        f"{file_rows:,} labelled rows of this file cost {_mean(now):.4g} a row, {rows:,} since the start {mean:.4g} "
        f"({low:.4g} to {high:.4g}, 95 %). The sealed rows cost {promise.sealed:.4g} ({promise.low:.4g} to "
        f"{promise.high:.4g}); at most {promise.most:.4g} was promised: "
        f"{'more than that is shown' if breach else 'no rise is shown'}."
    )
    if promise.column:
        text += " Rows count by their weights." if weighted else " Rows count the same here: the file has no weights."
    if left_out:
        text += f" {left_out:,} rows are left out: without a stated cost for their class, or without a weight."
    ratio = math.exp(min(evidence, 700.0))
    return Costs(
        rows,
        mean,
        low,
        high,
        file_rows,
        _mean(now),
        promise.sealed,
        promise.low,
        promise.high,
        promise.most,
        ratio,
        breach,
        weighted,
        left_out,
        text,
    )


def evidence_of_a_rise(paid: Paid, promised: float, heaviest: float) -> float:
    """The logarithm of what bets on a mean cost above `promised` have made of one; each row bets by its weight.

    While the mean is at or below `promised` and no weight above `heaviest`, its expectation is at most 1 at every time.
    """
    costs, weights, rows = _columns(paid)
    pays = weights * (costs - promised) / (heaviest * promised)  # never below -1
    made = np.log1p(_STAKES[:, None] * pays) @ rows
    return float(logsumexp(made) - math.log(len(_STAKES)))


def as_kept(paid: Paid) -> list[list[float]]:
    """Cost, weight and rows, one line for each that differs: what a check keeps."""
    return [[cost, weight, rows] for (cost, weight), rows in sorted(paid.items())]


def paid_by(checks: Iterable[Mapping[str, Any]], content: str) -> tuple[Paid, int]:
    """What the files of `checks` cost, without that of `content`, and how many they are; the latest check of each."""
    latest = {check["sha256"]: check.get("paid") or [] for check in checks if check["sha256"] != content}
    total: Counter[tuple[float, float]] = Counter()
    for lines in latest.values():
        for cost, weight, rows in lines:
            total[float(cost), float(weight)] += int(rows)
    return dict(total), sum(bool(lines) for lines in latest.values())


def _grouped(costs: Floats, weights: Floats) -> Paid:
    """Weights to three digits, so that what is kept stays small however many rows come."""
    pairs = zip(costs.tolist(), weights.tolist(), strict=True)
    return Counter((cost, float(f"{weight:.3g}")) for cost, weight in pairs)


def _columns(paid: Paid) -> tuple[Floats, Floats, Floats]:
    table = np.array([(cost, weight, rows) for (cost, weight), rows in sorted(paid.items())], dtype=np.float64)
    return table[:, 0], table[:, 1], table[:, 2]


def _mean(paid: Paid) -> float:
    costs, weights, rows = _columns(paid)
    return float((rows * weights) @ costs / (rows @ weights))


def _interval(paid: Paid, confidence: float, dearest: float) -> tuple[float, float]:
    """Of the mean cost, by a bootstrap over rows; above with one more row of the dearest error.

    Dear errors are rare, and those that have not come yet would otherwise be taken for impossible (working assumption).
    """
    return _drawn(paid, confidence)[0], _drawn(dict(Counter(paid) + Counter({(dearest, 1.0): 1})), confidence)[1]


def _drawn(paid: Paid, confidence: float) -> tuple[float, float]:
    costs, weights, rows = _columns(paid)
    drawn = np.random.default_rng(0).multinomial(int(rows.sum()), rows / rows.sum(), _RESAMPLES)
    return percentile((drawn * weights) @ costs / (drawn @ weights), confidence)
