"""`train --on NEW`: the plan over old and new rows, and the new run held against the one that is in use."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.case import Case
from advisor.base.datafolder import sha256_of_data
from advisor.base.errors import BadInput, GateNotPassed
from advisor.cli.output import Output
from advisor.records.plain import load
from advisor.records.run import RunRecord

if TYPE_CHECKING:
    from advisor.records.plan import Plan
    from trainers.use.retrain import Grown

EVENT = "held_against_old"
PENDING = "to_hold_against_old"


def grown_plan(case: Case, plan: Plan, new: str, pairs: list[str], out: Output) -> tuple[Grown, Path]:
    """The plan over old and new rows, and the run that is in use now. Raises `BadInput` when there is none.

    Rows of a file that the run in use has grown by already are not added once more.
    """
    from advisor.cli.predict import asked_names
    from advisor.cli.run_folder import run_folder
    from trainers.common.runfolder import is_complete
    from trainers.use.retrain import Grown, grow, rows_measured_on

    before = run_folder(str(case.folder))
    if not is_complete(before):
        raise BadInput(
            "There is no run yet that a new one could be held against.",
            where=str(case.runs),
            fix=f"Train first: train-or-not train {shlex.quote(str(case.folder))}",
            code="no-run",
        )
    used = load(before / "run.json", RunRecord).plan
    sealed = rows_measured_on(before)
    known = 0
    if (used.trainer, used.target) == (plan.trainer, plan.target):
        # What the run in use was trained on, which may be more than the plan's file: it may have grown before.
        plan = replace(plan, data=used.data, data_sha256=used.data_sha256)
        steps = _grown_by(case, before.name)
        known = next(filter(None, (_old_rows(step, case, new, asked_names(pairs)) for step in steps)), 0)
    else:
        sealed = sealed[:0]  # places in another file
    if known:
        out.note(f"{before.name} has learned from the rows of {new} already; none is added.")
        return Grown(plan, 0, 0, known), before
    grown = grow(plan, case.folder, Path(new), asked_names(pairs), sealed)
    left = f"; {grown.unlabelled:,} without a label were left out" if grown.unlabelled else ""
    if grown.between:
        out.note(
            f"{grown.between:,} rows of {new} are near copies both of sealed rows and of rows that {before.name} "
            "learned from. They are left out: on either side they would give an answer away."
        )
    out.note(f"{grown.added:,} rows of {new} join the {grown.old_rows:,} old ones{left}. Old sealed rows stay sealed.")
    return grown, before


def to_hold(case: Case, before: Path, folder: Path, new: str, grown: Grown) -> None:
    """Write down, before training, which run the new one is to beat: until it has, it is not used."""
    told = any(event.get("event") in (PENDING, EVENT) and event.get("run") == folder.name for event in case.history())
    if not told and folder != before:
        content = sha256_of_data(Path(new))
        case.remember(PENDING, run=folder.name, old=before.name, file_sha256=content, old_rows=grown.old_rows)


@dataclass(frozen=True)
class _Step:
    """A run whose data are those of an `old` run and a file's rows. Cases of earlier versions kept no hash of it."""

    run: str
    old: str
    file_sha256: str
    old_rows: int


def _grown_by(case: Case, run: str) -> list[_Step]:
    """The steps by which the data of `run` grew from its first run on, the latest first."""
    events = [event for event in case.history() if event.get("event") in (PENDING, EVENT)]
    grew = {str(event.get("run")): event for event in events if event["event"] == EVENT}
    grew |= {str(event.get("run")): event for event in events if event["event"] == PENDING}
    found = []
    while event := grew.pop(run, None):
        old = str(event.get("old"))
        found.append(_Step(run, old, str(event.get("file_sha256") or ""), int(str(event.get("old_rows") or 0))))
        run = old
    return found


def _old_rows(step: _Step, case: Case, new: str, names: Mapping[str, str]) -> int:
    """How many rows there were before the step, if it added this file's rows; else 0. Without a hash, by content."""
    from trainers.use.retrain import grew_from

    if step.file_sha256 or not Path(new).is_file():
        return step.old_rows if step.file_sha256 == sha256_of_data(Path(new)) else 0
    plans = [load(case.runs / name / "run.json", RunRecord).plan for name in (step.run, step.old)]
    try:
        return grew_from(plans[0], case.folder, plans[1], Path(new), names)
    except BadInput:
        return 0  # the data of one of them is gone: nothing can be compared


def held_against_old(case: Case, before: Path, folder: Path, record: RunRecord, grown: Grown, out: Output) -> int:
    """Show both runs on the same sealed rows; exit 0 when the new one is better, else `GateNotPassed`."""
    from advisor.cli.train import rebuild
    from advisor.records.plain import to_plain
    from trainers.use.opened import open_run
    from trainers.use.retrain import judge

    if folder == before:  # it has beaten another before: that is told again
        before = case.runs / next(
            str(event["old"])
            for event in case.history()
            if event.get("event") in (PENDING, EVENT) and event["run"] == folder.name
        )
    old, new = open_run(before), open_run(folder)
    judged = judge(old, new, grown.old_rows)
    found = judged.whole
    told = [event for event in case.history() if event.get("event") == EVENT and event.get("run") == new.name]
    if not told:
        outcome = "better" if found.passed else "not_better"
        case.remember(EVENT, run=new.name, old=old.name, outcome=outcome, gain=found.gain, low=found.low)
    rebuild(case)
    lines = [f"On {found.ours.rows:,} sealed rows ({found.ours.metric}), {new.name} beside {old.name}:"]
    lines.append(f"  {old.name}: {found.theirs.value:.4g}   {new.name}: {found.ours.value:.4g}")
    lines.append(f"  gain {found.gain:+.3g}, between {found.low:+.3g} and {found.high:+.3g}, {found.method}")
    for name, (rows, theirs, ours) in judged.parts.items():
        lines.append(f"  of them {rows:,} {name}: {theirs:.4g} and {ours:.4g}")
    details = {"run": to_plain(record), "against": old.name, "comparison": asdict(found), "parts": judged.parts}
    if out.json_mode and found.passed:
        out.json(details)
    for line in lines:
        out.line(line)
    if not found.passed:
        raise GateNotPassed(
            f"{new.name} is not shown to be better than {old.name}, which stays in use.",
            where=str(folder),
            why="The new run is kept, and commands that name the case go on using the old one.",
            fix=f"Collect more labels, or use it by its name: train-or-not predict {shlex.quote(str(folder))} FILE",
            code="not-better",
            details=details,
        )
    out.note(f"\nNext: train-or-not predict {shlex.quote(str(case.folder))} FILE   ({new.name} is in use now)")
    return 0
