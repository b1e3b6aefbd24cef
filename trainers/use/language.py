"""Opens a fine-tuned run: rows become questions as in training, answers are texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

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

    def answer(frame: pd.DataFrame) -> Answers:
        rows = [_as_trained(row) for row in frame.to_dict("records")]
        said: list[str] = []
        for start in range(0, len(rows), _AT_ONCE):
            batch = rows[start : start + _AT_ONCE]
            questions = [ask(row, start + at + 1).question for at, row in enumerate(batch)]
            said += session.answers(questions, longest)
        return Answers(list(said))

    return Backend((), (), answer)


def _as_trained(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row without its gaps; a chat that a table carries as JSON text is a list of messages again."""
    kept = {str(name): cell for name, cell in row.items() if isinstance(cell, list | dict) or not pd.isna(cell)}
    for name in ("messages", "conversations"):
        if isinstance(kept.get(name), str):
            try:
                kept[name] = json.loads(kept[name])
            except (ValueError, RecursionError):
                continue  # the reading of the row says what is wrong with it
    return kept
