"""The cost section of a decision: ranges, what is missing, break-even, and where each figure comes from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.reasoning.costs import estimate_costs, what_moves
from advisor.reasoning.prices import Prices, load_prices

RULES = Path(__file__).resolve().parents[2] / "rules"
TODAY = "2026-11-22"
WHOLE = {
    "calls_per_day": 3000,
    "tokens_per_call": 900,
    "fixed_prompt_tokens": 0,
    "eval_examples": 40,
    "n_labeled": 200,
    "labels_obtainable": "cheap",
    "data_may_leave": "yes",
    "human_in_loop": False,
}

# The assumptions of the worked example, as a user would write them down.
WORKED = """
sources:
  book: {title: The worked example, address: here, read: 2026-11-21}
models:
  cheap: {label: Cheap, prices: [{as_of: 2026-11-21, input: 0.10, cached: 0.10, output: 0.50, source: book}]}
  dear: {label: Dear, prices: [{as_of: 2026-11-21, input: 2.50, cached: 2.50, output: 10, source: book}]}
numbers:
  output_share: {rows: [{as_of: 2026-11-21, value: 0.1111111111111111, source: book}]}
  card_hour_small: {rows: [{as_of: 2026-11-21, value: 2.50, source: book}]}
  card_hour_h100: {rows: [{as_of: 2026-11-21, value: 2.50, source: book}]}
  share_model: {rows: [{as_of: 2026-11-21, value: 0.2, source: book}]}
  person_month: {rows: [{as_of: 2026-11-21, value: 12000, source: book}]}
  utilisation: {rows: [{as_of: 2026-11-21, value: 1, source: book}]}
