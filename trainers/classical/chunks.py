"""Many rows answered by all processors at once. Each row is answered by itself, so no digit changes."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from trainers.common.machine import processors
from trainers.common.metrics import Floats
from trainers.common.policy import policy


def in_chunks(answer: Callable[[pd.DataFrame], Floats], rows: pd.DataFrame) -> Floats:
    """`answer` for all rows, a part of them in each thread; a few rows stay in one, as another would only cost."""
    count = processors() if len(rows) >= int(policy("classical")["many_rows"]) else 1
    if count == 1:
        return answer(rows)
    edges = np.linspace(0, len(rows), count + 1).astype(int)
    chunks = [rows.iloc[start:end] for start, end in itertools.pairwise(edges)]

    def alone(chunk: pd.DataFrame) -> Floats:
        with threadpool_limits(1):  # how many threads a library may use is kept for each thread apart
            return answer(chunk)

    with threadpool_limits(1), without_false_alarms(), ThreadPoolExecutor(count) as pool:
        return np.concatenate(list(pool.map(alone, chunks)))


_FALSE_ALARMS = ("sklearn.utils.parallel.delayed", "number of unique classes is greater than 50%")


@contextmanager
def without_false_alarms() -> Iterator[None]:
    """Keep two warnings of scikit-learn's from people, and the list of warning filters as it was.

    Its parallel helper empties that list for a moment, for all threads at once. A fit in another thread then believes
    that it was called wrongly and says so; nothing is wrong with its numbers. And a fit that is only timed meets few
    rows of many classes, which it takes for numbers.
    """
    shown = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if not any(alarm in str(message) for alarm in _FALSE_ALARMS):
            shown(message, category, *where, **more)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield
