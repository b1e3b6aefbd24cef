"""Charts: drawn from figures, the same each time, letters kept as letters, each with the same figures in words."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest
from report_examples import EXAMPLES, classical

from advisor.records.climb import ClimbRecord, RungMeasure
from advisor.records.run import RunRecord, Score
from advisor.report.blocks import Chart, Point, Points, Table
from advisor.report.charts import COLOURS, draw
from advisor.report.cost_charts import score_by_cost
from advisor.report.data_charts import score_comparison
from advisor.report.element import write
from advisor.report.learnt import what_it_learnt
from advisor.report.run_charts import by_steps_ahead, learning_curve, rates_tried, residuals
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


def with_diagnostics(**found: object) -> RunRecord:
    run = classical().run
    assert run is not None
    return replace(run, diagnostics=found)


def test_a_run_says_how_much_it_knows_by_heart_where_it_errs_and_what_it_cannot_tell() -> None:
    part = {"column": "region", "value": "<north>", "rows": 40, "error": 0.3, "low": 0.2, "high": 0.4, "elsewhere": 0.1}
    run = with_diagnostics(
        train_validation_gap={"train": 0.99, "validation": 0.81, "gap": 0.18},
        slices=[{**part, "worse": True}, {**part, "value": "south", "worse": False}, {"column": "torn"}],
        without={"calibration": "A row belongs to its nearest group.", "torn": "never", "learning_curve": ""},
    )
    told = list(what_it_learnt(run))
    assert "0.990 on what it learnt from, 0.810 on what it did not see" in str(told[0])
    (table,) = [one for one in told if isinstance(one, Table)]
    assert [row[0] for row in table.rows] == ["region: <north>", "region: south"]
    assert [str(row[-1].text) for row in table.rows] == ["worse", "as elsewhere"]  # type: ignore[union-attr]  # marks
    assert told[-1] == Points(("Calibration: A row belongs to its nearest group.",))


def test_a_forecast_has_words_of_its_own_and_is_drawn_by_steps_ahead() -> None:
    steps = [{"ahead": float(at), "miss": 0.1 * at, "half_interval": 0.2 * at} for at in range(1, 5)]
    curve = [{"rows": 50.0 * at, "value": 1 / at, "low": 0.9 / at, "high": 1.1 / at} for at in range(1, 4)]
    words = {"learning_curve": {"says": "A longer past.", "across": "steps of history"}}
    run = with_diagnostics(by_steps_ahead=steps, learning_curve=curve, words=words)
    (chart,) = learning_curve(run)
    assert chart.says.startswith("A longer past.") and chart.across == "steps of history"
    (chart,) = by_steps_ahead(run)
    assert [row[0] for row in chart.twin.rows] == ["1", "2", "3", "4"]
    assert "half of its interval" in write(draw(chart))
    torn = with_diagnostics(
        by_steps_ahead=[{"ahead": 1.0}], learning_curve=curve, words="none", slices="none", without=[]
    )
    assert not list(by_steps_ahead(torn)) and not list(what_it_learnt(torn))
    assert len(list(learning_curve(torn))) == 1


def test_the_rates_that_a_range_test_tried_are_drawn_with_the_one_taken_and_half_a_record_is_not() -> None:
    tried = {
        "rate": 1e-3,
        "rates": [1e-5, 1e-4, 1e-3, 1e-2],
        "losses": [1.3, 1.2, 0.4, 0.9],
        "said": "Found by a test.",
    }
    (chart,) = rates_tried(tried)
    assert [point.label for point in chart.points if point.ours] == ["0.001"]
    drawn = write(draw(chart))
    assert all(f"{rate:.2g}" in drawn for rate in (1e-5, 1e-4, 1e-3, 1e-2))
    assert [list(rates_tried(found)) for found in (None, {}, "rates", {**tried, "rate": "x"})] == [[]] * 4
