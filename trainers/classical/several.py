"""One model grown several times by other seeds, answering with the mean."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone

from trainers.common.metrics import Floats

_APART = 101


class Several(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """`copies` of `model`, which has a `seed` or a `random_state`. The columns before it are made once for all."""

    def __init__(self, model: Any = None, copies: int = 3) -> None:
        self.model, self.copies = model, copies

    def fit(self, features: Any, target: Any, sample_weight: Any = None) -> Several:
        """Grow each copy on the same rows."""
        counted = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.models_ = [
            clone(self.model).set_params(**self._seeds(at)).fit(features, target, **counted)
            for at in range(self.copies)
        ]
        if hasattr(self.models_[0], "classes_"):
            self.classes_ = self.models_[0].classes_
        return self

    def predict(self, features: Any) -> Floats:
        """The mean of the copies' numbers, or the class code with the largest mean probability."""
        if hasattr(self, "classes_"):
            return np.asarray(self.classes_[np.argmax(self.predict_proba(features), axis=1)], dtype=np.float64)
        return np.asarray(np.mean([model.predict(features) for model in self.models_], axis=0))

    def predict_proba(self, features: Any) -> Floats:
        """The mean of the copies' probabilities [rows, classes met]."""
        return np.asarray(np.mean([model.predict_proba(features) for model in self.models_], axis=0))

    def _seeds(self, at: int) -> dict[str, int]:
        """Every seed that the model takes, also within another model, moved apart."""
        return {
            name: int(value) + _APART * at
            for name, value in self.model.get_params().items()
            if name.rpartition("__")[2] in ("seed", "random_state") and value is not None
        }
