"""What a climb measures on: the case's own data, a file of pairs, or questions over a folder of documents."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.case import Case
from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain

if TYPE_CHECKING:
    from advisor.interview.answers import Answers
    from advisor.records.plan import Plan
    from trainers.climb.rulefile import WrittenRule
    from trainers.climb.task import Task


def task_of(case: Case, arguments: argparse.Namespace) -> Task | None:
    """The text task of a climb, or None when the case's data is a table without running text."""
    from advisor.base.tablefolder import row_files
    from trainers.climb.examples import pairs, question_answering

    metric = arguments.metric or ""
    if arguments.questions:
        return question_answering(Path(arguments.questions), Path(arguments.documents), metric)
    if arguments.pairs:
        return pairs(Path(arguments.pairs), metric)
    answers = answers_of(case)
    path = answers.data_path(case)
    if path is not None and not answers.target and row_files(path)[0].suffix.lower() in (".jsonl", ".ndjson"):
        return pairs(path, metric)
    return _from_table(case, answers, arguments)


def judged_by(task: Task, arguments: argparse.Namespace) -> dict[str, Any]:
    """What changes of a task when a model is to judge its answers. Raises `BadInput` where answers need no judge."""
    from trainers.climb.metric import judged

    if not arguments.judge:
        return {}
    if task.kind not in ("generation", "question_answering"):
        raise BadInput(
            f"Whether a {task.kind} is right can be told without a judge.",
            where="--judge",
            fix="Leave out --judge; it is for free text.",
            code="no-judge-needed",
        )
    return {"metric": judged()}


def most_asked(endpoint: str) -> int | None:
    """How many examples of a part a language model is asked about by default: the embedded one takes its time."""
    from trainers.climb.policy import count

    return count("examples", "asked_of_the_embedded_model") if endpoint == "local" else None


def minutes_of(arguments: argparse.Namespace) -> float:
    """The minutes that a climb may take: what was said, else as many as the endpoint's kind needs."""
    from trainers.climb.policy import figure

    usual = figure("time", "minutes_on_this_machine" if arguments.endpoint == "local" else "minutes_with_a_server")
    return usual if arguments.max_minutes is None else float(arguments.max_minutes)


def answers_of(case: Case) -> Answers:
    """What the user said about the case."""
    from advisor.interview.answers import load_answers
    from advisor.reasoning.rulebook import load_rulebook

    return load_answers(case, load_rulebook())


def _from_table(case: Case, answers: Answers, arguments: argparse.Namespace) -> Task | None:
    from advisor.base.tables import read_table
    from advisor.cli.chain import look_of
    from trainers.climb.task import classification

    path, target = answers.data_path(case), answers.target
    if path is None or not target:
        raise BadInput(
            f"The case {case.name} names no data with right answers.",
            why="Rungs are measured on examples whose answer is known.",
            fix=f"train-or-not look {shlex.quote(str(case.folder))} --data FILE --target COLUMN   (or --pairs FILE)",
            code="no-data",
        )
    frame = read_table(path).frame
    for option, name in (("target", target), ("--text", arguments.text), ("--group", arguments.group)):
        if name and name not in frame.columns:
            raise BadInput(
                f"{path.name} has no column {plain(name, 60)!r}.",
                where=option,
                fix=did_you_mean(name, list(frame.columns)) or f"Its columns: {one_of(list(frame.columns))}.",
                code="no-column",
            )
    names = [str(name) for name in frame.columns if name not in (target, arguments.group)]
    look = look_of(case)
    if look is not None and look.target == target and look.task in ("regression", "forecast"):
        return None  # numbers are measured by their error, texts among the columns that are learned from
    if arguments.as_text:
        texts = [_as_text(row) for row in _records(frame[names])]
    else:
        column = arguments.text or text_column(frame, target)
        if not column:
            return None
        texts = _cells(frame[column])
    rule = arguments.rule is not None
    return classification(
        texts,
        _cells(frame[target]),
        groups=_cells(frame[arguments.group]) if arguments.group else None,
        rows=_records(frame[names]) if rule else None,
        metric=arguments.metric or "",
    )


def _records(frame: Any) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]


def _cells(column: Any) -> list[str]:
    texts: list[str] = column.astype("object").where(column.notna(), "").map(str).tolist()
    return texts


def _as_text(row: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {plain(cell, 200)}" for name, cell in row.items() if cell == cell and cell is not None)


def text_column(frame: Any, target: str) -> str:
    """The column with the most words a cell; empty when no column holds running text."""
    from trainers.climb.policy import figure

    best, most = "", figure("examples", "text_words")
    distinct = figure("examples", "text_distinct")
    for name in frame.select_dtypes(include=["object", "string"]).columns:
        cells = frame[name].dropna().astype(str)
        if name == target or not len(cells) or cells.nunique() < distinct * len(cells):
            continue
        words = float(cells.str.split().str.len().mean())
        if words >= most:
            best, most = str(name), words
    return best


def rule_of(arguments: argparse.Namespace, columns: list[str]) -> WrittenRule:
    """The rule that the user wrote, over these columns."""
    from trainers.climb.rulefile import read_rule

    return read_rule(Path(arguments.rule), columns)


def columns_of(case: Case) -> list[str]:
    """The columns of the case's table but for the target."""
    from advisor.base.tables import read_table

    answers = answers_of(case)
    path = answers.data_path(case)
    if path is None:
        return []
    return [str(name) for name in read_table(path, max_rows=50).frame.columns if name != answers.target]


def table_plan(case: Case, minutes: float) -> Plan:
    """What `plan` would train on this case's table, whatever the decision is: the same rows, columns and split."""
    from advisor.base.datafolder import sha256_of_data
    from advisor.cli.chain import decide_case, facts_of, look_of, plan_of
    from advisor.cli.main import dispatch
    from advisor.planner import make_plan

    answers = answers_of(case)
    path, look = answers.data_path(case), look_of(case)
    kept = plan_of(case)
    content = sha256_of_data(path) if path is not None else ""
    if kept and kept.trainer == "classical" and (kept.data_sha256, kept.target) == (content, answers.target):
        return kept
    if look is None or look.target != answers.target or content != look.sha256:
        dispatch(["look", str(case.folder), "--quiet"], silent=True)
        look = look_of(case)
    return make_plan(
        decide_case(case),
        facts_of(case).values(),
        look,
        case=str(case.folder),
        data=answers.data or "",
        target=answers.target or "",
        budget_seconds=60 * minutes / 2,
        approach="classical",
    )
