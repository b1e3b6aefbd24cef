"""A search shares out its time: a model that would take all of it is ended, so that the others meet every fold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from training_plans import Silent

from trainers.classical.candidates import Candidate, portfolio
from trainers.classical.columns import learn_schema, prepare
from trainers.classical.features import for_trees
from trainers.classical.pipelines import Setup
from trainers.classical.problem import Problem
from trainers.classical.search import search
from trainers.common.metrics import METRICS

ROWS, FOLDS = 500, 5


class Endless(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Boosting that goes on as long as it may, and learns the mean."""

    def fit(self, features: Any, target: Any, weights: Any = None, watch: Any = None, until: float = 0.0) -> Endless:
        while time.monotonic() < until:
            time.sleep(0.01)
        self.mean_ = float(np.mean(target))
        return self

    def stages(self, features: Any) -> Iterator[tuple[int, Any]]:
        yield 1, np.full((len(features), 1), self.mean_)


def test_a_model_that_would_take_all_the_time_leaves_the_other_folds_to_the_rest(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"size": draw.normal(size=ROWS)})
    schema, rows = learn_schema(frame), np.arange(ROWS)
    parts = np.array_split(rows, FOLDS)
    folds = [(np.setdiff1d(rows, part), part) for part in parts]
    setup = Setup(schema, 0, ROWS, 0)
    task = Problem(prepare(frame, schema), frame["size"].to_numpy(), 0, folds, METRICS["rmse"], setup)

    def build(_: Setup) -> Pipeline:
        return Pipeline([("features", for_trees(schema, 0, kind="continuous", impute=False)), ("model", Endless())])

    endless = Candidate("endless", 9, build, {}, turn=0)
    linear = next(one for one in portfolio(setup) if one.name == "linear")
    slow, quick = search(task, [endless, linear], tmp_path, Silent(), 8.0)
    assert slow.answers, "what it had learnt by then is kept"
    assert sorted(quick.answers) == list(range(FOLDS))
