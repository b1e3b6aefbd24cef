"""Intervals and sets hold the truth as often as asked on rows that nobody had seen, and say so in numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from training_plans import LIGHT, Silent, plan_for, run_folder

from advisor.base.errors import BadInput
from advisor.base.tables import read_table
from trainers.classical import conformal
from trainers.classical.planning import share_to_hold
from trainers.common.metrics import Output
from trainers.registry import find_trainer

ROWS = 4_000


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_numbers_are_held_as_often_as_asked(share: float) -> None:
    draw = np.random.default_rng(0)
    truth, said = draw.normal(size=2 * ROWS), np.zeros((2 * ROWS, 1))
    bounds = conformal.learn(share, truth[:ROWS], said[:ROWS], 0)
    found = conformal.held(bounds, truth[ROWS:], Output(numbers=said[ROWS:, 0]))
    assert found["low"] <= share <= found["high"]


@pytest.mark.parametrize("share", [0.6, 0.9])
def test_sets_of_classes_hold_the_truth_as_often_as_asked(share: float) -> None:
    draw = np.random.default_rng(1)
    shares = draw.dirichlet(np.ones(4), 2 * ROWS)
    truth = np.array([draw.choice(4, p=row) for row in shares], dtype=float)
    bounds = conformal.learn(share, truth[:ROWS], shares[:ROWS], 4)
    output = Output(probabilities=shares[ROWS:], labels=np.argmax(shares[ROWS:], axis=1))
    found = conformal.held(bounds, truth[ROWS:], output)
    # The likeliest class always stays, so a set may hold more than asked, never less but by chance.
    assert found["high"] >= share
    assert 1 <= found["classes_a_row"] < 4
    told = conformal.beside(bounds, output, ("a", "b", "c", "d"))
    assert all("abcd"[np.argmax(row)] in one["possible"] for row, one in zip(shares[ROWS:], told, strict=True))


def test_a_run_asked_for_intervals_answers_with_them_and_tells_how_often_they_held(
    shared_data: Path, tmp_path: Path
) -> None:
    data = shared_data / "concrete" / "data.csv"
    plan = plan_for(data, "compressive_strength", "regression", "mae", settings={**LIGHT, "intervals": 0.9})
    run = run_folder(tmp_path)
    record = find_trainer("classical").train(plan, tmp_path, run, Silent())
    found = record.diagnostics["conformal"]
    assert found["low"] <= 0.9 <= found["high"]
    assert any("Asked to hold the truth 90%" in note for note in record.notes)
    rows = read_table(data).frame.head(5).to_dict("records")
    for answer in find_trainer("classical").predict(run, rows):
        assert answer["low"] < answer["prediction"] < answer["high"]
        assert answer["high"] - answer["low"] == pytest.approx(found["width"])


def test_a_share_that_cannot_be_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,y\n1,2\n", encoding="utf-8")
    for wrong in (1, 0.2, "often", True):
        with pytest.raises(BadInput, match="cannot hold the truth"):
            share_to_hold(plan_for(path, "y", "regression", "mae", settings={"intervals": wrong}))
