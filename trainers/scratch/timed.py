"""How many rows can be learnt from in the time there is: timed on a few of them, drawn at random."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from trainers.common.metrics import Integers
from trainers.common.policy import policy

Fitted = TypeVar("Fitted")


def rows_in_time(
    fit: Callable[[Integers], Fitted], truth: Integers, seconds: float, seed: int, most: int | None = None
) -> tuple[Integers, Fitted | None]:
    """As many rows as `fit` gets through in `seconds`, at most `most`; and what it made, if those are the rows tried.

    Rows are positions in `truth`, in order. Time is taken to grow with the rows; every class keeps a row.
    """
    order = drawn(truth, seed)
    whole = min(len(order), most or len(order))
    few = np.sort(order[: min(whole, max(policy("scratch")["budget"]["probe_rows"], len(np.unique(truth))))])
    started = time.monotonic()
    made = fit(few)
    took = time.monotonic() - started
    # What was spent on the few counts as well.
    count = min(whole, int(len(few) * max(0.0, seconds - took) / max(took, 1e-9)))
    if count <= len(few):
        return few, made
    return np.sort(order[:count]), None


def fitted_in_time(
    fit: Callable[[Integers], Fitted], truth: Integers, seconds: float, seed: int
) -> tuple[Fitted, Integers]:
    """What `fit` makes of as many rows as the time allows, and which rows."""
    rows, made = rows_in_time(fit, truth, seconds, seed)
    return (fit(rows) if made is None else made), rows


def drawn(truth: Integers, seed: int) -> Integers:
    """All rows in random order, the first of each class before all others."""
    order = np.random.default_rng(seed).permutation(len(truth))
    first = np.unique(truth[order], return_index=True)[1]
    return np.asarray(order[np.concatenate([first, np.setdiff1d(np.arange(len(order)), first)])], dtype=np.int64)
