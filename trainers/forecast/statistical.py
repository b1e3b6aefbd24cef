"""The models of statsforecast, the only door to it: exponential smoothing, ARIMA and theta, each chosen by itself.

They come with the extra `forecast`; without it the other ways compete alone.
"""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from advisor.base.errors import EnvironmentMissing
from trainers.common.metrics import Floats

MODELS = ("AutoETS", "AutoARIMA", "AutoTheta", "DynamicOptimizedTheta", "MSTL")


def is_installed() -> bool:
    """Whether statsforecast is there; nothing is imported."""
    return importlib.util.find_spec("statsforecast") is not None


@dataclass(frozen=True)
class Statistical:
    """One of `MODELS`, fitted to each series each time it is asked. A series it cannot fit is not-a-number."""

    model: str
    seasons: tuple[int, ...]

    def __call__(self, history: Floats, ahead: int) -> Floats:
        """Forecasts [series, ahead]. Raises `EnvironmentMissing` when the extra is not installed."""
        try:
            from statsforecast import models
        except ImportError as error:
            raise EnvironmentMissing(
                f"The model {self.model} comes with the extra for forecasts, which is not installed.",
                where="statsforecast",
                fix="pip install 'train-or-not[forecast]'",
                code="extra-missing",
            ) from error
        season: Any = list(self.seasons) if self.model == "MSTL" else self.seasons[0]
        found = np.full((len(history), ahead), np.nan)
        for at, row in enumerate(history):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # they warn of every model they tried and dropped
                try:
                    made = getattr(models, self.model)(season_length=season).forecast(y=row, h=ahead)["mean"]
                except (ValueError, ArithmeticError, IndexError, np.linalg.LinAlgError, NotImplementedError):
                    continue  # too short or too even for this model: told as a model that could not be fitted
            found[at] = np.asarray(made, dtype=np.float64)
        return found
