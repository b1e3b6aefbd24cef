"""Boosted trees answer after each number of rounds, obey what they are told, and are kept as data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from trainers.classical.boosting import LightBoosting, OrderedBoosting, library
from trainers.classical.model_file import TRUSTED
from trainers.classical.sums import STAGES
from trainers.common.skops_io import skops_io

ROWS = 400


def table() -> tuple[np.ndarray, np.ndarray]:
    """A category of three codes, then four numbers; the target is a wave of the first number plus the category."""
    draw = np.random.default_rng(0)
    numbers = draw.normal(size=(ROWS, 4))
    codes = draw.integers(0, 3, ROWS).astype(float)
    return np.column_stack([codes, numbers]), np.sin(2 * numbers[:, 0]) + codes + 0.1 * draw.normal(size=ROWS)


def in_classes(target: np.ndarray, classes: int) -> np.ndarray:
    """The target as codes of so many classes of equal size, or as it is."""
    return np.digitize(target, np.quantile(target, np.linspace(0, 1, classes + 1)[1:-1])) if classes else target


def as_read(model: object, features: np.ndarray) -> np.ndarray:
    """The features as the model reads them: CatBoost's categories are words."""
    if isinstance(model, LightBoosting):
        return features
    given = features.astype(object)
    given[:, 0] = [f"kind {int(code)}" for code in features[:, 0]]
    return given


def models(classes: int) -> list[object]:
    found: list[object] = [LightBoosting(classes=classes, categories=1, rounds=60)] if library("lightgbm") else []
    if library("catboost"):
        found.append(OrderedBoosting(classes=classes, categories=1, rounds=60))
    return found or [pytest.skip("neither lightgbm nor catboost is installed")]


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_last_stage_is_the_whole_model_and_a_row_alone_gets_the_same(classes: int) -> None:
    features, target = table()
    truth = in_classes(target, classes)
    for model in models(classes):
        given = as_read(model, features)
        model.fit(given, truth)
        answer = model.predict_proba if classes else model.predict
        *_, (rounds, last) = model.stages(given)
        assert rounds == 60
        whole = answer(given).reshape(ROWS, -1)
        assert last == pytest.approx(whole, abs=1e-9)
        assert np.array_equal(answer(given[:1]).reshape(1, -1), whole[:1])
        assert [at for at, _ in model.stages(given)] == [*(stage for stage in STAGES if stage < 60), 60]
        kept = skops_io().loads(skops_io().dumps(model), trusted=list(TRUSTED))
        assert np.array_equal((kept.predict_proba if classes else kept.predict)(given), answer(given))


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_rounds_that_were_chosen_of_many_are_grown_again_as_they_were(classes: int) -> None:
    features, target = table()
    truth = in_classes(target, classes)
    for short in models(classes):
        given = as_read(short, features)
        long = clone(short).set_params(rounds=400).fit(given, truth)
        within = dict(long.stages(given))[40]
        last = dict(clone(short).set_params(rounds=40).fit(given, truth).stages(given))[40]
        assert last == pytest.approx(within, abs=1e-6)


def test_watching_unseen_rows_ends_a_fit_that_gains_nothing() -> None:
    if library("lightgbm") is None:
        pytest.skip("lightgbm is not installed")
    features, _ = table()
    noise = np.random.default_rng(1).normal(size=ROWS)
    model = LightBoosting(rounds=1000).fit(features[:300], noise[:300], watch=(features[300:], noise[300:], None))
    assert model.rounds_ < 200


def test_a_fit_ends_with_the_rounds_it_has_when_its_time_is_up() -> None:
    features, target = table()
    for model in models(0):
        given = as_read(model, features)
        model.fit(given, target, until=0.0)
        assert model.rounds_ == 1
        assert np.isfinite(model.predict(given)).all()


def test_an_answer_told_to_rise_never_falls() -> None:
    if library("lightgbm") is None:
        pytest.skip("lightgbm is not installed")
    features, target = table()
    steps = np.tile(features[:50], (40, 1))
    steps[:, 1] = np.repeat(np.linspace(-2, 2, 40), 50)
    free, told = (
        LightBoosting(categories=1, rounds=100, monotone=ways).fit(features, target).predict(steps).reshape(40, 50)
        for ways in ((), (0, 1, 0, 0, 0))
    )
    assert (np.diff(free, axis=0) < -1e-9).any()
    assert (np.diff(told, axis=0) >= -1e-9).all()


def test_a_class_missing_from_some_rows_does_not_shift_the_others() -> None:
    features, target = table()
    truth = np.digitize(target, [0.0, 1.0])
    some = truth != 1
    for model in models(3):
        given = features if isinstance(model, LightBoosting) else features.astype(str).astype(object)
        if not isinstance(model, LightBoosting):
            given = np.column_stack([given[:, :1], features[:, 1:]]).astype(object)
        model.fit(given[some], truth[some])
        assert model.classes_.tolist() == [0, 2]
        assert model.predict_proba(given).shape == (ROWS, 2)
        assert (model.predict(given[some]) == truth[some]).mean() > 0.8
