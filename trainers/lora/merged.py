"""A fine-tuned run as one whole model that any program of transformers or vLLM loads, checked before it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from trainers.lora.answering import open_run
from trainers.lora.export import export_model
from trainers.lora.session import open_session


@dataclass(frozen=True)
class Merged:
    """How many rows the merged model was asked, the share it answers as the adapter does, and the type it holds."""

    rows: int
    same: float
    dtype: str


def merge(run: Path, into: Path, rows: Sequence[Mapping[str, Any]]) -> Merged:
    """Write the merged model into the folder `into`, load it again from there, and ask both about `rows`.

    Adding the adapter into the weights rounds them once more, so a few answers may differ: the share is told.
    """
    session, ask, longest = open_run(run)
    questions = [ask(row, number).question for number, row in enumerate(rows, 1)]
    ours = session.answers(questions, longest)
    device, arithmetic, tokenizer = session.device, session.arithmetic, session.encoder.tokenizer
    export_model(session, into, session.recipe.base)
    plain = replace(session.recipe, learning="full")
    whole = open_session(plain, into, tokenizer, device, arithmetic, 0, 0)
    whole.model.eval()
    with torch.no_grad():
        theirs = whole.answers(questions, longest)
    same = sum(a == b for a, b in zip(ours, theirs, strict=True)) / max(1, len(ours))
    return Merged(len(ours), same, "float32")
