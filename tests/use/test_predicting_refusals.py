"""What `predict` and `train --on` refuse, and what another process answers: never by a model that is gone."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from training_plans import Silent

from advisor.base.errors import BadInput
from advisor.base.strictyaml import dump
from advisor.cli.main import dispatch
from advisor.records.plain import load, to_plain
from advisor.records.run import RunRecord
from tests.use.conftest import table
from trainers.common.runfolder import complete
from trainers.use.opened import OpenedRun, open_run
from trainers.use.wholefile import answer_file


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_with_a_header_and_no_rows_is_told_and_nothing_is_left_behind(
    ending: str, opened: OpenedRun, tmp_path: Path
) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    table(3).drop(columns="late").iloc[:0].to_csv(tmp_path / "new.csv", index=False)
    words = ["predict", str(opened.folder), str(tmp_path / "new.csv")]
    with pytest.raises(BadInput) as refused:
        dispatch([*words, "--output", str(tmp_path / f"out.{ending}")])
    assert refused.value.code == "no-rows"
    with pytest.raises(BadInput):
        dispatch(words)
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


def test_a_cap_on_money_is_not_shared_among_machines(opened: OpenedRun, tmp_path: Path) -> None:
    words = ["predict", str(opened.folder), "new.csv", "--output", str(tmp_path / "out.csv"), "--max-usd", "2"]
    with pytest.raises(BadInput) as refused:
        dispatch([*words, "--dask", "tcp://127.0.0.1:9"])
    assert "Leave --dask out" in refused.value.fix


def test_other_processes_answer_by_the_run_that_stands_there_now(case: Path, tmp_path: Path) -> None:
    shutil.copytree(case, tmp_path / "parcels")
    run = tmp_path / "parcels" / "runs" / "classical-1"
    table(30, seed=1).drop(columns="late").to_csv(tmp_path / "new.csv", index=False)
    answers = []
    for turn in range(2):
        if turn:  # another model in the folder of the same name
            told = (run / "model.json").read_text(encoding="utf-8")
            (run / "model.json").write_text(told.replace('"temperature": ', '"temperature": 3', 1), encoding="utf-8")
            complete(run)
        answer_file(open_run(run), tmp_path / "new.csv", tmp_path / f"out{turn}.csv", Silent(), spread=True)
        answers.append(pd.read_csv(tmp_path / f"out{turn}.csv")["score: yes"].tolist())
    assert answers[0] != answers[1]


def test_new_rows_may_name_a_column_otherwise(case: Path, tmp_path: Path) -> None:
    shutil.copytree(case, tmp_path / "parcels")
    plan = load(case / "runs" / "classical-1" / "run.json", RunRecord).plan
    (tmp_path / "parcels" / "plan.yaml").write_text(dump(to_plain(replace(plan, data="data.csv"))), encoding="utf-8")
    new = table(20, seed=2).rename(columns={"x": "amount"}).assign(late="")
    new.to_csv(tmp_path / "new.csv", index=False)
    words = ["train", str(tmp_path / "parcels"), "--on", str(tmp_path / "new.csv")]
    with pytest.raises(BadInput) as lacking:
        dispatch(words)
    assert lacking.value.code == "missing-columns"
    with pytest.raises(BadInput) as unlabelled:  # the columns fit: what is lacking now are labels
        dispatch([*words, "--map", "amount=x"])
    assert unlabelled.value.code == "no-labels"
    with pytest.raises(BadInput) as alone:
        dispatch([*words[:2], "--map", "amount=x"])
    assert alone.value.code == "usage"
