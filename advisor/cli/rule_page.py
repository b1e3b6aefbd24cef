"""One rule, one fact, or a list of them, as a page: what it says, why, what to do instead, who says so."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from advisor.reasoning.reasons import say

if TYPE_CHECKING:
    from advisor.reasoning.definitions import Condition, FactDefinition, Rule
    from advisor.reasoning.rulebook import Rulebook

Page = tuple[list[str], Any]


def rule_page(rulebook: Rulebook, rule: Rule) -> Page:
    """A rule in ruff's five headings: what it does, why, when, what to do instead, who says so."""
    lines = [f"{rule.id} {rule.name}", "", *_wrap("What it does", _effect(rulebook, rule))]
    lines += _wrap("Why", rule.because)
    lines += ["", "When", *condition_lines(rulebook, rule.when)]
    if rule.do_instead:
        lines += ["", *_wrap("What to do instead", rule.do_instead)]
    lines += ["", "Who says so"]
    for source in rule.sources:
        lines += textwrap.wrap(_source(rulebook, source), 100, initial_indent="  ", subsequent_indent="      ")
    if rule.proposal:
        lines += _wrap("  This project's own proposal", rule.proposal)
    for conflict in rule.conflicts:
        said = "; ".join(f"{key}: {value}" for key, value in rulebook.conflicts[conflict].items())
        lines += textwrap.wrap(f"{conflict} {said}", 100, initial_indent="  ", subsequent_indent="      ")
    example = " ".join(f"--set {name}={_typed(value)}" for name, value in rule.example)
    lines += ["", "Example", f"  train-or-not decide {example}", "", f"Written at {rule.at}"]
    data = {
        **{name: value for name, value in rule._asdict().items() if name != "when"},
        "when": condition_lines(rulebook, rule.when),
        "example": dict(rule.example),
        "counter_example": dict(rule.counter_example),
    }
    return lines, data


def fact_page(rulebook: Rulebook, fact: FactDefinition) -> Page:
    """A fact: the question, why it is asked, its values, and the rules that look at it."""
    from advisor.reasoning.logic import atoms_of, limits

    lines = [fact.name, "", *_wrap("Question", fact.question), *_wrap("Help", fact.help), *_wrap("Why", fact.why)]
    if fact.choices:
        lines += ["", "Values"]
        for choice in fact.choices:
            text = f"{choice.value}: {choice.label}" + (f" ({choice.help})" if choice.help else "")
            lines += textwrap.wrap(text, 100, initial_indent="  ", subsequent_indent="      ")
    elif fact.type != "boolean":
        lines += _wrap("Values", limits(fact))
    else:
        lines += _wrap("Values", "true or false")
    users = [rule for rule in rulebook.rules if fact.name in rulebook.facts_of(atoms_of(rule.when))]
    lines += _wrap("Rules that look at it", ", ".join(rule.id for rule in users) or "none")
    if fact.effort:
        lines += _wrap("To change it", fact.effort)
    return lines, {**fact._asdict(), "choices": [c._asdict() for c in fact.choices], "rules": [r.id for r in users]}


def listing(rulebook: Rulebook, what: str) -> Page:
    """All rules, facts, places or sources, one a line."""
    if what == "facts":
        rows = [(fact.name, fact.question) for fact in rulebook.facts.values()]
    elif what == "places":
        rows = [(place.name, place.title) for place in rulebook.places.values()]
    elif what == "sources":
        rows = [(name, _source(rulebook, name).partition(" ")[2]) for name in rulebook.sources]
    else:
        rows = [(rule.id, f"{rule.name}: {_effect(rulebook, rule)}") for rule in rulebook.rules]
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:<{width}}  {text}" for name, text in rows], {what: dict(rows)}


def condition_lines(rulebook: Rulebook, when: Condition, depth: int = 1) -> list[str]:
    """A condition as an indented list that reads aloud."""
    kind, inner = when
    pad = "  " * depth
    if kind == "cell":
        return [pad + say(rulebook.atoms[inner])]
    if kind == "not":
        return [f"{pad}not:", *condition_lines(rulebook, inner, depth + 1)]
    head = {"all": "all of:", "any": "any of:"}[kind]
    return [pad + head, *(line for part in inner for line in condition_lines(rulebook, part, depth + 1))]


def _effect(rulebook: Rulebook, rule: Rule) -> str:
    if rule.decides:
        end = rulebook.approaches[rule.approach]
        return f"ends the walk in {rule.approach} (train? {end.verdict}) at the place {rule.place}"
    names = ", ".join(rule.approaches)
    if rule.effect == "blocks":
        return f"rules out {names}"
    if rule.effect == "climbs":
        return f"shows {names} insufficient"
    under = f" under {names}" if names else ""
    if rule.effect == "prefers":
        return f"answers {rule.answer} with {rule.value}{under}"
    return f"warns{under}"


def _source(rulebook: Rulebook, name: str) -> str:
    fields = rulebook.sources[name]
    return f"{name} {'; '.join(str(value) for value in fields.values() if value not in ('', None))}"


def _wrap(head: str, text: str) -> list[str]:
    return textwrap.wrap(f"{head}: {text}", 100, subsequent_indent="  ") if text else []


def _typed(value: object) -> str:
    return "?" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def pitfall_page(code: str) -> Page:
    """A pitfall that `look` may find, from rules/pitfalls.yaml."""
    from advisor.base.errors import BadInput, did_you_mean
    from advisor.base.files import read_text
    from advisor.base.shipped import rules_folder
    from advisor.base.strictyaml import parse

    entries = {
        entry["code"]: entry
        for entry in parse(read_text(rules_folder() / "pitfalls.yaml"), "pitfalls.yaml").data["pitfalls"]
    }
    entry = entries.get(code)
    if entry is None:
        raise BadInput(
            f"There is no pitfall {code}.",
            where=code,
            fix=did_you_mean(code, entries) or f"Known: {', '.join(entries)}.",
            code="no-pitfall",
        )
    lines = [f"{code} {entry.get('name', '')}", "", str(entry.get("title", ""))]
    for field, head in (
        ("what", "What it is"),
        ("why", "Why it matters"),
        ("how", "How it is found"),
        ("fix", "What to do"),
    ):
        if entry.get(field):
            lines += ["", *_wrap(head, " ".join(str(entry[field]).split()))]
    if entry.get("source"):
        lines += ["", *_wrap("Who says so", " ".join(str(entry["source"]).split()))]
    return lines, entry
