"""What a run says about rows: one prediction a row, and the score of each class where there are classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainers.common.metrics import Floats


@dataclass(frozen=True)
class Answers:
    """`predictions` are labels, texts or numbers, one a row; `scores` [rows, classes] follow the order of `classes`.

    A prediction is None where a language model's words could not be read as an answer. `extras` holds, a row, what is
    told beside it (of an answer over documents its quote and source), by the names of `extra_names`; `usd` what each
    answer cost.
    """

    predictions: list[Any]
    classes: tuple[str, ...] = ()
    scores: Floats | None = None
    extra_names: tuple[str, ...] = ()
    extras: list[dict[str, Any]] | None = None
    usd: list[float] | None = None

    def __len__(self) -> int:
        return len(self.predictions)

    def rows(self) -> Iterator[dict[str, Any]]:
        """The same as every trainer's `predict` gives it: `prediction`, and `scores` by class."""
        shares = None if self.scores is None else self.scores.tolist()
        for at, one in enumerate(self.predictions):
            row: dict[str, Any] = {"prediction": one}
            if shares is not None:
                row["scores"] = dict(zip(self.classes, shares[at], strict=True))
            if self.extras is not None:
                row |= self.extras[at]
            yield row

    def part(self, start: int, stop: int) -> Answers:
        """The answers of some neighbouring rows."""
        return Answers(
            self.predictions[start:stop],
            self.classes,
            None if self.scores is None else self.scores[start:stop],
            self.extra_names,
            None if self.extras is None else self.extras[start:stop],
            None if self.usd is None else self.usd[start:stop],
        )

    def followed_by(self, later: Answers) -> Answers:
        """These answers and those of later rows of the same run: predictions and scores, without what stands beside."""
        scores = None if self.scores is None or later.scores is None else np.concatenate([self.scores, later.scores])
        return Answers([*self.predictions, *later.predictions], self.classes, scores)

    def sureness(self) -> Floats | None:
        """The highest score of each row; None where there are no scores."""
        return None if self.scores is None else np.asarray(self.scores.max(axis=1))
