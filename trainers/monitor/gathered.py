"""Rows whose labels were counted although they were too few to compare: kept until they are enough, in the state.

They are kept as plain cells under the run's names, so that a later file, of whatever kind, can be put beside them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from trainers.common.splits import content_hashes

Row = dict[str, Any]


def as_kept(told: pd.DataFrame) -> list[Row]:
    """Rows as they go into a file of JSON; a gap is null."""
    text = told.to_json(orient="records", date_format="iso", default_handler=str, double_precision=15)
    rows: list[Row] = json.loads(text)
    return rows


def others_than(kept: Sequence[Row], told: pd.DataFrame) -> list[Row]:
    """Those of `kept` that are not among `told`: rows of a file that is looked at once more count once."""
    if not kept:
        return []
    here = pd.DataFrame(as_kept(told))
    before = pd.DataFrame(list(kept))
    both = [name for name in before.columns if name in here.columns]
    again = np.isin(content_hashes(before[both]), content_hashes(here[both]))
    return [row for row, seen in zip(kept, again.tolist(), strict=True) if not seen]


def beside(kept: pd.DataFrame | None, frame: pd.DataFrame) -> pd.DataFrame:
    """Kept rows and new ones in one frame, by the columns that both have."""
    if kept is None or not len(kept):
        return frame
    names = [name for name in frame.columns if name in kept.columns]
    parts = [kept[names], frame[names]]
    # A column without a cell has no kind of its own to bring along.
    filled = [part.dropna(axis=1, how="all") for part in parts]
    return pd.concat(filled, ignore_index=True).reindex(columns=names)
