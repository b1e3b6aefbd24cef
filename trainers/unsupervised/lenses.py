"""How rows become features: a table's columns, the words of texts, or the steps of one series; learnt, then reused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import Normalizer

from advisor.base.errors import BadInput
from advisor.base.safetext import one_of
from trainers.classical.columns import Schema, learn_schema, prepare
from trainers.common.labels import label_text
from trainers.common.metrics import Floats
from trainers.common.policy import policy
from trainers.forecast.clock import Clock, steps_of
from trainers.forecast.panel import Layout, make_panel
from trainers.unsupervised.encoder import Encoder, learn_encoder
from trainers.unsupervised.steps import Profile

_WORD = r"\b[^\W\d_]{3,}\b"


@dataclass(frozen=True)
class TableLens:
    """Columns of numbers and categories."""

    schema: Schema
    encoder: Encoder

    def columns(self) -> tuple[str, ...]:
        return self.schema.used()

    def features(self, frame: pd.DataFrame) -> Floats:
        """[rows, features] of rows as they stand in a file."""
        return self.encoder.encode(prepare(frame, self.schema))


def table_lens(frame: pd.DataFrame, train: Any, *, rarity: bool) -> TableLens:
    """Learnt from the training rows. Raises `BadInput` when no column can be compared."""
    schema = learn_schema(frame.iloc[train])
    encoder = learn_encoder(prepare(frame.iloc[train], schema), schema, rarity=rarity)
    if not encoder.names():
        raise BadInput(
            "No column can be compared between rows.",
            why="Columns of identifiers, of free text or of one value say nothing about likeness here.",
            fix="Add columns of numbers or of a few categories.",
            code="no-columns",
        )
    return TableLens(schema, encoder)


@dataclass(frozen=True)
class TextLens:
    """Texts as weights of their words, brought down to some dimensions of unit length."""

    names: tuple[str, ...]
    pipeline: Any

    def columns(self) -> tuple[str, ...]:
        return self.names

    def features(self, frame: pd.DataFrame) -> Floats:
        """[rows, dimensions]."""
        return np.asarray(self.pipeline.transform(texts_of(frame, self.names)), dtype=np.float64)

    def weights(self, frame: pd.DataFrame) -> tuple[Any, Any]:
        """The weight of each word in each text, and the words."""
        counter = self.pipeline.named_steps["words"]
        return counter.transform(texts_of(frame, self.names)), counter.get_feature_names_out()


def text_lens(frame: pd.DataFrame, train: Any, names: tuple[str, ...], seed: int) -> TextLens:
    """Learnt from the training rows: words in two texts at least, and in at most half of them."""
    rules = policy("discovering")["topics"]
    texts = texts_of(frame.iloc[train], names)
    words = TfidfVectorizer(
        sublinear_tf=True,
        min_df=rules["fewest_documents"],
        max_df=0.5,
        max_features=rules["words"],
        stop_words="english",
        token_pattern=_WORD,
    )
    try:
        found = words.fit_transform(texts)
    except ValueError:  # scikit-learn's way to say that no word is left
        found = None
    if found is None or found.shape[1] < 3:
        raise BadInput(
            "The texts share no words.",
            where=one_of(list(names)),
            why="Topics are found by the words that texts have in common.",
            fix="Name the column of longer texts by dropping the others: train-or-not plan CASE --drop COLUMN",
            code="no-words",
        )
    size = min(rules["dimensions"], found.shape[1] - 1, found.shape[0] - 1)
    shape = TruncatedSVD(size, random_state=seed)
    pipeline = Pipeline([("words", words), ("shape", shape), ("length", Normalizer())])
    pipeline.fit(texts)
    return TextLens(names, pipeline)


def texts_of(frame: pd.DataFrame, names: tuple[str, ...]) -> list[str]:
    """The texts of each row in one, a missing one empty."""
    parts = [frame[name].map(label_text, na_action="ignore").fillna("") for name in names]
    return [" ".join(map(str, row)) for row in zip(*parts, strict=True)]


@dataclass(frozen=True)
class SeriesLens:
    """One series: each step against what is usual at its phase. `tail` are the latest values, from step `start` on."""

    layout: Layout
    clock: Clock
    profile: Profile
    tail: Floats
    start: int

    def columns(self) -> tuple[str, ...]:
        return (*self.layout.time, self.layout.target)

    def features(self, frame: pd.DataFrame) -> Floats:
        """[rows, features]; rows that follow the training data see its latest values before them."""
        steps = steps_of(frame, self.clock)
        if not self.layout.time:
            steps = steps + self.start + len(self.tail)
        panel = make_panel(frame.reset_index(drop=True), self.layout, self.clock)
        numbers = np.full(len(frame), np.nan)
        held = panel.rows >= 0
        numbers[panel.rows[held]] = panel.values[held]
        first = int(min(steps.min(), self.start))
        values = np.full(int(max(steps.max() + 1, self.start + len(self.tail))) - first, np.nan)
        values[self.start - first : self.start - first + len(self.tail)] = self.tail
        values[steps - first] = numbers
        return self.profile.features(values, np.arange(first, first + len(values)))[steps - first]


Lens = TableLens | TextLens | SeriesLens
