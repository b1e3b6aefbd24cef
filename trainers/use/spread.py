"""Pieces of a file answered by other processes, through joblib: here, or on a Dask cluster of the user's.

The rows travel to the workers and the answers back; the run is opened by each worker once, from the folder's path, and
checked there: against its hashes, and that it is the one which was opened here, for a folder may be trained into anew.
Answers come back in order, and no more pieces are on their way than workers can hold.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_file
from trainers.common.runfolder import MARKER
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

    marker = sha256_of_file(run / MARKER)
    waiting: deque[tuple[pd.DataFrame, int]] = deque()

    def tasks() -> Iterator[Any]:
        for frame, rows, start in fitted:
            waiting.append((frame, start))
            yield delayed(answer)(str(run.resolve()), marker, rows)

    for answers in Parallel(return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)(tasks()):
        frame, start = waiting.popleft()
        yield Piece(frame, answers, start)


def answer(run: str, marker: str, rows: pd.DataFrame) -> Answers:
    """What the run in that folder, whose marker has this hash, says to the rows. Runs in a worker."""
    return _opened(run, marker).backend.answer(rows)


@functools.lru_cache(maxsize=4)
def _opened(run: str, marker: str) -> OpenedRun:
    from trainers.use.opened import open_run

    opened = open_run(Path(run))
    if sha256_of_file(opened.folder / MARKER) != marker:
        raise BadInput(
            "A worker sees another run in that folder.",
            where=run,
            why="Its answers would be another model's.",
            fix="Give all machines the same files, or leave --dask out.",
            code="another-run",
        )
    return opened
