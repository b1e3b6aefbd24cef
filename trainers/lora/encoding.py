"""The parts of a run as tokens, by the encoder that its task asks for."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from trainers.lora.base import end_ids
from trainers.lora.classes import LabelEncoder
from trainers.lora.parts import Parts
from trainers.lora.preferences import PairEncoder
from trainers.lora.tasks import Task
from trainers.lora.tokenised import keeping
from trainers.lora.tokens import Encoded, Encoder


def encoded(
    parts: Parts, task: Task, where: Path | str, tokenizer: Any, limit: int, case: Path, data: Path
) -> tuple[list[Encoded], list[Encoded], list[Encoded]]:
    """Training, development and sealed rows. Raises `BadInput` with the rows of `data` that do not fit `limit` tokens.

    What was cut into tokens before is taken from the case.
    """
    encoder: Encoder | LabelEncoder | PairEncoder
    kept: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if task.labels:
        encoder = LabelEncoder(tokenizer, task.labels)
    else:
        words = Encoder(tokenizer, end_ids(where, tokenizer))
        encoder, kept = PairEncoder(words) if task.kind == "pairs" else words, keeping(words, case)
    with kept:
        train, development, sealed = (
            encoder.encode_all(rows, data, limit) for rows in (parts.train, parts.development, parts.sealed)
        )
    return train, development, sealed
