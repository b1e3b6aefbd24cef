"""What labelling takes, said before it starts: how many rows, by whom, at what cost."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_file
from advisor.base.safetext import plain
from advisor.base.tablechecks import check_readable
from advisor.records.plan import Estimate, Plan, Setting
from trainers.common.policy import policy
from trainers.labelling.sheets import SETTLED
from trainers.monitor.labelling import rows_needed

_CONTENT = "settled_sha256"


@dataclass(frozen=True)
class Wanted:
    """A plan's choices, checked: rows for the test and to learn from, people, and what a label costs."""

    half_width: float
    expected: float
    test: int
    rows: int
    people: int
    both: int
    seconds: float
    usd_per_hour: float
    least: float

    def fitting(self, free: int) -> tuple[int, int]:
        """How many rows for the test, and to learn from, of so many that are without a label."""
        test = min(self.test, free // 2)
        return test, min(self.rows, free - test)

    def labels(self, test: int, rows: int) -> int:
        """How many single labels people give: the shared rows count once for each person."""
        return test + rows + min(self.both, test) * (self.people - 1)

    def usd(self, labels: int) -> float:
        """What so many labels cost."""
        return labels * self.seconds / 3600 * self.usd_per_hour


def settings(plan: Plan) -> dict[str, Setting]:
    """The plan's own choices, completed by ours."""
    rules = policy("labelling")
    test, cost, people = rules["test"], rules["cost"], rules["people"]
    needed = max(test["fewest"], rows_needed(test["expected"], test["half_width"]))
    found = {
        "half_width": Setting(
            test["half_width"], "How far the measured share of right answers may be off.", f"{needed} rows at random"
        ),
        "expected": Setting(test["expected"], "About the share of right answers you expect; it sets how many rows."),
        "rows": Setting(rules["round"]["rows"], "Rows to learn from in this round; then ask again which come next."),
        "annotators": Setting(people["annotators"], "People who label; columns of labels that came back, when named."),
        "both": Setting(people["both"], "Rows that everybody labels: they show whether the question has one answer."),
        "seconds_per_label": Setting(cost["seconds"], "What one label takes one person."),
        "usd_per_hour": Setting(cost["usd_per_hour"], "What an hour of theirs costs."),
        "least_agreement": Setting(
            rules["agreement"]["least"], "Below it no conclusion is allowed.", "Krippendorff, Content Analysis, 11.4"
        ),
        SETTLED: Setting("", "The sheet of conflicts with its column `settled` filled in; empty: none came back."),
    }
    return {name: plan.settings.get(name, setting) for name, setting in found.items()}


def with_decisions(plan: Plan, folder: Path) -> dict[str, Setting]:
    """The settings with the content of the settled sheet, so that another content is another run."""
    found = settings(plan)
    file = decided_file(plan, folder)
    content = {_CONTENT: Setting(sha256_of_file(file), "That sheet when it was planned.")} if file else {}
    return {**found, **content}


def decided_file(plan: Plan, folder: Path) -> Path | None:
    """The settled sheet, by its path from the case's `folder`, if there is one. Raises `BadInput` for a changed one."""
    value = str(settings(plan)[SETTLED].value or "")
    if not value:
        return None
    file = check_readable(folder / value)
    if _CONTENT in plan.settings and sha256_of_file(file) != plan.settings[_CONTENT].value:
        raise BadInput(
            f"{file.name} has changed since the plan was made.",
            where=str(file),
            why="A run keeps which answers it took.",
            fix=f"Plan again: train-or-not plan {shlex.quote(str(folder))} --setting {SETTLED}={shlex.quote(value)}",
            code="data-changed",
        )
    return file


def wanted(plan: Plan) -> Wanted:
    """The choices as numbers. Raises `BadInput`."""
    chosen = settings(plan)
    width = _number(chosen, "half_width", 0.005, 0.5)
    expected = _number(chosen, "expected", 0.01, 0.99)
    people = len(named_people(plan)) or _whole(chosen, "annotators", 1, 20)
    return Wanted(
        width,
        expected,
        max(policy("labelling")["test"]["fewest"], rows_needed(expected, width)),
        _whole(chosen, "rows", 0, 100_000),
        people,
        _whole(chosen, "both", 0, 100_000),
        _number(chosen, "seconds_per_label", 0, 100_000),
        _number(chosen, "usd_per_hour", 0, 100_000),
        _number(chosen, "least_agreement", 0, 1),
    )


def named_people(plan: Plan) -> tuple[str, ...]:
    """The columns of labels that the plan names under `annotators`; none when it gives a number."""
    value = settings(plan)["annotators"].value
    if isinstance(value, list | tuple):
        return tuple(str(name).strip() for name in value)
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return ()


def estimate(plan: Plan, free: int) -> Estimate:
    """A few seconds of the machine; the cost is people's time for rows of the `free` ones without a label."""
    want = wanted(plan)
    test, rows = want.fitting(free)
    labels = want.labels(test, rows)
    by = policy("labelling")["estimate"]
    return Estimate(
        by["seconds"],
        by["memory_mb"],
        by["disk_mb"],
        round(want.usd(labels), 2),
        formula=f"{labels:,} labels at {want.seconds:g} s and ${want.usd_per_hour:g} an hour; {test:,} rows for "
        f"the test, {rows:,} to learn from, {min(want.both, test):,} of them labelled by everybody.",
        error_band=by["told"],
    )


def _number(chosen: dict[str, Setting], name: str, low: float, high: float) -> float:
    value = chosen[name].value
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise _refused(name, value, f"Give a number from {low:g} to {high:g}.")
    return float(value)


def _whole(chosen: dict[str, Setting], name: str, low: int, high: int) -> int:
    number = _number(chosen, name, low, high)
    if number != int(number):
        raise _refused(name, number, f"Give a whole number from {low} to {high}.")
    return int(number)


def _refused(name: str, value: object, fix: str) -> BadInput:
    where = f"plan.yaml: settings.{name}"
    return BadInput(f"The setting {name} cannot be {plain(value, 40)!r}.", where=where, fix=fix, code="bad-setting")
