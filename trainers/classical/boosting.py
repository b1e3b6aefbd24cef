"""Boosted trees by LightGBM, and ordered boosting by CatBoost where it is installed: the only file that loads either.

One thread a fit and an answer, fixed seeds. The models are kept in the libraries' own formats, as text or bytes inside
the skops file; those are data, not code. Watching unseen rows while boosting only decides when to stop early: how many
rounds are taken is chosen later, for each fold by the other folds (`search`).
"""

from __future__ import annotations

import functools
import importlib
import math
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from trainers.classical.blocks import Blocks
from trainers.classical.deadline import OrderedUntil, light_until
from trainers.classical.sums import answers_of, learnt_from, likeliest, sums_by_stage
from trainers.common.metrics import Floats
from trainers.common.policy import policy

_FIGURES = policy("classical")["boosting"]
_PATIENCE, _WATCHED_ROWS = (int(_FIGURES[name]) for name in ("patience", "watched_rows"))


@functools.cache
def library(name: str) -> Any:
    """LightGBM or CatBoost, or None where it is not installed or cannot be loaded (a missing libgomp, say)."""
    try:
        return importlib.import_module(name)
    except (ImportError, OSError):
        return None


def _predict(model: Any, features: Any) -> Floats:
    """Numbers [rows], or the class codes with the largest probability."""
    return likeliest(_predict_proba(model, features), _met(model))


def _predict_proba(model: Any, features: Any) -> Floats:
    """Probabilities [rows, classes met]; numbers [rows, 1] where there are no classes."""
    return answers_of(model._sums(features, 0, model.rounds_), _met(model), model.log)


def _stages(model: Any, features: Any) -> Iterator[tuple[int, Floats]]:
    """The answers after each number of rounds that may be chosen, and after the last round."""
    for rounds, sums in sums_by_stage(functools.partial(model._sums, features), model.rounds_):
        yield rounds, answers_of(sums, _met(model), model.log)


def _met(model: Any) -> Any:
    return model.classes_ if model.classes else np.empty(0)


