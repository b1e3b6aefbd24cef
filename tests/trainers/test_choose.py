"""A blend or a calibration is taken only when it gains on rows it did not see; else the simplest good model is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from advisor.base.errors import BudgetReached
from trainers.classical.blend import best_temperature, blend_weights, log_loss, more_than_noise, tempered
from trainers.classical.candidates import Candidate
from trainers.classical.choose import choose
from trainers.classical.columns import Schema
from trainers.classical.fitting import FoldAnswers
from trainers.classical.pipelines import Setup
from trainers.classical.problem import Problem
from trainers.classical.search import Tried, choose_rounds
from trainers.common.metrics import METRICS

ROWS, FOLDS = 500, 5


def problem(metric: str, classes: int, seed: int = 0) -> Problem:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, ROWS).astype(float) if classes else generator.normal(10, 2, ROWS)
    fold = np.arange(ROWS) % FOLDS
    folds = [(np.flatnonzero(fold != at), np.flatnonzero(fold == at)) for at in range(FOLDS)]
    return Problem(pd.DataFrame(), truth, classes, folds, METRICS[metric], Setup(Schema(()), classes, ROWS, seed))


def tried(name: str, simplicity: int, task: Problem, answers: np.ndarray, folds: int = FOLDS) -> Tried:
    candidate = Candidate(name, simplicity, lambda setup: None, {"of": name})
    found = {at: answers[task.folds[at][1]] for at in range(folds)}
    return Tried(candidate, found, dict.fromkeys(found, 1.0))


def noisy(task: Problem, noise: float, seed: int) -> np.ndarray:
    return (task.truth + noise * np.random.default_rng(seed).normal(size=ROWS)).reshape(-1, 1)


def test_of_equally_good_models_the_simplest_is_taken() -> None:
    task = problem("mae", 0)
    answers = noisy(task, 1.0, 1)
    wiggle = answers + 0.02 * np.random.default_rng(2).normal(size=answers.shape)
    chosen = choose([tried("simple", 0, task, wiggle), tried("complex", 5, task, answers)], task, blends=False)
    assert chosen.name == "simple"


def test_a_clearly_better_model_is_taken_although_it_is_not_simple() -> None:
    task = problem("mae", 0)
    models = [tried("simple", 0, task, noisy(task, 2.0, 1)), tried("complex", 5, task, noisy(task, 1.0, 2))]
    assert choose(models, task, blends=False).name == "complex"


def test_models_that_err_differently_are_blended_and_copies_are_not() -> None:
    task = problem("rmse", 0)
    apart = [tried("one", 0, task, noisy(task, 1.0, 1)), tried("two", 5, task, noisy(task, 1.0, 2))]
    chosen = choose(apart, task)
    assert chosen.name == "blend of one and two"
    assert [share for _, share in chosen.members] == pytest.approx([0.5, 0.5], abs=0.15)
    assert "gained" in chosen.reason
    assert chosen.score(task).value < min(one.score(task).value for one in apart)
    same = [tried("one", 0, task, noisy(task, 1.0, 1)), tried("two", 5, task, noisy(task, 1.0, 1))]
    assert choose(same, task).name == "one"


def test_blend_shares_sum_to_one_and_a_useless_model_gets_none() -> None:
    task = problem("mae", 0)
    shares = blend_weights([noisy(task, 1.0, 1), noisy(task, 1.0, 2), noisy(task, 40.0, 3)], task.truth, 0, "mae")
    assert shares.sum() == pytest.approx(1)
    assert shares[2] == 0


def probabilities(task: Problem, sureness: float) -> np.ndarray:
    """Probabilities that are right on average at sureness 1, and too sure above."""
    generator = np.random.default_rng(5)
    score = generator.normal(size=ROWS)
    chance = 1 / (1 + np.exp(-score))
    task.truth[:] = generator.random(ROWS) < chance
    said = 1 / (1 + np.exp(-sureness * score))
    return np.stack([1 - said, said], axis=1)


def test_overconfident_probabilities_are_tempered_and_honest_ones_left() -> None:
    task = problem("roc_auc", 2)
    chosen = choose([tried("sure", 0, task, probabilities(task, 3.0))], task)
    assert chosen.temperature == pytest.approx(3.0, rel=0.3)
    task = problem("roc_auc", 2)
    assert choose([tried("honest", 0, task, probabilities(task, 1.0))], task).temperature == 1.0


def test_a_temperature_keeps_the_order_and_the_sum() -> None:
    task = problem("roc_auc", 2)
    sure = probabilities(task, 3.0)
    heat = best_temperature(sure, task.truth)
    cooled = tempered(sure, heat)
    assert cooled.sum(axis=1) == pytest.approx(np.ones(ROWS))
    assert (np.argsort(cooled[:, 1], kind="stable") == np.argsort(sure[:, 1], kind="stable")).all()
    assert log_loss(cooled, task.truth) < log_loss(sure, task.truth)


def test_a_model_a_fold_short_is_still_compared_on_the_folds_shared() -> None:
    task = problem("mae", 0)
    models = [tried("whole", 0, task, noisy(task, 2.0, 1)), tried("short", 5, task, noisy(task, 0.5, 2), folds=4)]
    chosen = choose(models, task, blends=False)
    assert chosen.name == "short"
    assert "over 4 folds" in chosen.reason


def test_no_model_at_all_is_a_budget_reached() -> None:
    task = problem("mae", 0)
    with pytest.raises(BudgetReached, match="before one model"):
        choose([Tried(Candidate("none", 0, lambda setup: None, {}))], task)


def test_noise_is_not_a_gain() -> None:
    generator = np.random.default_rng(0)
    fooled = sum(more_than_noise(generator.normal(size=5)) for _ in range(2_000))
    assert 0.1 < fooled / 2_000 < 0.25  # one standard error of five folds: about one in five
    assert not more_than_noise(np.array([0.5]))


def test_the_best_of_many_equal_models_is_not_believed() -> None:
    """Thirty models of the same worth: the luckiest looks better than it is, and the honest score takes that back."""
    lucky, honest, true = [], [], []
    for seed in range(6):
        task = problem("rmse", 0, seed)
        models = [tried(f"model {at}", 0, task, noisy(task, 1.0, 100 * seed + at)) for at in range(30)]
        chosen = choose(models, task, blends=False)
        assert chosen.honest is not None
        lucky.append(chosen.score(task).value)
        honest.append(chosen.honest.value)
        true.append(1.0)
    assert np.mean(lucky) < 0.97
    assert abs(np.mean(honest) - 1.0) < abs(np.mean(lucky) - 1.0)


def test_the_rounds_for_a_fold_are_chosen_by_the_other_folds() -> None:
    task = problem("rmse", 0)
    generator = np.random.default_rng(3)
    one = Tried(Candidate("boosted", 0, lambda setup: None, {}))
    for at, (_, validate) in enumerate(task.folds):
        # After 16 rounds the answers are best on every fold but the first, where 10 do better.
        noise = {10: 0.5 if at == 0 else 2.0, 16: 1.0}
        answers = np.stack(
            [
                (task.truth[validate] + noise[rounds] * generator.normal(size=len(validate))).reshape(-1, 1)
                for rounds in (10, 16)
            ]
        )
        one.stages[at] = FoldAnswers(np.array([10, 16]), answers, 1.0)
        one.answers[at] = answers[-1]
    choose_rounds(one, task)
    assert one.rounds == 16
    assert np.array_equal(one.answers[0], one.stages[0].answers[1])
