"""Words and meaning together: BM25 and sentence embeddings, used only where that finds more on the team's own examples.

On two corpora reciprocal rank fusion gained .042 and .033 of recall@5 over BM25 alone; on a third nothing. So it is
measured here, on training examples only, and the plain index stays unless the paired interval is above zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from advisor.base.errors import EnvironmentMissing
from trainers.climb.certainty import gain_interval
from trainers.climb.policy import count
from trainers.climb.retrieval import Index, Passage

Vectors = Callable[[Sequence[str]], NDArray[np.float32]]
RRF, DEPTH = count("retrieval", "fusion"), count("retrieval", "depth")
MOST_PASSAGES, MOST_QUESTIONS, FEWEST_QUESTIONS = (
    count("retrieval", name) for name in ("most_passages", "most_questions", "fewest_questions")
)


class Searcher(Protocol):
    """Finds the passages that fit a question."""

    def search(self, question: str, count: int = 5) -> list[Passage]:
        """The `count` passages that fit best, best first."""


class Hybrid:
    """Ranks by the sum of 1 / (60 + rank) in BM25 and in embeddings."""

    def __init__(self, words: Index, vectors: Vectors) -> None:
        self._words = words
        self._vectors = vectors
        self._passages = vectors([passage.text for passage in words.passages])

    def search(self, question: str, count: int = 5) -> list[Passage]:
        """The `count` passages that fit best by both, best first."""
        by_words = _ranks(self._words.scores(question))
        by_meaning = _ranks(np.asarray(self._passages @ self._vectors([question])[0], dtype=np.float64))
        fused = 1 / (RRF + 1 + by_words) + 1 / (RRF + 1 + by_meaning)
        return [self._words.passages[at] for at in np.argsort(-fused, kind="stable")[:count]]


def _ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    ranks = np.empty(len(scores))
    ranks[np.argsort(-scores, kind="stable")] = np.arange(len(scores))
    return ranks


@dataclass(frozen=True, slots=True)
class Choice:
    """The searcher that is used, in words why, and nDCG of BM25 and of the hybrid where both were measured."""

    searcher: Searcher
    reason: str
    ndcg: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question whose relevant documents are known. `own` is the document that it was taken from, if any."""

    text: str
    relevant: frozenset[str]
    own: str = ""


def choose_searcher(index: Index, questions: Sequence[Asked], vectors: Vectors | None) -> Choice:
    """BM25, or the hybrid when its nDCG@10 on `questions` is surely higher."""
    if vectors is None:
        return Choice(index, "BM25 with stemming")
    if len(index.passages) > MOST_PASSAGES:
        return Choice(index, f"BM25 with stemming; {len(index.passages):,} passages are too many to embed here")
    if len(questions) < FEWEST_QUESTIONS:
        return Choice(index, "BM25 with stemming; too few questions with a known place to try embeddings")
    asked = questions[:MOST_QUESTIONS]
    hybrid = Hybrid(index, vectors)
    plain = [ndcg(index.search(one.text, DEPTH + 1), one) for one in asked]
    fused = [ndcg(hybrid.search(one.text, DEPTH + 1), one) for one in asked]
    _, low, high = gain_interval(fused, plain)
    both = (float(np.mean(plain)), float(np.mean(fused)))
    told = f"nDCG@{DEPTH} {both[0]:.3f} by words, {both[1]:.3f} with embeddings, on {len(asked)} training examples"
    if low > 0:
        return Choice(hybrid, f"words and embeddings ({told})", both)
    return Choice(index, f"BM25 with stemming ({told}; gain between {low:+.3f} and {high:+.3f})", both)


def same_searcher(index: Index, vectors: Vectors | None, *, by_meaning: bool) -> Choice:
    """The searcher that was chosen before. Raises `EnvironmentMissing` when the sentence model it needs is not here."""
    if not by_meaning:
        return Choice(index, "BM25 with stemming, as chosen before")
    if vectors is None:
        raise EnvironmentMissing(
            "This rung finds by meaning, and the sentence model is not here.",
            fix="pip install 'train-or-not[lora]'",
            code="no-extra",
        )
    return Choice(Hybrid(index, vectors), "words and embeddings, as chosen before")


def ndcg(found: Sequence[Passage], asked: Asked, depth: int = DEPTH) -> float:
    """Normalised discounted cumulative gain of the first `depth` documents, 0 to 1 (Järvelin and Kekäläinen 2002).

    A document cut into passages counts once, where its first passage stands.
    """
    documents = [name for name in dict.fromkeys(passage.document for passage in found) if name != asked.own][:depth]
    gained = sum(1 / np.log2(place + 2) for place, name in enumerate(documents) if name in asked.relevant)
    ideal = sum(1 / np.log2(place + 2) for place in range(min(depth, len(asked.relevant))))
    return float(gained / ideal) if ideal else 0.0


def recall(found: Sequence[Passage], document: str) -> float:
    """1.0 when a passage of the document is among those found, else 0.0."""
    return float(any(passage.document == document for passage in found))
