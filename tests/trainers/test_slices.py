"""A group that a model fails is named; groups that differ by chance are not."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from trainers.classical.columns import learn_schema, prepare
from trainers.classical.slices import errors_by_slice, told
from trainers.common.metrics import Output


def rows(seed: int, count: int = 1_000) -> tuple[pd.DataFrame, np.random.Generator]:
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "gender": generator.choice(["f", "m"], count),
            "region": generator.choice(list("abcdefgh"), count),
            "grade": generator.integers(1, 5, count),
            "amount": generator.normal(size=count),
        }
    )
    return frame, generator


def found(frame: pd.DataFrame, truth: np.ndarray, output: Output) -> list[dict[str, object]]:
    schema = learn_schema(frame)
    return errors_by_slice(prepare(frame, schema), schema, truth, output)


def test_a_group_that_is_failed_is_named_first_with_its_interval() -> None:
    frame, generator = rows(0)
    truth = generator.integers(0, 2, 1_000).astype(float)
    wrong = generator.random(1_000) < np.where(frame["region"] == "c", 0.5, 0.1)
    entries = found(frame, truth, Output(labels=np.where(wrong, 1 - truth, truth).astype(np.int64)))
    first = entries[0]
    assert (first["column"], first["value"], first["worse"]) == ("region", "c", True)
    assert first["low"] < 0.5 < first["high"]
    assert first["elsewhere"] == pytest.approx(0.1, abs=0.03)
    assert sum(bool(entry["worse"]) for entry in entries) == 1
    assert told(entries, number=False).startswith("Wrong most often where region is c: ")
    assert {entry["column"] for entry in entries} == {"gender", "region", "grade"}


def test_numbers_are_judged_by_how_far_they_are_off() -> None:
    frame, generator = rows(1)
    truth = generator.normal(100, 5, 1_000)
    off = generator.normal(0, np.where(frame["grade"] == 4, 6.0, 1.0))
    entries = found(frame, truth, Output(numbers=truth + off))
    assert (entries[0]["column"], entries[0]["value"]) == ("grade", "4")
    assert told(entries, number=True).startswith("Off by most where grade is 4: ")


def test_a_fair_model_is_seldom_accused() -> None:
    accused = 0
    for seed in range(30):
        frame, generator = rows(seed, 400)
        wrong = generator.random(400) < 0.2
        entries = found(frame, np.zeros(400), Output(labels=wrong.astype(np.int64)))
        accused += any(entry["worse"] for entry in entries)
    assert accused <= 6  # at most one in twenty is promised; seven of thirty would be a one-in-a-thousand accident


def test_empty_cells_are_no_values_that_each_need_looking_at() -> None:
    frame, generator = rows(2, 6_000)
    frame["rating"] = np.where(generator.random(6_000) < 0.5, np.nan, generator.integers(1, 4, 6_000))
    truth = np.zeros(6_000)
    tracemalloc.start()
    try:
        entries = found(frame, truth, Output(labels=(generator.random(6_000) < 0.2).astype(np.int64)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert {entry["value"] for entry in entries if entry["column"] == "rating"} == {"1", "2", "3"}
    assert peak < 10 * 2**20, "a mask of all rows for each empty cell"
