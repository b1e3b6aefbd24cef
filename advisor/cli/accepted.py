"""Columns that may give the answer away: dropped, or accepted in writing, before anything is trained."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from advisor.base.case import Case
from advisor.base.errors import BadInput, FactsMissing, did_you_mean
from advisor.base.safetext import one_of, plain

if TYPE_CHECKING:
    from advisor.records.plan import Plan


def accepted(case: Case, plan: Plan, given: Collection[str], name: str) -> Plan:
    """The plan with every suspect column accepted: now (`given`, COLUMN=WHY each), or earlier, by the ledger.

    Raises `FactsMissing` that names those nobody has answered for, `BadInput` for one that is not asked about.
    """
    from advisor.records.plan import AcceptedColumn

    asked = {question.name: question.question for question in plan.to_ask}
    answers = _written(given, [*asked, *(one.name for one in plan.accepted)])
    before = {
        str(event.get("column")): str(event.get("why"))
        for event in case.history()
        if event.get("event") == "column_accepted" and event.get("data_sha256") == plan.data_sha256
    }
    for column, why in answers.items():
        if before.get(column) != why:
            case.remember("column_accepted", column=column, why=why, data_sha256=plan.data_sha256)
    answers = {**before, **answers}
    if missing := [column for column in asked if column not in answers]:
        first = plain(missing[0], 60)
        raise FactsMissing(
            f"{len(missing)} column{'s' * (len(missing) > 1)} may give the answer away, and nobody has said that "
            f"{'they do' if len(missing) > 1 else 'it does'} not: {one_of(missing, 8)}.",
            where="plan.yaml: to_ask",
            why=f"{first}: {asked[missing[0]]} A model that leans on it is right here and useless in earnest.",
            fix=f"train-or-not plan {name} --drop {first!r}   (or, if it is known in time: train-or-not train {name} "
            f"--accept '{first}=why it is known in time')",
            code="suspect-columns",
            details={"missing": missing, "questions": {column: asked[column] for column in missing}},
        )
    now_accepted = tuple(AcceptedColumn(column, question, answers[column]) for column, question in asked.items())
    kept = tuple(replace(one, reason=answers.get(one.name, one.reason)) for one in plan.accepted)
    return replace(plan, to_ask=(), accepted=kept + now_accepted)


def _written(given: Collection[str], known: list[str]) -> dict[str, str]:
    """COLUMN=WHY of each, split at the last `=` that leaves a known column before it."""
    answers = {}
    for text in given:
        column = next((name for name in known if text.startswith(f"{name}=")), "")
        if not column:
            guess = text.partition("=")[0]
            raise BadInput(
                f"{plain(guess, 60)!r} is no column that this plan asks about.",
                where="--accept",
                fix=did_you_mean(guess, known) or (f"It asks about: {one_of(known)}." if known else "It asks nothing."),
                code="no-question",
            )
        why = text[len(column) + 1 :].strip()
        if len(why) < 3:
            raise BadInput(
                f"To accept {plain(column, 60)} takes a reason.",
                where="--accept",
                why="It stands in the run's record, where whoever relies on the model can read it.",
                fix=f"--accept '{plain(column, 60)}=measured at the door, before the answer is known'",
                code="no-reason",
            )
        answers[column] = plain(why, 300)
    return answers
