"""Charts: drawn from figures, the same each time, letters kept as letters, each with the same figures in words."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from report_examples import EXAMPLES, classical

from advisor.records.climb import ClimbRecord, RungMeasure
from advisor.records.run import Score
from advisor.report.blocks import Chart, Point, Table
from advisor.report.charts import COLOURS, draw
from advisor.report.cost_charts import score_by_cost
from advisor.report.data_charts import score_comparison
from advisor.report.element import write
from advisor.report.run_charts import learning_curve, residuals
from advisor.report.story import tell

CHARTS = {
    block.name: block
    for name in EXAMPLES
    for section in tell(EXAMPLES[name]()).sections
    for block in section.blocks
    if isinstance(block, Chart)
}


def test_a_run_a_look_and_a_bill_are_drawn() -> None:
    assert set(CHARTS) == {
        "scores",
        "learning-curve",
        "class-balance",
        "missing-values",
        "costs",
        "more-labels",
        "importance",
        "confusion",
        "calibration",
        "loss",
        "cost-by-volume",
        "what-moves-it",
    }


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_the_same_each_time(name: str) -> None:
    assert write(draw(CHARTS[name])) == write(draw(CHARTS[name]))


@pytest.mark.parametrize("name", CHARTS)
def test_letters_stay_letters_and_colours_are_the_pages_own(name: str) -> None:
    drawn = write(draw(CHARTS[name]))
    assert CHARTS[name].shape == "matrix" or CHARTS[name].axis in drawn
    assert not [colour for colour in COLOURS if colour in drawn]
    assert "var(--ink)" in drawn
    assert not re.search(r"(fill|stroke):\s*#(?!0*\b)", drawn)


@pytest.mark.parametrize("name", CHARTS)
def test_each_row_of_a_chart_is_a_row_of_its_table(name: str) -> None:
    chart = CHARTS[name]
    if chart.shape == "matrix":
        told = [cell for row in chart.twin.rows for cell in row[1:]]
        assert [f"{point.value:,.0f}" for point in chart.points] == told
        return
    if chart.shape in ("lines", "trends"):
        assert len({point.label for point in chart.points}) == len(chart.twin.columns) - 1
        return
    assert len(chart.points) == len(chart.twin.rows)
    if chart.shape not in ("curve", "calibration"):
        drawn = write(draw(chart))
        for point, row in zip(chart.points, chart.twin.rows, strict=True):
            assert row[0] == point.label
            assert point.label[:30] in drawn


def test_the_scores_are_drawn_where_they_lie() -> None:
    run = classical().run
    assert run is not None
    chart = score_comparison(run)
    drawn = write(draw(chart))
    for comparison in run.gate.comparisons:
        assert f"{comparison.theirs.value:.3f}" in drawn
    assert f"{run.sealed.value:.3f}" in drawn


def test_residuals_and_paid_rungs_are_drawn() -> None:
    quantiles = {"0.05": -9.0, "0.25": -2.0, "0.5": 0.5, "0.75": 3.0, "0.95": 11.0}
    found = {"quantiles_of_predicted_minus_actual": quantiles, "share_within_10_percent": 0.61}
    chart, told = residuals(found)
    assert isinstance(chart, Chart) and "nine rows in ten" in write(draw(chart))
    assert "61%" in str(told)
    assert list(residuals({"quantiles_of_predicted_minus_actual": {"0.05": "text"}})) == []
    scores = [Score("accuracy", value, value - 0.05, value + 0.05, 100) for value in (0.7, 0.8, 0.9)]
    rungs = tuple(
        RungMeasure(f"rung {at}", "prompt", "enough", "", score, usd_per_thousand=usd)
        for at, (score, usd) in enumerate(zip(scores, (0.0, 0.2, 9.0), strict=True))
    )
    climb = ClimbRecord("classify", "accuracy", 0.85, "m", rungs, "rung 2", "", None, 0.1, ())
    (chart,) = score_by_cost(climb)
    assert [point.label for point in chart.points] == ["Rung 1", "Rung 2"], "a free way has no place on this scale"
    assert chart.bar == 0.85 and "Rung 2" in write(draw(chart))


def test_the_rival_is_the_best_of_the_cheaper_ways() -> None:
    run = classical().run
    assert run is not None
    (chart,) = learning_curve(run)
    assert chart.bar == max(item.theirs.value for item in run.gate.comparisons)


def test_a_dollar_sign_is_a_dollar_sign_and_any_script_can_be_drawn() -> None:
    points = (Point("$a_1$ <b>", 3.0), Point("客户 \uffff", 2.0))
    drawn = write(draw(Chart("c", "t", "s", "bars", "rows", points, Table(("a",), ()))))
    assert "$a_1$ &lt;b&gt;" in drawn
    assert "客户" in drawn


def test_matplotlib_is_loaded_only_when_something_is_drawn() -> None:
    program = (
        "import sys; import advisor.report.page, advisor.report.story, advisor.report.markdown, advisor.cli.report\n"
        "print([name for name in ('matplotlib', 'rich', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
