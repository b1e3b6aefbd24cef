"""The rulebook that users get: proven, tested, explained, and right about the labelled situations."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from advisor.base.shipped import rules_folder
from advisor.reasoning import mutants, trial
from advisor.reasoning.checks import check
from advisor.reasoning.logic import weigh
from advisor.reasoning.rulebook import Rulebook
from advisor.reasoning.walk import decide
from advisor.records.decision import Decision, Reason


def test_nothing_in_it_is_unproven(shipped: Rulebook) -> None:
    assert [finding.what for finding in check(shipped) if finding.error] == []


def test_its_own_tests_pass_and_notice_nearly_every_fault(
    shipped: Rulebook, capsys: pytest.CaptureFixture[str]
) -> None:
    trials = trial.read_trials(rules_folder(), shipped)
    failures = trial.run(trials, shipped)
    assert not failures, [(failure.trial.name, failure.what) for failure in failures[:5]]
    covered = trial.coverage(shipped, trial.situations(shipped, trials))
    alive, total = mutants.survivors(shipped, trials)
    with capsys.disabled():
        print(
            f"\nrules {covered.rules[0]}/{covered.rules[1]}, cells {covered.conditions[0]}/{covered.conditions[1]}, "
            f"MC/DC {covered.mcdc[0]}/{covered.mcdc[1]}, faults noticed {total - len(alive)}/{total}"
        )
    assert covered.rules[0] == covered.rules[1]
    assert trial.rounded_down(*covered.conditions) >= 99
    assert trial.rounded_down(*covered.mcdc) >= 95
    assert trial.rounded_down(total - len(alive), total) >= 95


def test_every_rule_has_a_dated_source_and_says_what_to_do(shipped: Rulebook) -> None:
    for rule in shipped.rules:
        assert rule.sources
        assert len(rule.because) > 20
        if rule.effect in ("stops", "blocks"):
            assert rule.do_instead
    rule_numbers = {rule.id for rule in shipped.rules}
    assert len(rule_numbers) == len(shipped.rules)


def _cases(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_the_labelled_situations_end_where_they_should(
    shipped: Rulebook, shared_cases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = _cases(shared_cases)
    exact = acceptable = 0
    for case in cases:
        approach = decide(case["key_facts"], shipped, with_cost=False).approach
        exact += approach == case["expected_rung"]
        acceptable += approach in (case["expected_rung"], *case["also_acceptable"])
    with capsys.disabled():
        print(f"\nlabelled situations: {exact} exact and {acceptable} acceptable of {len(cases)}")
    assert acceptable == len(cases)
    assert exact >= len(cases) - 2


def test_with_facts_removed_the_right_answer_is_never_lost_and_never_wrongly_settled(
    shipped: Rulebook, shared_cases: Path
) -> None:
    draw = random.Random(20261122)
    for case in _cases(shared_cases):
        whole = decide(case["key_facts"], shipped, with_flips=False, with_cost=False)
        for removed in (1, 2):
            for _ in range(5):
                facts = dict(case["key_facts"])
                for name in draw.sample(sorted(facts), min(removed, len(facts))):
                    del facts[name]
                decision = decide(facts, shipped, with_flips=False, with_cost=False)
                assert whole.approach in (decision.approach, *decision.also_possible)
                assert not decision.settled or decision.approach == whole.approach


def _reasons(decision: Decision) -> list[Reason]:
    """Every reason that says a rule holds: of what is enough, of what is ruled out, stops, cautions, side answers."""
    found = [*decision.stops, *decision.cautions]
    for step in (*decision.ladder, *decision.beside):
        if step.status in ("enough", "blocked"):
            found.extend(step.because)
    for choice in (decision.hosting, decision.trainer, decision.metric, decision.model_family):
        found.extend(choice.because)
    return found


def test_every_printed_reason_replays_from_its_own_facts_alone(shipped: Rulebook, shared_cases: Path) -> None:
    replayed = 0
    for case in _cases(shared_cases):
        decision = decide(case["key_facts"], shipped, with_cost=False)
        for reason in _reasons(decision):
            weighed = shipped.table.weigh(reason.facts)
            rule = shipped.rule_by_id[reason.rule]
            assert weigh(rule.when, weighed.true, weighed.false) is True, (case["id"], reason)
            assert all(case["key_facts"].get(name) == value for name, value in reason.facts.items())
            replayed += 1
        for flip in decision.flips:
            assert decide({**case["key_facts"], **flip.change}, shipped, with_cost=False).approach == flip.approach
            assert not any(shipped.facts[name].fixed for name in flip.change)
    assert replayed > 150


def test_a_decision_is_the_same_twice_and_in_any_order_of_facts(shipped: Rulebook, shared_cases: Path) -> None:
    for case in _cases(shared_cases)[:10]:
        facts = case["key_facts"]
        turned = dict(reversed(list(facts.items())))
        one = decide(facts, shipped, as_of="2026-11-22")
        other = decide(turned, shipped, as_of="2026-11-22")
        assert one.approach == other.approach
        assert one.ladder == other.ladder
        assert one.flips == other.flips or {tuple(f.change) for f in one.flips} == {
            tuple(f.change) for f in other.flips
        }
        assert one.cost == other.cost


def test_nothing_known_decides_nothing(shipped: Rulebook) -> None:
    decision = decide({}, shipped)
    assert decision.approach is None
    assert decision.verdict is None
    assert not decision.settled
    assert set(decision.also_possible) == set(shipped.approaches)
    assert decision.next_question == next(iter(shipped.facts))
    assert len(decision.plan) == 7


def test_a_dont_know_everywhere_never_becomes_a_verdict(shipped: Rulebook) -> None:
    decision = decide(dict.fromkeys(shipped.facts), shipped)
    assert decision.approach is None
    assert decision.next_question is None
    assert decision.unknown


def test_a_flip_of_a_score_and_its_target_stops_where_the_comparison_turns(shipped: Rulebook) -> None:
    known = {
        "task_type": "answer_questions",
        "modality": "text",
        "needs_private_facts": True,
        "failure_kind": "lacks_facts",
        "facts_change_every": "monthly",
        "prompting_tried": "basic",
        "rules_can_solve": "no",
        "decision_uses_output": True,
        "accuracy_target": 0.9,
        "api_score": 0.6,
    }
    changes = [flip.change for flip in decide(known, shipped).flips if flip.approach == "api"]
    assert changes == [{"api_score": 0.9}, {"accuracy_target": 0.6}]
    met = decide({**known, "needs_private_facts": False, "failure_kind": "none", "api_score": 0.96}, shipped)
    assert met.approach == "api" and {"api_score": 0.89} in [flip.change for flip in met.flips]
