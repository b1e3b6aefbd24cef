"""Pieces of a file answered by other processes, through joblib: here, or on a Dask cluster of the user's.

The rows travel to the workers and the answers back; the run is opened by each worker once, from the folder's path, and
checked against its hashes there. Answers come back in order, and no more pieces are on their way than workers can hold.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from trainers.use.answers import Answers

if TYPE_CHECKING:
    from trainers.use.opened import OpenedRun


@dataclass
class Piece:
    """Some rows with their answers; `start` counts rows of the file before them."""

    frame: pd.DataFrame
    answers: Answers
    start: int


def answered_elsewhere(run: Path, fitted: Iterator[tuple[pd.DataFrame, pd.DataFrame, int]]) -> Iterator[Piece]:
    """The pieces, answered by joblib's workers; `fitted` gives rows as they stand, as the run reads them, and where."""
    from joblib import Parallel, delayed

    waiting: deque[tuple[pd.DataFrame, int]] = deque()

    def tasks() -> Iterator[Any]:
        for frame, rows, start in fitted:
            waiting.append((frame, start))
            yield delayed(answer)(str(run.resolve()), rows)

    for answers in Parallel(return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)(tasks()):
        frame, start = waiting.popleft()
        yield Piece(frame, answers, start)


def answer(run: str, rows: pd.DataFrame) -> Answers:
    """What the run in that folder says to the rows. Runs in a worker."""
    return _opened(run).backend.answer(rows)


@functools.cache
def _opened(run: str) -> OpenedRun:
    from trainers.use.opened import open_run

    return open_run(Path(run))
