"""What follows from a check: each trigger with its reason and the one command that answers it."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Iterator
from pathlib import Path

from advisor.records.climb import ClimbRecord
from trainers.monitor.check import Look
from trainers.monitor.policy import Policy

Trigger = dict[str, str]


def triggers(
    look: Look,
    case: Path,
    file: Path,
    to_label: Path | None,
    climb: ClimbRecord | None,
    today: str,
    policy: Policy,
    *,
    decided_otherwise: str = "",
) -> Iterator[Trigger]:
    """The triggers that hold, most urgent first."""
    name, rows = shlex.quote(str(case)), shlex.quote(str(file))
    drifted = [finding for finding in look.findings if finding.alarm and finding.channel in ("inputs", "texts")]
    broken = [finding for finding in look.findings if finding.alarm and finding.channel == "quality"]
    if broken:
        yield {
            "trigger": "data quality",
            "why": "Cells arrive otherwise than in training; mend the feed before anything else.",
            "command": f"train-or-not look {rows}",
        }
    if look.standing and look.standing.breach:
        yield {
            "trigger": "performance",
            "why": "Fewer answers are right than was promised: train again with the new rows, held against this run.",
            "command": f"train-or-not train {name} --on {rows}",
        }
    elif drifted and to_label is not None:
        yield {
            "trigger": "label more",
            "why": "Inputs have moved, and no label says yet whether the answers are still right.",
            "command": f"label the rows of {shlex.quote(str(to_label))}, then check that file",
        }
    if any(finding.alarm and finding.channel == "service" for finding in look.findings):
        yield {
            "trigger": "slower or dearer",
            "why": "Answers take longer or cost more than the first ones did: see whether the decision still holds.",
            "command": f"train-or-not decide {name}",
        }
    if decided_otherwise:
        yield {"trigger": "decide again", "why": decided_otherwise, "command": f"train-or-not decide {name}"}
    yield from _outside(climb, name, today, policy)


def _outside(climb: ClimbRecord | None, name: str, today: str, policy: Policy) -> Iterator[Trigger]:
    if climb is None:
        return
    left = _days(today, climb.retires)
    if left is not None and left <= int(policy["outside"]["retires_days"]):
        yield {
            "trigger": "model retires",
            "why": f"The model that was measured is shut down on {climb.retires}, in {left} days.",
            "command": f"train-or-not decide {name}",
        }
    measured = max((fact.as_of for fact in climb.facts), default="")
    age = _days(measured, today)
    if age is not None and age > int(policy["outside"]["climb_days"]):
        yield {
            "trigger": "climb again",
            "why": f"The rungs were measured {age} days ago: a cheaper one may be enough by now.",
            "command": f"train-or-not climb {name}",
        }


def _days(start: str, end: str) -> int | None:
    try:
        return (datetime.date.fromisoformat(end[:10]) - datetime.date.fromisoformat(start[:10])).days
    except ValueError:
        return None