class LightBoosting(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Leaf-wise boosted trees; `classes` is 0 for numbers, `categories` how many of the first columns are categories.

    `monotone` holds 1, -1 or 0 for each column; `log` learns the logarithm of a skewed target.
    """

    def __init__(
        self,
        classes: int = 0,
        categories: int = 0,
        rounds: int = 1000,
        rate: float = 0.05,
        leaves: int = 31,
        leaf: int = 20,
        share: float = 0.7,
        random_cuts: bool = False,
        log: bool = False,
        absolute: bool = False,
        monotone: tuple[int, ...] = (),
        seed: int = 0,
    ) -> None:
        self.classes, self.categories, self.rounds, self.rate, self.leaves = classes, categories, rounds, rate, leaves
        self.leaf, self.share, self.random_cuts, self.log, self.absolute = leaf, share, random_cuts, log, absolute
        self.monotone, self.seed = monotone, seed

    def fit(
        self, features: Floats, target: Any, sample_weight: Any = None, watch: Any = None, until: float = math.inf
    ) -> LightBoosting:
        """Grow up to `rounds` rounds, less when the clock passes `until` (time.monotonic).

        With `watch` (features, target, weights or None) it also ends when those rows have long gained nothing.
        """
        lightgbm = library("lightgbm")
        categories: Any = list(range(self.categories))
        options = {"categorical_feature": categories, "params": {"verbosity": -1}, "free_raw_data": True}
        truth, met = learnt_from(target, self.classes, self.log)
        if self.classes:
            self.classes_ = met
        table = lightgbm.Dataset(features, truth, weight=sample_weight, **options)
        watched, calls = [], [light_until(lightgbm, until)]
        if watch is not None:
            seen, said, counts = (None if one is None else one[:_WATCHED_ROWS] for one in watch)
            watched = [table.create_valid(seen, self._codes_of(said), counts, params={"verbosity": -1})]
            calls.append(lightgbm.early_stopping(_PATIENCE, verbose=False))
        booster = lightgbm.train(self._settings(len(features)), table, self.rounds, watched, callbacks=calls)
        self.text_ = booster.model_to_string(num_iteration=-1)
        _OPEN.pop(self, None)
        self.rounds_ = int(booster.current_iteration())
        return self

    predict, predict_proba, stages = _predict, _predict_proba, _stages

    def gains(self) -> Floats:
        """How much each column lowered the loss of the training rows [columns]; 0 for one that no tree asked."""
        return np.asarray(_open(self).feature_importance("gain"), dtype=np.float64)

    def _codes_of(self, target: Any) -> Any:
        """Unseen rows' target as the training rows' was written; a class not met there counts as the first."""
        if not self.classes:
            return np.log1p(np.maximum(target, 0)) if self.log else target
        codes = np.searchsorted(self.classes_, target)
        codes[codes >= len(self.classes_)] = 0
        return codes

    def _settings(self, rows: int) -> dict[str, Any]:
        found: dict[str, Any] = {
            "objective": "regression_l1" if self.absolute else "regression",
            "learning_rate": self.rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": max(2, min(self.leaf, rows // 20)),
            "feature_fraction": self.share,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "lambda_l2": 1.0,
            "extra_trees": self.random_cuts,
            "min_data_per_group": 20,
            "cat_smooth": 10.0,
            "num_threads": 1,
            "deterministic": True,
            "force_col_wise": True,
            "seed": self.seed,
            "verbosity": -1,
        }
        if self.classes:
            found["objective"] = "binary" if len(self.classes_) == 2 else "multiclass"
            if len(self.classes_) > 2:
                found["num_class"] = len(self.classes_)
        if any(self.monotone):
            found["monotone_constraints"] = list(self.monotone)
            found["monotone_constraints_method"] = "intermediate"
        return found

    def _opened(self) -> Any:
        lightgbm = library("lightgbm")
        if lightgbm is None:
            raise ValueError("this model needs the package lightgbm, which is not installed")
        return lightgbm.Booster(model_str=self.text_)

    def _sums(self, features: Any, start: int, end: int) -> Floats:
        sums = _open(self).predict(
            features, raw_score=True, start_iteration=start, num_iteration=end - start, num_threads=1
        )
        return np.asarray(sums, dtype=np.float64).reshape(len(features), -1)


class OrderedBoosting(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Symmetric trees over ordered target statistics: strong where there are many categories and few rows."""

    def __init__(
        self,
        classes: int = 0,
        categories: int = 0,
        rounds: int = 1000,
        rate: float = 0.05,
        depth: int = 6,
        log: bool = False,
        absolute: bool = False,
        seed: int = 0,
    ) -> None:
        self.classes, self.categories, self.rounds, self.rate = classes, categories, rounds, rate
        self.depth, self.log, self.absolute, self.seed = depth, log, absolute, seed

    def fit(
        self, features: Any, target: Any, sample_weight: Any = None, watch: Any = None, until: float = math.inf
    ) -> OrderedBoosting:
        """Grow up to `rounds` rounds, less when the clock passes `until` (time.monotonic).

        With `watch` (features, target, weights or None) it also ends when those rows have long gained nothing.
        """
        catboost = library("catboost")
        truth, met = learnt_from(target, self.classes, self.log)
        if self.classes:
            self.classes_ = met
        loss = "MAE" if self.absolute else "RMSE"
        if self.classes:
            loss = "Logloss" if len(self.classes_) == 2 else "MultiClass"
        model = catboost.CatBoost(
            {
                "loss_function": loss,
                "iterations": self.rounds,
                "learning_rate": self.rate,
                "depth": self.depth,
                "random_seed": self.seed,
                "thread_count": 1,
                "max_ctr_complexity": 2,
                # Left to itself it takes 1 below 200 rounds and 10 from there on: the rounds that were chosen would
                # then be grown otherwise than when they were chosen.
                **({"leaf_estimation_iterations": int(_FIGURES["leaf_steps"])} if loss == "Logloss" else {}),
                "allow_writing_files": False,
                "logging_level": "Silent",
            }
        )
        seen = None
        if watch is not None:
            there, said = watch[0][:_WATCHED_ROWS], watch[1][:_WATCHED_ROWS]
            kept = np.isin(said, self.classes_) if self.classes else slice(None)
            there, said = there[kept], said[kept]
            counts = None if watch[2] is None else watch[2][:_WATCHED_ROWS][kept]
            codes = np.searchsorted(self.classes_, said) if self.classes else np.log1p(said) if self.log else said
            seen = catboost.Pool(self._table(there), codes, weight=counts)
        stop = {"eval_set": seen, "early_stopping_rounds": _PATIENCE, "use_best_model": False} if seen else {}
        pool = catboost.Pool(self._table(features), truth, weight=sample_weight)
        model.fit(pool, callbacks=[OrderedUntil(until)], **stop)
        self.bytes_ = model._serialize_model()
        _OPEN.pop(self, None)
        self.rounds_ = int(model.tree_count_)
        return self

    predict, predict_proba, stages = _predict, _predict_proba, _stages

    def _table(self, features: Any) -> Any:
        if not isinstance(features, Blocks):  # a model of an earlier version makes one matrix of both
            whole = np.asarray(features)
            features = Blocks(whole[:, : self.categories].astype(object), whole[:, self.categories :])
        numbers = np.ascontiguousarray(features.numbers, dtype=np.float32) if features.numbers.shape[1] else None
        return library("catboost").FeaturesData(
            num_feature_data=numbers, cat_feature_data=features.categories if self.categories else None
        )

    def _opened(self) -> Any:
        catboost = library("catboost")
        if catboost is None:
            raise ValueError("this model needs the package catboost, which is not installed")
        return catboost.CatBoost().load_model(blob=self.bytes_)

    def _sums(self, features: Any, start: int, end: int) -> Floats:
        model = _open(self)
        pool = library("catboost").Pool(self._table(features))
        sums = model.predict(pool, prediction_type="RawFormulaVal", ntree_start=start, ntree_end=end, thread_count=1)
        return np.asarray(sums, dtype=np.float64).reshape(len(features), -1)


# What a model reads its trees from while it answers: beside the model, whose file holds text or bytes alone, and no
# longer than the model. A search makes dozens of them, of several MiB each.
_OPEN: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def _open(model: LightBoosting | OrderedBoosting) -> Any:
    found = _OPEN.get(model)
    if found is None:
        found = _OPEN[model] = model._opened()
    return found
