"""Every term of a linear or additive model, so that a person can add an answer up by hand and object to a part of it.

The sum starts at a row with the median of each number, no category and no text; each term says what it adds to that.
For classes the sum is the log odds (of two) or the score of a class (of more) before they become probabilities.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import SplineTransformer

from advisor.base.safetext import plain
from trainers.classical.columns import MISSING
from trainers.classical.model_file import Model
from trainers.common.metrics import Floats

_POINTS = (0.05, 0.25, 0.5, 0.75, 0.95)
_SHOWN = 30
_START = "(start)"


@dataclass(frozen=True)
class Term:
    """What a `column` `at` something adds to the score `of` a class, or to the number; `reach` is how far that goes."""

    of: str
    column: str
    at: str
    adds: float
    reach: float


def terms_of(model: Model, rows: pd.DataFrame) -> list[Term]:
    """The start and every term, the furthest-reaching first; nothing for a model that is no sum of terms.

    `rows` are prepared training rows: a curve is told at some of their values.
    """
    if len(model.members) != 1:
        return []
    pipeline = model.members[0].pipeline
    weights, start = _weights(pipeline[-1])
    if weights is None:
        return []
    heat = model.temperature if model.classes else 1.0
    names = model.classes[-1:] if len(weights) == 1 else [model.classes[code] for code in pipeline.classes_]
    found = []
    for at, of in enumerate(names or ("",)):
        terms, base = _of_one(pipeline[0], weights[at] / heat, rows)
        found += [Term(of, _START, "", start[at] / heat + base, float("inf"))]
        found += [Term(of, *one) for one in sorted(terms, key=lambda one: -one[-1])]
    return found


def as_csv(terms: list[Term]) -> str:
    """All of them as a table to add up."""
    rows = [(plain(of, 60), plain(column, 60), plain(at, 80), adds) for of, column, at, adds, _ in map(astuple, terms)]
    return pd.DataFrame(rows, columns=["of", "column", "at", "adds"]).to_csv(index=False)


def as_table(terms: list[Term], model: Model) -> list[dict[str, Any]]:
    """The furthest-reaching for people: one table, or none where there are no terms."""
    if not terms:
        return []
    of, adds = len({one.of for one in terms}) > 1, "Adds to the number"
    if model.classes:
        adds = "Adds to its score" if of else f"Adds to the log odds of {plain(terms[0].of, 30)}"
    elif "log" in _scale(model.members[0].pipeline[-1]):
        adds = "Adds to log(1 + the number)"
    first = sorted(terms, key=lambda one: -one.reach)[:_SHOWN]
    rows = [
        [*([plain(one.of, 60)] if of else []), f"{plain(one.column, 60)} {plain(one.at, 80)}", f"{one.adds:+.3g}"]
        for one in first
    ]
    title = f"The terms of the model: {len(first):,} of {len(terms):,}, all in terms.csv"
    return [{"title": title, "columns": [*(["Class"] if of else []), "Term", adds], "rows": rows}]


def _scale(model: Any) -> str:
    return "log" if hasattr(model, "regressor_") else "as it is"


def _weights(model: Any) -> tuple[Floats | None, Floats]:
    """The weights [answers, features] of the sum and where it starts; None for a model that is none."""
    inner, factor = getattr(model, "regressor_", getattr(model, "model_", model)), getattr(model, "sharpness_", 1.0)
    if not hasattr(inner, "coef_"):
        return None, np.zeros(0)
    return factor * np.atleast_2d(inner.coef_), factor * np.atleast_1d(inner.intercept_)


def _of_one(features: Any, weights: Floats, rows: pd.DataFrame) -> tuple[list[tuple[str, str, float, float]], float]:
    """The terms (column, at, adds, reach) of one answer, and what the medians of the numbers add to the start."""
    found: list[tuple[str, str, float, float]] = []
    base = 0.0
    for name, step, columns in features.transformers_:
        ours = weights[features.output_indices_[name]]
        if name == "numbers":
            medians = _medians(rows[columns])
            base = float((step.transform(medians) @ ours).item())
            found += _numbers(step, ours, rows[columns], medians)
        elif name == "categories":
            apart = copy.copy(step).set_params(feature_name_combiner=lambda column, value: f"{column}\0{value}")
            for told, weight in zip(apart.get_feature_names_out(columns), ours, strict=True):
                column, _, value = str(told).partition("\0")
                value = value.replace("infrequent_sklearn", "(a rare or new one)").replace(MISSING, "missing")
                found.append((column, f"= {value}", float(weight), abs(float(weight))))
        elif hasattr(step, "get_feature_names_out"):
            kind = "piece" if name.startswith("letters") else "word"
            for told, weight in zip(step.get_feature_names_out(), ours, strict=True):
                found.append((str(columns), f"{kind} {told!r}", float(weight), abs(float(weight))))
        else:
            raise TypeError("this step makes no terms that can be read")
    return found, base


def _medians(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.median().fillna(0.0).to_frame().T


def _numbers(
    step: Pipeline, weights: Floats, rows: pd.DataFrame, medians: pd.DataFrame
) -> Iterator[tuple[str, str, float, float]]:
    """A slope for each number, or a curve at some of its values; and what a missing cell adds."""
    curved = any(isinstance(part, SplineTransformer) for _, part in step.steps)
    start = float((step.transform(medians) @ weights).item())

    def adds(column: str, value: float) -> float:
        return float((step.transform(medians.assign(**{column: value})) @ weights).item()) - start

    for column in rows.columns:
        middle, known = float(medians[column].iloc[0]), rows[column].dropna()
        if curved:
            for value in sorted({float(known.quantile(point)) for point in _POINTS}) if len(known) else ():
                change = adds(column, value)
                yield column, f"at {value:.6g} instead of {middle:.6g}", change, abs(change)
        elif len(known):
            slope = adds(column, middle + 1.0)
            yield column, f"for each 1 above {middle:.6g}", slope, abs(slope) * float(known.std(ddof=0))
        if rows[column].isna().any():
            change = adds(column, float("nan"))
            yield column, "missing", change, abs(change)
