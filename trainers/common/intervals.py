"""How sure is a number: Wilson for proportions, bootstrap for the rest, paired where two models share rows.

Sources: Wilson 1927 as in Brown, Cai and DasGupta 2001; Efron and Tibshirani 1993 (percentile bootstrap, clusters as
units); Fagerland, Lydersen and Laake 2013 (mid-p McNemar). Wald intervals are not offered: at n=20 and p=0.95 their
95 % cover 64 %.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from advisor.records.run import Score
from trainers.common.metrics import Floats, Integers, Metric, Output
from trainers.common.policy import policy

_CELLS = 8_000_000
_CHUNK = 100_000
ROUGH = 400  # resamples where nothing is decided by the interval
WEIGHTED = ", each counting by its weight"


def wilson(hits: int, rows: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of a proportion of `hits` in `rows`."""
    interval = stats.binomtest(hits, rows).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def midp_mcnemar(only_ours: int, only_theirs: int) -> float:
    """Two-sided mid-p of "both are right equally often", from the rows on which just one of them is right."""
    total = only_ours + only_theirs
    if total == 0:
        return 1.0
    fewer = min(only_ours, only_theirs)
    both_tails = 2 * stats.binom.cdf(fewer, total, 0.5) - stats.binom.pmf(fewer, total, 0.5)
    return float(min(1.0, both_tails))


def resamples(units: Integers, seed: int, count: int | None = None) -> Iterator[Floats]:
    """Bootstrap weights [resamples, rows] in chunks: whole units are drawn with replacement, never their rows alone.

    `units` is a code 0…u-1 per row: rows of one code (duplicates, one person, one stretch of time) go together.
    Without `count`, 10,000 resamples, or fewer on large sets so that the work is bounded, never below 1,000.
    """
    rows, drawn = len(units), units_in(units)
    total = count or int(np.clip(_CELLS // rows, 1_000, 10_000))
    generator = np.random.default_rng(seed)
    step = max(1, _CHUNK // max(rows, drawn))
    for start in range(0, total, step):
        size = min(step, total - start)
        draws = generator.integers(0, drawn, size=(size, drawn)) + np.arange(size)[:, None] * drawn
        counts = np.bincount(draws.ravel(), minlength=size * drawn).reshape(size, drawn)
        yield counts[:, units].astype(np.float64)


def bootstrap(
    metric: Metric,
    truth: Floats,
    outputs: dict[str, Output],
    units: Integers,
    seed: int,
    count: int | None = None,
    counts: Floats | None = None,
) -> dict[str, Floats]:
    """The metric of each output on the same resamples, so that differences are paired.

    `counts` [rows] is how much each row counts: a row is drawn together with its weight.
    """
    values: dict[str, list[Floats]] = {name: [] for name in outputs}
    for drawn in resamples(units, seed, count):
        weights = drawn if counts is None else drawn * counts
        for name, output in outputs.items():
            values[name].append(metric.values(truth, output, weights))
    return {name: np.concatenate(chunks) for name, chunks in values.items()}


def percentile(values: Floats, confidence: float, drawn: int | None = None) -> tuple[float, float]:
    """The middle `confidence` of the `values` [draws] that are defined; more of them where `drawn` units were few.

    Few units drawn again spread too little: on five blocks of time luck was called a gain 8 to 12 times in 100 where
    2.5 were due. The expanded percentile interval (Hesterberg 2015, by Student's t) about halves that. One unit has
    no width: the gate lets nothing pass on it.
    """
    if drawn is not None and 2 <= drawn < policy("planning")["few_units"]:
        reach = stats.t.isf((1 - confidence) / 2, drawn - 1) * (drawn / (drawn - 1)) ** 0.5
        confidence = float(1 - 2 * stats.norm.sf(reach))
    defined = values[np.isfinite(values)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def score(
    metric: Metric,
    truth: Floats,
    output: Output,
    units: Integers,
    values: Floats,
    confidence: float = 0.95,
    counts: Floats | None = None,
) -> Score:
    """A metric with its interval: Wilson for accuracy on independent rows that count the same, else from `values`.

    `values` are the bootstrap's; `counts` [rows] is how much each row counts.
    """
    value = metric.value(truth, output, counts)
    independent = units_in(units) == len(units) and counts is None
    if metric.name == "accuracy" and independent and output.labels is not None:
        low, high = wilson(int((output.labels == truth).sum()), len(truth), confidence)
        method = "Wilson"
    else:
        low, high = percentile(values, confidence, units_in(units))
        method = f"bootstrap, {len(values):,} resamples of {_unit_words(units)}" + WEIGHTED * (counts is not None)
    return Score(metric.name, value, low, high, len(truth), confidence, method)


def units_in(units: Integers) -> int:
    """How many units stand behind rows whose units are numbered from 0 [rows]."""
    return int(units.max()) + 1


def rough_interval(
    metric: Metric, truth: Floats, output: Output, units: Integers, seed: int, counts: Floats | None = None
) -> dict[str, float]:
    """`value`, `low` and `high` (95 %) of a metric for a point of a curve, say: some hundred resamples.

    Arrays as for `bootstrap`; `counts` [rows] is how much each row counts.
    """
    values = bootstrap(metric, truth, {"it": output}, units, seed, ROUGH, counts)["it"]
    low, high = percentile(values, 0.95, units_in(units))
    return {"value": metric.value(truth, output, counts), "low": low, "high": high}


def _unit_words(units: Integers) -> str:
    count = units_in(units)
    return "rows" if count == len(units) else f"{count:,} groups of rows that belong together"
