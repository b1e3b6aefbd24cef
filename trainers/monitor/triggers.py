"""What follows from a check: each trigger with its reason and the one command that answers it."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from advisor.records.climb import ClimbRecord
from trainers.monitor.check import Look
from trainers.monitor.policy import Policy

Trigger = dict[str, str]


# What a fall in right answers asks for, by trainer: only tables grow by themselves, and a rung is not trained.
_FALLEN = {
    "classical": ("train again with the new rows, held against this run.", "train-or-not train {case} --on {rows}"),
    "rung": (
        "add these rows to the examples and climb again: another rung may be enough.",
        "train-or-not climb {case}",
    ),
    "": (
        "add these rows to the examples and train again.",
        "train-or-not plan {case} && train-or-not train {case}",
    ),
}
# These follow from the day and the prices, not from a file: they are asked anew whenever a file is checked again.
_OUTSIDE = ("decide again", "model retires", "climb again")


def triggers(look: Look, case: Path, file: Path, to_label: Path | None, trainer: str) -> Iterator[Trigger]:
    """The triggers that hold by what the rows show, most urgent first."""
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
        cure, command = _FALLEN.get(trainer, _FALLEN[""])
        yield {
            "trigger": "performance",
            "why": f"Fewer answers are right than was promised: {cure}",
            "command": command.format(case=name, rows=rows),
        }
    if look.bill and look.bill.costs.breach:
        cure, command = _FALLEN.get(trainer, _FALLEN[""])
        yield {
            "trigger": "costs",
            "why": f"Answers cost more than was promised: {cure}",
            "command": command.format(case=name, rows=rows),
        }
    if drifted and to_label is not None:
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


def renewed(earlier: Iterable[Trigger], outside_now: Iterable[Trigger]) -> list[Trigger]:
    """The triggers of an earlier check, those of the world outside as they are today."""
    return [*(one for one in earlier if one["trigger"] not in _OUTSIDE), *outside_now]


def outside(
    case: Path, climb: ClimbRecord | None, today: str, policy: Policy, decided_otherwise: str
) -> Iterator[Trigger]:
    """The triggers that hold whatever the rows show: prices, a model's last day, the age of a climb."""
    name = shlex.quote(str(case))
    if decided_otherwise:
        yield {"trigger": "decide again", "why": decided_otherwise, "command": f"train-or-not decide {name}"}
    if climb is None:
        return
    left = _days(today, climb.retires)
    if left is not None and left <= int(policy["outside"]["retires_days"]):
        yield {
            "trigger": "model retires",
            "why": f"The model that was measured {_ends(climb.retires, left)}.",
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


def _ends(day: str, left: int) -> str:
    if left < 0:
        return f"was shut down on {day}"
    return f"is shut down on {day}, " + ("today" if left == 0 else "tomorrow" if left == 1 else f"in {left} days")


def _days(start: str, end: str) -> int | None:
    try:
        return (datetime.date.fromisoformat(end[:10]) - datetime.date.fromisoformat(start[:10])).days
    except ValueError:
        return None
