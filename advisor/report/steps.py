"""How each step of the walk ended, told for a reader: which one was chosen, by which reason, and why not the others."""

from __future__ import annotations

import re

from advisor.records.decision import Decision, Reason, Step
from advisor.records.facts import Value
from advisor.report.blocks import Mark
from advisor.report.given import Given
from advisor.report.words import STATUSES, full_stop, mark, question_words, value_words

PASSED_OVER = Mark("Passed over", "muted")
SO_FAR = Mark("Enough so far", "warn")
POSSIBLE = Mark("Still possible", "warn")

# What a status means when no rule had to speak.
SILENT = {
    "enough": "The known facts ask for nothing dearer.",
    "insufficient": "It falls short of what the task asks for.",
    "blocked": "It cannot be used here.",
    "not_applicable": "It does not fit this kind of task.",
    "not_reached": "Something cheaper is enough.",
    "unknown": "Too little is known to say.",
}


def deciding_step(decision: Decision) -> Step | None:
    """The rung, or the approach beside the ladder, that was chosen."""
    for step in decision.ladder:
        if decision.rung is not None and step.rung == decision.rung:
            return step
    return next((step for step in decision.beside if step.rung == decision.approach), None)


def deciding_reason(decision: Decision) -> Reason | None:
    """The rule that settled it: the first reason of the chosen step, else a stop that holds."""
    step = deciding_step(decision)
    if step is not None and step.because:
        return step.because[0]
    return decision.stops[0] if decision.stops else None


def outcome_of(step: Step, given: Given) -> tuple[Mark, str]:
    """How a step ended, in a word and a line.

    A cheaper way that was passed over is not called "not needed", and nothing is final while answers are open.
    """
    decision = given.decision
    badge = mark(STATUSES, step.status)
    why = spoken(step.because[0], given) if step.because else SILENT[step.status]
    if not decision.settled and step.status == "enough":
        return SO_FAR, why
    if not decision.settled and _approaches(step) & set(decision.also_possible):
        return (badge if step.status == "unknown" else POSSIBLE), why
    asked = tuple(step.because[0].facts.values()) if step.because else ()
    if step.status == "not_reached" and asked and not any(map(_known, asked)):
        return badge, SILENT["not_reached"] if decision.settled else "No answer that is still open leads here."
    decided = deciding_reason(decision)
    if step.because and decided is not None and step.status == "not_reached" and not _dearer(step, decision):
        return PASSED_OVER, f"Decided before it: {spoken(decided, given)}"
    return badge, why


def _known(value: Value | None) -> bool:
    return value is not None


def _approaches(step: Step) -> set[str]:
    """The approaches that end on this step."""
    on_one_rung = {"scratch": {"classical", "deep_scratch"}, "fine_tune": {"fine_tune", "rag_plus_fine_tune"}}
    return on_one_rung.get(step.rung, {step.rung})


def _dearer(step: Step, decision: Decision) -> bool:
    """Whether the step is a rung above the chosen one, or the answer stands beside the ladder."""
    rungs = [rung.rung for rung in decision.ladder]
    if step.rung not in rungs:
        return False
    return decision.rung is None or rungs.index(step.rung) > rungs.index(decision.rung)


def spoken(reason: Reason, given: Given) -> str:
    """A reason without field names: one that speaks of facts by name is told by their questions and answers instead."""
    names = "|".join(re.escape(name) for name in reason.facts)
    if not names or not re.search(rf"\b({names})\b", reason.text):
        return full_stop(reason.text)
    made_for = [name for name, value in reason.facts.items() if value is not None and _is_fixed(name, given)]
    if made_for:
        now = value_words(made_for[0], reason.facts[made_for[0]], given.definitions)
        return f"It is made for another situation: “{question_words(made_for[0], given.definitions)}” Here: {now}."
    asked = []
    for name, value in reason.facts.items():
        now = "not answered yet" if value is None else f"now: {value_words(name, value, given.definitions)}"
        asked.append(f"“{question_words(name, given.definitions)}” ({now})")
    if all(value is None for value in reason.facts.values()):
        return f"It depends on {' and '.join(asked)}."
    return f"It would need another answer to {' or '.join(asked)}."


def _is_fixed(name: str, given: Given) -> bool:
    """Whether a fact belongs to the situation: no work can change it."""
    definition = given.definitions.get(name)
    return definition is not None and definition.fixed
