"""Small networks learn products of columns, count weights, and answer a row alone as among others, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from trainers.classical.networks import SmallNetworks

ROWS = 600


def table() -> tuple[np.ndarray, np.ndarray]:
    """Three numbers; the target is the product of the first two."""
    numbers = np.random.default_rng(0).normal(size=(ROWS, 3))
    return numbers, numbers[:, 0] * numbers[:, 1]


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_a_product_of_columns_is_learnt_and_a_row_alone_gets_the_same(classes: int) -> None:
    features, product = table()
    truth = np.digitize(product, [0.0] if classes == 2 else [-0.4, 0.4]) if classes else product
    model = SmallNetworks(classes=classes).fit(features[:400], truth[:400])
    answers, said = model.predict_proba(features[400:]), model.predict(features[400:])
    if classes:
        assert answers.sum(axis=1) == pytest.approx(1)
        assert np.mean(said == truth[400:]) > 0.8
    else:
        assert np.corrcoef(said, truth[400:])[0, 1] > 0.9
    assert np.array_equal(model.predict_proba(features[400:401]), answers[:1])
    assert np.array_equal(model.predict_proba(scipy.sparse.csr_matrix(features[400:])), answers)


def test_a_weight_counts_a_row_and_the_same_seed_gives_the_same_network() -> None:
    features, product = table()
    truth = (product > 0).astype(int)
    weights = np.where(truth == 1, 20.0, 1.0)
    plain, again = (SmallNetworks(classes=2, seed=3).fit(features, truth).predict_proba(features) for _ in range(2))
    weighted = SmallNetworks(classes=2, seed=3).fit(features, truth, weights).predict_proba(features)
    assert np.array_equal(plain, again)
    assert weighted[:, 1].mean() > plain[:, 1].mean() + 0.01


def test_a_skewed_number_is_learnt_by_its_logarithm_and_stays_above_minus_one() -> None:
    features, product = table()
    model = SmallNetworks(log=True).fit(features, np.expm1(np.abs(product)))
    assert (model.predict(features) > -1).all()
