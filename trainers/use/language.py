"""Opens a fine-tuned run: rows become questions as in training, answers are texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.records.run import RunRecord
from trainers.lora.trainer import need_packages
from trainers.use.answers import Answers
from trainers.use.opened import Allowance, Backend

_AT_ONCE = 64


def open_language(run: Path, record: RunRecord, allowance: Allowance) -> Backend:
    """The run's backend. Rows come in the shapes it was trained on, so no column is demanded by name here."""
    need_packages()
    from trainers.lora.answering import open_run

    session, ask, longest = open_run(run)
    if session.labels:
        return _sorting(session, ask)

    def answer(frame: pd.DataFrame) -> Answers:
        rows = [as_trained(row) for row in frame.to_dict("records")]
        said: list[str] = []
        for start in range(0, len(rows), _AT_ONCE):
            batch = rows[start : start + _AT_ONCE]
            questions = [ask(row, start + at + 1).question for at, row in enumerate(batch)]
            said += session.answers(questions, longest)
        return Answers(list(said))

    return Backend((), (), answer, at_once=_AT_ONCE, chat=_Conversation(session, longest), dear=True)


def _sorting(session: Any, ask: Callable[[Mapping[str, Any], int], Any]) -> Backend:
    """A run with a head over classes: it sorts with the probability of each, and holds no conversation."""
    labels: tuple[str, ...] = session.labels

    def answer(frame: pd.DataFrame) -> Answers:
        rows = [as_trained(row) for row in frame.to_dict("records")]
        found = session.scores([ask(row, number).question for number, row in enumerate(rows, 1)])
        shares = np.array([[row[label] for label in labels] for row in found]).reshape(len(rows), len(labels))
        return Answers([labels[at] for at in shares.argmax(axis=1)], labels, shares)

    return Backend((), labels, answer, at_once=_AT_ONCE, dear=True)


class _Conversation:
    """The run as a partner in conversation; the instruction of its training stands first unless another is given."""

    def __init__(self, session: Any, longest: int) -> None:
        self._session, self.longest = session, longest
        self._room = int(getattr(session.model.config.get_text_config(), "max_position_embeddings", 1 << 30))

    def asked(self, messages: Sequence[Mapping[str, Any]]) -> list[int]:
        """The conversation as tokens."""
        from trainers.lora.examples import Message, RowFault, read_example

        try:
            turns = [{"role": one.get("role"), "content": _words(one.get("content"))} for one in messages]
            open_end = {"messages": [*turns, {"role": "assistant", "content": "?"}]}
            read = read_example(open_end, 1, "messages", instruction=self._session.recipe.instruction)
        except RowFault as fault:
            raise BadInput(f"{fault.what[:1].upper()}{fault.what[1:]}.", fix=fault.fix, code=fault.code) from fault
        question: tuple[Message, ...] = read.question
        tokens: list[int] = self._session.encoder.prompt(question)
        if len(tokens) + self.longest > self._room:
            raise BadInput(
                f"The conversation has {len(tokens):,} tokens; the model reads {self._room:,} with its answer.",
                fix="Send fewer or shorter messages.",
                code="too-long",
            )
        return tokens

    def words(self, tokens: Sequence[int], longest: int) -> Iterator[tuple[str, int, bool]]:
        """The answer as it comes."""
        from trainers.lora.streaming import stream

        return stream(self._session, tokens, longest)


def _words(content: Any) -> Any:
    """The text of a message whose content comes in parts; anything else as it is, to be refused with its reason."""
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        return "".join(str(part.get("text", "")) for part in content)
    return content


def as_trained(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row without its gaps; a chat that a table carries as JSON text is a list of messages again."""
    kept = {str(name): cell for name, cell in row.items() if isinstance(cell, list | dict) or not pd.isna(cell)}
    for name in ("messages", "conversations"):
        if isinstance(kept.get(name), str):
            try:
                kept[name] = json.loads(kept[name])
            except (ValueError, RecursionError):
                continue  # the reading of the row says what is wrong with it
    return kept
