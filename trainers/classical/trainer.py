"""Train on a table as the plan says, and say whether it was worth it.

In order: read exactly the planned rows; seal the test part; learn the cheaper rungs; choose a model by
cross-validation on what is left; fit it on all of that; look at it; open the sealed part once; compare; write down.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from advisor.base.case import now
from advisor.base.errors import BadInput
from advisor.base.files import to_json
from advisor.base.safetext import plain
from advisor.records.judging import cost_decides
from advisor.records.plain import save, to_plain
from advisor.records.plan import Estimate, Plan, Setting
from advisor.records.run import RunRecord
from trainers.classical import conformal, planning, terms
from trainers.classical.answers import answers
from trainers.classical.choose import Chosen, choose, choose_explainable
from trainers.classical.columns import Schema, learn_schema, prepare, unused_notes
from trainers.classical.costs_on_sealed import at_costs
from trainers.classical.diagnostics import importance, learning_curve
from trainers.classical.error_costs import check_classes
from trainers.classical.final import fitted_in_time
from trainers.classical.folds import is_defined
from trainers.classical.framing import framed
from trainers.classical.model_file import Model, save_model
from trainers.classical.on_sealed import seen_on_sealed
from trainers.classical.pairs import pairs_told
from trainers.classical.problem import Problem
from trainers.classical.record import predictions_table, run_record, secondary
from trainers.classical.search import Tried, search
from trainers.classical.sentences import warm
from trainers.common.account import accounted
from trainers.common.baselines import OneRule, best_rule, guessed, trivial
from trainers.common.gate import check_gate, hold_against
from trainers.common.machine import keep_memory_low
from trainers.common.metrics import metric_by_name
from trainers.common.policy import policy
from trainers.common.rows import Rows, load_rows
from trainers.common.runfolder import complete, keep
from trainers.common.sealed import freeze, open_sealed, opening_note, sealed_before
from trainers.common.splits import Split, split_rows
from trainers.contract import Progress

_TASKS = ("binary", "multiclass", "regression")
_RUNGS = ("trivial", "one_rule")


class ClassicalTrainer:
    """The trainer named `classical`."""

    def settings(self, plan: Plan, folder: Path) -> dict[str, Setting]:
        """The choices it would make, each with its reason and source. Raises `BadInput` for what cannot be done."""
        planning.refuse_contradictions(plan)
        check_classes(plan, folder)
        return planning.settings(plan)

    def estimate(self, plan: Plan, folder: Path) -> Estimate:
        """Time, memory and disk, from the size of the data."""
        return planning.estimate(plan, folder)

    def train(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> RunRecord:
        """Do what the plan says and leave the run folder complete."""
        if plan.task not in _TASKS:
            raise BadInput(
                f"The classical trainer does not train a {plan.task!r} task.",
                where="plan.yaml: task",
                fix=f"Choose one of: {', '.join(_TASKS)}.",
                code="no-task",
            )
        planning.refuse_contradictions(plan)
        return _Training(plan, folder, run, progress).record()

    def predict(self, run: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """One answer a row, in order. The run's files are checked against their hashes first."""
        yield from answers(run, rows)


