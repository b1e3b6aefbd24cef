"""From a plan to a verdict on real tables: honest numbers, the same again, and nothing lost on the way."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import LIGHT, Silent, ledger, plan_for, run_folder, some_rows, written

from advisor.base.tables import read_table
from advisor.cli.train_page import page
from advisor.records.look import SplitProposal
from advisor.records.plain import load, to_plain
from advisor.records.plan import Setting
from advisor.records.run import RunRecord
from trainers.classical.candidates import names
from trainers.classical.trainer import ClassicalTrainer
from trainers.common.intervals import bootstrap
from trainers.common.metrics import METRICS, Output
from trainers.registry import find_trainer

# Quick models only: what these tests show does not depend on which model wins.
SLOW = [name for name in names() if name.startswith(("boosted trees, ", "boosted trees on "))] + ["ordered boosting"]
SLOW.remove("boosted trees, small")
QUICK: dict[str, object] = {"folds": 2, "leave_out": ["boosted trees", *SLOW]}
PREDICT = """
import json, sys
from pathlib import Path
from advisor.base.tables import read_table
from trainers.registry import find_trainer
rows = read_table(sys.argv[2]).frame.to_dict("records")
print(json.dumps(list(find_trainer("classical").predict(Path(sys.argv[1]), rows))))
"""
TRAIN = """
import sys
from pathlib import Path
from advisor.records.plain import load
from advisor.records.plan import Plan
from training_plans import LIGHT, Silent
from trainers.registry import find_trainer
case = Path(sys.argv[1])
find_trainer("classical").train(load(case / "plan.json", Plan), case, case / "runs" / "classical-1", Silent())
"""


@pytest.fixture(scope="module")
def churn(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    case = tmp_path_factory.mktemp("churn")
    data = some_rows(shared_data / "telco_churn" / "data.csv", case, 1_500)
    plan = plan_for(
        data,
        "Churn",
        "binary",
        "roc_auc",
        drop=("customerID",),
        settings={"leave_out": ["boosted trees", *SLOW], "folds": 3},
    )
    return case, find_trainer("classical").train(plan, case, run_folder(case), Silent())


def test_churn_earns_its_place_over_the_best_rule(churn: tuple[Path, RunRecord]) -> None:
    _, record = churn
    assert record.gate.outcome == "earned"
    assert 0.7 < record.sealed.low < record.sealed.value < record.sealed.high < 0.95
    rule = next(item for item in record.gate.comparisons if item.against == "one_rule")
    assert 0.65 < rule.theirs.value < record.sealed.value
    assert ": Yes " in str(record.diagnostics["one_rule"])
    assert record.rows["train"] + record.rows["test"] == 1_500
    assert {candidate.name for candidate in record.candidates} >= {"linear", "boosted trees, small", "extra trees"}
    assert record.plan.target == "Churn"
    assert record.hyperparameters["classes"] == ["No", "Yes"]


def test_the_record_on_disk_is_the_record(churn: tuple[Path, RunRecord]) -> None:
    case, record = churn
    stored = load(case / "runs" / "classical-1" / "run.json", RunRecord)
    assert to_plain(stored) == json.loads(json.dumps(to_plain(record)))
    for name in ("numpy", "pandas", "scikit-learn", "skops", "python", "train-or-not"):
        assert stored.versions[name]
    assert stored.times["choose"] > 0
    assert stored.files["model.json"]


def test_the_run_tells_its_gap_its_curve_and_what_drives_it(churn: tuple[Path, RunRecord]) -> None:
    _, record = churn
    curve = record.diagnostics["learning_curve"]
    assert [point["rows"] for point in curve] == sorted(point["rows"] for point in curve)
    assert all(point["low"] <= point["value"] <= point["high"] for point in curve)
    assert len(curve) >= 3
    drivers = [entry["column"] for entry in record.diagnostics["importance"]]
    assert set(drivers[:4]) & {"tenure", "Contract", "InternetService", "TotalCharges", "MonthlyCharges"}
    table = np.array(record.diagnostics["confusion"]["rows_actual_columns_predicted"])
    assert table.sum() == record.rows["test"]
    assert record.diagnostics["train_validation_gap"]["gap"] > -0.05


def test_a_fresh_process_gives_the_very_same_numbers(churn: tuple[Path, RunRecord]) -> None:
    case, _ = churn
    run = case / "runs" / "classical-1"
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, str(run), str(case / "data.csv")], capture_output=True, text=True, check=True
    )
    answers = json.loads(done.stdout)
    with (run / "test_predictions.csv").open(encoding="utf-8") as stream:
        sealed = list(csv.DictReader(stream))
    assert len(sealed) > 250
    for row in sealed:
        # Bit for bit: among all 1,500 rows, in another process, from the file.
        assert answers[int(row["row"])]["scores"]["Yes"] == float(row["ours_p1"])


def test_a_row_alone_gets_the_answer_it_gets_among_others(churn: tuple[Path, RunRecord]) -> None:
    case, _ = churn
    run, rows = case / "runs" / "classical-1", read_table(case / "data.csv").frame.to_dict("records")[:40]
    trainer = ClassicalTrainer()
    together = list(trainer.predict(run, rows))
    assert [next(trainer.predict(run, [row])) for row in rows[:5]] == together[:5]
    assert list(trainer.predict(run, rows[::-1])) == together[::-1]


def test_the_comparison_can_be_computed_again_from_what_is_stored(churn: tuple[Path, RunRecord]) -> None:
    case, record = churn
    stored = pd.read_csv(case / "runs" / "classical-1" / "test_predictions.csv")
    truth = stored["truth"].to_numpy(dtype=float)
    outputs = {
        name: Output(probabilities=stored[[f"{name}_p0", f"{name}_p1"]].to_numpy()) for name in ("ours", "one_rule")
    }
    metric = METRICS["roc_auc"]
    assert metric.value(truth, outputs["ours"]) == pytest.approx(record.sealed.value, abs=1e-12)
    values = bootstrap(metric, truth, outputs, np.arange(len(truth)), 1, 2_000)
    item = next(one for one in record.gate.comparisons if one.against == "one_rule")
    low, high = np.quantile(values["ours"] - values["one_rule"], [0.025, 0.975])
    assert (low, high) == pytest.approx((item.low, item.high), abs=0.01)


def test_the_sealed_part_was_opened_once_after_everything_else(churn: tuple[Path, RunRecord]) -> None:
    case, record = churn
    events = [event["event"] for event in ledger(case)]
    assert events.count("sealed_opened") == 1
    assert events.index("sealed_opened") > events.index("test_part_frozen")
    assert record.diagnostics["sealed_openings"] == 1


def test_the_page_names_the_members_of_a_blend_whose_names_hold_an_and(churn: tuple[Path, RunRecord]) -> None:
    shares = {"words and letters": {"share": 0.6}, "linear": {"share": 0.4}}
    tried = tuple(replace(churn[1].candidates[0], name=name) for name in (*shares, "words"))
    record = replace(
        churn[1], chosen="blend of words and letters and linear", candidates=tried, hyperparameters=dict(shares)
    )
    shown = list(page(record))
    marked = [line for line in shown if line.endswith("in the blend")]
    assert [line.split("  ")[1] for line in marked] == ["words and letters", "linear"]
    assert any(line.startswith("  the blend of 2 ") for line in shown)


def test_an_explainable_run_says_what_that_costs_and_that_the_rows_were_seen_before(
    churn: tuple[Path, RunRecord],
) -> None:
    case, first = churn
    settings = {
        **first.plan.settings,
        "explainable": Setting(True),
        "leave_out": Setting(["boosted trees", "extra trees", *SLOW]),
    }
    plan = replace(first.plan, settings=settings)
    record = find_trainer("classical").train(plan, case, run_folder(case, "classical-2"), Silent())
    assert record.chosen in ("linear, strongly held back", "linear", "additive curves")
    assert "whose every term can be read; that costs" in str(record.diagnostics["choice"])
    assert record.diagnostics["sealed_openings"] == 2
    assert any("opened 2 times" in note for note in record.notes)


def test_stated_costs_of_errors_set_where_to_cut(shared_data: Path, tmp_path: Path) -> None:
    data = shared_data / "german_credit" / "data.csv"
    found = {}
    for name, costs in (("plain", (0, 0)), ("costly", (5, 1))):
        settings = {**LIGHT, "cost_missed": costs[0], "cost_false_alarm": costs[1]}
        plan = plan_for(data, "bad", "binary", "roc_auc", settings=settings)
        found[name] = find_trainer("classical").train(plan, tmp_path / name, run_folder(tmp_path / name), Silent())
    cut = found["costly"].hyperparameters["cut"]["threshold"]
    assert cut < 0.35 < found["plain"].hyperparameters["cut"]["threshold"]
    # The classic cost matrix of this set: a bad credit taken for good costs five times a good one turned away.
    spent = found["costly"].diagnostics["cost_per_row"]
    plain = np.array(found["plain"].diagnostics["confusion"]["rows_actual_columns_predicted"])
    assert spent["ours"] < (5 * plain[1, 0] + plain[0, 1]) / plain.sum()
    assert spent["ours"] < spent["trivial"]


def test_no_signal_is_called_no_signal(shared_data: Path, tmp_path: Path) -> None:
    data = some_rows(shared_data / "support_tickets" / "data.csv", tmp_path, 900)
    keep = ["Customer Age", "Customer Gender", "Product Purchased", "Ticket Priority", "Ticket Channel"]
    data = written(read_table(data).frame[keep], tmp_path)
    plan = plan_for(data, "Ticket Channel", "multiclass", "macro_f1", settings=QUICK)
    record = find_trainer("classical").train(plan, tmp_path, run_folder(tmp_path), Silent())
    assert record.gate.outcome == "not_earned"
    trivial = next(item for item in record.gate.comparisons if item.against == "trivial")
    assert not trivial.passed
    assert trivial.theirs.value == pytest.approx(0.25, abs=0.1)  # a blind guess among four


def test_a_number_is_predicted_and_copies_stay_together(shared_data: Path, tmp_path: Path) -> None:
    data = shared_data / "concrete" / "data.csv"
    plan = plan_for(data, "compressive_strength", "regression", "mae", settings=QUICK)
    record = find_trainer("classical").train(plan, tmp_path, run_folder(tmp_path), Silent())
    assert record.gate.outcome == "earned"
    assert record.sealed.value < 6
    assert "groups of rows that belong together" in record.sealed.method
    assert record.diagnostics["residuals"]
    answer = next(
        ClassicalTrainer().predict(tmp_path / "runs" / "classical-1", read_table(data).frame.to_dict("records"))
    )
    assert set(answer) == {"prediction"}


@pytest.mark.heavy
def test_a_new_patient_is_harder_than_a_known_one(shared_data: Path, tmp_path: Path) -> None:
    data = some_rows(shared_data / "parkinsons_tele" / "data.csv", tmp_path, 1_000)
    flattered, honest = (
        find_trainer("classical").train(
            plan_for(data, "total_UPDRS", "regression", "r2", split=split, drop=("motor_UPDRS",), settings=QUICK),
            tmp_path / split.kind,
            run_folder(tmp_path / split.kind),
            Silent(),
        )
        for split in (SplitProposal("random"), SplitProposal("group", "subject#"))
    )
    assert flattered.sealed.value > 0.8
    assert honest.sealed.value < 0.5
    assert honest.gate.outcome == "not_earned"


@pytest.mark.heavy
def test_a_killed_run_goes_on_where_it_stopped_and_ends_the_same(shared_data: Path, tmp_path: Path) -> None:
    data = some_rows(shared_data / "german_credit" / "data.csv", tmp_path / "data", 400)
    plan = plan_for(data, "bad", "binary", "roc_auc", settings=QUICK)
    records = {}
    for name in ("whole", "killed"):
        case = tmp_path / name
        run = run_folder(case)
        (case / "plan.json").write_text(json.dumps(to_plain(plan)), encoding="utf-8")
        if name == "killed":
            command = [sys.executable, "-c", TRAIN, str(case)]
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
            with subprocess.Popen(command, env=environment) as process:
                while process.poll() is None and len(list(run.glob("work/*.npz"))) < 4:
                    time.sleep(0.005)
                assert process.poll() is None, "it ended before it could be killed"
                process.send_signal(signal.SIGKILL)
            assert not (run / "COMPLETE").exists()
            kept = {path.name: path.read_bytes() for path in run.glob("work/*.npz")}
            assert len(kept) >= 4
        records[name] = find_trainer("classical").train(plan, case, run, Silent())
    whole, killed = records["whole"], records["killed"]
    assert to_plain(killed.sealed) == to_plain(whole.sealed)
    assert to_plain(killed.gate) == to_plain(whole.gate)
    assert [one.development for one in killed.candidates] == [one.development for one in whole.candidates]
    assert killed.files["test_predictions.csv"] == whole.files["test_predictions.csv"]
    assert sum(event["event"] == "sealed_opened" for event in ledger(tmp_path / "killed")) == 1


def test_a_tiny_budget_still_ends_with_an_answer_and_says_what_was_left_out(shared_data: Path, tmp_path: Path) -> None:
    data = some_rows(shared_data / "adult" / "data.csv", tmp_path, 3_000)
    plan = plan_for(data, "income", "binary", "roc_auc", budget=0.05)
    record = find_trainer("classical").train(plan, tmp_path, run_folder(tmp_path), Silent())
    assert record.chosen == "boosted trees, small"  # what is quick and good has the first turn
    left_out = [candidate for candidate in record.candidates if candidate.development is None]
    assert left_out
    assert all("time budget" in candidate.note for candidate in left_out)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "target", "task", "metric", "drop", "split"),
    [
        ("telco_churn", "Churn", "binary", "roc_auc", ("customerID",), SplitProposal()),
        ("wine_quality", "quality", "multiclass", "macro_f1", (), SplitProposal()),
        ("ames", "Sale_Price", "regression", "rmse", (), SplitProposal()),
        ("elec2_drift", "class", "binary", "roc_auc", (), SplitProposal("time")),
        ("sms_spam", "label", "binary", "f1", (), SplitProposal()),
        ("titanic", "survived", "binary", "roc_auc", ("alive",), SplitProposal()),
    ],
)
def test_real_tables_end_in_a_whole_run(shared_data: Path, tmp_path: Path, name, target, task, metric, drop, split):
    data = next((shared_data / name).glob("data.*"))
    plan = plan_for(data, target, task, metric, drop=drop, split=split, budget=60)
    record = find_trainer("classical").train(plan, tmp_path, run_folder(tmp_path), Silent())
    assert record.sealed.low <= record.sealed.value <= record.sealed.high
    rows = read_table(data).frame
    stored = pd.read_csv(tmp_path / "runs" / "classical-1" / "test_predictions.csv")
    answers = list(
        ClassicalTrainer().predict(tmp_path / "runs" / "classical-1", rows.iloc[stored["row"]].to_dict("records"))
    )
    if task == "regression":
        assert [answer["prediction"] for answer in answers] == stored["ours"].tolist()
    else:
        classes = list(answers[0]["scores"])
        assert [answer["scores"][classes[0]] for answer in answers] == stored["ours_p0"].tolist()
