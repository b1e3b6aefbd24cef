"""Which trainer serves an approach for this kind of task, and what the plan then calls the task."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

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
