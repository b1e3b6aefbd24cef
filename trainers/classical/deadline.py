"""How boosting ends at a deadline and keeps the rounds it has grown, in the words of each library."""

from __future__ import annotations

import time
from typing import Any


def light_until(lightgbm: Any, until: float) -> Any:
    """A callback of LightGBM that stops after the round in which the clock (time.monotonic) passes `until`."""

    def stop(state: Any) -> None:
        if time.monotonic() > until:
            raise lightgbm.callback.EarlyStopException(state.iteration, state.evaluation_result_list or [])

    return stop


class OrderedUntil:
    """The same as CatBoost calls it."""

    def __init__(self, until: float) -> None:
        self.until = until

    def after_iteration(self, _: Any) -> bool:
        """Whether to go on, as CatBoost asks after each round."""
        return time.monotonic() <= self.until
