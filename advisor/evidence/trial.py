"""A quick trial: whether any model beats always giving the same answer, on rows it never saw, and by how much."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from advisor.evidence import quick
from advisor.evidence.inputs import Inputs, inputs_of
from advisor.evidence.sheet import CLASS_TASKS, Sheet
from advisor.records.look import Baseline

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

_FOLDS = 5
_LAGS = (1, 2, 3, 7, 12, 24)
_SPOKEN = {"linear": "linear model", "cautious": "linear model, held back", "forest": "forest"}
_Z = 1.96
_MANY_WEIGHTS = 2_000  # classes times columns: beyond, a linear model of each class takes half a minute


@dataclass(frozen=True)
class Trial:
    """The rows a quick model was tried on, its out-of-fold answers, and what it gained.

    `frame` is in order of time where there is one; `found` are probabilities or numbers of the better model.
    `nothing` is what the trivial answer loses, in the units of the baseline's gain.
    """

    frame: pd.DataFrame
    inputs: Inputs
    answers: Array
    classes: int
    folds: quick.Folds
    fold_kind: str
    groups: Array | None
    found: Array
    model: str
    baseline: Baseline
    nothing: float

    @property
    def skill(self) -> float:
        """The gain as a share of what the trivial answer loses."""
        return self.baseline.gain / (self.nothing or 1.0)

    @property
    def most(self) -> float:
        """The upper end of the gain's interval as a share of what the trivial answer loses."""
        return self.baseline.high / (self.nothing or 1.0)

    @property
    def units(self) -> int:
        """What was tried on that is independent of the rest: rows, or whole groups."""
        return len(set(self.groups.tolist())) if self.groups is not None else len(self.answers)


def run_trial(sheet: Sheet, group: str = "") -> Trial | None:
    """Try two linear models and a small forest; None when there is too little to try on."""
    import numpy as np

    fewest = sheet.entry("P703").thresholds["fewest_rows"]
    classes = len(sheet.labels) if sheet.task in CLASS_TASKS else 0
    if not sheet.target or sheet.written or len(sheet.known) < fewest or not (sheet.usable or sheet.task == "forecast"):
        return None
    ordered = _in_order(sheet)
    taken = _taken(len(ordered), int(sheet.catalogue.settings["model_rows"]))
    rows = ordered[taken]
    frame, answers = sheet.known.iloc[rows], sheet.answers[rows]
    if len(np.unique(answers)) < 2:
        return None
    groups = frame[group].map(str).to_numpy() if group else None
    folds, kind = _folds(sheet, answers, classes, groups)
    inputs = inputs_of(frame, sheet.usable, classes, sheet.seed)
    past = _past(sheet, sheet.answers[ordered])
    if past is not None:
        inputs = replace(inputs, numbers=np.hstack([inputs.numbers, past[taken]]))
    nothing = quick.losses(quick.trivial(answers, classes, folds), answers, classes)
    best: tuple[float, str, Array] | None = None
    many = inputs.words is None and classes * len(sheet.usable) > _MANY_WEIGHTS
    for model in ("forest",) if many else inputs.models:
        found = quick.out_of_fold(inputs, answers, classes, folds, model, sheet.seed)
        mean = float(quick.losses(found, answers, classes).mean())
        if best is None or mean < best[0]:
            best = (mean, model, found)
    assert best is not None  # two models were tried  # noqa: S101
    _, model, found = best
    gain, half = _paired(nothing - quick.losses(found, answers, classes), groups)
    scale = 1.0 if classes else float(answers.var()) or 1.0
    metric, value = quick.score(found, answers, classes)
    # Held out in blocks or groups, the mean of the rest can be a worse answer than R² = 0 says.
    floor = 1 - float(nothing.mean()) / scale if not classes else 0.5 if classes == 2 else 1 / classes
    baseline = Baseline(
        model=_SPOKEN[model] + (" with the last values" if past is not None else ""),
        loss="log-loss" if classes else "share of the variance",
        gain=round(gain / scale, 4),
        low=round((gain - half) / scale, 4),
        high=round((gain + half) / scale, 4),
        metric=metric,
        score=round(value, 4),
        trivial=round(floor, 3) + 0.0,
        rows=len(answers),
        folds=kind,
    )
    lost = float(nothing.mean()) / scale
    return Trial(frame, inputs, answers, classes, folds, kind, groups, found, model, baseline, lost)


def _in_order(sheet: Sheet) -> Array:
    """The labelled rows in order of time where there is one, else as they stand."""
    import numpy as np

    if sheet.order is None or not sheet.order.certain:
        return np.arange(len(sheet.known))
    place = sheet.order.places(sheet.seed)
    return np.argsort(place[sheet.frame[sheet.target].notna().to_numpy()], kind="stable")


def _taken(count: int, most: int) -> Array:
    """Which of the rows take part, evenly over all of them."""
    import numpy as np

    return np.arange(count) if count <= most else np.linspace(0, count - 1, most).astype(int)


def _past(sheet: Sheet, series: Array) -> Array | None:
    """The values 1, 2, 3, 7, 12 and 24 steps before, which a forecaster has; None for other tasks."""
    import numpy as np

    if sheet.task != "forecast":
        return None
    past = np.full((len(series), len(_LAGS)), np.nan)
    for place, lag in enumerate(_LAGS):
        past[lag:, place] = series[:-lag]
    return past


def _folds(sheet: Sheet, answers: Array, classes: int, groups: Array | None) -> tuple[quick.Folds, str]:
    import numpy as np

    if groups is not None:
        return quick.group_folds(groups, min(_FOLDS, len(np.unique(groups))), sheet.seed), "whole groups"
    if sheet.task == "forecast" or sheet.flows:
        return quick.block_folds(len(answers), _FOLDS), "blocks in time"
    return quick.random_folds(answers, classes, _FOLDS, sheet.seed), "at random"


def _paired(gains: Array, groups: Array | None) -> tuple[float, float]:
    """The mean gain a row and the half width of its 95 % interval, with groups as units where there are any."""
    import numpy as np

    if groups is None:
        return float(gains.mean()), _Z * float(gains.std(ddof=1)) / float(np.sqrt(len(gains)))
    codes = np.unique(groups, return_inverse=True)[1]
    sums, sizes = np.bincount(codes, gains), np.bincount(codes)
    mean = float(gains.mean())
    units = len(sizes)
    spread = ((sums - mean * sizes) ** 2).sum() * units / max(units - 1, 1)
    return mean, _Z * float(np.sqrt(spread)) / len(gains)
