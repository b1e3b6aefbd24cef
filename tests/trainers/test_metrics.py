"""Each metric is scikit-learn's own number, plain and with weights, and its interval means what it says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from advisor.base.errors import BadInput
from trainers.common.decide import Cut, best_cut, labelled
from trainers.common.intervals import bootstrap, midp_mcnemar, percentile, resamples, score, wilson
from trainers.common.metrics import METRICS, Output, metric_by_name

ROWS = 300
GENERATOR = np.random.default_rng(7)
TRUTH = GENERATOR.integers(0, 2, ROWS).astype(float)
# Rounded, so that ties occur and must be counted half.
SCORES = np.clip(np.round(0.3 * TRUTH + 0.7 * GENERATOR.random(ROWS), 2), 0.01, 0.99)
BINARY = labelled(np.stack([1 - SCORES, SCORES], axis=1), Cut(0.45))
CLASSES = GENERATOR.integers(0, 4, ROWS).astype(float)
SHARES = GENERATOR.dirichlet(np.ones(4), ROWS) + 0.5 * np.eye(4)[CLASSES.astype(int)]
MANY = labelled(SHARES / SHARES.sum(axis=1, keepdims=True), Cut())
NUMBERS = GENERATOR.normal(10, 3, ROWS)
PREDICTED = Output(numbers=NUMBERS + GENERATOR.normal(0, 1, ROWS))
WEIGHTS = GENERATOR.integers(0, 4, ROWS).astype(float)

BINARY_REFERENCE = {
    "roc_auc": lambda w: reference.roc_auc_score(TRUTH, SCORES, sample_weight=w),
    "average_precision": lambda w: reference.average_precision_score(TRUTH, SCORES, sample_weight=w),
    "log_loss": lambda w: reference.log_loss(TRUTH, SCORES, sample_weight=w),
    "brier": lambda w: reference.brier_score_loss(TRUTH, SCORES, sample_weight=w),
    "accuracy": lambda w: reference.accuracy_score(TRUTH, BINARY.labels, sample_weight=w),
    "balanced_accuracy": lambda w: reference.balanced_accuracy_score(TRUTH, BINARY.labels, sample_weight=w),
    "f1": lambda w: reference.f1_score(TRUTH, BINARY.labels, sample_weight=w),
    "precision": lambda w: reference.precision_score(TRUTH, BINARY.labels, sample_weight=w),
    "recall": lambda w: reference.recall_score(TRUTH, BINARY.labels, sample_weight=w),
    "macro_f1": lambda w: reference.f1_score(TRUTH, BINARY.labels, average="macro", sample_weight=w),
    "quadratic_kappa": lambda w: reference.cohen_kappa_score(
        TRUTH, BINARY.labels, weights="quadratic", sample_weight=w
    ),
}
MANY_REFERENCE = {
    "roc_auc": lambda w: reference.roc_auc_score(CLASSES, MANY.probabilities, multi_class="ovr", sample_weight=w),
    "log_loss": lambda w: reference.log_loss(CLASSES, MANY.probabilities, sample_weight=w),
    "accuracy": lambda w: reference.accuracy_score(CLASSES, MANY.labels, sample_weight=w),
    "balanced_accuracy": lambda w: reference.balanced_accuracy_score(CLASSES, MANY.labels, sample_weight=w),
    "macro_f1": lambda w: reference.f1_score(CLASSES, MANY.labels, average="macro", sample_weight=w),
    "quadratic_kappa": lambda w: reference.cohen_kappa_score(
        CLASSES, MANY.labels, weights="quadratic", sample_weight=w
    ),
}
NUMBER_REFERENCE = {
    "mae": lambda w: reference.mean_absolute_error(NUMBERS, PREDICTED.numbers, sample_weight=w),
    "rmse": lambda w: reference.root_mean_squared_error(NUMBERS, PREDICTED.numbers, sample_weight=w),
    "r2": lambda w: reference.r2_score(NUMBERS, PREDICTED.numbers, sample_weight=w),
}
CASES = [
    *((name, TRUTH, BINARY, f) for name, f in BINARY_REFERENCE.items()),
    *((name, CLASSES, MANY, f) for name, f in MANY_REFERENCE.items()),
    *((name, NUMBERS, PREDICTED, f) for name, f in NUMBER_REFERENCE.items()),
]


@pytest.mark.parametrize(("name", "truth", "output", "expected"), CASES, ids=lambda part: str(part)[:20])
def test_a_metric_is_the_field_s_own_number_plain_and_weighted(name, truth, output, expected) -> None:
    metric = METRICS[name]
    assert metric.value(truth, output) == pytest.approx(expected(np.ones(ROWS)), abs=1e-9)
    weighted = metric.values(truth, output, np.stack([np.ones(ROWS), WEIGHTS]))
    assert weighted[1] == pytest.approx(expected(WEIGHTS), abs=1e-9)


def test_a_target_of_large_numbers_close_together_is_measured_as_if_it_were_centred() -> None:
    draw = np.random.default_rng(0)
    centred = draw.normal(0, 10, 500)
    said = centred + draw.normal(0, 1, 500)
    metric, far = METRICS["r2"], 1.7e9
    expected = metric.value(centred, Output(numbers=said))
    assert expected == pytest.approx(0.99, abs=0.005)
    assert metric.value(centred + far, Output(numbers=said + far)) == pytest.approx(expected, abs=1e-5)
    assert np.isnan(metric.value(np.full(50, 0.1), Output(numbers=np.zeros(50))))


def test_every_metric_was_held_against_the_field() -> None:
    assert {name for name, *_ in CASES} == set(METRICS)


def test_a_metric_knows_which_direction_is_better() -> None:
    assert METRICS["rmse"].gain(ours=1.0, theirs=3.0) == 2.0
    assert METRICS["roc_auc"].gain(ours=0.9, theirs=0.7) == pytest.approx(0.2)


def test_an_unknown_metric_gets_a_guess_and_a_misfit_gets_the_list() -> None:
    assert metric_by_name("ROC-AUC", "binary").name == "roc_auc"
    with pytest.raises(BadInput) as caught:
        metric_by_name("acuracy", "binary")
    assert "accuracy" in caught.value.fix
    with pytest.raises(BadInput, match="does not measure a regression task"):
        metric_by_name("f1", "regression")


def test_f1_gets_the_cut_it_asks_for_and_accuracy_keeps_one_half() -> None:
    rare = (GENERATOR.random(2_000) < 0.08).astype(float)
    scores = np.clip(0.08 + 0.12 * rare + 0.05 * GENERATOR.normal(size=2_000), 0.001, 0.999)
    probabilities = np.stack([1 - scores, scores], axis=1)
    cut = best_cut(METRICS["f1"], rare, probabilities)
    tuned = METRICS["f1"].value(rare, labelled(probabilities, cut))
    assert tuned > METRICS["f1"].value(rare, labelled(probabilities, Cut())) + 0.3
    assert best_cut(METRICS["accuracy"], rare, probabilities) == Cut()


def test_rare_classes_are_lifted_for_macro_f1() -> None:
    truth = np.repeat([0.0, 1.0, 2.0], [900, 60, 40])
    strength = np.eye(3)[truth.astype(int)] * [0.2, 0.25, 0.25] + [0.7, 0.06, 0.04]
    noise = GENERATOR.dirichlet(np.ones(3) * 5, 1_000) * 0.2
    probabilities = (strength + noise) / (strength + noise).sum(axis=1, keepdims=True)
    metric = METRICS["macro_f1"]
    cut = best_cut(metric, truth, probabilities)
    assert cut.weights
    assert metric.value(truth, labelled(probabilities, cut)) > metric.value(truth, labelled(probabilities, Cut())) + 0.2


def test_wilson_is_the_published_interval() -> None:
    low, high = wilson(19, 20)
    assert (low, high) == pytest.approx((0.764, 0.991), abs=5e-4)  # Newcombe's calculator, 19 of 20
    assert wilson(0, 10)[0] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(0, 0, 1.0), (5, 5, 1.0), (10, 2, 0.0225), (1, 9, 0.0117), (30, 12, 0.0058)],
)
def test_midp_mcnemar_is_the_exact_sum(ours: int, theirs: int, expected: float) -> None:
    from math import comb

    total, fewer = ours + theirs, min(ours, theirs)
    if total:
        tail = sum(comb(total, k) for k in range(fewer + 1)) / 2**total
        by_hand = min(1.0, 2 * tail - comb(total, fewer) / 2**total)
        assert midp_mcnemar(ours, theirs) == pytest.approx(by_hand)
    assert midp_mcnemar(ours, theirs) == pytest.approx(expected, abs=5e-4)


def test_the_bootstrap_covers_the_truth_about_as_often_as_it_says() -> None:
    metric, covered, repeats = METRICS["mae"], 0, 200
    generator = np.random.default_rng(1)
    for seed in range(repeats):
        truth = np.zeros(80)
        output = Output(numbers=generator.normal(0, 1, 80))
        values = bootstrap(metric, truth, {"ours": output}, np.arange(80), seed, 400)["ours"]
        low, high = percentile(values, 0.95)
        covered += low <= np.sqrt(2 / np.pi) <= high
    assert 0.88 <= covered / repeats <= 0.99


def test_rows_that_belong_together_are_drawn_together_and_widen_the_interval() -> None:
    units = np.repeat(np.arange(10), 30)
    for weights in resamples(units, 0, 50):
        assert all(len(set(row[units == unit])) == 1 for row in weights for unit in range(10))
        assert (weights.sum(axis=1) == 300).all()
    truth = np.zeros(300)
    output = Output(numbers=np.repeat(np.random.default_rng(2).normal(0, 1, 10), 30))
    metric = METRICS["mae"]
    together = percentile(bootstrap(metric, truth, {"o": output}, units, 0, 500)["o"], 0.95)
    alone = percentile(bootstrap(metric, truth, {"o": output}, np.arange(300), 0, 500)["o"], 0.95)
    assert together[1] - together[0] > 3 * (alone[1] - alone[0])


def test_accuracy_on_rows_of_their_own_is_told_with_wilson() -> None:
    units = np.arange(ROWS)
    values = bootstrap(METRICS["accuracy"], TRUTH, {"o": BINARY}, units, 0, 100)["o"]
    found = score(METRICS["accuracy"], TRUTH, BINARY, units, values)
    assert found.method == "Wilson"
    assert (found.low, found.high) == wilson(int((BINARY.labels == TRUTH).sum()), ROWS)