"""


@pytest.fixture(scope="module")
def prices() -> Prices:
    return load_prices(RULES)


def estimate(facts: dict[str, Any], prices: Prices, as_of: str = TODAY) -> dict[str, Any]:
    return estimate_costs(facts, as_of, prices)


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Prices:
    own = tmp_path_factory.mktemp("prices") / "costs.yaml"
    own.write_text(WORKED, encoding="utf-8")
    return load_prices(RULES, own)


def test_the_worked_example_comes_out_of_the_whole_estimate_to_the_cent(worked: Prices) -> None:
    cost = estimate({**WHOLE, "calls_per_day": 10_000_000}, worked)
    year = {model["model"]: model["low"] * 12 for model in cost["api_per_month"]["models"]}
    assert round(year["cheap"], 1) == 474_500.0
    assert round(year["dear"] / 365, 1) == 30_000.0
    even = {(line["own"], line["against"]): line for line in cost["break_even"]}
    small = even["A small model on one graphics card", "cheap"]
    assert small["fixed_month"] == {"low": 4_225.0, "high": 4_225.0}
    assert small["low"] == small["high"] == 32_500_000
    assert round(even["A small model on one graphics card", "dear"]["low"] / 1e6, 2) == 1.41
    general = "A general language model on own H100s"
    assert even[general, "cheap"]["low"] == even[general, "cheap"]["high"] == "never"
    assert even[general, "cheap"]["reached"] == "no"
    assert round(even[general, "dear"]["low"] / 1e6, 1) == 1.1
    assert small["reached"] == "yes"


def test_a_whole_set_of_facts_leaves_nothing_missing(prices: Prices) -> None:
    cost = estimate(WHOLE, prices)
    assert cost["missing"] == []
    assert all(approach["complete"] for approach in cost["approaches"].values())


@pytest.mark.parametrize("fact", ["calls_per_day", "tokens_per_call", "eval_examples", "human_in_loop"])
def test_an_unknown_fact_is_missing_and_never_zero(fact: str, prices: Prices) -> None:
    cost = estimate({**WHOLE, fact: None}, prices)
    assert [entry["name"] for entry in cost["missing"]] == [fact]
    assert not cost["approaches"]["prompt"]["complete"]
    hit = [line for line in cost["items"].values() if fact in line["missing"]]
    assert hit and all(line["low"] is None and line["high"] is None for line in hit)


def test_a_price_that_no_row_holds_on_that_day_is_missing_and_never_zero(prices: Prices) -> None:
    cost = estimate(WHOLE, prices, as_of="2026-10-01")
    assert {"kind": "price", "name": "models"}.items() <= cost["missing"][0].items()
    assert cost["api_per_month"]["models"] == []
    assert not cost["approaches"]["api"]["complete"]
    assert cost["items"]["own_card"]["low"] is None, "card prices begin in November"


def test_nothing_known_still_gives_an_answer_that_says_what_it_needs(prices: Prices) -> None:
    cost = estimate({}, prices)
    assert {"calls_per_day", "human_in_loop", "eval_examples", "n_labeled"} <= {
        entry["name"] for entry in cost["missing"]
    }
    assert cost["break_even"] == []


def test_the_date_picks_the_newest_row_that_is_not_after_it(tmp_path: Path) -> None:
    own = tmp_path / "costs.yaml"
    own.write_text(
        "numbers:\n  server_month:\n    rows:\n"
        "      - {as_of: 2026-03-01, value: 20, source: working-assumption}\n"
        "      - {as_of: 2026-09-01, value: 10, source: working-assumption}\n",
        encoding="utf-8",
    )
    dated = load_prices(RULES, own)
    found = {day: dated.on(day).numbers.get("server_month") for day in ("2026-02-28", "2026-03-01", "2026-08-31", "")}
    assert found["2026-02-28"] is None
    assert [found[day].low for day in ("2026-03-01", "2026-08-31", "")] == [20, 20, 10]  # type: ignore[union-attr]
    assert found[""].label == "One small server without a graphics card (2 vCPU, 4 GB)"  # type: ignore[union-attr]


def test_every_figure_names_its_assumptions_and_each_of_those_a_source_with_a_date(prices: Prices) -> None:
    cost = estimate(WHOLE, prices)
    known = {**cost["assumptions"], **cost["models"]}
    for line in [*cost["items"].values(), cost["api_per_month"]]:
        assert set(line["uses"]) <= set(known), line
        if line.get("low", True):
            assert line["uses"]
    for assumption in known.values():
        assert assumption["as_of"] and cost["sources"][assumption["source"]]["read"]


def test_totals_are_the_sum_of_their_lines(prices: Prices) -> None:
    cost = estimate(WHOLE, prices)
    renewals = cost["assumptions"]["retrainings_year"]
    for approach in cost["approaches"].values():
        for end in ("low", "high"):
            times = {"once": 1, "monthly": 12, "retraining": renewals[end]}
            whole = sum(cost["items"][name][end] * times[cost["items"][name]["recurs"]] for name in approach["items"])
            assert math.isclose(approach[end], whole, abs_tol=0.05)
            assert math.isclose(
                approach[end], sum(bucket[end] for bucket in approach["buckets"].values()), abs_tol=0.05
            )
            assert math.isclose(approach[end], approach["once"][end] + 12 * approach["per_month"][end], abs_tol=0.1)


def test_data_that_may_not_leave_is_priced_on_own_cards(prices: Prices) -> None:
    cost = estimate({**WHOLE, "data_may_leave": "no"}, prices)
    assert cost["items"]["calls"]["low"] == round(2.69 * 730, 2)
    assert "card_hour_h100" in cost["items"]["calls"]["uses"]


def test_labels_that_cannot_be_had_have_no_price(prices: Prices) -> None:
    cost = estimate({**WHOLE, "labels_obtainable": "impossible"}, prices)
    assert cost["items"]["training_set"]["low"] is None
    enough = estimate({**WHOLE, "labels_obtainable": "impossible", "n_labeled": 5000}, prices)
    assert enough["items"]["training_set"] | {"low": 0.0, "high": 0.0} == enough["items"]["training_set"]


def test_labels_without_a_stated_way_span_crowd_and_experts_and_say_so(prices: Prices) -> None:
    spans = {
        how: estimate({**WHOLE, "labels_obtainable": how}, prices)["items"]["training_set"]
        for how in ("cheap", "costly", None)
    }
    assert spans[None]["low"] == min(spans["cheap"]["low"], spans["costly"]["low"])
    assert spans[None]["high"] == max(spans["cheap"]["high"], spans["costly"]["high"])
    assert spans[None]["missing"] == ["labels_obtainable"]


def test_a_budget_is_held_against_each_bill(prices: Prices) -> None:
    within = {
        budget: estimate({**WHOLE, "budget_usd": budget}, prices)["approaches"]["prompt"]["within_budget"]
        for budget in (100, 20_000, 10_000_000)
    }
    assert within == {100: "no", 20_000: "perhaps", 10_000_000: "yes"}
    unknown = {**WHOLE, "human_in_loop": None, "budget_usd": 10_000_000}
    assert estimate(unknown, prices)["approaches"]["prompt"]["within_budget"] == "perhaps", (
        "a part of the bill is not known"
    )


def test_the_assumption_that_moves_a_bill_most_comes_first(prices: Prices) -> None:
    moves = what_moves(WHOLE, "rag", TODAY, prices)
    swings = [abs(move.high - move.low) for move in moves]
    assert swings == sorted(swings, reverse=True)
    assert {"person_month", "share_index"} <= {move.assumption for move in moves[:3]}
    assert "days_scratch" not in {move.assumption for move in moves}, "no part of this bill"


def test_the_same_facts_give_the_same_bill(prices: Prices) -> None:
    assert estimate(WHOLE, prices) == estimate(dict(reversed(WHOLE.items())), prices)


@given(
    calls=st.floats(0, 1e9),
    more=st.floats(1, 1e9),
    tokens=st.floats(1, 1e6),
    labels=st.integers(0, 10**6),
    leaves=st.sampled_from(["yes", "no", None]),
    checked=st.booleans(),
)
def test_a_range_is_never_upside_down_and_more_calls_never_cost_less(
    calls: float, more: float, tokens: float, labels: int, leaves: str | None, checked: bool
) -> None:
    facts = {
        **WHOLE,
        "tokens_per_call": tokens,
        "n_labeled": labels,
        "data_may_leave": leaves,
        "human_in_loop": checked,
    }
    few = estimate({**facts, "calls_per_day": calls}, load_prices(RULES))
    many = estimate({**facts, "calls_per_day": calls + more}, load_prices(RULES))
    for name, approach in few["approaches"].items():
        assert 0 <= approach["low"] <= approach["high"]
        assert approach["low"] <= many["approaches"][name]["low"] + 0.01
        assert approach["high"] <= many["approaches"][name]["high"] + 0.01
