"""Pairs of numbers as columns: chosen by what they tell, the same for a row alone, gaps where no number is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import Silent, plan_for, run_folder, written

from trainers.classical.candidates import names
from trainers.classical.pairs import DIFFERENCE, PRODUCT, RATIO, PairsOfNumbers
from trainers.registry import find_trainer

ROWS = 600


def numbers() -> np.ndarray:
    # As wide as the columns are made, so that they can be told apart from others to the last bit.
    return np.random.default_rng(0).uniform(1, 9, size=(ROWS, 5)).astype(np.float32)


WAYS = {
    PRODUCT: lambda left, right: left * right,
    RATIO: lambda left, right: left / right,
    DIFFERENCE: lambda left, right: left - right,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_the_pair_that_decides_the_answer_is_among_the_columns_made(way: int, classes: int) -> None:
    table = numbers()
    decides = WAYS[way](table[:, 1], table[:, 3])
    truth = np.digitize(decides, np.quantile(decides, [0.5] if classes == 2 else [0.3, 0.7])) if classes else decides
    pairs = PairsOfNumbers(classes=classes)
    made = pairs.fit_transform(table, truth)
    kept = list(zip(pairs.first_, pairs.second_, pairs.way_, strict=True))
    assert kept.count((1, 3, way)) == 1
    assert np.array_equal(made[:, kept.index((1, 3, way))], decides)
    assert np.array_equal(pairs.transform(table[:1]), made[:1])


def test_a_gap_and_a_ratio_to_zero_are_gaps_and_nothing_is_infinite() -> None:
    table = numbers()
    pairs = PairsOfNumbers().fit(table, table[:, 0] / table[:, 1])
    row = np.array([[1e200, 0.0, np.nan, 1e200, 3.0]])
    made = pairs.transform(row)[0]
    asked = list(zip(pairs.first_, pairs.second_, pairs.way_, strict=True))
    assert np.isnan(made[asked.index((0, 1, RATIO))])
    assert all(np.isnan(value) for value, (first, second, _) in zip(made, asked, strict=True) if 2 in (first, second))
    assert not np.isinf(made).any()


def test_of_many_columns_those_that_say_something_are_paired_and_the_same_seed_pairs_the_same() -> None:
    table = np.random.default_rng(1).normal(size=(ROWS, 60))
    truth = table[:, 40] * table[:, 50] + 0.3 * table[:, 40] + 0.3 * table[:, 50]
    pairs, again = (PairsOfNumbers(seed=2).fit(table, truth) for _ in range(2))
    assert len(pairs.way_) <= 40
    assert (40, 50, PRODUCT) in zip(pairs.first_, pairs.second_, pairs.way_, strict=True)
    assert np.array_equal(pairs.first_, again.first_) and np.array_equal(pairs.way_, again.way_)


def test_columns_that_say_nothing_still_give_one_pair() -> None:
    pairs = PairsOfNumbers(classes=2).fit(np.ones((ROWS, 3)), np.arange(ROWS) % 2)
    assert pairs.transform(np.ones((2, 3))).shape == (2, 1)


def test_a_run_whose_answer_hangs_on_a_product_finds_it_and_names_its_columns(tmp_path: Path) -> None:
    table = pd.DataFrame(np.random.default_rng(3).uniform(1, 9, (800, 4)), columns=["torque", "heat", "speed", "wear"])
    fails = table["torque"] * table["speed"] > 30
    data = written(table.assign(fails=np.where(fails, "yes", "no")), tmp_path)
    tried = ("linear", "boosted trees, small", "boosted trees on pairs")
    left_out = [name for name in names() if name not in tried]
    plan = plan_for(data, "fails", "binary", "roc_auc", settings={"folds": 3, "leave_out": left_out})
    record = find_trainer("classical").train(plan, tmp_path, run_folder(tmp_path), Silent())
    assert record.chosen == "boosted trees on pairs"
    assert record.sealed.value > 0.99
    assert any("made of two; the most telling: torque × speed" in note for note in record.notes)
