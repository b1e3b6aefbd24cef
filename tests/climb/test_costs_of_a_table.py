"""Where a plan states what errors cost, a climb over a table tells what each rung's answers cost beside its measure."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "trainers"))

from training_plans import LIGHT, Silent, plan_for, written

from advisor.cli.climb_page import draw
from advisor.cli.output import Output
from advisor.records.climb import ClimbRecord
from trainers.climb.table import TableClimb


def climbed(folder: Path, **settings: object) -> ClimbRecord:
    draw_of = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draw_of.normal(size=300), "z": draw_of.normal(size=300)})
    frame["state"] = np.where(frame["x"] + frame["z"] + draw_of.normal(size=300) > 1.5, "ill", "well")
    plan = plan_for(written(frame, folder), "state", "binary", "accuracy", settings={**LIGHT, **settings})
    return TableClimb(plan, folder, folder / "work", Silent()).climb("2026-11-22")


def test_what_answers_cost_stands_beside_the_measure_where_costs_are_stated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "work").mkdir()
    record = climbed(tmp_path, error_costs={"ill": {"well": 20}, "well": {"ill": 1}})
    cost = {rung.name: rung.extra["cost_a_row"] for rung in record.rungs}
    # Always "ill" costs 1 for each who is well; always "well", which is right more often, would cost 20 for each ill.
    well = next(rung.score.value for rung in record.rungs if rung.name == "always the same" and rung.score)
    assert cost["always the same"] == pytest.approx(well, abs=0.02)
    assert min(cost, key=lambda name: cost[name]) == "trained model"
    assert any("cheapest answers are those of trained model" in note for note in record.notes)
    draw(record, Output(bare=True))
    shown = capsys.readouterr().out
    assert "cost a row" in shown
    assert f"{cost['trained model']:.4g}" in shown


def test_without_stated_costs_nothing_is_said_of_them(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    record = climbed(tmp_path)
    assert not any("cost_a_row" in rung.extra for rung in record.rungs)
    assert not any("costs of errors" in note for note in record.notes)
