"""A fine-tuned run as one whole model for other programs: merged, in eight bits, as GGUF; each is asked, then kept."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from advisor.base.errors import BadInput
from advisor.records.plain import load
from advisor.records.run import RunRecord
from trainers.climb.certainty import gain_interval
from trainers.lora.answering import open_run
from trainers.lora.base import locate
from trainers.lora.examples import Example
from trainers.lora.export import export_model
from trainers.lora.int8 import write_int8
from trainers.lora.parts import part
from trainers.lora.planning import corpus_of
from trainers.lora.recipe import Recipe
from trainers.lora.scores import score
from trainers.lora.session import Session, open_session


@dataclass(frozen=True)
class Checked:
    """A shipped form beside the run, on development rows: the share of same answers, and the task's score of both.

    `low` and `high` are the paired 95 % interval of what the form gains, so a cost is negative.
    """

    rows: int
    same: float
    metric: str
    run_score: float
    score: float
    low: float
    high: float
    megabytes: float


class Shipping:
    """The run, opened once, and what it says to rows that it neither learnt from nor was judged by."""

    def __init__(self, run: Path, most: int) -> None:
        record = load(run / "run.json", RunRecord)
        self._case = run.parent.parent
        self._session, _, self._longest = open_run(run)
        self._rows = development_rows(record, self._case)[:most]
        metric = str(record.plan.metric.value)
        # Whether a pair was preferred cannot be read off one answer; how near it is to the preferred one can.
        self._metric = "token_f1" if metric == "preference" else metric
        self._ours = self._session.answers([row.question for row in self._rows], self._longest)
        self._merged = Path()

    def merge(self, into: Path) -> Checked:
        """The adapter added into the base, in `into`; loaded again from there and asked."""
        base = self._session.recipe.base
        export_model(self._session, into, base, locate(base, self._case))
        self._merged = into
        return self._checked(self._opened(into), into)

    def round_to_int8(self, into: Path) -> Checked:
        """The merged model in eight bits, in `into`; asked with the arithmetic that a loader of it does."""
        whole = self._opened(self._merged)
        write_int8(whole.model, self._merged, into)
        return self._checked(whole, into)

    def write_gguf(self, file: Path, name: str) -> Checked:
        """The merged model as one GGUF file, read back by transformers' own reader and asked."""
        from trainers.embedded.convert import convert_gguf
        from trainers.embedded.gguf_file import write_gguf

        file.parent.mkdir(parents=True)
        write_gguf(self._merged, file, name)
        with tempfile.TemporaryDirectory() as scratch:
            convert_gguf(file, Path(scratch), name, name)
            return self._checked(self._opened(Path(scratch)), file.parent)

    def _opened(self, folder: Path) -> Session:
        session, tokenizer = self._session, self._session.encoder.tokenizer
        plain = replace(session.recipe, learning="full", quantization="none")
        whole = open_session(plain, folder, tokenizer, session.device, session.arithmetic, 0, 0, labels=session.labels)
        whole.model.eval()
        return whole

    def _checked(self, whole: Session, place: Path) -> Checked:
        with torch.no_grad():
            theirs = whole.answers([row.question for row in self._rows], self._longest)
        before, after = self._scores(self._ours), self._scores(theirs)
        _, low, high = gain_interval(after, before)
        count = len(self._rows)
        return Checked(
            rows=count,
            same=sum(a == b for a, b in zip(self._ours, theirs, strict=True)) / count,
            metric=self._metric,
            run_score=sum(before) / count,
            score=sum(after) / count,
            low=low,
            high=high,
            megabytes=round(sum(file.stat().st_size for file in place.iterdir()) / 1e6, 1),
        )

    def _scores(self, answers: Sequence[str]) -> list[float]:
        return [score(self._metric, said, row.answer) for said, row in zip(answers, self._rows, strict=True)]


def development_rows(record: RunRecord, case: Path) -> list[Example]:
    """The rows that the run stopped by, as its split drew them. Raises `BadInput` when the data is not there."""
    kept: dict[str, Any] = dict(record.hyperparameters)
    recipe = Recipe(**kept["recipe"])
    found = list(part(corpus_of(record.plan, case, recipe), record.plan, case, recipe).development)
    if not found:
        raise BadInput(
            "The plan kept no development rows.", fix="Plan with development_rows above zero.", code="no-rows"
        )
    return found
