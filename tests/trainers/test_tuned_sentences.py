"""With few labels a sentence model tuned on them competes; what it learnt stands in the run and answers the same."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import Silent, plan_for, run_folder

from advisor.base.errors import BadInput
from trainers.classical import contrast, fitting
from trainers.classical.candidates import portfolio
from trainers.classical.columns import Column, Schema
from trainers.classical.pipelines import Setup
from trainers.classical.sentences import opened
from trainers.registry import find_trainer
from trainers.use.opened import open_run

TUNED = "sentence vectors, tuned"
PRAISE = ("lovely", "a pleasure", "well done", "excellent")
BLAME = ("broken", "a waste", "never again", "terrible")
THINGS = ("the chair", "this phone", "our stay", "my order", "the meal", "that film", "the lamp", "this tour")


def offered(rarest: int, *, texts: int = 1, vectors: bool = True) -> list[str]:
    schema = Schema(tuple(Column(f"text {at}", "text", distinct=rarest) for at in range(texts)))
    return [one.name for one in portfolio(Setup(schema, 2, 2 * rarest, 0, rarest=rarest, vectors=vectors))]


def test_it_is_offered_for_one_text_with_few_labels_where_it_can_run() -> None:
    assert offered(8) == ["sentence vectors", TUNED]
    assert TUNED not in offered(200)
    assert offered(8, texts=2) == ["sentence vectors"]
    assert TUNED not in offered(8, vectors=False)


@pytest.mark.heavy
def test_what_it_learnt_stands_in_the_run_and_answers_as_it_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = os.environ.get("TRAIN_OR_NOT_CACHE", "")
    if not cache:
        pytest.skip("set TRAIN_OR_NOT_CACHE to the cache folder that holds the embedded models")
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    monkeypatch.setitem(contrast.SETTINGS, "steps", 3)
    rows = [(f"{thing} was {word}", said) for said, words in (("good", PRAISE), ("bad", BLAME))
            for thing in THINGS for word in words]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["remark", "said"]).sample(44, random_state=0)
    frame.to_csv(tmp_path / "data.csv", index=False)
    settings: dict[str, object] = {"folds": 2, "leave_out": ["sentence vectors"]}
    plan = plan_for(tmp_path / "data.csv", "said", "binary", "roc_auc", settings=settings, budget=600)
    record = find_trainer("classical").train(plan, tmp_path, run_folder(tmp_path), Silent())
    assert record.chosen == TUNED
    assert record.sealed.value > 0.9
    run = tmp_path / "runs" / "classical-1"
    contrast._READERS.clear()
    sealed = pd.read_csv(run / "test_predictions.csv")
    scores = open_run(run).answer(frame.reset_index(drop=True).loc[sealed["row"]]).scores
    assert scores is not None
    assert np.allclose(scores[:, 1], sealed["ours_p1"], atol=1e-6)
    with pytest.raises(BadInput, match="cannot be used"):
        opened().tuned(b"no weights", 2)


def test_a_fit_that_would_take_its_share_of_the_time_of_others_gives_up() -> None:
    setup = Setup(Schema((Column("remark", "text", distinct=16),)), 2, 16, 0, rarest=8, vectors=True)
    tuned = next(one for one in portfolio(setup) if one.name == TUNED)
    bounded = fitting._bounded(tuned.build(setup), 5.0)
    assert bounded.get_params()["features__text 0__within"] == 5.0