class _Training:
    """One training, step by step; each step reads what the steps before it left."""

    def __init__(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> None:
        self.plan, self.folder, self.run, self.progress = plan, folder, run, progress
        keep_memory_low()
        self.started = now()
        self.times: dict[str, float] = {}
        self.clock = time.monotonic()
        self.notes = [
            f"{plain(one.name, 60)} is used although it may give the answer away. Accepted: {plain(one.reason, 200)}"
            for one in plan.accepted
        ]
        self.shares = policy("classical")["budget"]
        self.metric = metric_by_name(str(plan.metric.value), plan.task)
        check_gate(plan.gate, _RUNGS)

    def record(self) -> RunRecord:
        """Run all steps and return the record of the complete run."""
        keep(self.run, "plan.json", to_json(to_plain(self.plan)))
        self.progress.phase("Reading the rows and sealing the test part")
        rows = load_rows(self.plan, self.folder)
        split = self._split(rows)
        problem = self._problem(rows, split)
        self._lap("read_and_split")

        self.progress.phase("Learning the cheaper rungs")
        rule = self._rule(problem)
        self._lap("cheaper_rungs")

        self.progress.phase("Choosing a model on the training part")
        candidates = planning.candidates(self.plan, problem.setup)
        tried = search(problem, candidates, self.run, self.progress, self._left())
        chosen = (choose_explainable if planning.chosen(self.plan, "explainable") else choose)(tried, problem)
        self._lap("choose")

        self.progress.phase(f"Fitting the {chosen.name} on the whole training part")
        model, note = fitted_in_time(problem, chosen, chosen.cut(problem), split.train, self._left())
        self.notes += [*filter(None, [note]), *pairs_told(member.pipeline[0] for member in model.members)]
        model = replace(model, classes=rows.target.classes, conformal=self._bounds(problem, chosen))
        save_model(self.run, model)
        self._lap("fit")

        self.progress.phase("Looking at what it learnt")
        diagnostics = self._look(problem, split, chosen, model) | {"choice": chosen.reason}
        self._lap("look")

        self.progress.phase("Opening the sealed test part")
        return self._judge(rows, split, problem, rule, tried, chosen, model, diagnostics)

    def _lap(self, phase: str) -> None:
        self.times[phase] = round(time.monotonic() - self.clock - sum(self.times.values()), 3)

    def _left(self) -> float:
        return max(0.0, self.plan.budget_seconds - (time.monotonic() - self.clock))

    def _split(self, rows: Rows) -> Split:
        whole = rows.features if rows.split_by is None else rows.features.assign(**{"split by": rows.split_by})
        split = split_rows(
            rows.features,
            rows.target.values,
            self.plan.split,
            rows.split_by,
            self.plan.seed,
            whole_rows=whole,
            sealed_before=sealed_before(self.plan, self.folder),
        )
        self.notes += [*rows.notes, *split.notes]
        for side, name in ((split.train, "training"), (split.test, "sealed")):
            values, classes = rows.target.values[side], len(rows.target.classes)
            if (classes and len(np.unique(values)) < 2) or not is_defined(self.metric, values, classes):
                alone = "class" if classes else "number"
                raise BadInput(
                    f"After the split by {self.plan.split.kind} the {name} part holds one {alone} only.",
                    where="plan.yaml: split",
                    why="Nothing can be told apart there.",
                    fix="Seal a larger share, or split another way.",
                    code="one-class-side",
                )
        self.test_part = freeze(self.plan, self.folder, split)
        return split

    def _problem(self, rows: Rows, split: Split) -> Problem:
        schema = learn_schema(rows.features.iloc[split.train])
        self.notes += unused_notes(schema)
        prepared = prepare(rows.features, schema)
        vectors = self._read_sentences(schema, prepared.iloc[split.train])
        problem = framed(self.plan, rows, split, self.metric, schema, prepared, vectors=vectors)
        self.notes += problem.notes
        return problem

    def _read_sentences(self, schema: Schema, prepared: pd.DataFrame) -> bool:
        """Whether the training part's texts were read as sentence vectors; if not, a note says why."""
        names = [column.name for column in schema.of("text")]
        if not names or planning.chosen(self.plan, "explainable"):
            return False
        self.progress.phase("Reading the texts as sentence vectors")
        reason = warm(
            pd.unique(prepared[names].to_numpy().ravel()).tolist(),
            self.progress,
            self.shares["reading_texts"] * self._left(),
        )
        if reason:
            self.notes.append(reason)
        return not reason

    def _bounds(self, problem: Problem, chosen: Chosen) -> conformal.Conformal | None:
        share, unseen = planning.share_to_hold(self.plan), chosen.unseen()
        if not share:
            return None
        answers = np.concatenate([unseen[at] for at in sorted(unseen)])
        return conformal.learn(share, problem.truth_of(sorted(unseen)), answers, problem.classes)

    def _rule(self, problem: Problem) -> OneRule | None:
        if "one_rule" not in self.plan.gate.against:
            return None
        texts = tuple(column.name for column in problem.setup.schema.of("text"))
        prepared, folds, counts = problem.prepared, problem.folds, problem.counts
        costs = problem.costs if cost_decides(self.plan) else None
        rule = best_rule(self.metric, prepared, problem.truth, problem.classes, folds, texts, counts, costs)
        if rule is None:
            self.notes.append("No single column carries a rule; in its place stands always the same answer.")
        return rule

    def _look(self, problem: Problem, split: Split, chosen: Chosen, model: Model) -> dict[str, object]:
        with threadpool_limits(1):
            on_train = model.answer_prepared(problem.prepared.iloc[split.train])
            seconds = self._left() * self.shares["curve"]
            curve, unseen_model, lacking = learning_curve(problem, chosen, model.cut, split, seconds)
            drivers = importance(problem, unseen_model, self._left() * self.shares["drivers"]) if unseen_model else []
        self.notes += [lacking] if lacking else []
        train = problem.value(split.train, on_train)
        unseen = (chosen.honest or chosen.score(problem)).value
        if chosen.honest and self.metric.gain(chosen.score(problem).value, unseen) > 0:
            self.notes.append(
                f"Choosing flatters: {self.metric.title} {chosen.score(problem).value:.4g} over the folds is "
                f"{unseen:.4g} when each fold judges what the others chose."
            )
        return {
            "train_validation_gap": {"train": train, "validation": unseen, "gap": self.metric.gain(train, unseen)},
            "learning_curve": curve,
            "importance": drivers,
            "development": {
                "score": to_plain(chosen.score(problem)),
                "honest": to_plain(chosen.honest) if chosen.honest else None,
            },
        }

    def _terms(self, problem: Problem, split: Split, model: Model) -> list[dict[str, Any]]:
        """The table of what each term adds, where a model was asked for whose every term can be read."""
        if not planning.chosen(self.plan, "explainable"):
            return []
        found = terms.terms_of(model, problem.prepared.iloc[split.train])
        keep(self.run, "terms.csv", terms.as_csv(found))
        return terms.as_table(found, model)

    def _judge(
        self,
        rows: Rows,
        split: Split,
        problem: Problem,
        rule: OneRule | None,
        tried: list[Tried],
        chosen: Chosen,
        model: Model,
        diagnostics: dict[str, object],
    ) -> RunRecord:
        opening = open_sealed(self.folder, self.run.name, self.test_part, len(split.test))
        if note := opening_note(opening):
            self.notes.append(note)
        truth, sealed_rows = problem.truth[split.test], problem.prepared.iloc[split.test]
        with threadpool_limits(1):
            ours = model.answer_prepared(sealed_rows)
        counts, learnt = problem.counting(split.test), problem.truth[split.train]
        constant = trivial(self.metric, learnt, problem.classes, len(truth), problem.counting(split.train))
        self.notes += guessed(self.metric, constant) if "trivial" in self.plan.gate.against else ()
        rungs = {"trivial": constant, "one_rule": rule.apply(sealed_rows) if rule else constant}
        cheaper = {name: rungs[name] for name in self.plan.gate.against}
        units, gate, seed = split.test_units(), self.plan.gate, self.plan.seed
        costs = at_costs(self.plan, problem, split, rule)
        judged = hold_against(self.metric, truth, ours, cheaper, units, gate, seed, counts, costs)
        keep(self.run, "test_predictions.csv", predictions_table(rows, split, truth, {"ours": ours, **rungs}))
        seen, notes = seen_on_sealed(self.plan, rows, split, problem, rule, model, ours)
        self.notes += notes
        diagnostics |= {**seen, "tables": [*self._terms(problem, split, model), *seen["tables"]]}
        diagnostics |= {"sealed_openings": opening, "test_part": self.test_part}
        diagnostics = accounted(self.plan.task, diagnostics)
        if rule:
            keep(self.run, "one_rule.json", to_json(to_plain(rule)))
            diagnostics["one_rule"] = rule.text(rows.target.classes)
        self._lap("sealed")
        record = run_record(
            self.plan,
            self.run,
            problem,
            rows,
            split,
            tried,
            chosen.name,
            chosen.settings(),
            model,
            judged,
            secondary(self.plan.task, truth, ours, self.metric.name, counts),
            diagnostics,
            tuple(self.notes),
            self.times,
            self.started,
        )
        save(self.run / "run.json", record, made_from={"data": self.plan.data_sha256}, kind="run")
        complete(self.run)
        return record
