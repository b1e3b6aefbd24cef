"""How each family of models is built for a problem: its features and its model in one pipeline.

Fixed settings rather than a search: each fit of a search would be one model less in the blend within the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline

from trainers.classical.boosting import LightBoosting, OrderedBoosting, library
from trainers.classical.columns import Schema
from trainers.classical.features import (
    few_of,
    for_linear,
    for_ordered,
    for_trees,
    for_vectors,
    many_of,
    numbers_of,
    topic_count,
)
from trainers.classical.margins import SoftMargins
from trainers.classical.pairs import PairsOfNumbers
from trainers.common.policy import policy


@dataclass(frozen=True)
class Setup:
    """What a candidate is built for: columns, classes (0 for numbers), rows, seed, and rows of the rarest class.

    `skewed` numbers have a long upper tail; `absolute` says that the metric counts absolute errors;
    `vectors` that the texts were read as sentence vectors. `monotone` names columns with which the answer may only
    rise (1) or fall (-1).
    """

    schema: Schema
    classes: int
    rows: int
    seed: int
    skewed: bool = False
    rarest: int = 0
    absolute: bool = False
    vectors: bool = False
    monotone: tuple[tuple[str, int], ...] = ()

    @property
    def target_kind(self) -> str:
        """The target's kind in scikit-learn's words."""
        return "continuous" if not self.classes else "binary" if self.classes == 2 else "multiclass"


def linear(setup: Setup, strength: float, *, splines: bool) -> Pipeline:
    """A slope for every number (with `splines`, a smooth curve), category and word."""
    features = for_linear(setup.schema, splines=splines, rows=setup.rows)
    if setup.classes:
        model: Any = LogisticRegression(C=strength, max_iter=2_000)
    else:
        model = Ridge(alpha=1.0 / strength)
        if setup.skewed:
            model = TransformedTargetRegressor(model, func=np.log1p, inverse_func=np.expm1, check_inverse=False)
    return Pipeline([("features", features), ("model", model)])


def words(setup: Setup, *, letters: bool) -> Pipeline:
    """Words, with `letters` also pieces of words, under a linear margin: the strongest cheap reading of short texts."""
    features = for_linear(setup.schema, letters=letters, rows=setup.rows)
    model: Any = SoftMargins(0.5, setup.seed) if setup.classes else Ridge(alpha=1.0)
    return Pipeline([("features", features), ("model", model)])


def vectors(setup: Setup, strength: float, *, tuned: bool = False) -> Pipeline:
    """Sentence vectors under a linear model: what a text says rather than its words, so few labels go far."""
    features = for_vectors(setup.schema, rows=setup.rows, tuned_by=setup.seed if tuned else None)
    early = setup.rows >= int(policy("classical")["texts"]["ends_early_from_rows"])
    patience = {"max_iter": 200, "tol": 1e-3} if early else {"max_iter": 1_000}
    model: Any = LogisticRegression(C=strength, **patience) if setup.classes else Ridge(alpha=3 / strength)
    return Pipeline([("features", features), ("model", model)])


def boosted(
    setup: Setup,
    *,
    leaves: int,
    rate: float = 0.05,
    leaf: int = 20,
    share: float = 0.7,
    random_cuts: bool = False,
    log: bool = False,
    pairs: bool = False,
) -> Pipeline:
    """LightGBM, or scikit-learn's histogram boosting where that is not installed; with `pairs`, of numbers too."""
    made = PairsOfNumbers(setup.classes, log, setup.seed) if pairs else None
    features = for_trees(setup.schema, setup.seed, kind=setup.target_kind, impute=False, rows=setup.rows, pairs=made)
    if library("lightgbm") is None:
        return Pipeline([("features", features), ("model", _histograms(setup, leaves, leaf, log=log))])
    model = LightBoosting(
        classes=setup.classes,
        categories=len(few_of(setup.schema)),
        rate=rate,
        leaves=leaves,
        leaf=leaf,
        share=share,
        random_cuts=random_cuts,
        log=log,
        # LightGBM takes no order to rise or fall with absolute errors; squared ones rise and fall alike.
        absolute=setup.absolute and not setup.monotone,
        monotone=_ways(setup),
        seed=setup.seed,
    )
    return Pipeline([("features", features), ("model", model)])


def _ways(setup: Setup) -> tuple[int, ...]:
    """1, -1 or 0 for each column that `for_trees` makes, in its order: codes, averages, numbers, topics."""
    if not setup.monotone:
        return ()
    before = [0] * len(few_of(setup.schema)) + [0] * len(many_of(setup.schema))
    ways = dict(setup.monotone)
    return (*before, *(ways.get(name, 0) for name in numbers_of(setup.schema)), *[0] * topic_count(setup.schema))


def _histograms(setup: Setup, leaves: int, leaf: int, *, log: bool) -> Any:
    """scikit-learn's own boosting, where LightGBM is not installed."""
    # Stopping early holds a tenth of the rows back: too much of a small table, and of a class of a few rows.
    stops_early = setup.rows >= 5_000 and (not setup.classes or setup.rarest >= 50)
    kind = HistGradientBoostingClassifier if setup.classes else HistGradientBoostingRegressor
    model: Any = kind(
        learning_rate=0.06,
        max_iter=150 if leaves < 10 else 300,
        max_leaf_nodes=leaves,
        min_samples_leaf=leaf,
        l2_regularization=1.0,
        max_features=0.5,
        categorical_features=list(range(len(few_of(setup.schema)))) or None,
        early_stopping=stops_early,
        n_iter_no_change=15,
        validation_fraction=0.1,
        monotonic_cst=_ways(setup) or None,
        random_state=setup.seed,
    )
    if log:
        return TransformedTargetRegressor(model, func=np.log1p, inverse_func=np.expm1, check_inverse=False)
    return model


def ordered(setup: Setup) -> Pipeline:
    """CatBoost, which reads categories for itself."""
    features = for_ordered(setup.schema, setup.seed, rows=setup.rows)
    model = OrderedBoosting(
        classes=setup.classes,
        categories=len(few_of(setup.schema)) + len(many_of(setup.schema)),
        rate=0.08 if setup.rows < 10_000 else 0.15,
        log=setup.skewed,
        absolute=setup.absolute,
        seed=setup.seed,
    )
    return Pipeline([("features", features), ("model", model)])


def forest(setup: Setup) -> Pipeline:
    """Extremely randomised trees: rough alone, and unlike the boosted ones, so good beside them."""
    features = for_trees(setup.schema, setup.seed, kind=setup.target_kind, impute=True, rows=setup.rows)
    kind = ExtraTreesClassifier if setup.classes else ExtraTreesRegressor
    leaf = 2 if setup.rows < 5_000 else 5
    share: Any = "sqrt" if setup.classes else 0.5
    model = kind(150, min_samples_leaf=leaf, max_features=share, random_state=setup.seed, n_jobs=1)
    return Pipeline([("features", features), ("model", model)])
