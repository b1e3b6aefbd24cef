"""Where it is stated what errors cost, the gate asks what answers cost, and tells the metric beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import LIGHT, Silent, plan_for, run_folder, written

from advisor.base.errors import BadInput
from advisor.cli.train_page import page
from advisor.records.plain import check, to_plain
from advisor.records.plan import Gate, Setting
from advisor.records.run import GateVerdict, RunRecord
from advisor.report.proof import did_it_earn_its_place
from tests.report.report_examples import EXAMPLES
from trainers.classical.trainer import ClassicalTrainer
from trainers.common.baselines import best_rule
from trainers.common.costs import cheapest_answer, cost_metric
from trainers.common.gate import AtCosts, hold_against
from trainers.common.metrics import METRICS, Output

MISS, ALARM = 20.0, 1.0
COSTS = np.array([[0, ALARM], [MISS, 0]])
STATED = {"ill": {"well": MISS}, "well": {"ill": ALARM}}
TRUTH = np.repeat([1.0, 0.0], [100, 300])


def answers(missed: int, alarms: int) -> Output:
    """Answers that miss so many of the 100 ill, and alarm so many of the 300 well."""
    labels = TRUTH.astype(np.int64)
    labels[:missed] = 0
    labels[100 : 100 + alarms] = 1
    return Output(probabilities=np.eye(2)[labels], labels=labels)


def judged(ours: Output, theirs: Output, *, decide: bool = True, costs: np.ndarray = COSTS, **more) -> GateVerdict:
    gate, rungs = Gate("accuracy", ("one_rule",), **more), {"one_rule": theirs}
    at_costs = AtCosts(costs, rungs, decide)
    return hold_against(METRICS["accuracy"], TRUTH, ours, rungs, np.arange(400), gate, 0, at_costs=at_costs)[1]


def test_a_model_as_often_right_and_cheaper_earns_its_place_by_cost_and_not_by_the_metric() -> None:
    ours, theirs = answers(missed=5, alarms=35), answers(missed=35, alarms=5)
    verdict = judged(ours, theirs)
    (metric,), (cost,) = verdict.comparisons, verdict.costs
    assert (metric.gain, metric.passed) == (0, False)
    assert (cost.ours.value, cost.theirs.value) == ((5 * MISS + 35) / 400, (35 * MISS + 5) / 400)
    assert cost.gain == pytest.approx(1.425) and 0 < cost.low < cost.gain < cost.high
    assert (verdict.outcome, verdict.decided_by, verdict.deciding) == ("earned", "cost", verdict.costs)
    assert "its answers cost 0.3375 a row at the stated costs, on 400 sealed rows, against 1.762" in verdict.text
    assert "Costs decide here, not accuracy" in verdict.text and "which does not show a gain" in verdict.text
    other = judged(ours, theirs, decide=False)
    assert (other.outcome, other.decided_by) == ("not_earned", "metric")
    assert "Accuracy decides here, not costs" in other.text and "which shows a saving" in other.text


def test_a_model_oftener_right_but_dearer_does_not_earn_its_place() -> None:
    verdict = judged(answers(missed=20, alarms=0), answers(missed=0, alarms=100))
    (metric,), (cost,) = verdict.comparisons, verdict.costs
    assert metric.passed and not cost.passed and cost.high < 0
    assert verdict.outcome == "not_earned"
    assert "does not show a saving" in verdict.text and "which shows a gain" in verdict.text


def test_equal_costs_are_no_saving_and_too_small_a_saving_is_not_enough() -> None:
    same = judged(answers(2, 40), answers(4, 0))
    assert same.costs[0].gain == 0 and same.outcome == "not_earned"
    alike = judged(answers(7, 7), answers(7, 7))
    assert (alike.costs[0].low, alike.costs[0].high, alike.outcome) == (0, 0, "not_earned")
    cheaper = answers(5, 35), answers(35, 5)
    assert judged(*cheaper, minimum_saving=0.5).outcome == "earned"
    refused = judged(*cheaper, minimum_saving=1.4)
    assert refused.outcome == "not_earned" and "does not show more than 1.4" in refused.text


def test_rows_cost_by_their_weight_and_weights_can_turn_the_verdict() -> None:
    ours, theirs = answers(missed=0, alarms=60), answers(missed=10, alarms=0)
    gate, at_costs = Gate("accuracy", ("one_rule",)), AtCosts(COSTS, {"one_rule": theirs}, True)
    for each, outcome in ((1.0, "earned"), (9.0, "not_earned")):
        counts = np.where(TRUTH == 1, 1.0, each)
        rungs, units = {"one_rule": theirs}, np.arange(400)
        _, verdict = hold_against(METRICS["accuracy"], TRUTH, ours, rungs, units, gate, 0, counts, at_costs)
        assert verdict.costs[0].ours.value == pytest.approx(60 * each / counts.sum())
        assert verdict.outcome == outcome and verdict.text.endswith("Rows count by their weights.")


def test_costs_of_three_classes_are_read_by_true_and_said_class() -> None:
    costs = np.array([[0, 1, 9], [2, 0, 3], [4, 5, 0]], dtype=float)
    truth, said = np.array([0.0, 0, 1, 2]), np.array([2, 1, 0, 1])
    assert cost_metric(costs).value(truth, Output(labels=said)) == (9 + 1 + 2 + 5) / 4
    # Saying 0 of all four costs 2 + 2 + 4, saying 1 costs 1 + 5, saying 2 costs 9 + 3 + 3.
    assert cheapest_answer(np.array([0.0, 1, 1, 2]), costs) == 1
    assert cheapest_answer(np.array([0.0, 1, 1, 2]), costs, np.array([20.0, 1, 1, 20])) == 0


def test_the_rule_on_one_column_is_the_cheapest_one_where_costs_decide() -> None:
    draw = np.random.default_rng(1)
    truth = (draw.random(800) < 0.2).astype(float)
    # "often" is right about most rows; "never missed" marks half of the well too, but misses nobody who is ill.
    often = np.where(draw.random(800) < 0.85, truth, 1 - truth) * 1.0
    never = np.where(truth == 1, 1.0, draw.integers(0, 2, 800))
    frame = pd.DataFrame({"often": often, "never_missed": never})
    at = np.arange(800)
    folds = [(at[at % 4 != k], at[at % 4 == k]) for k in range(4)]
    by_metric = best_rule(METRICS["accuracy"], frame, truth, 2, folds)
    by_cost = best_rule(METRICS["accuracy"], frame, truth, 2, folds, costs=COSTS)
    assert by_metric is not None and by_cost is not None
    assert (by_metric.column, by_cost.column) == ("often", "never_missed")
    assert cost_metric(COSTS).value(truth, by_cost.apply(frame)) == pytest.approx((never != truth).mean())
    # A third of those it marks are ill: "well" is likelier, and "ill" is cheaper to say.
    assert ", so ill" in by_cost.text(("well", "ill")) and ", so " not in by_metric.text(("well", "ill"))


def patients(rows: int = 500) -> pd.DataFrame:
    draw = np.random.default_rng(5)
    sign, other = draw.normal(size=(2, rows)).round(3)
    ill = sign + other + draw.normal(size=rows) > 1.6
    return pd.DataFrame({"sign": sign, "other": other, "state": np.where(ill, "ill", "well")})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[RunRecord, pd.DataFrame]]:
    found = {}
    for by in ("", "metric"):
        case = tmp_path_factory.mktemp(f"judged-{by or 'open'}")
        leave = [*LIGHT["leave_out"], "linear, strongly held back", "additive curves"]  # type: ignore[misc]
        settings = {"folds": 3, "leave_out": leave, "error_costs": STATED}
        plan = plan_for(written(patients(), case), "state", "binary", "accuracy", settings=settings)
        plan = replace(plan, gate=replace(plan.gate, by=by))
        record = ClassicalTrainer().train(plan, case, run_folder(case), Silent())
        found[by] = record, pd.read_csv(case / "runs" / "classical-1" / "test_predictions.csv")
    return found


def test_a_run_whose_plan_does_not_say_is_decided_by_stated_costs(runs) -> None:
    record, stored = runs[""]
    assert (record.gate.decided_by, record.gate.outcome) == ("cost", "earned")
    truth, ours = stored["truth"].astype(int), stored["ours"]
    paid = np.array([[0, ALARM], [MISS, 0]])[truth, ours]  # of two classes the rarer one, ill, is the second
    assert record.gate.costs[0].ours.value == pytest.approx(paid.mean())
    trivial = next(one for one in record.gate.costs if one.against == "trivial")
    assert trivial.theirs.value == pytest.approx((truth == 0).mean() * ALARM)  # "ill" of everybody is the cheapest
    assert not next(one for one in record.gate.comparisons if one.against == "trivial").passed  # it alarms so often
    assert not any("cost" in note for note in record.notes)


def test_a_metric_that_the_plan_names_decides_and_costs_are_told_beside_it(runs) -> None:
    record, _ = runs["metric"]
    assert (record.gate.decided_by, record.gate.outcome) == ("metric", "not_earned")
    assert record.gate.deciding == record.gate.comparisons and all(one.passed for one in record.gate.costs)
    assert "Accuracy decides here, not costs" in record.gate.text


def test_page_and_report_tell_both_and_an_old_record_is_read_as_decided_by_its_metric(runs) -> None:
    record, _ = runs[""]
    text = "\n".join(page(record))
    assert "what answers cost a row (the less the better)" in text and "saving +" in text and "gain " in text
    given = replace(EXAMPLES["classical"](), run=record)
    section = did_it_earn_its_place(given)
    assert section is not None
    charts = [block.title for block in section.blocks if hasattr(block, "chart") or hasattr(block, "points")]
    assert charts[-2:] == ["Cost a row on the sealed rows", "Accuracy on the sealed rows"]
    old = to_plain(record)
    del old["gate"]["costs"], old["gate"]["decided_by"]
    for name in ("by", "because", "minimum_saving"):
        del old["plan"]["gate"][name]
    read = check(old, RunRecord)
    assert (read.gate.decided_by, read.gate.costs, read.gate.deciding) == ("metric", (), read.gate.comparisons)


def test_costs_of_nothing_are_refused_when_planned_and_costs_that_are_not_there_when_trained(tmp_path: Path) -> None:
    plan = plan_for(written(patients(60), tmp_path), "state", "binary", "accuracy", settings=LIGHT)
    nothing = {"ill": {"well": 0}, "well": {"ill": 0}}
    with pytest.raises(BadInput, match="Every answer costs nothing"):
        ClassicalTrainer().settings(replace(plan, settings={"error_costs": Setting(nothing)}), tmp_path)
    with pytest.raises(BadInput, match="does not say what they cost") as caught:
        by_cost = replace(plan, gate=replace(plan.gate, by="cost"))
        ClassicalTrainer().train(by_cost, tmp_path, run_folder(tmp_path), Silent())
    assert "error_costs" in caught.value.fix
