"""The chain from answers to decision, as every verb walks it: merge the facts, decide, write down what changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.case import Case, today
from advisor.base.files import sha256_of_file, sha256_of_text, to_json
from advisor.records.facts import Fact, FactSheet, Value, beats_trivial, from_mapping, merge
from advisor.records.plain import load, save, stamp_of, to_plain

if TYPE_CHECKING:
    from advisor.reasoning.prices import Prices
    from advisor.records.decision import Decision
    from advisor.records.look import Look
    from advisor.records.plan import Plan
    from advisor.records.run import RunRecord


def facts_of(case: Case, overrides: Mapping[str, Value | None] | None = None) -> FactSheet:
    """Every fact of a case with its origin. `overrides` come from the command line and count as confirmed answers."""
    from advisor.interview.answers import load_answers
    from advisor.reasoning.rulebook import load_rulebook

    stated = load_answers(case, load_rulebook()).facts if case.answers.exists() else ()
    look = look_of(case)
    typed = [
        Fact(fact.name, fact.value, "stated", "given on the command line", confirmed=True)
        for fact in from_mapping(overrides or {}, "stated")
    ]
    return merge(stated, look.facts if look else (), climbed_facts(case), measured_facts(case), typed)


def climbed_facts(case: Case) -> tuple[Fact, ...]:
    """What the latest climb measured, each with its evidence."""
    if not case.climb.exists():
        return ()
    from advisor.records.climb import ClimbRecord

    return load(case.climb, ClimbRecord).facts


def measured_facts(case: Case) -> tuple[Fact, ...]:
    """What the run in use measured about the situation itself: any signal to learn, or how far people agree."""
    run = latest_run(case)
    if run is None:
        return ()
    if "share_alike" in run.secondary:
        evidence = f"run {run.run}: people said the same of {run.secondary['share_alike']:.0%} of the rows they shared"
        return (
            Fact("label_agreement", round(run.secondary["share_alike"], 3), "measured", evidence, run.finished[:10]),
        )
    for comparison in run.gate.deciding:
        if comparison.against == "trivial":
            evidence = (
                f"run {run.run}: {comparison.ours.metric} {comparison.ours.value:.3f} against "
                f"{comparison.theirs.value:.3f} for always the same answer, on {comparison.ours.rows:,} sealed rows"
            )
            beats = beats_trivial(comparison.low, comparison.high)
            told = Fact("baseline_beats_trivial", beats, "measured", evidence, run.finished[:10])
            return (told,) if beats is not None else ()
    return ()


def decide_case(case: Case, as_of: str = "", overrides: Mapping[str, Value | None] | None = None) -> Decision:
    """The decision of a case on all its facts; facts.json and decision.json are written, a change goes to the ledger.

    With `overrides` nothing is written: that is a what-if.
    """
    from advisor.reasoning.rulebook import load_rulebook
    from advisor.reasoning.walk import decide

    sheet = facts_of(case, overrides)
    rulebook, prices = load_rulebook(), own_prices(case)
    decision = decide(sheet.values(), rulebook, declined=sheet.declined(), as_of=as_of or today(), prices=prices)
    if not overrides:
        _write_down(case, sheet, decision)
    return decision


def own_prices(case: Case) -> Prices | None:
    """The prices with the figures of the case's own costs.yaml in them; None when it brings none."""
    if not case.costs.exists():
        return None
    from advisor.reasoning.prices import load_prices

    return load_prices(own=case.costs)


def _write_down(case: Case, sheet: FactSheet, decision: Decision) -> None:
    files = (case.answers, case.look, case.climb, case.costs)
    inputs = {path.name: sha256_of_file(path) for path in files if path.exists()}
    run = run_in_use(case)
    if run is not None:
        inputs[f"runs/{run.name}/run.json"] = sha256_of_file(run / "run.json")
    save(case.facts, sheet, made_from=inputs)
    made_from = {"facts.json": sha256_of_file(case.facts), "rulebook": decision.rulebook.get("hash", "")}
    same = case.decision.exists() and stamp_of(case.decision).get("made_from") == made_from
    if not same:
        # Into the ledger first: a kill in between tells it twice, the other order would never tell it.
        case.remember(
            "decided",
            approach=decision.approach,
            verdict=decision.verdict,
            settled=decision.settled,
            as_of=decision.as_of,
            decision_sha256=decision_hash(decision),
            rulebook=decision.rulebook,
        )
    save(case.decision, decision, made_from=made_from)


def decision_hash(decision: Decision) -> str:
    """Hex SHA-256 of a decision's whole content, so that a plan can name the decision it rests on."""
    return sha256_of_text(to_json(to_plain(decision), indent=None))


def look_of(case: Case) -> Look | None:
    """The saved profile of the case's data, or None."""
    if not case.look.exists():
        return None
    from advisor.records.look import Look

    return load(case.look, Look)


def plan_of(case: Case) -> Plan | None:
    """The saved plan, or None."""
    if not case.plan.exists():
        return None
    from advisor.base.files import read_text
    from advisor.base.strictyaml import parse
    from advisor.records.plain import check
    from advisor.records.plan import Plan

    return check(parse(read_text(case.plan), case.plan.name).data, Plan, where=str(case.plan))


def run_in_use(case: Case) -> Path | None:
    """The newest complete run, without those that were trained again and are not shown to beat the run before them.

    A run that is still to be held against another is none yet: a kill may have come in between.
    """
    if not case.runs.is_dir():
        return None
    aside: set[str] = set()
    for event in case.history():
        if event.get("event") == "held_against_old" and event.get("outcome") == "better":
            aside.discard(str(event.get("run")))
        elif event.get("event") in ("held_against_old", "to_hold_against_old"):
            aside.add(str(event.get("run")))
    whole = [run for run in case.runs.iterdir() if (run / "COMPLETE").is_file() and (run / "run.json").exists()]
    whole = [run for run in whole if run.name not in aside]
    return max(whole, key=lambda run: ((run / "COMPLETE").stat().st_mtime_ns, run.name), default=None)


def latest_run(case: Case) -> RunRecord | None:
    """The record of the run in use, or None."""
    folder = run_in_use(case)
    if folder is None:
        return None
    from advisor.records.run import RunRecord

    return load(folder / "run.json", RunRecord)
