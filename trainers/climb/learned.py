"""Rungs that learn: words with a linear model, and sentence embeddings with a linear head."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.climb.hybrid import Vectors
from trainers.climb.policy import count
from trainers.climb.rungs import Said
from trainers.climb.task import Item, Task

FOR_WORDS, FOR_MEANING = count("learning", "fewest_for_words"), count("learning", "fewest_for_meaning")
MOST_EMBEDDED = count("learning", "most_embedded")


def too_few(task: Task, least: int) -> str:
    """Why a rung that learns does not apply to so small a training part."""
    return f"{len(task.train)} examples to learn from; {least} are the least."


class WordsAndLinear:
    """Word and character n-grams weighted by rarity, and a logistic regression: seconds on a CPU, nothing to serve."""

    name, rung, paid, slow = "linear on words", "scratch", False, False

    def not_applicable(self, task: Task) -> str:
        if task.kind != "classification":
            return "Free answers are no categories."
        return "" if len(task.train) >= FOR_WORDS else too_few(task, FOR_WORDS)

    def prepare(self, task: Task) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline, make_union

        balance = "balanced" if task.metric.per_class else None
        self._model: Any = make_pipeline(
            make_union(
                TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
                TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5), min_df=2),
            ),
            LogisticRegression(C=10, max_iter=1000, class_weight=balance),
        )
        self._model.fit([item.text for item in task.train], [item.accepted[0] for item in task.train])

    @property
    def model(self) -> Any:
        """What was fitted; setting it makes the rung ready again."""
        return self._model

    @model.setter
    def model(self, fitted: Any) -> None:
        self._model = fitted

    def scores(self, text: str) -> NDArray[np.float64]:
        """The probability of each class, in the order of the fitted model's `classes_`."""
        return np.asarray(self._model.predict_proba([text])[0], dtype=np.float64)

    def answer(self, item: Item) -> Said:
        started = perf_counter()
        label = str(self._model.predict([item.text])[0])
        return Said(label, perf_counter() - started)


class EmbeddingsAndLinear:
    """The embedded sentence model with a logistic regression on top: knows meaning, needs few labels."""

    name, rung, paid, slow = "linear on meaning", "fine_tune", False, True

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    def not_applicable(self, task: Task) -> str:
        if task.kind != "classification":
            return "Free answers are no categories."
        return "" if len(task.train) >= FOR_MEANING else too_few(task, FOR_MEANING)

    def prepare(self, task: Task) -> None:
        from sklearn.linear_model import LogisticRegression

        learned = task.train[:MOST_EMBEDDED]
        balance = "balanced" if task.metric.per_class else None
        self._head: Any = LogisticRegression(C=10, max_iter=1000, class_weight=balance)
        self._head.fit(self._vectors([item.text for item in learned]), np.array([i.accepted[0] for i in learned]))

    @property
    def model(self) -> Any:
        """The head that was fitted; setting it makes the rung ready again."""
        return self._head

    @model.setter
    def model(self, fitted: Any) -> None:
        self._head = fitted

    def scores(self, text: str) -> NDArray[np.float64]:
        """The probability of each class, in the order of the head's `classes_`."""
        return np.asarray(self._head.predict_proba(self._vectors([text]))[0], dtype=np.float64)

    def answer(self, item: Item) -> Said:
        started = perf_counter()
        label = str(self._head.predict(self._vectors([item.text]))[0])
        return Said(label, perf_counter() - started)


class Remembered:
    """Vectors of texts, those of a set computed once: rungs share training texts. The model loads when first asked.

    A single text is always computed anew, so that the seconds it takes can be told.
    """

    def __init__(self, load: Callable[[], Vectors]) -> None:
        self._load = load
        self._model: Vectors | None = None
        self._known: dict[str, NDArray[np.float32]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row a text, each of length one."""
        if self._model is None:
            self._model = self._load()
        if len(texts) == 1:
            return self._model(texts)
        missing = list(dict.fromkeys(text for text in texts if text not in self._known))
        if missing:
            self._known.update(zip(missing, self._model(missing), strict=True))
        return np.stack([self._known[text] for text in texts])
