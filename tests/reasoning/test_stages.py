"""The seven stages: what the facts show as done is not asked for again."""

from __future__ import annotations

from typing import Any

from advisor.reasoning.rulebook import load_rulebook
from advisor.reasoning.walk import decide


def stages(**facts: Any) -> dict[str, Any]:
    found = decide(facts, load_rulebook(), with_flips=False, with_cost=False).plan
    return {stage.stage: stage for stage in found}


def test_a_stage_that_has_begun_owes_less_than_one_that_has_not() -> None:
    nothing = stages()
    begun = stages(
        success_metric_defined=True,
        decision_uses_output=True,
        n_labeled=5000,
        baseline_beats_trivial="yes",
        eval_examples=100,
        api_score=0.8,
        maintenance_owner=True,
    )
    for name in ("frame", "collect", "select", "evaluate", "deploy"):
        assert (nothing[name].status, begun[name].status) == ("owed", "part")
        assert not nothing[name].done and not nothing[name].by
        assert begun[name].done and begun[name].by and begun[name].owed
        assert begun[name].owed != nothing[name].owed or name == "collect"
    assert "who acts" in nothing["frame"].owed and "who acts" not in begun["frame"].owed
    assert "owner" in nothing["deploy"].owed and "owner" not in begun["deploy"].owed


def test_every_begun_stage_of_every_approach_has_its_own_words() -> None:
    for stage in load_rulebook().stages:
        assert set(stage["left"]) >= {"otherwise"}
        assert all(text.endswith(".") for text in (*stage["left"].values(), *stage["owed"].values()))
