"""Climb over a table: its rungs on the training part by cross-validation, one of them on the sealed rows, once.

The rows, columns, split and measure are those that `plan` would train with, so `train` meets the same sealed rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import numpy as np

from advisor.records.climb import ClimbRecord, RungMeasure, RungStatus
from advisor.records.facts import Fact, beats_trivial
from advisor.records.judging import cost_decides
from advisor.records.plan import Plan
from advisor.records.run import Score
from trainers.classical.candidates import is_skewed
from trainers.classical.columns import learn_schema, prepare
from trainers.classical.error_costs import stated_costs
from trainers.classical.folds import turns
from trainers.classical.pipelines import Setup
from trainers.classical.problem import Problem
from trainers.climb.policy import figure
from trainers.climb.rulefile import WrittenRule
from trainers.climb.table_ways import Way, one_column, same_answer, trained, written
from trainers.common.costs import cost_metric
from trainers.common.intervals import bootstrap, percentile, score
from trainers.common.metrics import Floats, Output, metric_by_name
from trainers.common.rows import load_rows
from trainers.common.sealed import freeze, open_sealed, opening_note, sealed_before
from trainers.common.sequential import simultaneous_alpha, smallest_visible_difference
from trainers.common.splits import Split, split_rows
from trainers.common.weights import relative, weight_column
from trainers.common.weights import told as weights_told
from trainers.contract import Progress

ERROR = figure("certainty", "error")


@dataclass
class TableClimb:
    """One climb over a table. `plan` says which rows, columns, split and measure; `work` keeps finished fits."""

    plan: Plan
    folder: Path
    work: Path
    progress: Progress
    requirement: float | None = None
    rule: Callable[[list[str]], WrittenRule] | None = None
    notes: list[str] = field(default_factory=list)

    def climb(self, as_of: str) -> ClimbRecord:
        """The record: every rung on the same unseen rows of the training part, one of them on the sealed rows."""
        started = monotonic()
        self.metric = metric_by_name(str(self.plan.metric.value), self.plan.task)
        self.progress.phase("Reading the rows and sealing the test part")
        self._read()
        self._find_ways()
        self._compare()
        chosen = self._chosen()
        confirmed, sealed, text = self._confirm(chosen)
        return ClimbRecord(
            task=self.plan.task,
            metric=self.metric.name,
            requirement=self.requirement,
            endpoint="no language model",
            rungs=tuple(self._record(way) for way in self.ways),
            recommended=chosen.name if chosen and confirmed else "",
            text=text,
            sealed=sealed,
            visible_difference=smallest_visible_difference(len(self.truth)),
            facts=self._facts(as_of),
            seconds=monotonic() - started,
            split={"train": len(self.split.train), "development": len(self.truth), "sealed": len(self.split.test)},
            notes=tuple(self.notes),
            metric_reason=self.plan.metric.reason,
        )

    def _read(self) -> None:
        rows = self.rows = load_rows(self.plan, self.folder)
        whole = rows.features if rows.split_by is None else rows.features.assign(**{"split by": rows.split_by})
        self.split: Split = split_rows(
            rows.features,
            rows.target.values,
            self.plan.split,
            rows.split_by,
            self.plan.seed,
            whole_rows=whole,
            sealed_before=sealed_before(self.plan, self.folder),
        )
        self.notes += [*rows.notes, *self.split.notes]
        self.test_part = freeze(self.plan, self.folder, self.split)
        train = self.split.train
        schema = learn_schema(rows.features.iloc[train])
        classes = len(rows.target.classes)
        skewed = not classes and is_skewed(rows.target.values[train])
        setup = Setup(schema, classes, len(train), self.plan.seed, skewed)
        folds, told = turns(self.plan, self.split, rows.target.values, classes, self.metric)
        self.notes += told
        counts = relative(rows.weights, train)
        prepared, costs = prepare(rows.features, schema), stated_costs(self.plan, rows.target.classes)
        truth, metric = rows.target.values, self.metric
        self.problem = Problem(prepared, truth, classes, folds, metric, setup, costs, weights=counts, counts=counts)
        if rows.weights is not None:
            weighing = weight_column(self.plan)
            self.notes.append(weights_told(weighing, rows.weights, rows.weights[self.split.test]))

    def _find_ways(self) -> None:
        self.progress.phase("Training models, each judged on rows it has not seen")
        model, folds = trained(self.problem, self.plan, self.split.train, self.work, self.progress)
        unseen = np.concatenate([validate for _, validate in folds])
        self.truth: Floats = self.problem.truth[unseen]
        self.counts = self.problem.counting(unseen)
        self.units = np.unique(self.split.units[unseen], return_inverse=True)[1].ravel()
        self.progress.phase("Looking for a rule that does as well")
        self.ways = [same_answer(self.problem, self.split.train, folds)]
        if rule := one_column(self.problem, folds, self.rows.target.classes):
            self.ways.append(rule)
        else:
            self.notes.append("No single column carries a rule.")
        if self.rule is not None:
            columns = [str(name) for name in self.rows.features.columns]
            self.ways.append(written(self.rule(columns), self.rows, unseen))
        self.ways.append(model)
        for way in self.ways:
            way.timed(unseen[:1000])

    def _compare(self) -> None:
        outputs = {way.name: way.unseen for way in self.ways}
        self.draws = bootstrap(self.metric, self.truth, outputs, self.units, self.plan.seed, counts=self.counts)
        self.scores = {
            way.name: score(self.metric, self.truth, way.unseen, self.units, self.draws[way.name], counts=self.counts)
            for way in self.ways
        }
        self.paid = self._paid()
        self.best = max(self.ways, key=lambda way: self.metric.gain(self.scores[way.name].value, 0.0))

    def _paid(self) -> dict[str, Score]:
        """What each way costs an unseen row, where the plan states what errors cost.

        The model is cut at these costs already; of the others each row's answer is the one that is cheapest by the
        shares they give: a rule is not blamed for costs that it was never told.
        """
        costs = self.problem.costs
        if costs is None:
            return {}
        said = {
            way.name: way.unseen
            if way.rung == "scratch" or way.unseen.probabilities is None
            else Output(labels=np.argmin(way.unseen.probabilities @ costs, axis=1))
            for way in self.ways
        }
        metric = cost_metric(costs)
        draws = bootstrap(metric, self.truth, said, self.units, self.plan.seed, counts=self.counts)
        paid = {
            name: score(metric, self.truth, output, self.units, draws[name], counts=self.counts)
            for name, output in said.items()
        }
        cheapest = min(paid, key=lambda name: paid[name].value)
        decides = " Training is judged by these costs." if cost_decides(self.plan) else ""
        self.notes.append(
            f"Rungs are compared by {self.metric.title}. At the stated costs of errors the cheapest answers are those "
            f"of {cheapest}: {paid[cheapest].value:.4g} a row.{decides}"
        )
        return paid

    def gain(self, ours: Way, theirs: Way) -> tuple[float, float, float]:
        """How much better ours is on the unseen rows, and its paired 95 % interval: positive is better."""
        sign = 1.0 if self.metric.greater_is_better else -1.0
        low, high = percentile(sign * (self.draws[ours.name] - self.draws[theirs.name]), 0.95)
        return self.metric.gain(self.scores[ours.name].value, self.scores[theirs.name].value), low, high

    def _meets(self, one: Score) -> str:
        assert self.requirement is not None  # noqa: S101  # only asked for where there is one
        worst, best = (one.low, one.high) if self.metric.greater_is_better else (one.high, one.low)
        if self.metric.gain(worst, self.requirement) >= 0:
            return "meets"
        return "fails" if self.metric.gain(best, self.requirement) < 0 else "undecided"

    def _chosen(self) -> Way | None:
        if self.requirement is not None:
            return next((way for way in self.ways if self._meets(self.scores[way.name]) == "meets"), None)
        return next(way for way in self.ways if way is self.best or self.gain(self.best, way)[1] <= 0)

    def _confirm(self, chosen: Way | None) -> tuple[bool, Score | None, str]:
        if chosen is None:
            return False, None, "No rung measured so far is surely enough."
        self.progress.phase(f"Opening the sealed test part for: {chosen.name}")
        opening = open_sealed(self.folder, f"climb: {chosen.name}", self.test_part, len(self.split.test))
        if note := opening_note(opening):
            self.notes.append(note)
        truth, output = self.problem.truth[self.split.test], chosen.answer(self.split.test)
        units, counts = self.split.test_units(), self.problem.counting(self.split.test)
        draws = bootstrap(self.metric, truth, {"it": output}, units, self.plan.seed, counts=counts)["it"]
        sealed = score(self.metric, truth, output, units, draws, counts=counts)
        title = self.metric.title
        told = (
            f"{title} {sealed.value:.3f} on {sealed.rows:,} sealed rows (95 %: {sealed.low:.3f} to {sealed.high:.3f})"
        )
        if self.requirement is None:
            return True, sealed, f"The cheapest within noise of the best: {chosen.name}, {told}."
        one_sided = 1 - 2 * simultaneous_alpha(ERROR, opening)
        strict = score(self.metric, truth, output, units, draws, one_sided, counts)
        if self._meets(strict) == "meets":
            return (
                True,
                sealed,
                f"The cheapest rung that is enough: {chosen.name}, {told}, required {self.requirement:g}.",
            )
        return (
            False,
            sealed,
            f"{chosen.name} met {self.requirement:g} where it was chosen; the sealed rows do not prove it: {told}.",
        )

    def _record(self, way: Way) -> RungMeasure:
        one = self.scores[way.name]
        gain, low, high = self.gain(self.best, way)
        status: RungStatus = "measured"
        if way is self.best:
            text = "The best here."
        elif low > 0:
            text = f"Surely worse than the best, by {low:.3g} to {high:.3g}."
        else:
            text = f"Within noise of the best ({gain:.3g} worse, at most {high:.3g})."
        if self.requirement is not None:
            words: dict[str, tuple[RungStatus, str]] = {
                "meets": ("enough", "Surely meets"),
                "fails": ("insufficient", "Surely misses"),
                "undecided": ("undecided", "Cannot tell whether it meets"),
            }
            status, said = words[self._meets(one)]
            text = f"{said} the required {self.requirement:g}. {text}"
        cost = self.paid.get(way.name)
        if cost:
            text += f" An answer costs {cost.value:.4g} ({cost.low:.4g} to {cost.high:.4g})."
        return RungMeasure(
            name=way.name,
            rung=way.rung,
            status=status,
            text=f"{text} {way.told}".strip(),
            score=one,
            latency_p50=way.seconds_each,
            latency_p95=way.seconds_each,
            items=one.rows,
            extra={"gain_of_the_best": gain} | ({"cost_a_row": cost.value} if cost else {}),
        )

    def _facts(self, as_of: str) -> tuple[Fact, ...]:
        constant = next(way for way in self.ways if way.name == "always the same")
        model = next(way for way in self.ways if way.name == "trained model")
        gain, low, high = self.gain(model, constant)
        evidence = (
            f"{self.metric.title} {self.scores[model.name].value:.3f} for the best trained model, "
            f"{self.scores[constant.name].value:.3f} for always the same, on {len(self.truth):,} unseen rows; "
            f"gain {gain:.3g}, between {low:.3g} and {high:.3g}"
        )
        beats = beats_trivial(low, high)
        return (Fact("baseline_beats_trivial", beats, "measured", evidence, as_of),) if beats is not None else ()
