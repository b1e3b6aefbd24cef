"""The models that were chosen become the one that answers: what reads the columns alike is encoded once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import Silent

from trainers.classical.candidates import portfolio
from trainers.classical.choose import Chosen
from trainers.classical.columns import learn_schema, prepare
from trainers.classical.final import fitted
from trainers.classical.fitting import fit_fold, kept
from trainers.classical.model_file import load_model, save_model
from trainers.classical.pipelines import Setup
from trainers.classical.problem import Problem
from trainers.classical.search import Tried, search
from trainers.common.decide import Cut
from trainers.common.metrics import METRICS
from trainers.common.runfolder import work_file

ROWS = np.arange(400)


def problem() -> Problem:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"size": draw.normal(size=400), "town": draw.choice(["a", "b", "c"], 400)})
    schema = learn_schema(frame)
    truth = frame["size"].to_numpy() + (frame["town"] == "a") + draw.normal(size=400)
    setup = Setup(schema, 0, 400, 0)
    return Problem(prepare(frame, schema), truth, 0, [(ROWS[:300], ROWS[300:])], METRICS["rmse"], setup)


def blend(task: Problem, **shares: float) -> Chosen:
    names = {"small": "boosted trees, small", "trees": "boosted trees", "linear": "linear"}
    found = {one.name: one for one in portfolio(task.setup)}
    members = tuple((Tried(found[names[name]], rounds=0), share) for name, share in shares.items())
    for one, _ in members:
        one.rounds = 20 if one.candidate.random else 0
    return Chosen(members, (0,), "for a test")


def test_trees_that_read_the_columns_alike_become_one_member_and_answer_as_they_did_apart(tmp_path: Path) -> None:
    task = problem()
    model = fitted(task, blend(task, small=0.3, linear=0.5, trees=0.2), Cut(), ROWS)
    assert {member.name: round(member.weight, 9) for member in model.members} == {
        "boosted trees, small and boosted trees": 0.5,
        "linear": 0.5,
    }
    alone = [
        (share, fitted(task, blend(task, **{name: 1.0}), Cut(), ROWS).answer_prepared(task.prepared).numbers)
        for name, share in (("small", 0.3), ("linear", 0.5), ("trees", 0.2))
    ]
    together = model.answer_prepared(task.prepared).numbers
    assert together == pytest.approx(sum(share * numbers for share, numbers in alone if numbers is not None))
    save_model(tmp_path, model)
    assert np.array_equal(load_model(tmp_path).answer_prepared(task.prepared).numbers, together)  # type: ignore[arg-type]  # numbers are there


def test_random_trees_are_grown_several_times_only_where_rows_are_few_and_time_is_left() -> None:
    task = problem()
    chosen = blend(task, small=1.0)
    chosen.members[0][0].seconds[0] = 0.001
    assert len(fitted(task, chosen, Cut(), ROWS, 10.0).members[0].pipeline[-1].models_) == 3
    chosen.members[0][0].seconds[0] = 1e6
    assert not hasattr(fitted(task, chosen, Cut(), ROWS, 10.0).members[0].pipeline[-1], "models_")


def test_a_forest_is_a_mean_already_and_is_grown_once() -> None:
    task = problem()
    found = next(one for one in portfolio(task.setup) if one.name == "extra trees")
    chosen = replace(blend(task, linear=1.0), members=((Tried(found, seconds={0: 0.001}), 1.0),))
    assert not hasattr(fitted(task, chosen, Cut(), ROWS, 100.0).members[0].pipeline[-1], "models_")


def test_boosting_that_the_clock_ended_says_so_in_the_record_also_in_a_run_that_goes_on(tmp_path: Path) -> None:
    task = problem()
    boosted = [one for one in portfolio(task.setup) if one.name == "boosted trees"]
    cut = fit_fold(boosted[0], task, 0, until=0.0)
    assert cut.rounds.tolist() == [1], "the rounds it had"
    kept(work_file(tmp_path, "boosted-trees-0.npz"), cut)
    (told,) = search(task, boosted, tmp_path, Silent(), 60)
    assert told.note == "ended early on 1 of 1 folds, with what it had learnt: out of time"
    (whole,) = search(task, boosted, tmp_path / "anew", Silent(), 60)
    assert whole.note == "" and whole.answers[0].shape == cut.answers[-1].shape
