"""`train` and `predict` as a user runs them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import Said, train_or_not
from training_plans import LIGHT, plan_for, written

from advisor.base.strictyaml import dump
from advisor.cli.main import main
from advisor.records.plain import to_plain
from advisor.records.plan import Plan


def table(signal: float) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"x": generator.normal(size=300), "z": generator.normal(size=300)})
    frame["note"] = ["=SUM(A1)" if n % 7 == 0 else f"kind {n % 3}" for n in range(300)]
    frame["label"] = np.where(signal * (frame["x"] + frame["z"]) + generator.normal(size=300) > 0, "yes", "no")
    return frame


def case(folder: Path, signal: float = 3.0) -> Plan:
    """A case with a plan beside its data, as `plan` leaves it."""
    written(table(signal), folder)
    plan = replace(plan_for(folder / "data.csv", "label", "binary", "roc_auc", settings=LIGHT), data="data.csv")
    save(folder, plan)
    return plan


def save(folder: Path, plan: Plan) -> None:
    (folder / "plan.yaml").write_text(dump(to_plain(plan)), encoding="utf-8")


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """The command in this process: what it says and how it ends, without paying for the imports again."""

    def run(*words: str, folder: Path) -> Said:
        monkeypatch.chdir(folder)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, said.out, said.err)

    return run


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("walk")
    case(folder / "my-case")
    said = train_or_not("train", "my-case", folder=folder)
    assert said.code == 0, said.err
    assert "Training earned its place" in said.out
    assert "the best rule on one column" in said.out
    assert "Opening the sealed test part" in said.err
    assert "train-or-not predict my-case/runs/classical-1 FILE" in said.err
    return folder


def test_the_same_plan_is_not_trained_twice_unless_asked(trained: Path, here: Callable[..., Said]) -> None:
    said = here("train", "my-case", "--json", folder=trained)
    assert said.code == 0
    assert said.json["run"] == "classical-1"
    assert "--again trains it anew" in said.err
    events = [json.loads(line) for line in (trained / "my-case" / "ledger.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events] == ["training_started", "test_part_frozen", "sealed_opened", "trained"]


def test_predict_answers_each_row_as_it_came_and_disarms_formulas(trained: Path, here: Callable[..., Said]) -> None:
    said = here("predict", "my-case/runs/classical-1", "my-case/data.csv", folder=trained)
    assert said.code == 0, said.err
    rows = list(csv.DictReader(said.out.splitlines()))
    assert len(rows) == 300
    assert list(rows[0]) == ["x", "z", "note", "label", "prediction", "score: yes", "score: no"]  # the rarer class last
    assert rows[0]["note"] == "'=SUM(A1)"
    assert float(rows[1]["x"]) == table(3.0)["x"][1]
    assert all(float(row["score: no"]) + float(row["score: yes"]) == pytest.approx(1) for row in rows)
    right = sum(row["prediction"] == row["label"] for row in rows)
    assert right > 240


def test_predict_writes_a_whole_file_and_json_says_the_same(trained: Path, here: Callable[..., Said]) -> None:
    said = here("predict", "my-case", "my-case/data.csv", "--only-answers", "--output", "answers.csv", folder=trained)
    assert said.code == 0, said.err
    assert said.out == ""
    rows = list(csv.DictReader((trained / "answers.csv").read_text(encoding="utf-8").splitlines()))
    answers = here("predict", "my-case", "my-case/data.csv", "--json", folder=trained).json
    assert [row["prediction"] for row in rows] == [answer["prediction"] for answer in answers["predictions"]]
    assert [float(row["score: yes"]) for row in rows] == [a["scores"]["yes"] for a in answers["predictions"]]
    assert not list(trained.glob(".answers*"))


def test_rows_that_lack_a_column_or_would_be_overwritten_are_refused(trained: Path, here: Callable[..., Said]) -> None:
    table(3.0).rename(columns={"note": "notes"}).to_csv(trained / "renamed.csv", index=False)
    said = here("predict", "my-case", "renamed.csv", folder=trained)
    assert said.code == 2
    assert "error[missing-columns]" in said.err
    assert "'notes'" in said.err
    said = here("predict", "my-case", "renamed.csv", "--output", "renamed.csv", folder=trained)
    assert said.code == 2
    assert "error[same-file]" in said.err
    said = here("predict", "my-case/runs/classical-9", "renamed.csv", "--json", folder=trained)
    assert said.code == 2
    assert "classical-1" in said.json["error"]["fix"]


def test_a_gate_not_passed_is_exit_4_with_the_run_kept(tmp_path: Path, here: Callable[..., Said]) -> None:
    case(tmp_path / "noise", signal=0.0)
    said = here("train", "noise", folder=tmp_path)
    assert said.code == 4
    assert "Training did not earn its place" in said.out
    assert "error[not-earned]" in said.err
    assert (tmp_path / "noise" / "runs" / "classical-1" / "COMPLETE").exists()
    said = here("train", "noise", "--json", folder=tmp_path)
    assert said.code == 4
    assert said.json["error"]["run"]["gate"]["outcome"] == "not_earned"


def test_a_dry_run_says_what_it_would_take_and_trains_and_writes_nothing(
    tmp_path: Path, here: Callable[..., Said]
) -> None:
    case(tmp_path / "dry")
    before = sorted(tmp_path.rglob("*"))
    said = here("train", "dry", "--dry-run", folder=tmp_path)
    assert said.code == 0, said.err
    assert "Learns      label (binary) from data.csv" in said.out
    assert "Takes" in said.out
    assert "Nothing was trained" in said.err
    assert sorted(tmp_path.rglob("*")) == before


def test_without_a_plan_or_with_nothing_to_train_the_next_command_is_named(
    tmp_path: Path, here: Callable[..., Said]
) -> None:
    (tmp_path / "empty").mkdir()
    said = here("train", "empty", folder=tmp_path)
    assert said.code == 2
    assert "fix: train-or-not plan empty" in said.err
    plan = case(tmp_path / "rag")
    save(tmp_path / "rag", replace(plan, trainer="", approach="rag"))
    said = here("train", "rag", "--json", folder=tmp_path)
    assert said.code == 2
    assert said.json["error"]["code"] == "nothing-to-train"
    assert "explain rag" in said.json["error"]["fix"]


def test_a_refused_training_leaves_no_run_behind(tmp_path: Path, here: Callable[..., Said]) -> None:
    plan = case(tmp_path / "typo")
    save(tmp_path / "typo", replace(plan, target="lable"))
    said = here("train", "typo", folder=tmp_path)
    assert said.code == 2
    assert "Did you mean 'label'?" in said.err
    assert not list((tmp_path / "typo" / "runs").glob("classical-*"))
    assert not (tmp_path / "typo" / "runs" / "lock").exists()
