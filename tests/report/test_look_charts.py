"""The charts of what would make a test lie are drawn from the look, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

from advisor.records.look import Look, Pitfall, SplitProposal
from advisor.report.look_charts import copies_across_the_split, drift_over_time


def look(*pitfalls: Pitfall) -> Look:
    return Look("d.csv", "", "csv", (1000, 4), "y", (), (), pitfalls, SplitProposal())


def test_copies_are_drawn_beside_the_split_that_keeps_them_together() -> None:
    seen = look(Pitfall("P201", "duplicate-rows", "issue", evidence={"rows": 120, "straddling": 0.171}))
    (chart,) = copies_across_the_split(seen)
    assert [(point.label, round(point.value, 1)) for point in chart.points] == [
        ("Random split", 17.1),
        ("Split proposed here", 0.0),
    ]
    assert "120 rows of 1,000" in chart.says
    in_time = replace(seen, split=SplitProposal("time"))
    assert not list(copies_across_the_split(in_time)), "a split by time keeps no copies together"


def test_drift_is_drawn_column_by_column_with_its_limit() -> None:
    evidence: dict[str, object] = {"distances": {"price": 0.41, "age": 0.05}, "limit": 0.25}
    (chart,) = drift_over_time(look(Pitfall("P504", "drift", "issue", evidence=evidence)))
    assert [(point.label, point.value) for point in chart.points] == [("price", 0.41), ("age", 0.05)]
    assert "From 0.25 on" in chart.says


def test_nothing_is_drawn_where_nothing_was_measured() -> None:
    odd: dict[str, object] = {"rows": "many", "straddling": float("nan"), "distances": [1, 2]}
    for seen in (
        look(),
        look(Pitfall("P201", "d", "passed", evidence=odd), Pitfall("P504", "d", "passed", evidence=odd)),
    ):
        assert not list(copies_across_the_split(seen)) and not list(drift_over_time(seen))
