"""The terms of an explainable run add up to what it answers, and stand in its record and its report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import LIGHT, Silent, plan_for, run_folder, written

from advisor.cli.train_page import page
from advisor.report.blocks import Heading
from advisor.report.learnt import what_it_learnt
from trainers.classical.candidates import portfolio
from trainers.classical.columns import learn_schema, prepare
from trainers.classical.model_file import Member, Model
from trainers.classical.pipelines import Setup
from trainers.classical.terms import terms_of
from trainers.common.decide import Cut
from trainers.registry import find_trainer

ROWS = 300


def table() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    size, town = draw.normal(40, 9, ROWS), draw.choice(["here", "there", "where"], ROWS)
    frame = pd.DataFrame({"size": size, "town": town, "old": draw.normal(size=ROWS)})
    frame.loc[::7, "old"] = np.nan
    return frame


@pytest.mark.parametrize("kind", ["number", "binary", "logarithm"])
def test_slopes_and_categories_add_up_to_the_answer(kind: str) -> None:
    frame = table()
    schema = learn_schema(frame)
    wanted = frame["size"] / 9 + (frame["town"] == "here") + np.random.default_rng(1).normal(size=ROWS)
    truths = {"number": wanted, "binary": (wanted > wanted.median()).astype(int), "logarithm": np.exp(wanted)}
    classes = ("no", "yes") if kind == "binary" else ()
    setup = Setup(schema, len(classes), ROWS, 0, skewed=kind == "logarithm")
    linear = next(one for one in portfolio(setup) if one.name == "linear").build(setup)
    prepared = prepare(frame, schema)
    model = Model(schema, classes, Cut(), (Member("linear", 1.0, linear.fit(prepared, truths[kind])),))
    adds = {(one.column, one.at): one.adds for one in terms_of(model, prepared)}
    middle = prepared.median(numeric_only=True)
    for at in (0, 3, 7):  # row 0 and 7 lack a cell
        row = prepared.iloc[at]
        total = adds["(start)", ""] + adds["town", f"= {row['town']}"]
        for column in ("size", "old"):
            slope = adds[column, f"for each 1 above {middle[column]:.6g}"]
            total += adds[column, "missing"] if np.isnan(row[column]) else slope * (row[column] - middle[column])
        alone = prepared.iloc[[at]]
        said = linear.decision_function(alone)[0] if classes else linear.predict(alone)[0]
        assert total == pytest.approx(np.log1p(said) if kind == "logarithm" else said, abs=1e-6)


def test_an_explainable_run_writes_its_terms_where_people_look(tmp_path: Path) -> None:
    frame = table()
    frame["label"] = np.where(frame["size"] + np.random.default_rng(2).normal(size=ROWS) > 40, "yes", "no")
    settings = {**LIGHT, "explainable": True}
    plan = plan_for(written(frame, tmp_path), "label", "binary", "roc_auc", settings=settings)
    record = find_trainer("classical").train(plan, tmp_path, run_folder(tmp_path), Silent())
    stored = pd.read_csv(tmp_path / "runs" / "classical-1" / "terms.csv")
    assert {"(start)", "size", "town", "old"} == set(stored["column"])
    assert "terms.csv" in record.files
    shown = " ".join(" ".join(page(record)).split())
    assert "whose every term can be read; that costs" in shown and "in ROC-AUC" in shown
    headings = [block.text for block in what_it_learnt(record) if isinstance(block, Heading)]
    assert any(text.startswith("The terms of the model") for text in headings)
