"""The rung that a climb chose, made into a run folder the first time it is put to use."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.case import Case
from advisor.base.datafolder import sha256_of_data
from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_file
from advisor.records.climb import ClimbRecord
from advisor.records.look import SplitProposal
from advisor.records.plain import load, to_plain
from advisor.records.plan import Gate, Plan, Setting

if TYPE_CHECKING:
    from trainers.climb.task import Task

_FILES = ("pairs", "questions", "documents", "rule")
_OPTIONS = (*_FILES, "text", "group", "metric", "endpoint", "model", "price", "examples")
FOLDER = "rungs"


def asked_options(case: Case, arguments: argparse.Namespace) -> dict[str, str]:
    """The options of a climb that say what was measured and on which model; files as paths relative to the case."""
    told = {name: str(value) for name in _OPTIONS if (value := getattr(arguments, name)) not in (None, "")}
    told |= {name: os.path.relpath(told[name], case.folder) for name in _FILES if name in told}
    return told | ({"as_text": "yes"} if arguments.as_text else {})


def rung_folder(case: Case) -> Path:
    """The folder of the rung that the case's climb chose; made now if it is not there. Asks no model anything."""
    from trainers.common.runfolder import is_complete

    climb = load(case.climb, ClimbRecord)
    _check(case, climb)
    name = re.sub(r"[^a-z]+", "-", climb.recommended.lower()).strip("-")
    folder = case.folder / FOLDER / f"{name}-{sha256_of_file(case.climb)[:8]}"
    if not is_complete(folder):
        _make(case, climb, folder)
    return folder


def _check(case: Case, climb: ClimbRecord) -> None:
    name = shlex.quote(str(case.folder))
    if not climb.recommended:
        raise BadInput(
            "The climb found no rung that is enough, so there is none to use.",
            where=str(case.climb),
            why=climb.text,
            fix=f"Train: train-or-not plan {name}   (or climb again with a lower --requirement)",
            code="no-rung",
        )
    if climb.recommended in ("trained model", "LoRA fine-tune", "retrieval + LoRA"):
        raise BadInput(
            "The climb chose a trained model, and a climb keeps none.",
            where=str(case.climb),
            fix=f"train-or-not plan {name} && train-or-not train {name}",
            code="not-trained",
        )
    if not climb.asked or climb.recommended in ("your rule", "one-column rule"):
        told = next((rung.text for rung in climb.rungs if rung.name == climb.recommended), "")
        raise BadInput(
            f"The climb chose {climb.recommended!r}, which is no model: it is applied where the rows are.",
            where=str(case.climb),
            why=told,
            fix="Write it as a rule where the rows are, or climb again where this climb is of an older version.",
            code="no-model",
        )


def _make(case: Case, climb: ClimbRecord, folder: Path) -> None:
    from advisor.cli.climb_rungs import door_to, rungs_of, vectors_of
    from trainers.climb.answers import AnswerStore
    from trainers.climb.asker import Asker
    from trainers.climb.rungs import ZeroShot
    from trainers.climb.spend import FREE, Meter
    from trainers.use.rung_folder import keep_rung

    arguments, task = task_again(case, climb)
    local = arguments.endpoint == "local"
    store = AnswerStore(case.folder / ".climb" / "answers.sqlite")
    try:
        # With a cap of nothing only answers that are in the store can be given: nothing is sent to a server.
        asker = Asker(_NoDoor(climb.endpoint), FREE, Meter(Decimal(0)), store)

        def chosen_of(vectors: Any) -> Any:
            rungs = rungs_of(asker, vectors, [], local=local, optimise=True)
            return next(rung for rung in rungs if rung.name == climb.recommended)

        chosen = chosen_of(_Unloaded())
        if isinstance(chosen, ZeroShot) or chosen.slow:
            vectors = vectors_of(_Silent(), local=local)
            if local and isinstance(chosen, ZeroShot):
                asker.door = door_to(arguments.endpoint, arguments.model, _Silent())
            chosen = chosen_of(vectors)
        chosen.prepare(task)
        # Those that the climb asked about: its time may have been over before the last.
        sealed = task.sealed[: climb.sealed.rows if climb.sealed else None]
        keep_rung(
            folder, _kept(case, climb, arguments, task, chosen), task, chosen, climb, plan_of_rung(case, climb), sealed
        )
    finally:
        store.close()


