"""Opens a rung that a climb chose: a prompt, a retrieval, a rule of words, or a linear model on words or meaning."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.files import sha256_of_text
from advisor.base.keys import check_agreed
from advisor.base.llm import OpenAIDoor
from advisor.records.run import RunRecord
from trainers.climb.answers import AnswerStore
from trainers.climb.asker import Asker
from trainers.climb.baselines import Majority, OneWordRule
from trainers.climb.examples import INPUTS
from trainers.climb.hybrid import Vectors
from trainers.climb.learned import EmbeddingsAndLinear, WordsAndLinear
from trainers.climb.likely import LikelyFewShot, MostLikely
from trainers.climb.optimised import OptimisedPrompt
from trainers.climb.recorded import is_grounded
from trainers.climb.rungs import FewShot, Retrieval, Said, ZeroShot
from trainers.climb.spend import Meter, price_of
from trainers.climb.task import Item, Task
from trainers.use.answers import Answers
from trainers.use.inputs import InputColumn
from trainers.use.opened import Allowance, Backend
from trainers.use.quotes import EXTRAS, quoted
from trainers.use.rung_folder import Kept, read_kept, read_model, read_task

_ASKING: tuple[type[ZeroShot], ...] = (ZeroShot, MostLikely, FewShot, LikelyFewShot, OptimisedPrompt, Retrieval)


class _Silent:
    def phase(self, text: str) -> None:
        """Say nothing."""

    def step(self, done: float, total: float, note: str = "") -> None:
        """Say nothing."""


def open_rung(run: Path, record: RunRecord, allowance: Allowance) -> Backend:
    """The run's backend. A rung that asks a server with a price needs a cap: `BadInput` without one."""
    kept = read_kept(run)
    task = read_task(run, kept)
    columns = tuple(InputColumn(name, "text") for name in kept.columns)
    asking = next((kind for kind in _ASKING if kind.name == kept.name), None)
    if asking is not None:
        return _asked(run, kept, task, columns, asking, allowance)
    rung, scores = _learned(run, kept, task)
    classes = kept.labels if scores is None else tuple(map(str, rung.model.classes_))

    def answer(frame: pd.DataFrame) -> Answers:
        items = _items(frame, kept)
        if scores is None:
            return Answers([rung.answer(item).text for item in items], classes)
        # One text at a time, as it was measured: what shares a batch would change the last bits of a sentence's vector.
        shares = np.array([scores(item.text) for item in items]).reshape(len(items), len(classes))
        return Answers([classes[at] for at in shares.argmax(axis=1)], classes, shares)

    return Backend(columns, classes, answer, warm=None if scores is None else functools.partial(scores, ""))


def _learned(run: Path, kept: Kept, task: Task) -> tuple[Any, Callable[[str], Any] | None]:
    if kept.name == WordsAndLinear.name:
        words = WordsAndLinear()
        words.model = read_model(run)
        return words, words.scores
    if kept.name == EmbeddingsAndLinear.name:
        meaning = EmbeddingsAndLinear(_vectors())
        meaning.model = read_model(run)
        return meaning, meaning.scores
    for kind in (Majority, OneWordRule):
        if kind.name == kept.name:
            rung = kind()
            rung.restore(task, kept.prepared)
            return rung, None
    raise BadInput(f"The rung {kept.name!r} cannot be opened.", where=str(run), fix="Climb again.", code="no-backend")


def _asked(
    run: Path,
    kept: Kept,
    task: Task,
    columns: tuple[InputColumn, ...],
    asking: type[ZeroShot],
    allowance: Allowance,
) -> Backend:
    local = kept.endpoint == "local"
    asker = _asker(run, kept, allowance)
    rung = asking(asker, _vectors() if kept.prepared.get("by_meaning") else None)
    rung.restore(task, kept.prepared)
    finds = isinstance(rung, Retrieval)

    def answer(frame: pd.DataFrame) -> Answers:
        items = _items(frame, kept)
        if local:
            said = [rung.answer(item) for item in items]
        else:
            with ThreadPoolExecutor(allowance.workers) as pool:
                said = list(pool.map(rung.answer, items))
        read = [task.read(one.text) for one in said]
        extras = [_extra(task, one, text) for one, text in zip(said, read, strict=True)] if finds else None
        names = EXTRAS if finds else ()
        return Answers(list(read), kept.labels, None, names, extras, [float(one.usd) for one in said])

    return Backend(columns, kept.labels, answer, at_once=20, dear=True)


def _extra(task: Task, said: Said, read: str | None) -> dict[str, Any]:
    grounded = read is not None and is_grounded(said)
    return quoted(read or "", said.passages if grounded else (), [one.document for one in said.passages])


def _asker(run: Path, kept: Kept, allowance: Allowance) -> Asker:
    """Answers that were paid for are kept beside the run and never paid for again; the cap counts all of them."""
    price = price_of(kept.model, kept.endpoint, (kept.price[0], kept.price[1]) if kept.price else None)
    if kept.endpoint == "local":
        from trainers.embedded.local_door import LocalDoor

        try:
            door: Any = LocalDoor(_Silent())
        except ImportError as error:
            raise EnvironmentMissing(
                f"The embedded model needs a package that is not installed: {error.name}.",
                fix="pip install 'train-or-not[lora]'",
                code="no-extra",
            ) from None
    else:
        check_agreed(kept.endpoint)
        door = OpenAIDoor(kept.model, kept.endpoint)
        door.check()
        if price.cost(1, 1) > 0 and allowance.max_usd is None:
            raise BadInput(
                "These answers cost money, and no cap was given.",
                why=f"Each row is a question to {kept.model}; nothing was sent.",
                fix="--max-usd 2",
                code="no-cap",
            )
    store = AnswerStore(_store(run))
    cap = None if allowance.max_usd is None else Decimal(str(allowance.max_usd))
    return Asker(door, price, Meter(cap, None, store), store)


def _store(run: Path) -> Path:
    """Outside the run's folder, which never changes once it is complete."""
    return run.parent.parent / ".climb" / f"used-{sha256_of_text(run.name)[:8]}.sqlite"


def _vectors() -> Vectors:
    from trainers.climb.learned import Remembered
    from trainers.embedded.sentences import SentenceModel

    return Remembered(lambda: SentenceModel(_Silent()).vectors)


def _items(frame: pd.DataFrame, kept: Kept) -> list[Item]:
    rows: list[dict[Any, Any]] = frame.to_dict("records")
    return [Item("", _text(row, kept.columns, at), ()) for at, row in enumerate(rows, 1)]


def _text(row: Mapping[Any, Any], columns: Sequence[str], number: int) -> str:
    """What is asked about a row: the column that was measured; of a chat, the last thing that the user said."""
    if columns:
        cell = row[columns[0]]
        return "" if _is_gap(cell) else str(cell).strip()
    for name in INPUTS:
        if isinstance(row.get(name), str) and row[name].strip():
            return str(row[name]).strip()
    turns = row.get("messages")
    if isinstance(turns, str):
        try:
            turns = json.loads(turns)
        except (ValueError, RecursionError):
            turns = None
    for turn in reversed(turns if isinstance(turns, list) else []):
        if isinstance(turn, dict) and turn.get("role") == "user":
            return str(turn.get("content", "")).strip()
    raise BadInput(
        f"Row {number:,} holds no input.",
        where=f"row {number}",
        fix=f"Give it one of: {', '.join(INPUTS)}, or messages.",
        code="missing-columns",
    )


def _is_gap(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and cell != cell)
