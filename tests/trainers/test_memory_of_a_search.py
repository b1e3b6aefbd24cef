"""A search holds no more than it needs, and many rows are answered as one row alone would be."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import Silent

from advisor.base.errors import BadInput
from trainers.classical import boosting
from trainers.classical.blocks import Blocks
from trainers.classical.boosting import OrderedBoosting, library
from trainers.classical.candidates import portfolio
from trainers.classical.choose import Chosen
from trainers.classical.columns import learn_schema, prepare
from trainers.classical.final import fitted, fitted_in_time
from trainers.classical.fitting import fit_fold
from trainers.classical.model_file import Model, load_model, save_model
from trainers.classical.pipelines import Setup
from trainers.classical.problem import Problem
from trainers.classical.search import Tried, search
from trainers.common.decide import Cut
from trainers.common.metrics import METRICS
from trainers.common.runfolder import work_file

ROWS = np.arange(300)


def problem(rows: int = 300) -> Problem:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"size": draw.normal(size=rows), "town": draw.choice(["a", "b", "c"], rows)})
    frame["kind"], frame["old"] = draw.choice(["x", "y"], rows), draw.choice(["yes", "no"], rows)
    truth = frame["size"].to_numpy() + (frame["town"] == "a") + draw.normal(size=rows)
    schema = learn_schema(frame)
    at = np.arange(rows)
    folds = [(at[at % 2 == part], at[at % 2 != part]) for part in (0, 1)]
    return Problem(prepare(frame, schema), truth, 0, folds, METRICS["rmse"], Setup(schema, 0, rows, 0))


def of_name(task: Problem, *names: str) -> list:
    return [one for one in portfolio(task.setup) if one.name in names]


def model_of(task: Problem, name: str, rounds: int = 0) -> Model:
    (one,) = of_name(task, name)
    return fitted(
        task, Chosen(((Tried(one, rounds=rounds), 1.0),), (0,), "for a test"), Cut(), np.arange(len(task.truth))
    )


def test_trees_that_were_only_tried_are_not_held() -> None:
    task = problem()
    before = len(boosting._OPEN)
    for one in of_name(task, "boosted trees, small", "ordered boosting"):
        assert not fit_fold(one, task, 0).wrong
    gc.collect()
    assert len(boosting._OPEN) == before


def test_a_search_holds_the_losses_of_stages_and_reads_the_chosen_one_again(tmp_path: Path) -> None:
    task = problem()
    (one,) = search(task, of_name(task, "boosted trees, small"), tmp_path, Silent(), 600)
    assert one.rounds and set(one.answers) == {0, 1}
    assert all(found.answers.size == 0 and len(found.losses) == len(found.rounds) for found in one.stages.values())
    whole = fit_fold(one.candidate, task, 0)
    assert any(np.array_equal(one.answers[0], answer) for answer in whole.answers)
    work_file(tmp_path, "boosted-trees-small-0.npz").unlink()
    with pytest.raises(BadInput, match="answers of a finished fit are gone"):
        one.stages[0].at_stage(0)


def test_numbers_do_not_become_objects_for_ordered_boosting_and_older_models_still_answer(tmp_path: Path) -> None:
    if library("catboost") is None:
        pytest.skip("catboost is not installed")
    task = problem()
    model = model_of(task, "ordered boosting", 20)
    features, last = model.members[0].pipeline[0], model.members[0].pipeline[-1]
    made = features.transform(task.prepared)
    assert isinstance(made, Blocks) and made.numbers.dtype == np.float64
    assert isinstance(last, OrderedBoosting)
    one_matrix = np.column_stack([made.categories, made.numbers.astype(object)])
    assert np.array_equal(last.predict(one_matrix), last.predict(made))
    save_model(tmp_path, model)
    ours = model.answer_prepared(task.prepared).numbers
    assert ours is not None
    assert np.array_equal(load_model(tmp_path).answer_prepared(task.prepared).numbers, ours)  # type: ignore[arg-type]  # numbers are there


def test_a_table_of_categories_alone_is_read_by_every_model() -> None:
    task, draw = problem(), np.random.default_rng(1)
    frame = pd.DataFrame({"town": draw.choice(["a", "b", "c"], 300), "kind": draw.choice(["x", "y"], 300)})
    schema = learn_schema(frame)
    task = replace(task, prepared=prepare(frame, schema), setup=replace(task.setup, schema=schema))
    for one in portfolio(task.setup):
        assert not fit_fold(one, task, 0, until=0.0).wrong, one.name


@pytest.mark.parametrize("name", ["linear", "boosted trees, small", "ordered boosting", "extra trees"])
def test_many_rows_in_chunks_get_the_answers_they_get_apart(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    if name == "ordered boosting" and library("catboost") is None:
        pytest.skip("catboost is not installed")
    monkeypatch.setattr("trainers.classical.chunks.processors", lambda: 3)
    task = problem()
    model = model_of(task, name, 20 if "boost" in name else 0)
    many = pd.concat([task.prepared] * 8, ignore_index=True)  # enough rows to be shared out
    alone, together = model.answer_prepared(task.prepared).numbers, model.answer_prepared(many).numbers
    assert alone is not None and together is not None
    assert np.array_equal(together, np.tile(alone, 8))


def test_the_last_fit_ends_with_the_budget_and_says_so() -> None:
    task = problem()
    (small,) = of_name(task, "boosted trees, small")
    chosen = Chosen(((Tried(small, rounds=200), 1.0),), (0,), "for a test")
    model = fitted(task, chosen, Cut(), ROWS, until=0.0)
    assert model.members[0].pipeline[-1].rounds_ == 1
    whole, note = fitted_in_time(task, chosen, Cut(), ROWS, 600.0)
    assert (whole.members[0].pipeline[-1].rounds_, note) == (200, "")
    copies = replace(chosen, members=((Tried(small, rounds=200, seconds={0: 0.001}), 1.0),))
    grown = fitted(task, copies, Cut(), ROWS, seconds=10.0, until=0.0).members[0].pipeline[-1].models_
    assert [one.rounds_ for one in grown] == [1, 1, 1]


def test_a_wide_table_of_few_rows_is_timed_before_it_is_learnt_from() -> None:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(draw.normal(size=(600, 400)), columns=[f"x{n}" for n in range(400)])
    truth = (frame["x0"] > 0).to_numpy(dtype=float) + (np.arange(600) == 599)  # one row of a third class
    schema = learn_schema(frame)
    setup = Setup(schema, 3, 600, 0, rarest=1)
    at = np.arange(600)
    task = Problem(prepare(frame, schema), truth, 3, [(at[100:], at[:100])], METRICS["log_loss"], setup)
    (linear,) = of_name(task, "linear")
    refused = fit_fold(linear, task, 0, seconds=1e-6)
    assert "more than is left" in refused.wrong
    assert not fit_fold(linear, task, 0, seconds=600.0).wrong
