"""Charts of the data and of a run, made from what the records hold; nothing is drawn where nothing was measured."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from advisor.base.safetext import plain
from advisor.records.judging import COST
from advisor.records.look import Look
from advisor.records.run import Comparison, RunRecord, Score
from advisor.report.blocks import Chart, Paragraph, Point, Table
from advisor.report.words import baseline_words, count, figure, full_stop, metric_words, say, score, sentence

SHOWN = 12
PROJECTED = "projected"


def class_balance(look: Look) -> Iterator[Chart]:
    """Rows by class, where a check of the data counted them (`evidence["counts"]`)."""
    for pitfall in look.pitfalls:
        counts = numbers_of(pitfall.evidence.get("counts") or pitfall.evidence.get("class_counts"))
        if len(counts) < 2:
            continue
        total = sum(counts.values())
        ranked = sorted(counts.items(), key=lambda pair: -pair[1])[:SHOWN]
        points = tuple(Point(name, number) for name, number in ranked)
        rows = tuple((name, figure(number), f"{number / total:.1%}") for name, number in ranked)
        rarest, least = min(counts.items(), key=lambda pair: pair[1])
        yield Chart(
            "class-balance",
            "How the classes are spread",
            f"{count(len(counts), 'class', 'classes')}; the rarest, “{rarest}”, has {count(int(least), 'row')}.",
            "bars",
            "rows",
            points,
            Table(("Class", "Rows", "Share"), rows, numeric=(1, 2)),
        )
        return


def missing_values(look: Look) -> Iterator[Chart | Paragraph]:
    """The columns with the most missing values."""
    gaps = sorted((column for column in look.columns if column.missing), key=lambda column: -column.missing)
    if not gaps:
        if look.columns:
            yield Paragraph("No column has missing values.")
        return
    rows = max(look.shape[0], 1)
    shown = gaps[:SHOWN]
    points = tuple(Point(plain(column.name, 40), 100 * column.missing / rows) for column in shown)
    twin = tuple((plain(column.name, 60), figure(column.missing), f"{column.missing / rows:.1%}") for column in shown)
    yield Chart(
        "missing-values",
        "Missing values",
        f"{count(len(gaps), 'column')} of {len(look.columns):,} have gaps; the worst is “{plain(shown[0].name, 60)}”.",
        "bars",
        "per cent of rows missing",
        points,
        Table(("Column", "Missing", "Share"), twin, numeric=(1, 2)),
    )


def more_labels(look: Look) -> Iterator[Chart]:
    """The error of a quick model by the number of rows it learnt from, and the band ahead."""
    curve = look.curve
    if curve is None or len(curve.points) < 2:
        return
    points = tuple(
        Point("" if point.measured else PROJECTED, point.error, float(point.rows), point.low, point.high)
        for point in curve.points
    )
    rows = tuple(
        (figure(point.at), score(point.value), interval_words(point), point.label or "measured") for point in points
    )
    yield Chart(
        "more-labels",
        "Would more labels help?",
        f"{full_stop(curve.text)} Certainty: {say(curve.certainty)}.",
        "curve",
        say(curve.metric),
        points,
        Table(("Rows", "Error", "Interval", "How it is known"), rows, numeric=(0, 1, 2)),
        across="rows learnt from",
    )


def score_comparison(run: RunRecord) -> Chart:
    """Every cheaper way and the trained model on the same sealed rows, each with its interval."""
    return _side_by_side("scores", run.gate.comparisons, run.sealed)


def cost_comparison(run: RunRecord) -> Chart:
    """The same by what answers cost a row, where that was stated: less is better."""
    return _side_by_side("costs", run.gate.costs, run.gate.costs[0].ours, " The less the better.")


def _side_by_side(key: str, comparisons: tuple[Comparison, ...], ours: Score, says: str = "") -> Chart:
    points = [_scored(sentence(baseline_words(item.against)), item.theirs) for item in comparisons]
    points.append(_scored("The trained model", ours, ours=True))
    rows = tuple(
        (point.label, score(point.value), f"{score(point.low or 0.0)} to {score(point.high or 0.0)}")
        for point in points
    )
    metric = metric_words(ours.metric)
    return Chart(
        key,
        f"{sentence(metric)} on the sealed rows",
        f"{count(ours.rows, 'sealed row')}; the bars are {ours.confidence:.0%} intervals.{says}",
        "intervals",
        metric,
        tuple(points),
        Table(("Way", sentence(metric), f"{ours.confidence:.0%} interval"), rows, numeric=(1, 2)),
    )


def _scored(label: str, value: Score, ours: bool = False) -> Point:
    return Point(label, value.value, 0.0, value.low, value.high, ours)


def gain_table(comparisons: tuple[Comparison, ...]) -> Table:
    """The paired gain over each cheaper way, with its interval and how it was computed."""
    rows = tuple(
        (
            sentence(baseline_words(item.against)),
            f"{item.gain:+,.3f}",
            f"{item.low:+,.3f} to {item.high:+,.3f}",
            "yes" if item.passed else "no",
            plain(item.method),
        )
        for item in comparisons
    )
    gained = "Saved a row" if comparisons[0].ours.metric == COST else "Gain"
    return Table(("Held against", gained, "Interval", "Passed", "Method"), rows, numeric=(1, 2))


def interval_words(point: Point) -> str:
    """The interval of a point, or that there is none."""
    return "not measured" if point.low is None or point.high is None else f"{score(point.low)} to {score(point.high)}"


def numbers_of(value: Any) -> dict[str, float]:
    """The finite numbers of a mapping under safe names; diagnostics come from files and may hold anything."""
    if not isinstance(value, Mapping):
        return {}
    return {
        plain(name, 40): float(number)
        for name, number in value.items()
        if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
    }
