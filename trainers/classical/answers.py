"""One answer a row, as `predict` gives it: a number, or a class with the score of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from trainers.classical import conformal
from trainers.classical.model_file import load_model
from trainers.common.metrics import Output
from trainers.common.runfolder import verify

_BATCH = 10_000


def answers(run: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The answers in order. The run's files are checked against their hashes first."""
    verify(run)
    model = load_model(run)
    source = iter(rows)
    while batch := list(islice(source, _BATCH)):
        with threadpool_limits(1):
            output = model.answer(pd.DataFrame(batch))
        bounds = conformal.beside(model.conformal, output, model.classes) if model.conformal else None
        for at, row in enumerate(_as_rows(output, model.classes)):
            yield row if bounds is None else row | bounds[at]


def _as_rows(output: Output, classes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    if output.labels is None or output.probabilities is None:
        if output.numbers is not None:
            yield from ({"prediction": number} for number in output.numbers.tolist())
        return
    for label, shares in zip(output.labels.tolist(), output.probabilities.tolist(), strict=True):
        yield {"prediction": classes[label], "scores": dict(zip(classes, shares, strict=True))}
