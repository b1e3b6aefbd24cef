"""Texts as sentence vectors of a MiniLM that was tuned on the labels: where these are few, each pair counts."""

from __future__ import annotations

import math
import weakref
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from trainers.classical.sentences import MOST_KEPT, opened
from trainers.common.policy import policy

SETTINGS: dict[str, Any] = policy("classical")["texts"]["tuning"]


class TunedSentences(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A column of texts to vectors [rows, 384] that tell its labels apart. It holds what was learnt as safetensors."""

    def __init__(self, layers: int = 2, seed: int = 0, within: float = 0.0) -> None:
        # `within` so many seconds, or not at all; 0 for as long as it takes.
        self.layers, self.seed, self.within = layers, seed, within

    def fit(self, texts: Any, target: Any) -> TunedSentences:
        """Tune the last layers on the texts and their class codes. Raises `ValueError` where no two share a class."""
        from trainers.embedded.contrastive import tuned_layers

        codes = np.unique(np.asarray(target), return_inverse=True)[1].astype(np.int64)
        told = {**SETTINGS, "layers": self.layers}
        read = [str(text) for text in texts]
        self.weights_ = tuned_layers(opened(), read, codes, told, self.seed, self.within or math.inf)
        _READERS.pop(self, None)
        return self

    def transform(self, texts: Any) -> npt.NDArray[np.float32]:
        """One row a text, each of length one."""
        if self not in _READERS:
            _READERS[self] = (opened().tuned(self.weights_, self.layers), {})
        model, read = _READERS[self]
        every = [str(text) for text in texts]
        found = {text: read[text] for text in every if text in read}
        if missing := sorted({text for text in every if text not in found}, key=len):
            found.update(zip(missing, model.vectors(missing), strict=True))
            if len(read) + len(missing) <= MOST_KEPT:
                read.update(found)
        return np.stack([found[text] for text in every])


# The model that a reader answers with, and what it has read: beside the reader, whose file holds weights alone, and no
# longer than it.
_READERS: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
