"""A plan says exactly what is trained, or what a person does next; nothing is dropped without a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from advisor.base.errors import BadInput, FactsMissing
from advisor.base.strictyaml import dump, parse
from advisor.planner import make_plan, planning_rules
from advisor.records.decision import Approach
from advisor.records.look import Column
from advisor.records.plain import check, to_plain
from advisor.records.plan import Plan
from tests.planner.stand_ins import decision, look

FACTS: dict[str, Any] = {"decision_uses_output": True, "success_metric_defined": True, "maintenance_owner": True}


def plan(the_decision: Any = None, the_look: Any = None, **options: Any) -> Plan:
    options = {"case": "my-case", "data": "customers.csv", "target": "churn"} | options
    return make_plan(the_decision or decision(), FACTS, the_look or look(), **options)


def test_a_table_is_planned_with_the_split_the_metric_and_the_gate_that_the_chain_chose() -> None:
    made = plan(seed=7, budget_seconds=30)
    assert (made.trainer, made.task, made.target, made.data) == ("classical", "binary", "churn", "customers.csv")
    assert made.split == look().split
    assert (made.metric.value, made.metric.reason, made.metric.source) == (
        "roc_auc",
        "The case that matters is rare.",
        "SK1",
    )
    assert made.gate.metric == "roc_auc"
    assert made.gate.against == ("trivial", "one_rule")
    assert (made.seed, made.budget_seconds, made.data_sha256, made.rulebook_sha256) == (7, 30, "f" * 64, "abc")


def test_columns_that_cannot_help_are_left_out_and_each_has_its_reason() -> None:
    dropped = {column.name: column.reason for column in plan().drop}
    assert set(dropped) == {"customer_no", "plan_name", "total"}
    assert "P103" in dropped["total"]
    assert all(reason.strip() for reason in dropped.values())


def test_a_leak_suspect_stays_in_and_a_person_is_asked() -> None:
    made = plan()
    assert [question.name for question in made.to_ask] == ["closed_at"]
    assert "Is it known at the moment you must predict?" in made.to_ask[0].question
    assert "closed_at" in made.stages[1].owed
    assert made.stages[1].status == "part"


def test_the_user_can_drop_and_keep_columns_and_is_then_not_asked() -> None:
    made = plan(drop={"closed_at": "Dropped by the user."}, keep=["total"])
    dropped = {column.name: column.reason for column in made.drop}
    assert dropped["closed_at"] == "Dropped by the user."
    assert "total" not in dropped
    assert made.to_ask == ()
    assert plan(keep=["closed_at"]).to_ask == ()


@pytest.mark.parametrize("name", ["closed", "churn"])
def test_dropping_a_column_that_is_not_there_or_is_the_target_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="no column") as caught:
        plan(drop={name: "Dropped."})
    assert caught.value.fix


def test_an_ignored_pitfall_asks_and_drops_nothing() -> None:
    ignored = tuple(replace(pitfall, outcome="ignored") for pitfall in look().pitfalls)
    made = plan(the_look=look(pitfalls=ignored))
    assert {column.name for column in made.drop} == {"customer_no", "plan_name"}
    assert made.to_ask == ()


def test_severe_problems_that_no_column_settles_are_owed() -> None:
    assert "200 rows repeat. Remove the repeats." in plan().stages[1].owed


@pytest.mark.parametrize(
    ("task", "metric"), [("binary", "average_precision"), ("multiclass", "macro_f1"), ("regression", "mae")]
)
def test_without_a_rule_for_it_the_metric_follows_the_task(task: str, metric: str) -> None:
    from trainers.common.metrics import metric_by_name

    none = replace(decision(), metric=type(decision().metric)(None))
    made = plan(none, look(task=task))
    assert made.metric.value == metric and made.metric.reason and made.metric.source
    assert metric_by_name(metric, task).name == metric


@pytest.mark.parametrize("approach", get_args(Approach))
def test_every_approach_has_steps_that_say_what_why_and_when_done(approach: str) -> None:
    made = plan(decision(approach), the_look=look(), known_trainers=())
    assert made.trainer == ""
    assert len(made.steps) >= 4
    assert all(step.what and step.why and step.done_when for step in made.steps)
    assert not any("{case}" in step.what + step.done_when for step in made.steps)
    assert len(made.stages) == 7
    assert all(stage.done or stage.owed or stage.status == "not_needed" for stage in made.stages)
    assert made.drop == () and made.to_ask == ()


@pytest.mark.parametrize("approach", ["no_ml", "api", "prompt", "rag", "get_labels"])
def test_where_nothing_is_trained_the_training_stage_says_so(approach: str) -> None:
    made = plan(decision(approach), known_trainers=("classical",))
    assert made.stages[4].status == "not_needed"
    assert made.trainer == ""


def test_retrieval_is_planned_as_index_twenty_questions_and_recall() -> None:
    made = make_plan(decision("rag"), {"eval_examples": 4}, None, case="my-case")
    words = " ".join(step.what for step in made.steps)
    assert "20 questions" in words and "index" in words and "recall at 5" in words
    assert made.settings["test_questions"].value == 20
    assert "Set aside 20 examples with trusted answers; there are 4." in made.stages[1].owed


def test_labels_are_planned_with_guidelines_two_people_and_agreement() -> None:
    made = make_plan(decision("get_labels"), {}, None, case="my-case")
    words = " ".join(step.what for step in made.steps)
    assert "guidelines" in words and "two people" in words and "how often they agree" in words
    assert made.settings["first_labels"].value == 200


def test_an_open_decision_is_not_planned_and_the_open_questions_are_listed() -> None:
    still_open = decision(settled=False, also_possible=("get_labels",), unknown=("n_labeled", "label_agreement"))
    with pytest.raises(FactsMissing) as caught:
        plan(still_open)
    said = caught.value
    assert said.exit_code == 3
    assert said.details["missing"] == ["n_labeled", "label_agreement"]
    assert "train-or-not ask my-case" in said.fix


def test_an_open_decision_can_be_overridden_and_the_plan_keeps_that_in_writing() -> None:
    still_open = decision(None, settled=False, also_possible=("classical",), unknown=("n_labeled",))
    made = plan(still_open, approach="classical")
    assert made.trainer == "classical"
    assert "while the decision is open" in made.override and "n_labeled" in made.override


def test_another_approach_than_the_settled_one_is_kept_in_writing_and_does_not_take_its_metric() -> None:
    made = plan(decision("rag", metric=decision().metric), approach="classical")
    assert made.override == "Planned as classical by the user's wish; the decision says rag."
    assert made.metric.value == "average_precision"
    assert plan(approach="classical").override == "", "asking for what was decided anyway is no override"


def test_an_unknown_approach_gets_the_closest_name() -> None:
    with pytest.raises(BadInput) as caught:
        plan(approach="clasical")
    assert caught.value.fix == "Did you mean 'classical'?"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"data": "", "target": ""}, "train-or-not look my-case --data FILE --target COLUMN"),
        ({"target": ""}, "Write target: COLUMN into my-case/answers.yaml"),
        ({"target": "churm"}, "Did you mean 'churn'?"),
    ],
)
def test_missing_data_or_target_is_refused_with_the_exact_cure(options: dict[str, str], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        plan(**options)
    assert words in caught.value.fix


def test_examples_that_carry_their_own_answer_need_no_target() -> None:
    made = plan(decision("fine_tune"), look(target=""), target="", known_trainers=("lora",))
    assert (made.trainer, made.target, made.gate.against) == ("lora", "", ("prompt",))


def test_a_likely_target_is_proposed() -> None:
    with pytest.raises(BadInput) as caught:
        plan(the_look=look(target="", candidates=("churn",)), target="")
    assert caught.value.fix == "train-or-not look my-case --target churn"


def test_a_plan_survives_the_file_it_is_written_to() -> None:
    nasty = Column("a: b\n'\"#\u202e", "constant", role="constant")
    made = plan(the_look=look(columns=(*look().columns, nasty)))
    assert check(parse(dump(to_plain(made)), "plan.yaml").data, Plan) == made


def test_the_stages_keep_what_the_rulebook_says_and_add_what_this_case_did_and_owes() -> None:
    stages = {stage.stage: stage for stage in plan().stages}
    assert (stages["frame"].status, stages["frame"].by) == ("done", "you")
    assert (
        stages["collect"].done
        == "5,000 rows × 6 columns were looked at; problems found: 3. Split proposed: time by month."
    )
    assert stages["collect"].owed.startswith("Owed at collect.")
    assert "customer_no" in stages["represent"].done
    assert "roc_auc" in stages["select"].done
    assert stages["train"].owed == "Owed at train. train-or-not train my-case"
    assert "trivial and one_rule" in stages["evaluate"].owed
    assert all(stage.by for stage in stages.values() if stage.done)


def test_a_stage_with_something_left_to_do_is_not_done() -> None:
    made = make_plan(decision(), {"accuracy_target": 0.9}, look(), case="c", data="d", target="churn")
    assert made.stages[0].done == "There is one number. It must be right in 90% of cases."
    assert [stage.status for stage in made.stages] == ["done", "part", "part", "part", "owed", "owed", "owed"]


def test_a_metric_that_the_trainer_cannot_measure_is_replaced_and_that_is_said() -> None:
    odd = decision(metric=replace(decision().metric, value="ndcg"))
    made = plan(odd)
    assert made.metric.value == "average_precision"
    assert "The rulebook's ndcg cannot be measured" in made.metric.reason
    assert plan(odd, known_trainers=()).metric.value == "ndcg", "people may judge by it"


def test_the_plan_knows_what_the_trainers_can_measure() -> None:
    from trainers.common.metrics import METRICS
    from trainers.forecast.measure import FORECAST_METRICS
    from trainers.lora import scores

    for task, names in planning_rules("planning")["measured"].items():
        if task in ("extract", "generate"):
            assert set(names) <= set(scores.METRICS)
        elif task == "forecast":
            assert set(names) == set(FORECAST_METRICS)
        elif task in {line.get("task") for line in planning_rules("planning")["routes"]}:
            assert set(names) <= {*METRICS, "agreement", "alpha", "reward"}
        else:
            assert set(names) == {metric.name for metric in METRICS.values() if task in metric.tasks}


@pytest.mark.parametrize(("seen", "asked", "metric"), [
    ("multiclass", ["order"], "quadratic_kappa"),
    ("multiclass", ["folds"], "macro_f1"),
    ("binary", ["order"], "roc_auc"),
])  # fmt: skip
def test_classes_with_a_stated_order_are_judged_by_how_far_off_an_answer_is(
    seen: str, asked: list[str], metric: str
) -> None:
    chosen = decision(metric=replace(decision().metric, value="macro_f1" if seen == "multiclass" else "roc_auc"))
    made = plan(chosen, replace(look(), task=seen), asked=asked)
    assert (made.metric.value, made.gate.metric) == (metric, metric)
    assert (made.metric.source == "Cohen 1968, Psychological Bulletin 70") == (metric == "quadratic_kappa")


@pytest.mark.parametrize(("stated", "seen", "task", "metric"), [
    ("extract", "multiclass", "extract", "exact_match"),
    ("generate_text", "extract", "generate", "token_f1"),
    (None, "multiclass", "multiclass", "macro_f1"),
])  # fmt: skip
def test_what_was_said_of_written_answers_counts_more_than_how_the_column_looks(
    stated: str | None, seen: str, task: str, metric: str
) -> None:
    odd = decision(metric=replace(decision().metric, value="answer_quality"))
    seen_so = replace(look(), task=seen)
    made = make_plan(odd, {"task_type": stated}, seen_so, case="c", data="d", target="churn")
    assert (made.task, made.metric.value) == (task, metric)


def test_every_drop_and_question_names_a_pitfall_that_exists() -> None:
    from advisor.evidence.catalogue import load_catalogue

    rules = planning_rules("planning")
    assert {*rules["drop_pitfalls"], *rules["ask_pitfalls"]} <= set(load_catalogue().entries)


def test_every_gate_and_limit_belongs_to_an_approach() -> None:
    rules = planning_rules("planning")
    for table in ("gates", "too_large", "trainers"):
        assert set(rules[table]) <= set(get_args(Approach))
    assert {line["approach"] for line in rules["routes"]} <= set(get_args(Approach))
    assert set(rules["task_gates"]) <= {line.get("task") for line in rules["routes"]}
    assert all(0 < share <= 1 for share in rules["limits"].values())


def test_a_series_goes_to_the_forecast_trainer_with_its_own_metric_gate_and_no_columns_to_ask_about() -> None:
    made = plan(the_look=replace(look(), task="forecast"), known_trainers=("classical", "forecast"))
    assert (made.trainer, made.task, made.metric.value) == ("forecast", "forecast", "mase")
    assert made.gate.against == ("naive", "seasonal_naive")
    assert (made.drop, made.to_ask) == ((), ())
    without = plan(the_look=replace(look(), task="forecast"))
    assert (without.trainer, without.task) == ("classical", "regression")
