"""Answers questions as they appear on a terminal, from a mapping of facts; what the mapping lacks is "don't know"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from advisor.interview.words import options_of, raw_value
from advisor.reasoning.relevance import next_question
from advisor.reasoning.rulebook import Rulebook, load_rulebook
from advisor.records.facts import Value
from tests.terminal.screen import ENTER, Terminal

SUMMARY = "Is everything below right?"
CHURN: dict[str, Value] = {
    "task_type": "classify",
    "modality": "tabular",
    "rules_can_solve": "no",
    "decision_uses_output": True,
    "success_metric_defined": True,
    "n_rows": 7043,
    "n_labeled": 7043,
    "label_agreement": 1,
    "history_representative": True,
    "features_at_prediction_time": True,
    "baseline_beats_trivial": "yes",
    "ml_skill": "some",
}


def shown(text: str) -> str:
    """Words only: line breaks, borders and indentation do not count."""
    return " ".join(text.split())


def expected_path(facts: Mapping[str, Value], rulebook: Rulebook) -> list[str]:
    """The questions that must be asked, one after the other, and no other."""
    known: dict[str, Value] = {}
    declined: list[str] = []
    path: list[str] = []
    while (name := next_question(known, rulebook, declined)) is not None:
        path.append(name)
        if name in facts:
            known[name] = facts[name]
        else:
            declined.append(name)
    return path


def wait_for_question(terminal: Terminal, name: str, number: int) -> str:
    """Wait until question `number` is on the screen, and make sure that it is about `name`."""
    question = load_rulebook().facts[name].question
    terminal.wait_any(f"Question {number};")
    terminal.wait_any(question)
    latest = shown(terminal.everything).rsplit(f"Question {number};", 1)[1]
    assert latest.lstrip().split(" ", 1)[0] in ("at", "the"), latest
    assert question in latest, f"{name} was expected: {latest}"
    more = re.match(r" at most (\d+) more", latest)
    return more[1] if more else "0"


def give(terminal: Terminal, name: str, value: Value | None, *, typed: bool = False) -> None:
    """Answer the question on the screen as a person would: a number of the list, digits, or `don't know`."""
    definition = load_rulebook().facts[name]
    options = options_of(definition)
    if value is None:
        terminal.send(("don't know" if typed or not options else "d") + ENTER)
    elif options:
        number = [option.value for option in options].index(raw_value(value)) + 1
        terminal.send(f"{number}{ENTER}")
    else:
        terminal.send(f"{raw_value(value)}{ENTER}")


def walk(
    terminal: Terminal, facts: Mapping[str, Value], path: list[str], *, start: int = 1, typed: bool = False
) -> None:
    """Answer the questions of `path`, in that order; each must say truly how many may follow."""
    for number, name in enumerate(path, start):
        more = wait_for_question(terminal, name, number)
        assert int(more) >= len(path) - (number - start) - 1
        give(terminal, name, facts.get(name), typed=typed)
