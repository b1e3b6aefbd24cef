"""From how many calls a month an own machine is cheaper than a hosted model: a range, or never."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from advisor.reasoning import sums
from advisor.reasoning.bill import Bill, Missing
from advisor.reasoning.prices import ModelPrice, Range

NEVER = "never"


def break_evens(bill: Bill) -> list[dict[str, Any]]:
    """Each way of owning against each hosted model: `low` and `high` calls a month, each a number or "never".

    `reached` says where the stated volume stands: yes, no, perhaps, or unknown. The list is empty when the length of a
    call is not known; what is missing is on the bill.
    """
    calls = bill.facts.get("calls_per_day")
    volume = calls * sums.DAYS_A_MONTH if isinstance(calls, int | float) and not isinstance(calls, bool) else None
    lines = []
    for own in bill.on.break_even.values():
        bill.open_line(f"Break-even: {own['label']}")
        try:
            fixed, mine = _owning(bill, own)
            lines += [
                _against(own["label"], model, bill.one_call(model), fixed, mine, volume) for model in bill.on.models
            ]
        except Missing:
            pass
        bill.close_line()
    return lines


def _owning(bill: Bill, own: Mapping[str, str]) -> tuple[Range, Range]:
    """What owning costs each month, and what one more call adds."""
    people = bill.number(own["share"]).times(bill.number("person_month"))
    price = bill.number(own["price"])
    if own["marginal"] == "by_token":
        return people, _own_call(bill, price)
    machine = price.times(sums.HOURS_A_MONTH) if own["fixed"] == "card_month" else price
    return people + machine, Range(0.0, 0.0)


def _against(
    label: str, model: ModelPrice, api: Range, fixed: Range, mine: Range, volume: float | None
) -> dict[str, Any]:
    # Best for owning: little to pay each month, a dear hosted call, a cheap own one.
    low = sums.break_even(fixed.low, api.high, mine.low)
    high = sums.break_even(fixed.high, api.low, mine.high)
    return {
        "own": label,
        "against": model.name,
        "low": NEVER if low is None else round(low),
        "high": NEVER if high is None else round(high),
        "per_call": {"low": api.low, "high": api.high},
        "own_call": {"low": mine.low, "high": mine.high},
        "fixed_month": {"low": round(fixed.low, 2), "high": round(fixed.high, 2)},
        "reached": _reached(low, high, volume),
        "text": f"{label} against {model.label}: {_words(low, high)}",
    }


def _own_call(bill: Bill, hour: Range) -> Range:
    tokens, speed, busy = bill.tokens(), bill.number("tokens_per_second"), bill.number("utilisation")
    best = sums.own_million(hour.low, speed.high, busy.high)
    worst = sums.own_million(hour.high, speed.low, busy.low)
    return Range(best * tokens / sums.MILLION, worst * tokens / sums.MILLION)


def _reached(low: float | None, high: float | None, volume: float | None) -> str:
    if low is None:
        return "no"
    if volume is None:
        return "unknown"
    if volume < low:
        return "no"
    return "yes" if high is not None and volume >= high else "perhaps"


def _words(low: float | None, high: float | None) -> str:
    if low is None:
        return "never cheaper, at any volume."
    if high is None:
        return f"cheaper from {_read(low)} calls a month at the earliest; at dear prices never."
    return f"cheaper from {_read(low)} to {_read(high)} calls a month."


def _read(calls: float) -> str:
    """To three figures: prices and assumptions carry no more."""
    return f"{float(f'{calls:.3g}'):,.0f}"
