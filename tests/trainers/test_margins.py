"""Margins become honest probabilities, copies become their mean, and reading a model loads nothing in vain."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.metrics import log_loss
from sklearn.svm import LinearSVC

from trainers.classical.margins import SoftMargins
from trainers.classical.several import Several, copies_of


@pytest.mark.parametrize("classes", [2, 5])
def test_probabilities_of_margins_are_better_than_the_shares_and_name_the_same_class(classes: int) -> None:
    features, target = make_classification(
        600, 20, n_informative=8, n_classes=classes, random_state=0, class_sep=0.8, flip_y=0.1
    )
    model = SoftMargins(0.5).fit(scipy.sparse.csr_matrix(features[:400]), target[:400])
    said = model.predict_proba(scipy.sparse.csr_matrix(features[400:]))
    shares = np.tile(np.bincount(target[:400]) / 400, (200, 1))
    assert said.sum(axis=1) == pytest.approx(1.0)
    assert log_loss(target[400:], said) < 0.85 * log_loss(target[400:], shares)
    plain = LinearSVC(C=0.5, random_state=0).fit(features[:400], target[:400]).predict(features[400:])
    assert (model.predict(scipy.sparse.csr_matrix(features[400:])) == plain).mean() > 0.95


def test_rows_that_count_nothing_teach_nothing() -> None:
    features, target = make_classification(300, 6, random_state=1)
    wrong = np.concatenate([target, 1 - target])
    counted = np.concatenate([np.ones(300), np.zeros(300)])
    model = SoftMargins(0.5).fit(np.vstack([features, features]), wrong, sample_weight=counted)
    assert (model.predict(features) == target).mean() > 0.8


def test_copies_grow_from_other_seeds_and_answer_with_their_weighted_mean() -> None:
    draw = np.random.default_rng(0)
    features = draw.normal(size=(200, 3))
    target = features[:, 0] + draw.normal(size=200)
    model = Several(copies_of(ExtraTreesRegressor(5, random_state=3), 3), [0.5, 0.3, 0.2]).fit(features, target)
    each = np.array([one.predict(features + 0.1) for one in model.models_])
    assert [one.random_state for one in model.models_] == [3, 104, 205]
    assert not np.allclose(each[0], each[1])
    assert model.predict(features + 0.1) == pytest.approx(np.average(each, axis=0, weights=[0.5, 0.3, 0.2]))


def test_reading_a_model_loads_neither_torch_nor_dask() -> None:
    code = (
        "import sys; from trainers.common.skops_io import skops_io; skops_io(); "
        "print(*(name in sys.modules for name in ('torch', 'dask')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
