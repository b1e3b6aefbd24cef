"""A column of a few remarks stops no model, and what no model can read is told as that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import Silent

from advisor.base.errors import BadInput, BudgetReached
from trainers.classical.candidates import Candidate, portfolio
from trainers.classical.choose import Chosen, choose
from trainers.classical.columns import Column, Schema, prepare
from trainers.classical.final import fitted
from trainers.classical.fitting import fit_fold
from trainers.classical.pipelines import Setup
from trainers.classical.problem import Problem
from trainers.classical.search import Tried, search
from trainers.common.decide import Cut
from trainers.common.metrics import METRICS

ROWS = 400
SIMILAR = [f"call back after {day}" for day in ("monday", "friday", "lunch")] * 4
APART = ["aa bb cc", "dd ee ff", "gg hh ii", "jj kk ll", "mm nn oo", "pp qq rr"] * 2


def problem(remarks: list[str], monotone: tuple[tuple[str, int], ...] = ()) -> Problem:
    draw = np.random.default_rng(0)
    texts = np.full(ROWS, "", dtype=object)
    texts[:: ROWS // len(remarks)][: len(remarks)] = remarks
    frame = pd.DataFrame({"x": draw.normal(size=ROWS), "remark": texts})
    truth = (frame["x"] + draw.normal(size=ROWS) > 0).to_numpy(dtype=float)
    schema = Schema((Column("x", "number", distinct=ROWS), Column("remark", "text", distinct=12)))
    at = np.arange(ROWS)
    setup = Setup(schema, 2, ROWS, 0, rarest=150, monotone=monotone)
    return Problem(prepare(frame, schema), truth, 2, [(at[:300], at[300:])], METRICS["roc_auc"], setup)


@pytest.mark.parametrize(
    "remarks", [SIMILAR, list(dict.fromkeys(APART)), ["..."] * 12], ids=["similar", "apart", "none"]
)
def test_every_model_is_fitted_beside_a_dozen_remarks(remarks: list[str]) -> None:
    task = problem(remarks)
    for one in portfolio(task.setup):
        if one.name.startswith("words") and remarks[0] == "...":
            continue  # these read the remarks and the number alike
        found = fit_fold(one, task, 0, until=0.0)
        assert not found.wrong, f"{one.name}: {found.wrong}"
        assert np.isfinite(found.answers).all()


def test_trees_told_to_rise_are_told_of_no_more_columns_than_there_are() -> None:
    task = problem(SIMILAR, (("x", 1),))
    for one in portfolio(task.setup):
        assert not fit_fold(one, task, 0, until=0.0).wrong, one.name
        model = fitted(task, Chosen(((Tried(one, rounds=10), 1.0),), (0,), "for a test"), Cut(), np.arange(ROWS))
        assert model.answer_prepared(task.prepared).probabilities is not None


def test_a_failure_of_all_models_is_not_told_as_a_lack_of_time(tmp_path: Path) -> None:
    task = problem(SIMILAR)

    def fails(setup: Setup) -> None:
        raise RuntimeError("column 'remark' is made of stone")

    broken = Candidate("broken", 0, fails, {})  # type: ignore[arg-type]  # it never builds one
    tried = search(task, [broken], tmp_path, Silent(), 60)
    with pytest.raises(BadInput, match="No model could be fitted") as caught:
        choose(tried, task)
    assert "is made of stone" in caught.value.why
    with pytest.raises(BudgetReached, match="budget ended"):
        choose([*tried, Tried(broken, note="not tried: the time budget was used up")], task)
