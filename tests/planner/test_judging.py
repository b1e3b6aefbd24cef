"""What decides is in the plan: the stated costs of errors, or a metric that somebody named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from advisor.base.errors import BadInput
from advisor.base.machine import Machine
from advisor.cli.plan_page import page
from advisor.planner import make_plan
from advisor.records.judging import cost_decides
from advisor.records.plain import check, to_plain
from advisor.records.plan import Plan, Setting
from tests.planner.stand_ins import decision, look

COSTS = {"error_costs": Setting({"yes": {"no": 5}, "no": {"yes": 1}})}


def plan(judge_by: str = "", *, costs: bool = True) -> Plan:
    made = make_plan(decision(), {}, look(), case="c", data="d.csv", target="churn", judge_by=judge_by, costs=costs)
    return replace(made, settings=made.settings | (COSTS if costs else {}))


def said(made: Plan) -> str:
    machine = Machine("Linux", "a processor", 2, memory_free_mb=8_000.0, disk_free_mb=9_000.0)
    return " ".join(" ".join(page(made, "A small model", machine, 110)).split())


def test_stated_costs_decide_and_the_plan_says_why_and_what_the_metric_is_for() -> None:
    made = plan()
    assert (made.gate.by, made.gate.metric, made.metric.value) == ("cost", "roc_auc", "roc_auc")
    assert "Judged by cost a row, the less the better. You said what errors cost" in said(made)
    assert "Chosen by ROC-AUC. The case that matters is rare." in said(made)
    stages = {stage.stage: stage for stage in made.stages}
    assert "Its answers must save more than nothing over trivial and one_rule" in stages["evaluate"].owed
    assert "Models are chosen by roc_auc" in stages["select"].done
    assert "by more than 0.3 a row" in said(replace(made, gate=replace(made.gate, minimum_saving=0.3)))
    assert cost_decides(plan("cost"))


def test_a_metric_that_the_user_names_decides_and_models_are_chosen_by_it() -> None:
    made = plan("F1")
    assert (made.gate.by, made.gate.metric, made.metric.value) == ("metric", "f1", "f1")
    assert not cost_decides(made)
    told = "Judged by F1. You named this metric with --judge-by. It decides although you said what errors cost"
    assert told in said(made)
    alone = plan("f1", costs=False)
    assert (alone.gate.metric, alone.gate.by) == ("f1", "metric")
    assert "Judged by F1. You named this metric with --judge-by. Must beat" in said(alone)


def test_without_costs_a_plan_is_as_before_and_one_without_the_field_is_decided_by_costs_put_into_it() -> None:
    made = plan(costs=False)
    assert (made.gate.by, made.gate.because) == ("", "") and not cost_decides(made)
    old = to_plain(made)
    for name in ("by", "because", "minimum_saving"):
        del old["gate"][name]
    read = check(old, Plan)
    assert read == made
    assert cost_decides(replace(read, settings=COSTS))
    assert cost_decides(replace(read, settings={"cost_missed": Setting(5), "cost_false_alarm": Setting(1)}))
    assert not cost_decides(replace(read, settings={"error_costs": Setting({}), "cost_missed": Setting(0)}))


@pytest.mark.parametrize(
    ("name", "costs", "code", "cure"),
    [
        ("rocauc", True, "no-metric", "Did you mean"),
        ("mae", True, "no-metric", "roc_auc"),
        ("cost", False, "no-costs", "--setting"),
    ],
)
def test_what_cannot_decide_is_refused_with_what_can(name: str, costs: bool, code: str, cure: str) -> None:
    with pytest.raises(BadInput) as caught:
        plan(name, costs=costs)
    assert caught.value.code == code and cure in caught.value.fix
