"""Each real set agrees with its README line, and clean ones raise no severe alarm."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from advisor.evidence.look import look_at


@dataclass(frozen=True)
class Known:
    """What the README says of a set: the task, the modality, and the traps by code. `heavy` ones take seconds."""

    task: str
    modality: str = "tabular"
    traps: tuple[str, ...] = ()
    severe: tuple[str, ...] = ()
    split: str = "stratified"
    heavy: bool = False


SETS = {
    "telco_churn": Known("binary", traps=("P402", "P404")),
    "german_credit": Known("binary", traps=("P701",)),
    "adult": Known("binary", traps=("P201", "P203", "P602"), heavy=True),
    "ames": Known("regression", traps=("P503",), split="random", heavy=True),
    "wine_quality": Known("multiclass", traps=("P201", "P302"), severe=("P201",)),
    "bikeshare_hourly": Known("regression", traps=("P103", "P101", "P503"), severe=("P103",), split="time", heavy=True),
    "concrete": Known("regression", traps=("P502", "P201", "P203"), split="group"),
    "parkinsons_tele": Known(
        "regression", traps=("P501", "P101"), severe=("P501", "P101", "P703"), split="group", heavy=True
    ),
    "elec2_drift": Known("binary", traps=("P503", "P504"), split="time", heavy=True),
    "ai4i_maintenance": Known("binary", traps=("P102", "P301", "P402"), heavy=True),
    "air_passengers": Known("forecast", "time_series", ("P503", "P701"), split="time"),
    "beijing_pm25": Known("forecast", "time_series", ("P503", "P305"), split="time", heavy=True),
    "nab_nyc_taxi": Known("anomaly", "time_series", ("P503",), split="time", heavy=True),
    "thyroid_anomaly": Known("anomaly", traps=("P201",), heavy=True),
    "banking77": Known("multiclass", "text", ("P202",), heavy=True),
    "sms_spam": Known("binary", "text", ("P201", "P301"), severe=("P201",)),
    "support_tickets": Known("multiclass", "text", ("P101", "P603"), severe=("P101",), heavy=True),
    "tweet_emotion": Known("multiclass", "text", heavy=True),
    "mnist_3000": Known("multiclass", "image", heavy=True),
    "titanic": Known("binary", traps=("P101", "P201", "P407"), severe=("P101", "P201")),
    "breast_cancer": Known("binary"),
}


def marked(name: str) -> object:
    return pytest.param(name, marks=[pytest.mark.heavy] if SETS[name].heavy else [])


@pytest.mark.parametrize("name", [marked(name) for name in SETS])
def test_facts_and_traps_agree_with_the_readme_and_nothing_else_is_severe(name: str, shared_data: Path) -> None:
    meta = json.loads((shared_data / name / "meta.json").read_text())
    look = look_at(shared_data / name / meta["file"], meta["target"])
    known, facts = SETS[name], {fact.name: fact.value for fact in look.facts}
    assert facts["n_rows"] == meta["rows"]
    assert facts["n_features"] == meta["cols"]
    assert look.task == known.task
    assert facts["modality"] == known.modality
    if meta.get("classes") and known.task in ("binary", "multiclass", "anomaly"):
        assert facts["n_classes"] == meta["classes"]
        assert facts["minority_share"] == pytest.approx(meta["minority_share"], abs=1e-4)
    raised = {finding.code for finding in look.pitfalls if finding.outcome in ("issue", "tip")}
    assert set(known.traps) <= raised
    assert {f.code for f in look.pitfalls if f.outcome == "issue" and f.severity == "severe"} <= set(known.severe)
    assert look.split.kind == known.split
    assert all(finding.fix for finding in look.pitfalls if finding.outcome in ("issue", "tip"))


@pytest.mark.heavy
def test_a_target_without_signal_is_told_apart(shared_data: Path) -> None:
    look = look_at(shared_data / "support_tickets" / "data.csv", "Ticket Channel")
    facts = {fact.name: fact.value for fact in look.facts}
    assert facts["baseline_beats_trivial"] == "no"
    assert "P703" in {f.code for f in look.pitfalls if f.outcome == "issue"}


def test_documents_are_counted_in_tokens(shared_data: Path) -> None:
    look = look_at(shared_data / "xquad_en" / "documents")
    facts = {fact.name: fact.value for fact in look.facts}
    assert facts["n_rows"] == 240
    assert 40_000 < facts["knowledge_tokens"] < 60_000
    assert facts["modality"] == "text"


def test_questions_with_answers_are_told_from_a_table(shared_data: Path) -> None:
    look = look_at(shared_data / "xquad_en" / "questions.jsonl")
    facts = {fact.name: fact.value for fact in look.facts}
    assert (facts["task_type"], facts["n_labeled"]) == ("answer_questions", 1190)
    assert [hint.value for hint in look.suggestions if hint.name == "eval_examples"] == [1190]