def task_again(case: Case, climb: ClimbRecord) -> tuple[argparse.Namespace, Task]:
    """The options and the task of a climb, with the same split."""
    from advisor.cli.climb_task import most_asked, task_of

    arguments = _arguments(case, climb)
    task = task_of(case, arguments)
    if task is None:
        raise BadInput("The case's data holds no running text.", where=str(case.folder), code="no-text")
    most = int(arguments.examples) if arguments.examples else most_asked(arguments.endpoint)
    return arguments, replace(task, most=most)


def _arguments(case: Case, climb: ClimbRecord) -> argparse.Namespace:
    told: dict[str, Any] = {name: climb.asked.get(name) for name in _OPTIONS}
    told |= {name: str(case.folder / told[name]) for name in _FILES if told[name]}
    return argparse.Namespace(
        **{**told, "endpoint": told["endpoint"] or "local", "model": told["model"] or ""},
        as_text="as_text" in climb.asked,
    )


def _kept(case: Case, climb: ClimbRecord, arguments: argparse.Namespace, task: Task, rung: Any) -> Any:
    from trainers.use.rung_folder import Kept

    prepared = rung.kept() if hasattr(rung, "kept") else {}
    price = tuple(map(float, arguments.price.split(","))) if arguments.price else ()
    return Kept(
        name=climb.recommended,
        rung=rung.rung,
        kind=task.kind,
        endpoint=arguments.endpoint,
        model=arguments.model,
        columns=_columns(case, arguments),
        labels=task.labels,
        metric=to_plain(task.metric),
        fields=dict(task.fields),
        prepared=prepared,
        price=price,
    )


def _columns(case: Case, arguments: argparse.Namespace) -> tuple[str, ...]:
    """The column that is read of a row; empty where rows come as pairs of several shapes."""
    from advisor.base.tables import read_table
    from advisor.cli.climb_task import answers_of, text_column
    from trainers.climb.examples import INPUTS

    if arguments.questions:
        return ("question",)
    answers = answers_of(case)
    path = answers.data_path(case)
    pairs = Path(arguments.pairs) if arguments.pairs else None if answers.target else path
    if pairs is not None:
        given = read_table(pairs).frame
        return next(((name,) for name in INPUTS if name in given.columns and given[name].notna().all()), ())
    if arguments.as_text:
        raise BadInput(
            "A rung that reads whole rows as text cannot be put to use yet.",
            why="It was measured to compare; a table is better answered by a trained model.",
            fix=f"train-or-not plan {shlex.quote(str(case.folder))}",
            code="no-model",
        )
    return (arguments.text or text_column(read_table(path).frame, answers.target or ""),) if path else ()


def plan_of_rung(case: Case, climb: ClimbRecord) -> Plan:
    """What was measured, in the form of a plan, so that the rung is a run like any other."""
    from advisor.cli.climb_task import answers_of

    answers = answers_of(case)
    given = climb.asked.get("questions") or climb.asked.get("pairs")
    path = case.folder / given if given else answers.data_path(case)
    if path is None or not path.exists():
        raise BadInput("The examples of the climb are gone.", where=str(path), fix="Put them back.", code="no-data")
    measured = next(rung for rung in climb.rungs if rung.name == climb.recommended)
    return Plan(
        approach=measured.rung,
        trainer="rung",
        task=climb.task,
        data=os.path.relpath(path, case.folder),
        data_sha256=sha256_of_data(path),
        target="" if given else answers.target or "",
        split=SplitProposal("content", "", 0.2, "each example's part follows from its content"),
        metric=Setting(climb.metric, climb.metric_reason),
        gate=Gate(climb.metric, ("requirement",)),
    )


class _Silent:
    def phase(self, text: str) -> None:
        """Say nothing."""

    def step(self, done: float, total: float, note: str = "") -> None:
        """Say nothing."""

    def begins(self, rung: Any) -> None:
        """Say nothing."""


class _NoDoor:
    """The name of a model that is not to be asked: its answers are in the store already."""

    def __init__(self, name: str) -> None:
        self.name = name

    def complete(self, *_: Any, **__: Any) -> Any:
        """Refuse."""
        raise BadInput(
            "An answer of the climb is no longer in its store.",
            fix="Climb again: what is in the store is not paid for twice.",
            code="answers-gone",
        )


class _Unloaded:
    """Stands where the sentence model would, to find a rung by its name; never asked."""

    def __call__(self, texts: Any) -> Any:
        """Refuse."""
        raise AssertionError("the sentence model was not loaded")
