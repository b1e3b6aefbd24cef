"""A run opened for use: checked against its hashes, its model loaded once, ready to answer tables."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_file
from advisor.base.safetext import plain
from advisor.records.plain import load
from advisor.records.run import RunRecord
from trainers.common.runfolder import MARKER, verify
from trainers.use.answers import Answers
from trainers.use.inputs import InputColumn, rename_to_fit

# How each trainer's runs are opened: one line a backend. A backend gives its columns, its classes and how it answers.
BACKENDS = {
    "backbone": "trainers.use.images:open_images",
    "classical": "trainers.use.tables:open_tables",
    "forecast": "trainers.use.forecasts:open_forecasts",
    "logged": "trainers.use.policies:open_policies",
    "lora": "trainers.use.language:open_language",
    "scratch": "trainers.use.pictures:open_pictures",
    "unsupervised": "trainers.use.discoveries:open_discoveries",
    "rung": "trainers.use.rungs:open_rung",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


@dataclass(frozen=True)
class Allowance:
    """What answering may spend where each answer costs money: USD in all, and questions asked at once.

    `files` is the folder from which rows may name files, as those of images do; None follows no name.
    """

    max_usd: float | None = None
    workers: int = 4
    files: Path | None = None


class Chat(Protocol):
    """A run that continues conversations, as a client of Chat Completions asks it to."""

    longest: int  # tokens an answer has at most, as it was measured

    def asked(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        """A conversation as tokens. Raises `BadInput` for one that the run cannot read."""

    def words(self, tokens: Sequence[int], longest: int) -> Iterator[tuple[str, int, bool]]:
        """The answer as it comes: new words, tokens so far, whether it ended by itself."""


@dataclass(frozen=True)
class Backend:
    """What a trainer's module hands over. `answer` takes a frame that holds every column of `columns`.

    `at_once` is how many rows of a file are answered between two notes of what is done; `chat` continues conversations;
    `dear` says that an answer takes money or seconds, so that one which was kept is not asked for again; `together`
    that rows mean something only beside each other, as the steps of a series do: a file or a request is answered whole.
    `warm` does once what the first answer would else wait for: importing, reading weights, compiling.
    """

    columns: tuple[InputColumn, ...]
    classes: tuple[str, ...]
    answer: Callable[[pd.DataFrame], Answers]
    at_once: int = 10_000
    chat: Chat | None = None
    dear: bool = False
    together: bool = False
    warm: Callable[[], object] | None = None


@dataclass(frozen=True)
class OpenedRun:
    """One trained run, ready. Answers are those the run was measured with, bit for bit on one machine."""

    folder: Path
    record: RunRecord
    backend: Backend

    @property
    def name(self) -> str:
        return self.record.run

    @property
    def columns(self) -> tuple[InputColumn, ...]:
        return self.backend.columns

    @property
    def classes(self) -> tuple[str, ...]:
        """The label set, in the order of the scores; empty where numbers or texts are answered."""
        return self.backend.classes

    def answer(self, frame: pd.DataFrame, names: Mapping[str, str] | None = None) -> Answers:
        """One answer a row. `names` maps the frame's columns to the run's; others are matched or refused."""
        renamed = rename_to_fit(list(map(str, frame.columns)), self.columns, names or {})
        return self.backend.answer(frame.rename(columns=renamed) if renamed else frame)

    def provenance(self) -> dict[str, Any]:
        """Where the answers come from: the run, its data, its score and its gate."""
        record = self.record
        return {
            "run": self.name,
            "trainer": record.plan.trainer,
            "model": record.chosen,
            "task": record.plan.task,
            "target": record.plan.target,
            "metric": record.sealed.metric,
            "sealed": [record.sealed.value, record.sealed.low, record.sealed.high],
            "gate": record.gate.outcome,
            "data_sha256": record.plan.data_sha256,
            "complete_sha256": sha256_of_file(self.folder / MARKER),
            "trained": record.finished,
            "tool_version": record.tool_version,
        }


def open_run(folder: Path, allowance: Allowance | None = None) -> OpenedRun:
    """The run in `folder`. Raises `BadInput` when it is unfinished or changed since it was written."""
    verify(folder)
    record = load(folder / "run.json", RunRecord)
    if not _NAME.fullmatch(record.run):  # folders are named by it
        raise BadInput(
            f"{plain(record.run, 60)!r} is no name of a run.",
            where=str(folder / "run.json"),
            why="A record that calls its run so was not written by this tool.",
            fix=f"Train it again: train-or-not train {folder.parent.parent} --again",
            code="bad-record",
        )
    if record.plan.trainer not in BACKENDS:
        raise BadInput(
            f"The runs of the trainer {record.plan.trainer!r} cannot be opened for use.",
            where=str(folder),
            fix=f"Those of {', '.join(BACKENDS)} can.",
            code="no-backend",
        )
    module, name = BACKENDS[record.plan.trainer].split(":")
    opener = cast(Callable[[Path, RunRecord, Allowance], Backend], getattr(importlib.import_module(module), name))
    return OpenedRun(folder, record, opener(folder, record, allowance or Allowance()))
