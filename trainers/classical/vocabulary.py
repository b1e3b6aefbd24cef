"""Texts with few words of their own, such as a remark on a dozen rows, read by as much as these rows hold.

Without this a column of remarks would stop every model that reads words. Where there are words enough, nothing is
changed; counting ends as soon as that is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline

# Settings of boosted trees with an entry for each column.
_BY_COLUMN = ("monotone", "monotonic_cst")


def suited(pipeline: Pipeline, rows: pd.DataFrame) -> Pipeline:
    """The unfitted pipeline, with as many topics as these rows have words, and without a text that has none."""
    lost = 0
    steps: list[tuple[str, Any, Any]] = []
    reading = getattr(pipeline[0], "others", pipeline[0])
    for name, step, column in reading.transformers:
        inner = [part for _, part in step.steps] if isinstance(step, Pipeline) else [step]
        changed = step
        if isinstance(inner[0], TfidfVectorizer):
            wanted = inner[1].n_components if len(inner) > 1 else 1
            known, fewest = _words_known(inner[0], rows[column], wanted)
            inner[0].min_df = fewest
            if len(inner) > 1:
                inner[1].n_components = min(wanted, known)
                lost += wanted - min(wanted, known)
            changed = step if known else "drop"
        steps.append((name, changed, column))
    if reading is pipeline[0] and all(step == "drop" for _, step, _ in steps):
        raise ValueError("these rows hold no word")
    reading.transformers = steps
    if lost:
        _without_the_last(pipeline[-1], lost)
    return pipeline


def _words_known(reader: TfidfVectorizer, texts: Iterable[str], enough: int) -> tuple[int, int]:
    """How many words the reader would keep, counted up to `enough`, and in how many rows a word must be for that.

    Where no word is in rows enough, a word in one row counts.
    """
    seen: Counter[str] = Counter()
    parts, known = reader.build_analyzer(), 0
    for text in texts:
        for part in set(parts(text)):
            seen[part] += 1
            known += seen[part] == reader.min_df
        if known >= enough:
            return known, reader.min_df
    return (known, reader.min_df) if known else (len(seen), 1)


def _without_the_last(model: Any, lost: int) -> None:
    """Topics are a model's last columns: what it was told of columns ends before those that are not made."""
    told = {name: value for name, value in model.get_params().items() if name.rpartition("__")[2] in _BY_COLUMN}
    model.set_params(**{name: tuple(value)[:-lost] for name, value in told.items() if value})
