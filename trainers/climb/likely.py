"""Rungs that ask a model for the probability of each label instead of its words: nothing to misread, one token to pay.

A model leans towards some labels whatever the text. What it says on average of the training texts is subtracted (batch
calibration, Zhou et al. 2024, arXiv:2309.17249) where more of those texts then come out right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.climb.answers import Answer
from trainers.climb.asker import most_tokens
from trainers.climb.policy import count
from trainers.climb.rungs import DoesNotApply, FewShot, Said, ZeroShot
from trainers.climb.task import Item, Task

MOST_OPTIONS = 255  # as many as OpenAI's decisions take; others take fewer, and say so
TEXTS = count("probability", "texts")


class MostLikely(ZeroShot):
    """A ready model, told the task, that gives the probability of each category."""

    name = "ready model, by probability"
    about = "a ready model, told the task, that gives the probability of each category instead of words"

    @staticmethod
    def not_applicable(task: Task) -> str:
        if task.kind != "classification":
            return "Free answers are no choice among a few."
        return "" if len(task.labels) <= MOST_OPTIONS else f"{len(task.labels):,} labels are too many to weigh."

    def prepare(self, task: Task) -> None:
        self._begin(task)
        self._lean(task)

    def _begin(self, task: Task) -> None:
        self._task, self._schema, self._mode, self._max_tokens = task, None, "prompt", 1

    def _lean(self, task: Task) -> None:
        """Find out what the model leans to, on training texts."""
        self._leaning = np.zeros(len(task.labels))
        texts = task.train[:TEXTS]
        if not self._asker.weighs(self.messages(texts[0])[0], task.labels):
            raise DoesNotApply("This server tells no probabilities.")
        weights = np.array(self._asker.each(lambda item: self._weights(item)[0], texts))
        truth = np.array([task.labels.index(item.accepted[0]) for item in texts])
        leaning = weights.mean(axis=0)
        if _right(weights - leaning, truth) > _right(weights, truth):
            self._leaning = leaning

    def _weights(self, item: Item) -> tuple[NDArray[np.float64], Answer]:
        told = self._asker.ask(self.messages(item)[0], max_tokens=1, options=self._task.labels)
        return np.array(told.weights or (0.0,) * len(self._task.labels)), told

    def most_tokens(self, item: Item) -> tuple[int, int]:
        """The most tokens in and out that one answer can take."""
        return most_tokens(self.messages(item)[0], None, self._task.labels), 1

    def answer(self, item: Item) -> Said:
        weights, told = self._weights(item)
        label = self._task.labels[int(np.argmax(weights - self._leaning))]
        return Said(label, told.seconds, Decimal(told.usd), tokens=told.tokens_in + told.tokens_out)

    def kept(self) -> dict[str, Any]:
        """What the model leans to."""
        return {**super().kept(), "leaning": self._leaning.tolist()}

    def restore(self, task: Task, kept: Mapping[str, Any]) -> None:
        """Ready again."""
        super().restore(task, kept)
        self._leaning = np.asarray(kept["leaning"], dtype=np.float64)


class LikelyFewShot(MostLikely, FewShot):
    """The same, shown the training examples nearest to each text."""

    name, rung = "few-shot, by probability", "prompt"
    about = "the same model, shown the nearest training examples, that gives the probability of each category"

    def prepare(self, task: Task) -> None:
        self._begin(task)
        self._find_examples(task)
        self._hints: dict[str, list[str]] = {}
        self._lean(task)


def _right(weights: NDArray[np.float64], truth: Sequence[int] | NDArray[np.int64]) -> int:
    return int((weights.argmax(axis=1) == np.asarray(truth)).sum())
