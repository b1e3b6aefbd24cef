"""`monitor` without its words: what is new in a file, compared, counted once, and written down whole."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from advisor.base.case import Case, now, today
from advisor.base.datafolder import sha256_of_data
from advisor.base.errors import BadInput
from advisor.base.tables import Table, read_table
from advisor.records.climb import ClimbRecord
from advisor.records.plain import load
from trainers.common.lock import locked
from trainers.monitor.check import SERVED, Look, look_at
from trainers.monitor.domain import Vectors
from trainers.monitor.gathered import as_kept, others_than
from trainers.monitor.labelling import choose_rows, write_rows
from trainers.monitor.paid import as_kept as paid_as_kept
from trainers.monitor.paid import paid_by
from trainers.monitor.policy import policy
from trainers.monitor.reference import Reference, load_reference, make_reference, numbers_of, save_reference
from trainers.monitor.snapshot import snapshot
from trainers.monitor.state import Source, State, asked, load_state, save_state, seen_part
from trainers.monitor.triggers import outside, renewed, triggers
from trainers.use.cells import as_labelled, as_read, guessed, truths_as_trained, with_columns, with_numbers
from trainers.use.inputs import rename_to_fit
from trainers.use.opened import OpenedRun

Check = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class _Given:
    """What one check is given: the file as read, its hash and bytes, and how it is to be looked at.

    `earlier` is the check of the same content that looked at it in another way: its rows are looked at again.
    """

    file: Path
    table: Table
    content: str
    size: int
    asked: dict[str, Any]
    earlier: Check | None
    names: Mapping[str, str]
    ignored: Sequence[str]
    vectors: Vectors | None
    decided_otherwise: str


def watch(
    opened: OpenedRun,
    file: Path,
    *,
    names: Mapping[str, str] | None = None,
    ignored: Sequence[str] = (),
    source: Path | None = None,
    vectors: Vectors | None = None,
    decided_otherwise: str = "",
) -> Check:
    """Check the rows of `file` that no earlier check saw, and remember it. Returns the check as plain data.

    A file that was checked before in the same way gives its earlier check again, with `again` set; looked at in another
    way its labels count in place of those of the earlier check. Nothing is counted twice. Rows without right answers
    that are too few to be compared are not remembered: they wait until more have come. Rows with right answers count
    at once, and are compared together with later ones as soon as they are enough. `attention` is set where
    somebody has to act: on an alarm, or because the world outside has changed.
    `vectors` compares texts by meaning too. `decided_otherwise` says in words what the decision would be today, where
    prices, rules or the date have moved it.
    """
    if opened.backend.together:
        raise BadInput(
            f"A {opened.record.plan.trainer} run over a series is not watched row by row.",
            where=str(opened.folder),
            why="Its answers rest on the rows before them, so new rows cannot be compared one for one.",
            fix=f"Add the new values to the data and train again: train-or-not train {opened.folder.parent.parent}",
            code="not-watched",
        )
    case = Case(opened.folder.parent.parent)
    folder = case.folder / "monitor" / opened.name
    seen = snapshot(file, functools.partial(read_table, as_written=True))
    told = asked(
        names=names,
        ignored=ignored,
        by_meaning=vectors is not None,
        reference=sha256_of_data(source) if source else "",
    )
    with locked(folder):
        state = load_state(folder)
        if same := state.known(seen.sha256, told):
            _remember(case, opened, same)
            outside_now = outside(case.folder, _climb(case), today(), policy(), decided_otherwise)
            return _answer({**same, "triggers": renewed(same["triggers"], outside_now)}, again=True)
        reference = _reference(opened, folder, source, names or {})
        earlier = state.known(seen.sha256)
        given = _Given(
            file,
            seen.table,
            seen.sha256,
            seen.bytes,
            told,
            earlier,
            names or {},
            ignored,
            vectors,
            decided_otherwise,
        )
        check = _checked(opened, reference, state, case, folder, given)
        if check["waiting"]:
            return _answer(check, again=False)
        save_state(folder, state)
        _remember(case, opened, check)
        return _answer(check, again=False)


def _answer(check: Check, *, again: bool) -> Check:
    return {**check, "again": again, "attention": bool(check["alarm"] or check["triggers"])}


def _climb(case: Case) -> ClimbRecord | None:
    return load(case.climb, ClimbRecord) if case.climb.exists() else None


def _reference(opened: OpenedRun, folder: Path, source: Path | None, names: Mapping[str, str]) -> Reference:
    if source is not None:  # for this check alone: later ones are compared with the training rows as before
        return make_reference(opened, policy(), source, names)
    kept = load_reference(folder)
    if kept is None:
        kept = make_reference(opened, policy())
        save_reference(folder, kept)
    return kept


def _checked(
    opened: OpenedRun,
    reference: Reference,
    state: State,
    case: Case,
    folder: Path,
    given: _Given,
) -> Check:
    file, frame = given.file, given.table.frame
    place = str(file.resolve())
    earlier = given.earlier
    skip = int(earlier["rows_seen_before"]) if earlier else seen_part(state.sources.get(place), file)
    renamed = rename_to_fit(list(map(str, frame.columns)), opened.columns, given.names)
    written = frame.iloc[skip:].reset_index(drop=True).rename(columns=renamed)
    rows = _as_run_reads(opened, written, given.table)
    if not len(rows):
        raise BadInput(
            "There is no new row in the file since the last check.",
            where=str(file),
            fix="Check again when rows have come.",
            code="no-new-rows",
        )
    chosen = "why" in rows.columns and set(rows["why"].dropna()) <= {"random", "unsure"}
    # Rows picked because the model is unsure of them would make it look worse than it is.
    if chosen:
        written, rows = (part[(rows["why"] != "unsure").to_numpy()].reset_index(drop=True) for part in (written, rows))
    if not len(rows):
        raise BadInput(
            "Every new row was picked for labelling because the model is unsure of it.",
            where=str(file),
            why="Such rows alone would make it look worse than it is, so they are not counted.",
            fix="Label the rows marked random too, then check the file.",
            code="no-random-rows",
        )
    before = state.without(earlier)
    told = with_numbers(written, rows, opened.columns)
    gathered = others_than(state.gathered, told)
    kept = _as_run_reads(opened, pd.DataFrame(gathered), given.table) if gathered else None
    look = look_at(
        opened,
        reference,
        rows,
        policy(),
        before=before,
        ignored=given.ignored,
        only_labels=bool(chosen),
        vectors=given.vectors,
        served=state.served,
        kept=kept,
        paid=paid_by(state.checks, given.content),
    )
    if not earlier:
        _remember_service(state, rows)
    number = len(state.checks) + 1
    alarms = [finding for finding in look.findings if finding.alarm]
    broken = {"performance"} if look.standing and look.standing.breach else set()
    broken |= {"costs"} if look.bill and look.bill.costs.breach else set()
    to_label = _to_label(opened, reference, look, told, folder, number) if alarms and not broken else None
    check: Check = {
        "check": number,
        "at": now(),
        "run": opened.name,
        "file": file.name,
        "sha256": given.content,
        "rows": len(rows),
        "rows_seen_before": skip,
        "compared": look.compared,
        "gathered": len(gathered),
        "waiting": look.standing is None and len(rows) + len(gathered) < int(policy()["window"]["fewest"]),
        "alarm": bool(alarms or broken),
        "alarms": sorted({finding.channel for finding in alarms} | broken),
        "findings": [_plain(dataclasses.asdict(finding)) for finding in look.findings],
        "performance": _plain(dataclasses.asdict(look.standing)) if look.standing else None,
        "costs": _plain(dataclasses.asdict(look.bill.costs)) if look.bill else None,
        "paid": paid_as_kept(look.bill.paid) if look.bill else [],
        "triggers": [
            *triggers(look, case.folder, file, to_label, opened.record.plan.trainer),
            *outside(case.folder, _climb(case), today(), policy(), given.decided_otherwise),
        ],
        "renamed": renamed,
        "ignored": list(given.ignored),
        "asked": given.asked,
    }
    now_so_far = (look.standing.right, look.standing.rows, look.standing.files) if look.standing else before
    state.right, state.labelled, state.labelled_files = now_so_far
    if look.compared:
        state.gathered = []
    elif not chosen and (not earlier or len(gathered) < len(state.gathered)):
        # Rows of an earlier check stand among the gathered ones, or were compared then.
        state.gathered = [*gathered, *as_kept(told)]
    check["held"] = 0 if chosen else len(state.gathered)
    check["counted"] = [now_so_far[0] - before[0], now_so_far[1] - before[1]]
    state.sources[place] = Source(given.size, given.content, len(frame))
    state.checks.append(check)
    return check


def _as_run_reads(opened: OpenedRun, written: pd.DataFrame, table: Table) -> pd.DataFrame:
    """New rows as the run reads them, their right answers spelled as its classes; other columns by what they hold."""
    target = opened.record.plan.target
    rows = as_read(written, opened.columns, table)
    own = {column.name for column in opened.columns} | ({target} if opened.classes else set())
    others = guessed(written[[name for name in written.columns if name not in own]], table)
    rows = with_columns(rows, {str(name): cells for name, cells in others.items()})
    if opened.classes and target in rows.columns:
        rows = with_columns(rows, {target: as_labelled(written[target], opened.classes)})
    return truths_as_trained(opened.columns)(rows)


def _remember_service(state: State, rows: pd.DataFrame) -> None:
    """Keep the seconds and USD of the first answers served: what later ones are compared with."""
    most = int(policy()["service"]["rows"])
    for column in SERVED:
        if column in rows.columns and len(kept := state.served.setdefault(column, [])) < most:
            kept += numbers_of(rows[column]).dropna().tolist()[: most - len(kept)]


def _to_label(
    opened: OpenedRun, reference: Reference, look: Look, rows: pd.DataFrame, folder: Path, check: int
) -> Path | None:
    moved = any(finding.alarm and finding.channel in ("inputs", "texts") for finding in look.findings)
    if not moved or look.standing is not None:
        return None
    # A file of its own for each check: people may still be filling in an earlier one.
    again = ("", *(f"-{number}" for number in range(2, 1000)))
    path = next(path for one in again if not (path := folder / f"to-label-{check}{one}.csv").exists())
    chosen = choose_rows(rows, look.answers, reference.promised, policy(), opened.record.plan.seed)
    write_rows(path, chosen, opened.record.plan.target)
    return path


def _remember(case: Case, opened: OpenedRun, check: Check) -> None:
    """One line in the ledger a check, also when a kill came between the state and the ledger."""
    told = [event for event in case.history() if event.get("event") == "monitored" and event.get("run") == opened.name]
    if all(event.get("check") != check["check"] for event in told):
        case.remember(
            "monitored", run=opened.name, check=check["check"], sha256=check["sha256"], alarms=check["alarms"]
        )


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in told.items()
    }
