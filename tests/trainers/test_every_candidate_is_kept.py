"""Whatever the search may choose can be written, read back by a fresh reader, and answers the same to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trainers.classical.candidates import names, portfolio
from trainers.classical.columns import learn_schema, prepare
from trainers.classical.model_file import Member, Model, load_model, save_model
from trainers.classical.pipelines import Setup
from trainers.common.decide import Cut

ROWS = 600
SUBJECTS = ("card blocked", "money missing", "late parcel", "wrong colour", "no answer yet")


def table() -> pd.DataFrame:
    """Every kind of column at once: numbers with gaps, few and many categories, dates and running text."""
    draw = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "income": np.where(draw.random(ROWS) < 0.1, np.nan, draw.lognormal(3, 1, ROWS)),
            "age": draw.integers(18, 90, ROWS),
            "plan": draw.choice(["basic", "plus", "pro"], ROWS),
            "town": draw.choice([f"town {i}" for i in range(80)], ROWS),
            "since": pd.date_range("2020-01-01", periods=ROWS, freq="D").astype(str),
        }
    )
    frame["note"] = [
        f"{draw.choice(SUBJECTS)} since day {i % 37}, please call {draw.choice(SUBJECTS)}" for i in range(ROWS)
    ]
    return frame


def setups() -> list[tuple[str, str, int]]:
    return [(name, kind, classes) for kind, classes in (("two", 2), ("four", 4), ("numbers", 0)) for name in names()]


def marked() -> Iterator[Any]:
    """Every setup. Boosting takes long on many classes, CatBoost on any rows."""
    for name, kind, classes in setups():
        slow = name == "ordered boosting" or (classes > 2 and name.startswith("boosted"))
        yield pytest.param(name, kind, classes, marks=[pytest.mark.heavy] if slow else [])


@pytest.mark.parametrize(("name", "kind", "classes"), marked())
def test_a_candidate_answers_the_same_after_it_was_kept(name: str, kind: str, classes: int, tmp_path: Path) -> None:
    frame = table()
    schema = learn_schema(frame)
    target = np.arange(ROWS) % classes if classes else frame["age"].to_numpy(float) ** 2
    setup = Setup(schema, classes, ROWS, 0, skewed=not classes, rarest=ROWS // max(1, classes))
    candidate = next((one for one in portfolio(setup) if one.name == name), None)
    if candidate is None:
        pytest.skip(f"{name} is not for {kind}")
    pipeline = candidate.build(setup).fit(prepare(frame, schema), target)
    weights = (1.0,) * classes
    model = Model(schema, tuple(map(str, range(classes))), Cut(0.5, weights), (Member(name, 1.0, pipeline),))
    save_model(tmp_path, model)
    before, after = model.answer(frame), load_model(tmp_path).answer(frame)
    for ours, theirs in ((before.numbers, after.numbers), (before.labels, after.labels)):
        assert (ours is None and theirs is None) or np.array_equal(ours, theirs)  # type: ignore[arg-type]  # one is None
