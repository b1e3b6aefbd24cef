"""Which trainer serves an approach for this kind of task, and what the plan then calls the task."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import plain
from advisor.records.facts import Value
from advisor.records.look import Look


@dataclass(frozen=True)
class Route:
    """`trainer` is empty when no program serves the approach. `task` is the plan's own word, empty for the data's.

    `needs_data` and `needs_target` say what must be there; `picks_columns` whether columns are dropped and asked about.
    `first_step` is what a person does so that a program can go on.
    """

    trainer: str = ""
    task: str = ""
    needs_data: bool = True
    needs_target: bool = False
    picks_columns: bool = True
    first_step: dict[str, str] | None = None


def requested_route(
    trainer: str, approach: str, facts: Mapping[str, Value], case: str, rules: Mapping[str, Any]
) -> Route:
    """The route to a trainer that the user names. Raises `BadInput` for one that does not serve, or may not."""
    own = rules["trainers"].get(approach)
    if trainer == own:
        return Route(own, "", True, approach in rules["needs_target"])
    line = rules["on_request"].get(trainer)
    if line is None or line["approach"] != approach:
        serving = [name for name, one in rules["on_request"].items() if one["approach"] == approach]
        known = [*filter(None, [own]), *serving]
        raise BadInput(
            f"No trainer {plain(trainer, 60)!r} serves {approach}.",
            where="--trainer",
            fix=did_you_mean(trainer, known) or (f"Give one of {', '.join(known)}." if known else "Leave it out."),
            code="no-trainer",
        )
    for fact, value in line["refused_when"].items():
        if facts.get(fact) == value:
            raise BadInput(
                f"The trainer {trainer} is ruled out: {fact} is {plain(value, 40)}.",
                where="--trainer",
                why=line["because"],
                fix=f"Train here: train-or-not plan {case} --trainer {own}; or correct it: train-or-not ask {case}",
                code="ruled-out",
            )
    return Route(trainer, "", True, approach in rules["needs_target"])


def offers(trainer: str, approach: str, facts: Mapping[str, Value], case: str, rules: Mapping[str, Any]) -> list[str]:
    """What else could train this, told to a person whose answers allow it."""
    return [
        line["offer"].replace("{case}", case)
        for name, line in rules["on_request"].items()
        if line["approach"] == approach
        and name != trainer
        and all(facts.get(fact) in values for fact, values in line["offered_when"].items())
    ]


def route_of(
    approach: str,
    by_rule: str,
    facts: Mapping[str, Value],
    look: Look | None,
    data: str,
    target: str,
    known: Collection[str],
    rules: Mapping[str, Any],
    asked: Collection[str] = (),
) -> Route:
    """The first route of rules/planning.yaml that fits; else the trainer the rulebook names, or the approach's own.

    A route that can do without data gives no trainer where there is none: then a person follows the steps. So does one
    that needs a setting which is not among those `asked` for.
    """
    seen = {"task_type": facts.get("task_type"), "modality": facts.get("modality"), "labelled": bool(target)}
    if look and look.task == "forecast":
        seen["task_type"] = "forecast"
    for line in rules["routes"]:
        wanted = {name: line[name] for name in seen if name in line}
        if line["approach"] == approach and line["trainer"] in known and all(seen[n] == v for n, v in wanted.items()):
            if line.get("needs_setting", "") not in ("", *asked):
                return Route(first_step=line["without"])
            if not data and not line.get("needs_data", False):
                return Route()
            return Route(
                line["trainer"],
                line.get("task", ""),
                True,
                line.get("needs_target", False),
                line.get("picks_columns", False),
            )
    if approach not in rules["trainers"]:
        return Route()
    name = by_rule or rules["trainers"][approach]
    by_route_only = {line["trainer"] for line in rules["routes"]}
    return Route(
        name if name in known and name not in by_route_only else "", "", True, approach in rules["needs_target"]
    )
