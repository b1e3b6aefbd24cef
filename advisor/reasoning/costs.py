"""What each approach costs over the horizon: compute, data, people, what comes back, and where owning breaks even.

A function of facts, a date and dated prices. Every figure is a range; an unknown fact or price makes a figure absent
and is listed under `missing`: it is never taken for zero. Sums: advisor/reasoning/sums.py; prices: rules/costs.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from advisor.reasoning.bill import Bill, Missing
from advisor.reasoning.breakeven import break_evens
from advisor.reasoning.pricefile import BUCKETS
from advisor.reasoning.prices import ModelPrice, Prices, Range, load_prices
from advisor.records.facts import Value

Facts = Mapping[str, Value | None]


class Move(NamedTuple):
    """The whole bill with one assumption at its low end and at its high end, in US dollars."""

    assumption: str
    label: str
    low: float
    high: float


def estimate_costs(facts: Facts, as_of: str = "", prices: Prices | None = None) -> dict[str, object]:
    """The cost of every approach for these facts, at the prices of `as_of` (an ISO date; empty: the newest).

    Keys: `approaches` (per approach `low` and `high` over the horizon, `buckets`, `once`, `per_month`, `items`,
    `complete`, `missing`, and `within_budget` when a budget is known); `items` (each line of a bill once, with the
    assumptions and facts it rests on); `api_per_month` (by model); `break_even`; `missing`; `assumptions` and `sources`
    for every figure used. US dollars, in cents. `low` and `high` leave out what is missing: then they are "at least".
    """
    on = (prices or load_prices()).on(as_of)
    bill = Bill(facts, on)
    items = {name: _item(bill, item) for name, item in on.items.items()}
    months, renewals = _horizon(bill)
    totals = _totals(items, months, renewals)
    approaches = {name: _approach(names, items, totals, months) for name, names in on.approaches.items()}
    budget = facts.get("budget_usd")
    if isinstance(budget, int | float) and not isinstance(budget, bool):
        for approach in approaches.values():
            approach["within_budget"] = _within(approach, float(budget))
    api_month = _api_month(bill)
    even = break_evens(bill)
    return {
        "as_of": as_of,
        "currency": "USD",
        "horizon_months": round(months.low) if months else None,
        "approaches": approaches,
        "items": items,
        "api_per_month": api_month,
        "break_even": even,
        "missing": bill.missing(),
        "notes": bill.notes,
        **bill.assumptions(),
    }


def what_moves(facts: Facts, approach: str, as_of: str = "", prices: Prices | None = None) -> list[Move]:
    """Which assumption moves the cost of one approach most: its total with each at its low and at its high end alone.

    All other assumptions stand at the middle of their range. Widest swing first; those without a range are left out.
    """
    on = (prices or load_prices()).on(as_of)
    middle = {
        name: replace(number, low=(number.low + number.high) / 2, high=(number.low + number.high) / 2)
        for name, number in on.numbers.items()
    }

    def total(numbers: Mapping[str, Any]) -> float:
        bill = Bill(facts, replace(on, numbers=numbers))
        items = {name: _item(bill, on.items[name]) for name in on.approaches[approach]}
        months, renewals = _horizon(bill)
        return sum(cost.low for cost in _totals(items, months, renewals).values() if cost)

    moves: list[Move] = []
    for name, number in on.numbers.items():
        if number.low == number.high:
            continue
        low, high = (total({**middle, name: replace(number, low=end, high=end)}) for end in (number.low, number.high))
        if low != high:
            moves.append(Move(name, number.label, _cents(low), _cents(high)))
    return sorted(moves, key=lambda move: -abs(move.high - move.low))


def _item(bill: Bill, item: Mapping[str, str]) -> dict[str, Any]:
    """One line of a bill: its cost each time it comes back, or what is missing to know it."""
    line: dict[str, Any] = {key: item[key] for key in ("label", "bucket", "recurs")}
    bill.open_line(item["label"])
    try:
        cost = bill.cost_of(item)
        line |= {"low": _cents(cost.low), "high": _cents(cost.high)}
    except Missing:
        line |= {"low": None, "high": None}
    return line | bill.close_line()


def _horizon(bill: Bill) -> tuple[Range | None, Range | None]:
    """Months the bill runs, and retrainings in them."""
    bill.open_line("The horizon")
    try:
        months = bill.number("horizon_months")
        return months, bill.number("retrainings_year").times(months.low / 12.0)
    except Missing:
        return None, None
    finally:
        bill.close_line()


def _totals(
    items: Mapping[str, dict[str, Any]], months: Range | None, renewals: Range | None
) -> dict[str, Range | None]:
    """Each line over the whole horizon; None where something is missing."""
    times = {"once": Range(1, 1), "monthly": months, "retraining": renewals}
    return {
        name: None
        if line["low"] is None or (often := times[line["recurs"]]) is None
        else Range(line["low"] * often.low, line["high"] * often.high)
        for name, line in items.items()
    }


def _approach(
    names: tuple[str, ...],
    items: Mapping[str, dict[str, Any]],
    totals: Mapping[str, Range | None],
    months: Range | None,
) -> dict[str, Any]:
    """One approach's bill: its lines added by bucket, and by whether they come back."""
    low, high = dict.fromkeys(BUCKETS, 0.0), dict.fromkeys(BUCKETS, 0.0)
    once = [0.0, 0.0]
    missing: dict[str, None] = {}
    for name in names:
        line, total = items[name], totals[name]
        missing |= dict.fromkeys(line["missing"])
        if total is None:
            missing |= {} if line["missing"] else {"horizon_months": None}
            continue
        low[line["bucket"]] += total.low
        high[line["bucket"]] += total.high
        if line["recurs"] == "once":
            once = [once[0] + total.low, once[1] + total.high]
    whole = (sum(low.values()), sum(high.values()))
    return {
        **_ends(*whole),
        "complete": not missing,
        "missing": list(missing),
        "buckets": {name: _ends(low[name], high[name]) for name in BUCKETS},
        "once": _ends(*once),
        "per_month": _ends(*((w - o) / months.low for w, o in zip(whole, once, strict=True))) if months else None,
        "items": list(names),
    }


def _ends(low: float, high: float) -> dict[str, float]:
    return {"low": _cents(low), "high": _cents(high)}


def _within(approach: Mapping[str, Any], budget: float) -> str:
    if approach["low"] > budget:
        return "no"
    return "yes" if approach["high"] <= budget and approach["complete"] else "perhaps"


def _api_month(bill: Bill) -> dict[str, object]:
    """A month of calls to each hosted model, cheapest first."""
    bill.open_line("Calls to a hosted model")
    calls: float | None = None
    priced: list[tuple[Range, ModelPrice]] = []
    try:
        calls = bill.calls_a_month()
        priced = [(bill.one_call(model).times(calls), model) for model in bill.on.models]
        priced.sort(key=lambda pair: pair[0])
    except Missing:
        pass
    models = [
        {"model": m.name, "label": m.label, "low": _cents(cost.low), "high": _cents(cost.high), "source": m.source}
        for cost, m in priced
    ]
    return {"calls": None if calls is None else round(calls), "models": models, **bill.close_line()}


def _cents(amount: float) -> float:
    return round(amount, 2)
