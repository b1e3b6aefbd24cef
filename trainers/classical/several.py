"""Several models that read the same columns, answering with their weighted mean."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from trainers.common.machine import processors
from trainers.common.metrics import Floats

_APART = 101


class Several(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """`models` with their `shares`, which sum to one. The columns before them are made once for all."""

    def __init__(self, models: Any = (), shares: Any = ()) -> None:
        self.models, self.shares = models, shares

    def fit(self, features: Any, target: Any, sample_weight: Any = None, until: float = math.inf) -> Several:
        """Grow each model on the same rows, one a processor; boosting ends when the clock passes `until`."""
        counted = {} if sample_weight is None else {"sample_weight": sample_weight}
        pool = Parallel(n_jobs=processors(), prefer="threads", batch_size=1)
        self.models_ = list(
            pool(delayed(_grown)(clone(one), features, target, counted | timed(one, until)) for one in self.models)
        )
        if hasattr(self.models_[0], "classes_"):
            self.classes_ = self.models_[0].classes_
        return self

    def predict(self, features: Any) -> Floats:
        """The mean of the models' numbers, or the class code with the largest mean probability."""
        if hasattr(self, "classes_"):
            return np.asarray(self.classes_[np.argmax(self.predict_proba(features), axis=1)], dtype=np.float64)
        return self._mean([model.predict(features) for model in self.models_])

    def predict_proba(self, features: Any) -> Floats:
        """The mean of the models' probabilities [rows, classes met]."""
        return self._mean([model.predict_proba(features) for model in self.models_])

    def _mean(self, answers: list[Floats]) -> Floats:
        return np.asarray(sum(answer * share for answer, share in zip(answers, self.shares, strict=True)))


def timed(model: Any, until: float) -> dict[str, float]:
    """What `fit` of a model is told of the clock: nothing where it cannot end early."""
    return {"until": until} if isinstance(model, Several) or hasattr(model, "stages") else {}


def _grown(model: Any, features: Any, target: Any, counted: dict[str, Any]) -> Any:
    with threadpool_limits(1):
        return model.fit(features, target, **counted)


def copies_of(model: Any, count: int) -> list[Any]:
    """`count` of an unfitted model, every seed that it takes, also within another model, moved apart."""
    seeds = {
        name: int(value)
        for name, value in model.get_params().items()
        if name.rpartition("__")[2] in ("seed", "random_state") and value is not None
    }
    return [
        clone(model).set_params(**{name: value + _APART * at for name, value in seeds.items()}) for at in range(count)
    ]
