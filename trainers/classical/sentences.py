"""Texts as sentence vectors of the embedded MiniLM, each text read once a process.

The model is frozen and learns nothing here, so reading all texts before the folds are cut leaks nothing. Its numbers
differ in the seventh digit with the texts that are read beside one: sums of floats depend on their order.
"""

from __future__ import annotations

import functools
import importlib.util
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from advisor.base.errors import EnvironmentMissing
from trainers.common.machine import processors
from trainers.contract import Progress
from trainers.embedded.models import MINILM
from trainers.embedded.store import is_present

_CHUNK = 128
_FIRST = 64
MOST_KEPT = 200_000
_read: dict[str, npt.NDArray[np.float32]] = {}
_lock = threading.Lock()


def available() -> str:
    """Empty when sentence vectors can be had here and now; else why not, in a sentence."""
    if not _installed():
        return 'Sentence vectors were not tried: they need pip install "train-or-not[lora]".'
    if not is_present(MINILM):
        return "Sentence vectors were not tried: the embedded MiniLM was not fetched yet (train-or-not climb does)."
    return ""


def _installed() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("torch", "transformers"))


def warm(texts: Sequence[str], progress: Progress, seconds: float) -> str:
    """Read all texts within `seconds`; returns why not, in a sentence, or nothing.

    The first few are timed: where all would take too long, no more are read.
    """
    if reason := available():
        return reason
    missing = sorted({text for text in texts if text not in _read}, key=len)
    if not missing:
        return ""
    opened()
    # Evenly over the lengths, so that the timing holds for all.
    sample = missing[:: max(1, len(missing) // _FIRST)]
    started = time.monotonic()
    _keep(sample)
    each = (time.monotonic() - started) / len(sample)
    rest = [text for text in missing if text not in _read]
    expected = each * len(rest) / processors()
    if expected > seconds:
        return (
            f"Sentence vectors were not tried: reading {len(rest):,} texts would take about {expected:.0f} s here, "
            "more than two fifths of the budget."
        )
    chunks = [rest[at : at + _CHUNK] for at in range(0, len(rest), _CHUNK)]
    done, end = 0, started + 1.5 * seconds
    with ThreadPoolExecutor(processors()) as pool:
        for chunk, finished in zip(chunks, pool.map(functools.partial(_keep, end=end), chunks), strict=True):
            done += len(chunk)
            progress.step(done, len(rest), "texts read as sentence vectors")
            if not finished:
                return f"Sentence vectors were not tried: after {done:,} of {len(rest):,} texts their time was used up."
    return ""


def rehearse() -> None:
    """Read one text, so that the next finds the model loaded. Raises `EnvironmentMissing` where it is not to be had."""
    SentenceVectors().transform([""])


class SentenceVectors(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A column of texts to its vectors [rows, 384]. Nothing is learnt."""

    def fit(self, texts: Any, target: Any = None) -> SentenceVectors:
        """Nothing to learn; there so that it can stand in a pipeline."""
        self.width_ = 384
        return self

    def transform(self, texts: Any) -> npt.NDArray[np.float32]:
        """One row a text, each of length one."""
        every = [str(text) for text in texts]
        found = {text: _read[text] for text in every if text in _read}
        if missing := sorted({text for text in every if text not in found}, key=len):
            vectors = opened().vectors(missing)
            found.update(zip(missing, vectors, strict=True))
            if len(_read) + len(missing) <= MOST_KEPT:
                _read.update(zip(missing, vectors, strict=True))
        return np.stack([found[text] for text in every])


def _keep(texts: list[str], end: float = float("inf")) -> bool:
    if time.monotonic() > end:
        return False
    _read.update(zip(texts, opened().vectors(texts), strict=True))
    return True


def opened() -> Any:
    """The sentence model, opened once a process. Raises `EnvironmentMissing` where it is not to be had."""
    with _lock:
        return _opened()


@functools.cache
def _opened() -> Any:
    if not _installed():
        raise EnvironmentMissing(
            "This model reads texts as sentence vectors, and what reads them is not installed.",
            fix='pip install "train-or-not[lora]", then: train-or-not doctor',
            code="extra-missing",
        )
    from trainers.embedded.sentences import SentenceModel

    return SentenceModel(_Quiet())


class _Quiet:
    """Progress that says nothing: the model is in the cache as a rule, and fetched once where it is not."""

    def phase(self, text: str) -> None:
        """Say nothing."""

    def step(self, done: float, total: float, note: str = "") -> None:
        """Say nothing."""
