"""Charts of money: what moves the bill, cost against volume with its break-evens, score against cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from advisor.base.safetext import plain
from advisor.records.climb import ClimbRecord
from advisor.report.blocks import Chart, Point, Table
from advisor.report.given import Given
from advisor.report.words import dollars, figure, metric_words, say, score, sentence

SHOWN_SWINGS = 6
DECADES = range(3, 10)  # a thousand to a billion calls a month
STEPS = 2  # points a decade


def what_moves_it(given: Given) -> Iterator[Chart]:
    """The assumptions that move the bill of the recommended way most, each alone from its low end to its high end."""
    swings = given.swings[:SHOWN_SWINGS]
    if not swings:
        return
    first = swings[0]
    points = tuple(
        Point(_short(swing.label), (swing.low + swing.high) / 2, 0.0, swing.low, swing.high) for swing in swings
    )
    rows = tuple((_short(swing.label), dollars(swing.low), dollars(swing.high)) for swing in swings)
    yield Chart(
        "what-moves-it",
        "Which assumption moves the bill",
        f"“{_short(first.label)}” moves it from {dollars(first.low)} to {dollars(first.high)} USD, the others at the "
        "middle of their range. Assumptions move the bill, never the advice: that follows from the facts.",
        "swings",
        "US dollars in all",
        points,
        Table(("Assumption", "At its low end", "At its high end"), rows, numeric=(1, 2)),
    )


def _short(label: str) -> str:
    return plain(label.partition(" (")[0])


def cost_by_volume(given: Given) -> Iterator[Chart]:
    """A month's cost of hosted calls, cheapest and dearest, and of each way of owning, by the number of calls."""
    found = given.decision.cost.get("break_even")
    lines = [line for line in found if isinstance(line, Mapping)] if isinstance(found, list | tuple) else []
    hosted = {str(line.get("against")): _middle(line.get("per_call")) for line in lines}
    priced = sorted((price, name) for name, price in hosted.items() if price is not None)
    if not priced:
        return
    labels = {name: plain(model.get("label", name)) for name, model in _models(given).items()}
    ends = dict.fromkeys((priced[0][1], priced[-1][1]))
    series: dict[str, tuple[float, float]] = {labels.get(name, name): (0.0, hosted[name] or 0.0) for name in ends}
    for line in lines:
        fixed, each = _middle(line.get("fixed_month")), _middle(line.get("own_call"))
        if fixed is not None and each is not None:
            series[plain(line.get("own", ""))] = (fixed, each)
    volumes = [10.0 ** (decade + step / STEPS) for decade in DECADES for step in range(STEPS)]
    points = [
        Point(name, fixed + each * volume, volume, ours=name in map(labels.get, ends))
        for name, (fixed, each) in series.items()
        for volume in volumes
        if fixed + each * volume >= 1
    ]
    rows = tuple(
        (figure(volume), *(dollars(fixed + each * volume) for fixed, each in series.values()))
        for volume in volumes[::STEPS]
    )
    now = given.facts.values().get("calls_per_day")
    place = float(now) * 365 / 12 if isinstance(now, int | float) and not isinstance(now, bool) and now > 0 else None
    yours = " The broken line is your volume." if place is not None else ""
    yield Chart(
        "cost-by-volume",
        "What a month costs, by the number of calls",
        f"Middle of each range; where a line of owning falls below a hosted one, owning is cheaper.{yours}",
        "lines",
        "US dollars a month",
        tuple(points),
        Table(("Calls a month", *series), rows, numeric=tuple(range(len(series) + 1))),
        across="calls a month",
        place=place,
    )


def _models(given: Given) -> Mapping[str, Mapping[str, Any]]:
    models = given.decision.cost.get("models")
    return {str(k): v for k, v in models.items() if isinstance(v, Mapping)} if isinstance(models, Mapping) else {}


def _middle(found: Any) -> float | None:
    """The geometric middle of a range, as prices differ by factors; the plain one where an end is zero."""
    low, high = (found.get("low"), found.get("high")) if isinstance(found, Mapping) else (None, None)
    if not (isinstance(low, int | float) and isinstance(high, int | float)):
        return None
    return math.sqrt(low * high) if low > 0 and high > 0 else (low + high) / 2


def score_by_cost(climb: ClimbRecord) -> Iterator[Chart]:
    """Every measured rung by what a thousand answers cost; only where some of them cost anything."""
    paid = [rung for rung in climb.rungs if rung.score is not None and rung.usd_per_thousand > 0]
    if len(paid) < 2:
        return
    metric = metric_words(climb.metric)
    points, rows = [], []
    for rung in paid:
        name, item = sentence(say(rung.name)), rung.score
        if item is not None:
            own = rung.name == climb.recommended
            points.append(Point(name, item.value, rung.usd_per_thousand, item.low, item.high, own))
            rows.append(
                (name, f"{rung.usd_per_thousand:,.2f}", score(item.value), f"{score(item.low)} to {score(item.high)}")
            )
    needed = " The broken line is the requirement." if climb.requirement is not None else ""
    yield Chart(
        "score-by-cost",
        f"{sentence(metric)} against cost",
        f"The rungs that cost something, each with its interval.{needed}",
        "scatter",
        metric,
        tuple(points),
        Table(("Way", "USD a thousand", sentence(metric), "Interval"), tuple(rows), numeric=(1, 2, 3)),
        across="US dollars for a thousand answers, each mark ten times the one before",
        bar=climb.requirement,
    )
