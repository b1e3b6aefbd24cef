"""The prepared table that every check looks at: roles of the columns, the target, a bounded sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from advisor.evidence.association import (
    copied_by,
    correlation_within,
    exact_sum,
    neighbour_correlation,
    power_of,
)
from advisor.evidence.catalogue import Catalogue, Entry
from advisor.evidence.hashing import RowHashes, hash_rows
from advisor.evidence.timeorder import TimeOrder
from advisor.records.look import Column

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from advisor.evidence.grouping import Grouping
    from advisor.evidence.trial import Trial

    Array = np.ndarray[Any, Any]

CLASS_TASKS = ("binary", "multiclass", "anomaly")
WRITTEN_TASKS = ("extract", "generate")
_STEADY = 0.95


@dataclass(frozen=True)
class Sheet:
    """One table, ready to be checked.

    `whole` holds every row that is in memory, `frame` at most `settings.sample_rows` of them in file order; `rows` and
    `labelled` count the file, `classes` the rows of each class in it. `odd` are columns of numbers written as text:
    they are numbers in `frame` and still text in `whole`.
    """

    whole: pd.DataFrame
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    target: str
    task: str
    rows: int
    labelled: int
    classes: dict[str, int]
    order: TimeOrder | None
    odd: tuple[str, ...]
    catalogue: Catalogue

    def entry(self, code: str) -> Entry:
        """The catalogue's block of that code."""
        return self.catalogue.entries[code]

    @property
    def written(self) -> bool:
        """Whether the answers are texts, so that no class and no number can be compared."""
        return self.task in WRITTEN_TASKS

    @property
    def seed(self) -> int:
        return int(self.catalogue.settings["seed"])

    @cached_property
    def features(self) -> tuple[Column, ...]:
        """Columns a model may use as they stand: no target, identifier, annotator, split marker or constant."""
        return tuple(column for column in self.columns if column.role == "feature")

    @cached_property
    def hashes(self) -> RowHashes:
        """Every row in memory as hashes: of all that is no identifier, split marker or constant, and of its inputs."""
        names = [column.name for column in self.columns if column.role not in ("id", "split", "constant")]
        inputs = frozenset(column.name for column in self.columns if column.role in ("feature", "weight"))
        return hash_rows(self.whole, names, inputs, self.seed)

    @cached_property
    def known(self) -> pd.DataFrame:
        """The sampled rows that carry a target."""
        return self.frame[self.frame[self.target].notna()] if self.target else self.frame.iloc[:0]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The classes among the sampled rows, commonest first; empty for a number as target."""
        if self.task not in CLASS_TASKS:
            return ()
        return tuple(str(value) for value in as_labels(self.known[self.target]).value_counts().index)

    @cached_property
    def answers(self) -> Array:
        """The target of `known`: class codes in the order of `labels`, or floats."""
        import numpy as np

        if self.task in CLASS_TASKS:
            codes = {label: code for code, label in enumerate(self.labels)}
            return as_labels(self.known[self.target]).map(codes).to_numpy(dtype=np.int64)
        return self.known[self.target].to_numpy(dtype=np.float64)

    @cached_property
    def power(self) -> dict[str, float]:
        """How much each feature alone says about the target, strongest first."""
        if not self.target or self.written:
            return {}
        answers, known = self.answers, self.known
        most = self.catalogue.settings["model_rows"] * 2
        step = max(1, int(len(known) // most))
        known, answers = known.iloc[::step], answers[::step]
        measured = {}
        for column in self.columns:
            if column.role not in ("feature", "weight") or column.kind in ("text", "date"):
                continue
            # Where rows follow each other in time, the time itself tells neighbours apart: that is order, not a leak.
            if self.order and self.order.one_series and self._tells_time(column.name):
                if column.name in self.order.columns or self.task in CLASS_TASKS:
                    continue
                measured[column.name] = copied_by(known[column.name], answers)
            else:
                measured[column.name] = power_of(known[column.name], answers, len(self.labels), self.seed)
        return dict(sorted(measured.items(), key=lambda item: -item[1]))

    def _tells_time(self, name: str) -> bool:
        """Whether a column is the time, or goes up or down with it steadily enough to stand for it."""
        import numpy as np
        from scipy.stats import rankdata

        cells = self.frame[name]
        if self.order is None or name in self.order.columns:
            return self.order is not None
        if cells.dtype.kind not in "iuf" or bool(cells.isna().any()) or cells.nunique() < 2:
            return False
        place = self.order.places(self.seed)
        return abs(float(np.corrcoef(rankdata(cells), place)[0, 1])) > _STEADY

    @cached_property
    def sums(self) -> tuple[str, ...]:
        """Columns of which the target is an exact sum or difference; empty when there are none."""
        limits = self.entry("P103").thresholds
        numbers = [c.name for c in self.features if c.kind in ("number", "boolean")]
        numbers = [name for name in numbers if self.known[name].dtype.kind in "iuf"]
        if not self.target or self.task in CLASS_TASKS or len(numbers) < 2:
            return ()
        most = int(min(limits["most_columns"], len(self.known) / 3))
        by_power = sorted(numbers, key=lambda name: -self.power.get(name, 0.0))[:most]
        return exact_sum(self.known[by_power], self.answers, limits["unexplained"], int(limits["fewest_rows"]))

    @cached_property
    def leaks(self) -> tuple[str, ...]:
        """Columns that settle the target and stand apart: where power falls off gently, the task is merely easy."""
        limits = self.entry("P101").thresholds
        of_class = self.task in CLASS_TASKS
        sure = limits["severe"] if of_class else limits["severe_number"]
        beyond_doubt = limits["beyond_doubt"] if of_class else limits["beyond_doubt_number"]
        settling = [name for name, power in self.power.items() if power >= sure]
        others = [name for name in self.power if name not in settling and not self.catalogue.names_a_thing(name)]
        rest = max((self.power[name] for name in others), default=0.0)
        if settling and self.power[settling[-1]] - rest >= limits["apart"]:
            return tuple(settling)
        return tuple(name for name in settling if self.power[name] >= beyond_doubt)

    @cached_property
    def usable(self) -> tuple[Column, ...]:
        """Features without those that certainly give the answer away: what a quick model may honestly see."""
        return tuple(c for c in self.features if c.name not in self.leaks and c.name not in self.sums)

    @cached_property
    def flow(self) -> tuple[float, float]:
        """The correlation of each answer with the one before it in time, and that in standard errors.

        Where the file holds several series, such as a price a day for each of some shares, also within each of them.
        """
        if self.order is None or not self.target or self.written:
            return 0.0, 0.0
        import numpy as np

        known = self.frame[self.target].notna().to_numpy()
        rows = np.argsort(self.order.places(self.seed)[known], kind="stable")
        found = neighbour_correlation(self.answers[rows], len(self.labels))
        if self.order.series is None or self.task in CLASS_TASKS:
            return found
        return max(found, correlation_within(self.answers[rows], self.order.series[known][rows]))

    @cached_property
    def groupings(self) -> tuple[Grouping, ...]:
        """Columns that group the rows, and what holding whole groups out does to a quick model."""
        from advisor.evidence.grouping import find_groupings

        return find_groupings(self)

    @cached_property
    def trial(self) -> Trial | None:
        """A quick model on rows it never saw, with whole groups held out where groups matter."""
        from advisor.evidence.trial import run_trial

        limits = self.entry("P501").thresholds
        telling = [g for g in self.groupings if g.gap >= limits["issue"] and g.z >= limits["chance_z"]]
        return run_trial(self, telling[0].column if telling else "")

    @property
    def flows(self) -> bool:
        """Whether answers depend on those just before, so that rows must not be shuffled into folds."""
        limits, (correlation, z) = self.entry("P503").thresholds, self.flow
        return correlation >= limits["correlation"] and z >= limits["z"]


def as_labels(values: pd.Series[Any]) -> pd.Series[Any]:
    """Each cell as the text of its class; every distinct value is written once."""
    return values.map({value: as_label(value) for value in values.unique()})


def as_label(value: Any) -> str:
    """A class as text: 1.0 and 1 are the same class."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
