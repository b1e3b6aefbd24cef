"""Six decisions as the chain would hand them to the report: complete records, made by hand.

The words of the rulebook and one bill of costs are kept beside this file, so that the golden pages change only when the
report does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from advisor.reasoning.definitions import ChoiceDefinition, FactDefinition
from advisor.records.decision import Choice, Decision, Flip, Reason, Stage, Step
from advisor.records.facts import Contradiction, Fact, FactSheet, Value
from advisor.records.look import Baseline, Column, Curve, CurvePoint, Look, Pitfall, SplitProposal
from advisor.records.plan import DroppedColumn, Estimate, Gate, Plan, Setting
from advisor.records.run import Candidate, Comparison, GateVerdict, RunRecord, Score
from advisor.report.given import Given, Move, Swing

DAY = "2026-11-22"
SOURCES: dict[str, dict[str, str]] = {
    "S0": {"title": "How to train a custom AI model, and whether you should", "address": "", "date": "2026-03-02"},
    "GO2": {
        "title": "Introduction to machine learning problem framing",
        "address": "https://developers.google.com/machine-learning/problem-framing",
        "date": "2025-08-25",
    },
    "OA1": {
        "title": "Optimizing model accuracy",
        "address": "https://platform.openai.com/docs/guides/optimizing-llm-accuracy",
        "date": "2026-01-15",
    },
    "SK1": {
        "title": "Choosing the right estimator",
        "address": "https://scikit-learn.org/stable/machine_learning_map.html",
        "date": "2026-06-01",
    },
}


WORDS = json.loads((Path(__file__).parent / "rulebook_words.json").read_text(encoding="utf-8"))
DEFINITIONS = {
    fact["name"]: FactDefinition(
        **{**fact, "choices": tuple(ChoiceDefinition(choice["value"], choice["label"]) for choice in fact["choices"])}
    )
    for fact in WORDS["facts"]
}


STAGES = (
    ("frame", "Frame the problem", "One number tells good from bad, and somebody acts on it."),
    ("collect", "Collect, label, split", "The test part is sealed before anybody looks at it."),
    ("represent", "Represent the data", "Every column is known at the moment of use."),
    ("select", "Select against a baseline", "The simplest way is measured first."),
    ("train", "Train", "Choices are made on the development rows only."),
    ("evaluate", "Evaluate", "The sealed part is opened once, for one model."),
    ("deploy", "Deploy and monitor", "Somebody sees it when the world drifts away."),
)


def because(
    rule: str, name: str, text: str, facts: dict[str, Value | None], *sources: str, do_instead: str = ""
) -> Reason:
    return Reason(rule, name, text, facts, sources or ("S0",), do_instead)


def stages(**status: str) -> tuple[Stage, ...]:
    told = {"done": "Answered in the questionnaire.", "part": "Begun.", "owed": "", "not_needed": ""}
    return tuple(
        Stage(
            key,
            title,
            good,
            status.get(key, "owed"),
            told[status.get(key, "owed")],
            "you" if status.get(key) in ("done", "part") else "",
            "Name who does it." if status.get(key, "owed") == "owed" else "",
        )
        for key, title, good in STAGES
    )


def ladder(**steps: tuple[str, Reason] | str) -> tuple[Step, ...]:
    told = []
    for rung in ("api", "prompt", "rag", "fine_tune", "scratch"):
        step = steps.get(rung, "not_reached")
        told.append(Step(rung, step) if isinstance(step, str) else Step(rung, step[0], (step[1],)))  # type: ignore[arg-type]
    return tuple(told)


def decision(**given: object) -> Decision:
    plain: dict[str, object] = {
        "approach": None,
        "verdict": None,
        "settled": True,
        "also_possible": (),
        "rung": None,
        "hosting": Choice(None),
        "trainer": Choice(None),
        "metric": Choice(None),
        "model_family": Choice(None),
        "headline": "",
        "ladder": (),
        "beside": (),
        "stops": (),
        "cautions": (),
        "flips": (),
        "unknown": (),
        "next_question": None,
        "plan": stages(frame="done"),
        "cost": {},
        "facts": {},
        "as_of": DAY,
        "rulebook": {"hash": "9f2c" * 16, "version": "2026.11"},
    }
    return Decision(**{**plain, **given})  # type: ignore[arg-type]


def given(case: str, made: Decision, **more: object) -> Given:
    facts = tuple(Fact(name, value, "stated", "questionnaire", DAY) for name, value in made.facts.items())
    plain: dict[str, object] = {
        "facts": FactSheet(facts),
        "definitions": DEFINITIONS,
        "titles": WORDS["titles"],
        "sources": SOURCES,
        "inputs": {"answers.yaml": "31ab" * 16, "decision.json": "77e0" * 16},
        "tool_version": "0.1.0",
    }
    return Given(case=case.rpartition("/")[2], folder=case, decision=made, **{**plain, **more})  # type: ignore[arg-type]


def no_ml() -> Given:
    solver = because(
        "R05",
        "cost-can-be-computed",
        "Every plan can be scored before it is driven, so a solver finds a better one than anything that learns.",
        {"task_type": "plan_optimise", "known_cost_function": True},
        "S0",
        "GO2",
        do_instead="Write the constraints down for a routing solver and compare its plan with last week's.",
    )
    out = because(
        "R05b",
        "no-model-needed",
        "Nothing has to be learned here, so no model is called.",
        {"known_cost_function": True},
    )
    facts: dict[str, Value | None] = {
        "task_type": "plan_optimise",
        "known_cost_function": True,
        "rules_can_solve": "yes",
        "error_cost": "medium",
    }
    return given(
        "van-routes",
        decision(
            approach="no_ml",
            verdict="no",
            headline="No. Plan the routes with a solver; there is nothing to learn.",
            ladder=ladder(**dict.fromkeys(("api", "prompt", "rag", "fine_tune", "scratch"), ("not_applicable", out))),
            beside=(
                Step("no_ml", "enough", (solver,)),
                Step("reinforcement", "not_reached"),
                Step("get_labels", "not_applicable"),
            ),
            flips=(Flip({"known_cost_function": False}, "reinforcement"),),
            facts=facts,
            plan=stages(frame="done", **dict.fromkeys(("represent", "select", "train", "evaluate"), "not_needed")),
        ),
    )


def rag() -> Given:
    facts_move = because(
        "R31",
        "facts-move-too-fast-to-learn",
        "The policy changes every week, so whatever a model learned would be out of date within days.",
        {"facts_change_every": "weekly", "failure_kind": "lacks_facts"},
        "S0",
        "OA1",
        do_instead="Index the policy pages and give the model the passages that fit each question.",
    )
    missing = because(
        "R30",
        "missing-knowledge-not-skill",
        "What is missing is knowledge, and no wording of the instructions adds it.",
        {"failure_kind": "lacks_facts"},
        "S0",
    )
    basic = because(
        "R29",
        "ready-model-lacks-private-facts",
        "A ready-made model has never read your internal policy.",
        {"needs_private_facts": True},
        "OA1",
    )
    owner = because(
        "R52",
        "nobody-keeps-it",
        "Nobody is named who keeps the index up to date.",
        {"maintenance_owner": False},
        do_instead="Name one person before it goes live.",
    )
    facts: dict[str, Value | None] = {
        "task_type": "answer_questions",
        "modality": "text",
        "needs_private_facts": True,
        "facts_change_every": "weekly",
        "knowledge_tokens": 450000,
        "needs_citations": True,
        "failure_kind": "lacks_facts",
        "prompting_tried": "basic",
        "maintenance_owner": False,
        "eval_examples": 40,
    }
    return given(
        "returns",
        decision(
            approach="rag",
            verdict="no",
            rung="rag",
            headline="No. Do not train: let a ready-made model look the policy up for every question.",
            hosting=Choice("hosted"),
            ladder=ladder(api=("insufficient", basic), prompt=("insufficient", missing), rag=("enough", facts_move)),
            beside=(Step("get_labels", "not_applicable"), Step("no_ml", "not_applicable")),
            cautions=(owner,),
            flips=(
                Flip({"facts_change_every": "yearly", "knowledge_tokens": 60000}, "prompt"),
                Flip({"failure_kind": "both", "retrieval_tried": "helped"}, "rag_plus_fine_tune"),
            ),
            facts=facts,
            cost=WORDS["cost"],
        ),
        swings=(
            Swing("Upkeep of a search index and its answers", 22227.0, 49101.0),
            Swing("An engineer's month, with the employer's share (82,630 to 169,000 a year)", 23638.66, 47689.35),
            Swing("Building the index and its checks", 30496.71, 40831.28),
        ),
    )


def get_labels() -> Given:
    nothing = because(
        "R10",
        "no-labels-to-learn-from",
        "Nothing can be learned, or even measured, without examples whose right answer is known.",
        {"n_labeled": 0, "task_type": "classify"},
        "S0",
        "SK1",
        do_instead="Label 200 examples first; have two people label 50 of them, to see whether they agree.",
    )
    blocked = because("R10b", "nothing-to-tune-on", "There is not one labelled example to tune on.", {"n_labeled": 0})
    facts: dict[str, Value | None] = {
        "task_type": "classify",
        "modality": "image",
        "n_rows": 12000,
        "n_labeled": 0,
        "labels_obtainable": "cheap",
        "pretrained_exists": "partly",
    }
    return given(
        "weld-photos",
        decision(
            approach="get_labels",
            verdict="not_yet",
            headline="Not yet. Collect labelled examples first.",
            ladder=ladder(
                api="unknown",
                prompt="not_applicable",
                rag="not_applicable",
                fine_tune=("blocked", blocked),
                scratch=("blocked", blocked),
            ),
            beside=(Step("get_labels", "enough", (nothing,)), Step("unsupervised", "not_reached")),
            stops=(nothing,),
            flips=(Flip({"n_labeled": 200}, "fine_tune"), Flip({"labels_obtainable": "impossible"}, "unsupervised")),
            facts=facts,
        ),
    )


def undecided() -> Given:
    skill = because(
        "R37",
        "style-not-reached-by-instructions",
        "Instructions were tried with care and the tone is still wrong.",
        {"failure_kind": "style_format", "prompting_tried": "systematic"},
        "OA1",
        do_instead="Answer what is open before any money is spent.",
    )
    facts: dict[str, Value | None] = {
        "task_type": "generate_text",
        "modality": "text",
        "failure_kind": "style_format",
        "prompting_tried": "systematic",
        "needs_private_facts": None,
    }
    return given(
        "complaint-letters",
        decision(
            approach="fine_tune",
            verdict="yes_light",
            settled=False,
            rung="fine_tune",
            also_possible=("get_labels", "prompt", "rag"),
            headline="Yes, lightly. Fine-tune an open model on your own letters.",
            ladder=ladder(api="unknown", prompt="unknown", rag="unknown", fine_tune=("enough", skill)),
            beside=(Step("get_labels", "unknown"),),
            facts=facts,
            unknown=("eval_examples", "n_labeled", "needs_private_facts"),
            next_question="eval_examples",
        ),
        moves={
            "eval_examples": (Move("0", "get_labels", True), Move("50", "fine_tune", False)),
            "needs_private_facts": (Move("yes", "rag", False), Move("no", "fine_tune", False)),
        },
    )


def _score(metric: str, value: float, low: float, high: float, rows: int = 1409) -> Score:
    return Score(metric, value, low, high, rows, method="percentile bootstrap, 2,000 resamples")


def classical() -> Given:
    tabular = because(
        "R21",
        "table-with-labels",
        "A table with 7,043 labelled rows is what classical models are best at, and they cost next to nothing to run.",
        {"modality": "tabular", "n_labeled": 7043},
        "S0",
        "SK1",
    )
    words = because(
        "R21b",
        "language-models-do-not-read-tables",
        "Language models are poor and dear at reading rows of figures.",
        {"modality": "tabular"},
        "SK1",
    )
    facts: dict[str, Value | None] = {
        "task_type": "classify",
        "modality": "tabular",
        "n_rows": 7043,
        "n_labeled": 7043,
        "n_features": 19,
        "minority_share": 0.265,
        "rules_can_solve": "mostly",
        "success_metric_defined": True,
        "ml_skill": "some",
    }
    look = Look(
        "customers.csv",
        "c0ff" * 16,
        "csv",
        (7043, 20),
        "Churn",
        (
            Column("customerID", "id", 0, 7043, ("7590-VHVEG", "5575-GNVDE")),
            Column("tenure", "number", 0, 73, ("1", "34", "2")),
            Column("Contract", "category", 0, 3, ("Month-to-month", "One year", "Two year")),
            Column("TotalCharges", "number", 11, 6531, ("29.85", "1889.5")),
            Column("PaymentMethod", "category", 180, 4, ("Electronic check", "Mailed check")),
            Column("Churn", "boolean", 0, 2, ("Yes", "No")),
        ),
        (Fact("n_rows", 7043, "observed", "customers.csv", DAY),),
        (
            Pitfall(
                "P103",
                "identifier column",
                "issue",
                "moderate",
                "“customerID” differs in every row; a model would learn it by heart.",
                "Leave it out; the plan already does.",
                ("customerID",),
            ),
            Pitfall(
                "P201",
                "imbalance",
                "tip",
                "mild",
                "26.5% of the rows are “Yes”, so accuracy would flatter.",
                "Judge by balanced accuracy.",
                ("Churn",),
                {"counts": {"No": 5174, "Yes": 1869}},
            ),
            Pitfall("P301", "duplicate rows", "passed"),
            Pitfall("P302", "target leak", "passed"),
        ),
        SplitProposal("stratified", "", 0.2, "Classes keep their shares in every part."),
        baseline=Baseline("linear model", "log-loss", 0.162, 0.147, 0.178, "AUC", 0.847, 0.5, 4000),
        curve=Curve(
            "share of the uncertainty that is left",
            (
                CurvePoint(375, 0.793, 0.764, 0.822),
                CurvePoint(1500, 0.741, 0.718, 0.765),
                CurvePoint(6000, 0.716, 0.694, 0.737, measured=False),
            ),
            "More labels may help; this much data cannot tell.",
            "good",
        ),
    )
    plan = Plan(
        "classical",
        "classical",
        "binary",
        "customers.csv",
        "c0ff" * 16,
        "Churn",
        look.split,
        Setting("balanced_accuracy", "classes are unequal"),
        Gate("balanced_accuracy", ("trivial", "one_rule"), 0.01),
        (DroppedColumn("customerID", "differs in every row"),),
        estimate=Estimate(
            48, 410, 3, 0, "rows × columns × candidates × folds, from the timed first fold", "Within a factor of 1.5."
        ),
        stages=stages(frame="done", collect="done"),
    )
    ours = _score("balanced_accuracy", 0.762, 0.737, 0.786)
    trivial, rule = _score("balanced_accuracy", 0.5, 0.5, 0.5), _score("balanced_accuracy", 0.688, 0.662, 0.713)
    done = ("frame", "collect", "represent", "select", "train", "evaluate")
    run = RunRecord(
        "20261122-101500-churn",
        plan,
        "hist_gradient_boosting",
        (
            Candidate("trivial", _score("balanced_accuracy", 0.5, 0.5, 0.5, 5634), 0.01, "always “No”"),
            Candidate(
                "one_rule", _score("balanced_accuracy", 0.684, 0.671, 0.698, 5634), 0.02, "Contract is Month-to-month"
            ),
            Candidate("logistic_regression", _score("balanced_accuracy", 0.755, 0.742, 0.768, 5634), 1.2),
            Candidate("hist_gradient_boosting", _score("balanced_accuracy", 0.764, 0.752, 0.777, 5634), 6.3),
        ),
        ours,
        GateVerdict(
            "earned",
            "Yes: the trained model beats the best single rule on rows it never saw.",
            (
                Comparison("trivial", trivial, ours, 0.262, 0.237, 0.286, "paired bootstrap, 2,000 resamples", True),
                Comparison("one_rule", rule, ours, 0.074, 0.049, 0.099, "paired bootstrap, 2,000 resamples", True),
            ),
        ),
        {"train": 4226, "development": 1408, "test": 1409},
        {"roc_auc": 0.846, "average_precision": 0.661},
        {"learning_rate": 0.1, "max_leaf_nodes": 31},
        {"split": 0.2, "select": 31.0, "fit": 6.3, "evaluate": 4.1},
        388.0,
        {"python": "3.11.9", "scikit-learn": "1.9.1"},
        {"cores": "2", "memory": "16 GB"},
        {"model.skops": "ab12" * 16},
        {
            "learning_curve": [
                {"rows": 200, "value": 0.69, "low": 0.66, "high": 0.72},
                {"rows": 700, "value": 0.731, "low": 0.71, "high": 0.75},
                {"rows": 2000, "value": 0.753, "low": 0.74, "high": 0.766},
                {"rows": 5634, "value": 0.764, "low": 0.752, "high": 0.777},
            ],
            "importance": [
                {"column": "tenure", "fall": 0.075, "spread": 0.003},
                {"column": "Contract", "fall": 0.034, "spread": 0.004},
                {"column": "gender", "fall": -0.001, "spread": 0.002},
            ],
            "confusion": {"classes": ["No", "Yes"], "rows_actual_columns_predicted": [[719, 314], [64, 312]]},
            "calibration": [
                {"said": 0.06, "happened": 0.05, "rows": 282},
                {"said": 0.19, "happened": 0.17, "rows": 282},
                {"said": 0.38, "happened": 0.41, "rows": 282},
                {"said": 0.66, "happened": 0.62, "rows": 282},
                {"said": 0.84, "happened": 0.81, "rows": 281},
            ],
            "choice": "the simplest within one standard error of the best over 5 folds",
            "one_rule": "Contract = Month-to-month: Yes 42%; otherwise No",
        },
        (),
        tuple(
            {
                "stage": key,
                "title": title,
                "good": good,
                "status": "done" if key in done else "owed",
                "done": "Done and written to the run record." if key in done else "",
                "by": "train-or-not" if key in done else "",
                "owed": "" if key in done else "Watch the inputs and the outcomes; name who looks.",
            }
            for key, title, good in STAGES
        ),
        f"{DAY}T10:15:00+00:00",
        f"{DAY}T10:15:42+00:00",
    )
    observed = {"n_rows", "n_labeled", "n_features", "minority_share", "modality"}
    sheet = tuple(
        Fact(
            name,
            value,
            "observed" if name in observed else "stated",
            "customers.csv" if name in observed else "questionnaire",
            DAY,
        )
        for name, value in facts.items()
    )
    kept = next(fact for fact in sheet if fact.name == "n_rows")
    return given(
        "demo/churn",
        decision(
            approach="classical",
            verdict="yes",
            headline="Yes. Train a classical model on your table.",
            hosting=Choice("own_server"),
            trainer=Choice("classical", (tabular,)),
            metric=Choice("balanced_accuracy"),
            model_family=Choice("gradient_boosting"),
            ladder=ladder(**dict.fromkeys(("api", "prompt", "rag", "fine_tune", "scratch"), ("not_applicable", words))),
            beside=(
                Step("classical", "enough", (tabular,)),
                Step("get_labels", "not_applicable"),
                Step("no_ml", "insufficient"),
            ),
            flips=(Flip({"n_labeled": 49}, "get_labels"), Flip({"rules_can_solve": "yes"}, "no_ml")),
            facts=facts,
        ),
        facts=FactSheet(sheet, (Contradiction("n_rows", kept, Fact("n_rows", 10000, "stated", "questionnaire", DAY)),)),
        look=look,
        plan=plan,
        run=run,
    )


def fine_tune() -> Given:
    """After a run that did not earn its place: the verdict of the rules and the measured result stand side by side."""
    skill = because(
        "R37",
        "skill-not-reached-by-instructions",
        "Instructions were tried with care, 5,000 good conversations exist, and the manner is still wrong.",
        {"failure_kind": "skill", "prompting_tried": "systematic", "n_labeled": 5000},
        "S0",
        "OA1",
    )
    leaves = because(
        "R45", "data-may-not-leave", "No patient text may leave your own data centre.", {"data_may_leave": "no"}, "OA1"
    )
    tried = because(
        "R29",
        "instructions-tried-with-care",
        "Careful instructions were scored on a test set and fell short.",
        {"prompting_tried": "systematic"},
    )
    base = classical()
    assert base.run is not None
    ours = Score("accuracy", 0.874, 0.84, 0.902, 300, method="Wilson")
    theirs = Score("accuracy", 0.867, 0.833, 0.896, 300, method="Wilson")
    gate = GateVerdict(
        "not_earned",
        "No: the tuned model was not shown to beat the best instructions.",
        (Comparison("prompt", theirs, ours, 0.007, -0.02, 0.034, "paired bootstrap, 10,000 resamples", False),),
    )
    plan = replace(
        base.run.plan,
        approach="fine_tune",
        trainer="lora",
        metric=Setting("accuracy"),
        gate=Gate("accuracy", ("prompt",), 0.02),
        estimate=Estimate(
            2700, 9200, 140, 1.9, "6 × parameters × tokens, measured throughput", "Within a factor of 1.5."
        ),
    )
    run = replace(
        base.run,
        run="20261122-120000-lora",
        plan=plan,
        chosen="lora_rank_8",
        candidates=(),
        sealed=ours,
        gate=gate,
        rows={"train": 4400, "development": 300, "test": 300},
        secondary={},
        times={"train": 2510.0},
        peak_memory_mb=8900.0,
        diagnostics={
            "curve": [
                {"step": 0, "development_loss": 1.92, "exact": 0.1},
                {"step": 60, "train_loss": 1.21, "development_loss": 1.05, "exact": 0.52},
                {"step": 120, "train_loss": 0.74, "development_loss": 0.81, "exact": 0.84},
                {"step": 180, "train_loss": 0.42, "development_loss": 0.88, "exact": 0.83},
            ],
        },
        notes=("The loss on the development rows was lowest after the second pass; that state was kept.",),
    )
    facts: dict[str, Value | None] = {
        "data_may_leave": "no",
        "failure_kind": "skill",
        "n_labeled": 5000,
        "eval_examples": 300,
        "gpu_gb": 24,
        "task_type": "generate_text",
        "prompting_tried": "systematic",
    }
    return given(
        "intake-chat",
        decision(
            approach="fine_tune",
            verdict="yes_light",
            rung="fine_tune",
            headline="Yes, lightly. Fine-tune an open model on your own conversations.",
            hosting=Choice("own_server", (leaves,)),
            trainer=Choice("lora"),
            ladder=ladder(
                api=("blocked", leaves),
                prompt=("insufficient", tried),
                rag="not_applicable",
                fine_tune=("enough", skill),
            ),
            beside=(Step("get_labels", "not_applicable"),),
            flips=(Flip({"data_may_leave": "yes"}, "prompt"),),
            facts=facts,
        ),
        plan=plan,
        run=run,
    )


EXAMPLES: dict[str, Callable[[], Given]] = {
    "no_ml": no_ml,
    "rag": rag,
    "get_labels": get_labels,
    "classical": classical,
    "fine_tune": fine_tune,
    "undecided": undecided,
}
