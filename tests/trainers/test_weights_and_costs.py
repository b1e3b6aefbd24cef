"""Rows that count unequally, answers that cost unequally, and groups of people that the model itself does not see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import LIGHT, Silent, plan_for, run_folder, written

from advisor.base.errors import BadInput
from advisor.records.plan import Setting
from advisor.records.run import RunRecord
from advisor.report.run_charts import calibration
from trainers.classical.calibration import calibration_of
from trainers.classical.error_costs import stated_costs
from trainers.classical.model_file import load_model
from trainers.classical.trainer import ClassicalTrainer
from trainers.common.baselines import best_rule, trivial
from trainers.common.decide import Cut, cheapest_cut, labelled
from trainers.common.intervals import bootstrap
from trainers.common.metrics import METRICS, Output
from trainers.common.weights import equal_rows, read_weights

GENERATOR = np.random.default_rng(3)
CLASSES = ("ill", "unsure", "well")
# One model alone: what these tests show does not depend on a choice among models.
ALONE = {"folds": 3, "leave_out": [*LIGHT["leave_out"], "linear, strongly held back", "additive curves"]}  # type: ignore[misc]
COSTS = {"ill": {"unsure": 4, "well": 20}, "unsure": {"ill": 1, "well": 3}, "well": {"ill": 2, "unsure": 1}}


def people(rows: int = 420) -> pd.DataFrame:
    sign, other = GENERATOR.normal(size=(2, rows)).round(4)
    state = np.digitize(sign + other + 0.5 * GENERATOR.normal(size=rows), [-0.9, 0.1])
    frame = pd.DataFrame({"sign": sign, "other": other, "gender": np.where(GENERATOR.random(rows) < 0.5, "f", "m")})
    frame["region"] = np.where(GENERATOR.random(rows) < 0.5, "north", "south")
    # Those who are well stand for many more people than those who are ill.
    frame["stands_for"] = np.where(state == 2, 9, 1) + GENERATOR.integers(0, 3, rows)
    frame["state"] = np.array(CLASSES)[state]
    return frame


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    case = tmp_path_factory.mktemp("weighed")
    plan = plan_for(
        written(people(), case),
        "state",
        "multiclass",
        "accuracy",
        drop=("gender", "region"),
        settings={**ALONE, "weight_column": "stands_for", "error_costs": COSTS, "audit": ["region"]},
    )
    return case, ClassicalTrainer().train(plan, case, run_folder(case), Silent())


def test_rows_count_by_their_weight_in_the_score_the_baseline_and_both_intervals(ran: tuple[Path, RunRecord]) -> None:
    case, record = ran
    stored = pd.read_csv(case / "runs" / "classical-1" / "test_predictions.csv")
    right, weight = (stored["ours"] == stored["truth"]).to_numpy(float), stored["weight"].to_numpy(float)
    assert record.sealed.value == pytest.approx(np.average(right, weights=weight))
    assert abs(record.sealed.value - right.mean()) > 0.01
    assert "each counting by its weight" in record.sealed.method
    always = next(one for one in record.gate.comparisons if one.against == "trivial")
    assert always.theirs.value == pytest.approx(np.average(stored["truth"] == 2, weights=weight))  # "well", by weight
    assert "McNemar" not in always.method
    drawn = bootstrap(METRICS["accuracy"], stored["truth"].to_numpy(float), {"it": Output(labels=stored["ours"])},
                      np.arange(len(stored)), 1, 2_000, weight)["it"]  # fmt: skip
    assert np.quantile(drawn, [0.025, 0.975]) == pytest.approx([record.sealed.low, record.sealed.high], abs=0.02)
    assert all("by its weight" in one.development.method for one in record.candidates if one.development)


def test_the_record_says_that_its_figures_are_weighted_and_the_weight_is_no_feature(
    ran: tuple[Path, RunRecord],
) -> None:
    case, record = ran
    told = record.diagnostics["row_weights"]
    assert told["column"] == "stands_for" and told["sealed_rows_that_count_the_same"] < record.sealed.rows
    assert any(note.startswith("Scores are weighted: rows count by column stands_for") for note in record.notes)
    assert record.gate.text.endswith("Rows count by their weights.")
    assert load_model(case / "runs" / "classical-1").schema.used() == ("sign", "other")


def test_a_run_with_weights_and_costs_still_tells_gap_curve_and_what_drives_it(ran: tuple[Path, RunRecord]) -> None:
    _, record = ran
    assert {one["column"] for one in record.diagnostics["importance"] if one["fall"] > 0.05} == {"sign", "other"}
    assert len(record.diagnostics["learning_curve"]) >= 2
    assert {"train", "validation", "gap"} == set(record.diagnostics["train_validation_gap"])


def test_every_answer_is_the_one_with_the_least_expected_cost(ran: tuple[Path, RunRecord]) -> None:
    case, record = ran
    stored = pd.read_csv(case / "runs" / "classical-1" / "test_predictions.csv")
    costs = np.array([[0, 4, 20], [1, 0, 3], [2, 1, 0]], dtype=float)
    shares = stored[[f"ours_p{code}" for code in range(3)]].to_numpy()
    assert (np.argmin(shares @ costs, axis=1) == stored["ours"]).all()
    assert (np.argmax(shares, axis=1) != stored["ours"]).any()
    asked = pd.DataFrame({"sign": [-2.0, 2.0], "other": [-1.0, 1.0]}).to_dict("records")
    said = [row["prediction"] for row in ClassicalTrainer().predict(case / "runs" / "classical-1", asked)]
    assert said == ["ill", "well"]
    ways = {one["way"]: one for one in record.diagnostics["costs"]["ways"]}
    paid = costs[stored["truth"].astype(int), stored["ours"]]
    assert ways["ours"]["cost"] == pytest.approx(np.average(paid, weights=stored["weight"]))
    assert ways["ours"]["low"] < ways["ours"]["cost"] < ways["ours"]["high"]
    assert ways["ours"]["cost"] < ways["likeliest"]["cost"] and ways["trivial"]["more_low"] > 0
    assert "one_rule" in ways
    table = next(one for one in record.diagnostics["tables"] if "cost" in one["title"])
    assert len(table["rows"]) == 4
    always = next(one for one in record.gate.costs if one.against == "trivial")
    assert (always.ours.value, always.gain) == pytest.approx((ways["ours"]["cost"], ways["trivial"]["more"]))


def test_groups_are_told_by_columns_that_the_model_does_not_see(ran: tuple[Path, RunRecord]) -> None:
    _, record = ran
    groups = {(one["column"], one["group"]) for one in record.diagnostics["groups"]}
    assert groups == {("gender", "f"), ("gender", "m"), ("region", "north"), ("region", "south")}
    assert not any(one["seen_by_model"] for one in record.diagnostics["groups"])
    table = next(one for one in record.diagnostics["tables"] if one["title"].startswith("How each group"))
    assert table["rows"][0][0] == "gender: f (the model does not see it)"


def test_the_report_tells_the_likeliest_class_and_each_class_against_the_rest(ran: tuple[Path, RunRecord]) -> None:
    _, record = ran
    found = record.diagnostics
    chart, _, table, source = calibration(record)
    assert "likeliest class of each row (Guo et al. 2017)" in chart.says
    assert {row[0] for row in table.rows} == set(CLASSES)
    assert "Kull et al. 2019" in source.text
    assert sum(one["rows"] for one in found["calibration"]) == record.sealed.rows


def test_a_class_that_is_said_too_rarely_shows_in_its_own_curve_alone() -> None:
    truth = np.repeat([0.0, 1.0, 2.0], 200)
    honest = np.tile([1 / 3, 1 / 3, 1 / 3], (600, 1))
    skewed = np.tile([0.1, 0.4, 0.5], (600, 1))
    for shares, gaps in ((honest, [0, 0, 0]), (skewed, [0.7 / 3, 0.2 / 3, 0.5 / 3])):
        order = GENERATOR.permutation(600)
        found = calibration_of(truth[order], shares, ("a", "b", "c"), None)["calibration_by_class"]
        assert [abs(one["said"] - one["happened"]) for one in found] == pytest.approx(gaps, abs=1e-9)


@pytest.mark.heavy
def test_a_number_is_learnt_and_measured_by_weight(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": GENERATOR.normal(size=240).round(4), "n": np.tile([1, 1, 50], 80)})
    # The heavy rows follow another line than the light ones, which are more.
    frame["y"] = np.where(frame["n"] == 50, 3 * frame["x"] + 10, -3 * frame["x"]) + GENERATOR.normal(size=240)
    plan = plan_for(written(frame, tmp_path), "y", "regression", "mae", settings={**ALONE, "weight_column": "n"})
    ClassicalTrainer().train(plan, tmp_path, run_folder(tmp_path), Silent())
    run = tmp_path / "runs" / "classical-1"
    low, high = (one["prediction"] for one in ClassicalTrainer().predict(run, [{"x": 0.0}, {"x": 1.0}]))
    assert low == pytest.approx(10, abs=1.5)
    assert high - low == pytest.approx(3, abs=1.5)


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "accuracy", "balanced_accuracy", "f1"])
def test_a_weight_of_three_is_the_row_three_times(name: str) -> None:
    truth, scores = (GENERATOR.random(60) < 0.4).astype(float), GENERATOR.random(60)
    counts = GENERATOR.integers(1, 4, 60)
    output = labelled(np.column_stack([1 - scores, scores]), Cut())
    many = np.repeat(np.arange(60), counts)
    assert METRICS[name].value(truth, output, counts.astype(float)) == pytest.approx(
        METRICS[name].value(truth[many], output.of(many))
    )


def test_the_cheaper_ways_lean_on_the_weights_too() -> None:
    truth = np.array([0.0] * 30 + [1.0] * 10)
    counts = np.where(truth == 1, 9.0, 1.0)
    assert set(trivial(METRICS["accuracy"], truth, 2, 5).labels) == {0}
    assert set(trivial(METRICS["accuracy"], truth, 2, 5, counts).labels) == {1}
    numbers = np.array([1.0, 2.0, 9.0])
    assert trivial(METRICS["mae"], numbers, 0, 1, np.array([1.0, 1.0, 5.0])).numbers.tolist() == [9.0]
    at, frame = np.arange(40), pd.DataFrame({"x": np.tile(np.arange(10.0), 4)})
    rule = best_rule(METRICS["accuracy"], frame, truth, 2, [(at, at)], (), counts)
    assert rule is not None and set(rule.apply(frame).labels) == {1}


WEIGHTS: list[tuple[list[object], str]] = [
    ([1, 2, 0], "1 of 3 rows it is missing or not above zero; the first of them holds '0'"),
    ([1, -2.5, -1], "2 of 3 rows it is missing or not above zero; the first of them holds '-2.5'"),
    ([1, None, 3], "1 of 3 rows it is missing or not above zero; the first of them holds no weight"),
    ([1, "much", 3], "1 of 3 rows it is missing or not above zero; the first of them holds 'much'"),
    ([1, float("inf"), 3], "1 of 3 rows it is missing"),
]


@pytest.mark.parametrize(("cells", "says"), WEIGHTS, ids=[str(cells[1:]) for cells, _ in WEIGHTS])
def test_a_weight_that_counts_nothing_is_refused_in_a_sentence_with_its_cure(cells: list[object], says: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_weights(pd.Series(cells, name="w"))
    assert says in caught.value.what
    assert "--setting weight_column=w" in caught.value.fix
    assert equal_rows(read_weights(pd.Series([2, 2.0, 2], name="w"))) == pytest.approx(3)


def test_columns_that_are_not_there_cannot_weigh_or_be_audited(tmp_path: Path) -> None:
    plan = plan_for(written(people(60), tmp_path), "state", "multiclass", "accuracy", settings=LIGHT)
    for settings, fix in (
        ({"weight_column": "stand_for"}, "Did you mean 'stands_for'?"),
        ({"audit": ["regon"]}, "Did you mean 'region'?"),
        ({"weight_column": "state"}, "another column"),
    ):
        wrong = replace(plan, settings={**plan.settings, **{name: Setting(value) for name, value in settings.items()}})
        with pytest.raises(BadInput) as caught:
            ClassicalTrainer().train(wrong, tmp_path, run_folder(tmp_path), Silent())
        assert fix in caught.value.fix


MATRICES: list[tuple[object, str]] = [
    ({**COSTS, "healthy": {"ill": 1}}, "no class 'healthy'"),
    ({**COSTS, "ill": {"unsure": 1, "wel": 1}}, "no class 'wel'"),
    ({**COSTS, "ill": {"unsure": 1}}, "'well' where 'ill' is true? It is not stated"),
    ({"ill": COSTS["ill"], "well": COSTS["well"]}, "'ill' where 'unsure' is true? It is not stated"),
    ({**COSTS, "ill": {"unsure": 1, "well": -2}}, "cannot cost '-2'"),
    ({**COSTS, "ill": {"unsure": 1, "well": "much"}}, "cannot cost 'much'"),
    ({**COSTS, "ill": [0, 1, 2]}, "not stated class by class"),
    ([[0, 1], [1, 0]], "not stated class by class"),
    ({name: dict.fromkeys(row, 0) for name, row in COSTS.items()}, "costs nothing"),
]


@pytest.mark.parametrize(("matrix", "says"), MATRICES, ids=[says for _, says in MATRICES])
def test_costs_that_do_not_fit_the_classes_are_refused(tmp_path: Path, matrix: object, says: str) -> None:
    plan = plan_for(written(people(60), tmp_path), "state", "multiclass", "accuracy", settings={"error_costs": matrix})
    with pytest.raises(BadInput) as caught:
        stated_costs(plan, CLASSES)
    assert says in caught.value.what
    assert caught.value.code == "bad-costs" and caught.value.fix
    with pytest.raises(BadInput):
        stated_costs(plan, ())
    beside = {**plan.settings, "error_costs": Setting(COSTS), "balance": Setting(True)}
    with pytest.raises(BadInput, match="contradicts"):
        stated_costs(replace(plan, settings=beside), CLASSES)


def test_costs_of_two_classes_set_a_threshold_whichever_way_they_are_written(tmp_path: Path) -> None:
    plan = plan_for(written(people(60), tmp_path), "state", "binary", "roc_auc")
    both = [
        stated_costs(replace(plan, settings={name: Setting(value) for name, value in given.items()}), ("no", "yes"))
        for given in (
            {"cost_missed": 5, "cost_false_alarm": 1},
            {"error_costs": {"yes": {"no": 5}, "no": {"yes": 1, "no": 0}}},
        )
    ]
    assert both[0].tolist() == both[1].tolist() == [[0, 1], [5, 0]]
    truth, scores = np.array([0.0, 0, 1, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4, 0.9])
    shares = np.column_stack([1 - scores, scores])
    assert cheapest_cut(truth, shares, both[0]).threshold == pytest.approx(0.25)
    heavy = np.array([1.0, 1, 1, 20, 1])
    assert cheapest_cut(truth, shares, both[0], heavy).threshold == pytest.approx(0.65)
