"""Train on pictures or signals from nothing as the plan says, and say whether it was worth it over small models.

In order: read the rows; seal the test part; hold back a part that says when to stop; fit small models on the raw
numbers; train the network, or a linear model on random convolutions; open the sealed part once; compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from advisor.base.errors import BadInput
from advisor.base.files import to_json
from advisor.base.safetext import plain
from advisor.base.tablefolder import bytes_of_rows
from advisor.base.tables import read_table
from advisor.records.plain import to_plain
from advisor.records.plan import Estimate, Plan, Setting
from advisor.records.run import Candidate, RunRecord
from trainers.classical.diagnostics import errors_of
from trainers.classical.record import predictions_table, secondary
from trainers.classical.slices import errors_by_class, told
from trainers.common.account import accounted
from trainers.common.baselines import guessed, trivial
from trainers.common.ending import Watch, end_run
from trainers.common.gate import check_gate, hold_against
from trainers.common.metrics import Floats, Integers, metric_by_name
from trainers.common.policy import policy
from trainers.common.rows import data_path, load_rows
from trainers.common.runfolder import keep, verify
from trainers.common.sealed import freeze, open_sealed, opening_note, sealed_before
from trainers.common.splits import folds_of, split_rows
from trainers.contract import Progress
from trainers.scratch.beside import SMALL, check_classes, output_of, score_of, small_model
from trainers.scratch.kernels import random_kernels
from trainers.scratch.linear import fit_linear
from trainers.scratch.look import Looked, look, ways_of
from trainers.scratch.model_file import Seer, load_seer, save_seer
from trainers.scratch.network import learn
from trainers.scratch.shapes import PICTURES, SIGNALS, Shape, gaps_told, learn_shape
from trainers.scratch.timed import fitted_in_time, rows_in_time

RUNGS = ("trivial", "small_model")
_TASK = "multiclass"


class ScratchTrainer:
    """The trainer named `scratch`."""

    def settings(self, plan: Plan, folder: Path) -> dict[str, Setting]:
        """The choices it would make, each with its reason."""
        rules = policy("scratch")
        if plan.task == PICTURES:
            found = {"rounds": Setting(rules["stop"]["rounds"], "At most; it stops once held-back rows gain no more.")}
        else:
            found = {"kernels": Setting(rules["kernels"]["count"], "Random convolutions; nobody designs features.")}
        found = {name: plan.settings.get(name, setting) for name, setting in found.items()}
        for name, setting in found.items():
            check_count(name, setting.value)
        return found

    def estimate(self, plan: Plan, folder: Path) -> Estimate:
        """From the size of the table, capped by the plan's budget."""
        path = data_path(plan, folder)
        sample = read_table(path, max_rows=200).frame
        rows = max(len(sample), int(bytes_of_rows(path) / max(1.0, len(sample.to_csv(index=False)) / len(sample))))
        cells = rows * len(sample.columns)
        most = self._most(plan, folder)
        rounds = most if plan.task == PICTURES else 1
        by = policy("scratch")["estimate"]
        time, memory = by["seconds"], by["memory_mb"]
        seconds = min(time["least"] + cells * rounds / 1e6 * time["a_million_values_and_round"], plan.budget_seconds)
        mega = memory["least"] + cells / 1e6 * memory["a_million_values"]
        if plan.task != PICTURES:
            kernels = policy("scratch")["kernels"]
            learnt_from = 2 * most * min(rows, kernels["rows"])
            mega += memory["pieces"] + learnt_from / 1e6 * memory["a_million_features"]
        return Estimate(
            round(seconds, 1),
            round(mega, 1),
            by["disk_mb"],
            formula=f"{time['least']} s and {time['a_million_values_and_round']} µs a value and round ({cells:,} "
            f"values, at most {rounds} rounds) on one core, at most the budget of {plan.budget_seconds:g} s.",
            error_band=by["told"],
        )

    def train(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> RunRecord:
        """Do what the plan says and leave the run folder complete."""
        if plan.task not in (PICTURES, SIGNALS):
            raise BadInput(
                f"From nothing a {plain(plan.task, 40)!r} task is not trained.",
                where="plan.yaml: task",
                fix=f"Choose {PICTURES} or {SIGNALS}, or train a table: train-or-not plan CASE --approach classical",
                code="no-task",
            )
        with threadpool_limits(1):
            return _train(plan, folder, run, progress, self._most(plan, folder))

    def _most(self, plan: Plan, folder: Path) -> int:
        """How many rounds a network of pictures may learn, or how many kernels read signals."""
        (setting,) = self.settings(plan, folder).values()
        return int(str(setting.value))

    def predict(self, run: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """One answer a row, in order, with the probability of each class."""
        verify(run)
        seer = load_seer(run)
        for shares in seer.probabilities(pd.DataFrame(list(rows))).tolist():
            scores = dict(zip(seer.classes, shares, strict=True))
            yield {"prediction": max(scores, key=lambda name: scores[name]), "scores": scores}


def check_count(name: str, value: object) -> None:
    """Raise `BadInput` unless `value` is a whole number of rounds or kernels that can be done."""
    fewest, most = (int(policy("scratch")["asked"][name]) for name in ("fewest", "most"))
    if isinstance(value, bool) or not isinstance(value, int) or not fewest <= value <= most:
        raise BadInput(
            f"The setting {name} cannot be {plain(value, 40)!r}.",
            where=f"plan.yaml: settings.{name}",
            fix=f"Give a whole number from {fewest} to {most}, or leave it out.",
            code="bad-setting",
        )


def _train(plan: Plan, folder: Path, run: Path, progress: Progress, most: int) -> RunRecord:
    """`most` is how many rounds a network of pictures may learn, or how many kernels read signals."""
    watch = Watch()
    metric = metric_by_name(str(plan.metric.value), _TASK)
    check_gate(plan.gate, RUNGS)
    keep(run, "plan.json", to_json(to_plain(plan)))
    progress.phase("Reading the rows and sealing the test part")
    rows = load_rows(replace(plan, task=_TASK), folder)
    classes, truth = rows.target.classes, rows.target.values.astype(np.int64)
    before = sealed_before(plan, folder)
    split = split_rows(rows.features, rows.target.values, plan.split, rows.split_by, plan.seed, sealed_before=before)
    test_part = freeze(plan, folder, split)
    check_classes(
        truth[split.train],
        classes,
        policy("scratch")["limits"],
        "rows",
        "From nothing a network learns a class only from its own rows.",
    )
    shape = learn_shape(rows.features.iloc[split.train], plan.task)
    values = shape.values(rows.features)
    train, held = folds_of(split, round(1 / policy("scratch")["stop"]["share"]), plan.seed)[0]
    watch.lap("read_and_split")

    progress.phase("Fitting small models on the raw numbers")
    count = len(classes)
    allowed = plan.budget_seconds * policy("scratch")["budget"]["small"] / 3
    some: dict[str, int] = {}

    def small(name: str, of: Integers) -> Any:
        fitted, learnt_from = fitted_in_time(
            lambda at: small_model(name, values[of[at]], truth[of[at]], count, plan.seed), truth[of], allowed, plan.seed
        )
        if len(learnt_from) < len(of):
            some[name] = len(learnt_from)
        return fitted

    scored = {name: score_of(metric, truth[held], small(name, train)(values[held]), plan.seed) for name in SMALL}
    best = max(scored, key=lambda name: metric.gain(scored[name].value, 0.0))
    watch.lap("cheaper_rungs")

    pictures = plan.task == PICTURES
    chosen = "small network" if pictures else "random convolutions and a linear model"
    progress.phase(f"Training the {chosen}")
    rounds: list[dict[str, float]] = []
    left = plan.budget_seconds * policy("scratch")["budget"]["network"] - watch.seconds()
    if pictures:
        known = np.concatenate([train, held])
        at_held = np.arange(len(train), len(known))
        learnt = learn(
            values[known],
            truth[known],
            len(classes),
            shape.side,
            at_held,
            run,
            plan.seed,
            progress,
            max(1.0, left),
            most,
        )
        rounds, seer = learnt.rounds, Seer(shape, classes, learnt.network)
        scored[chosen] = score_of(metric, truth[held], seer.of_values(values[held]), plan.seed)
    else:
        seer, part, learnt_from = _seer_of_signals(
            shape, classes, values, truth, (train, split.train), plan.seed, left, most
        )
        scored[chosen] = score_of(metric, truth[held], part.of_values(values[held]), plan.seed)
        if learnt_from < len(split.train):
            some[chosen] = learnt_from
    save_seer(run, seer, policy("scratch")["network"]["channels"])
    watch.lap("fit")

    progress.phase("Looking at what it learnt")
    again, answer = ways_of(seer if pictures else part, values, truth, rounds, len(train), plan.seed)
    looked = Looked(values, truth, train, held, metric, answer, plan.seed)
    left = (plan.budget_seconds - watch.seconds() - allowed) * policy("scratch")["budget"]["look"]
    found, lacking = look(looked, shape.side, again, watch.times["fit"], left)
    watch.lap("look")

    progress.phase("Opening the sealed test part")
    opening = open_sealed(folder, run.name, test_part, len(split.test))
    sealed = truth[split.test].astype(np.float64)
    ours = output_of(seer.of_values(values[split.test]))
    rival = small(best, split.train)
    rungs = {
        "trivial": trivial(metric, truth[split.train].astype(np.float64), len(classes), len(sealed)),
        "small_model": output_of(rival(values[split.test])),
    }
    cheaper = {name: rungs[name] for name in plan.gate.against}
    judged = hold_against(metric, sealed, ours, cheaper, split.test_units(), plan.gate, plan.seed)
    keep(run, "test_predictions.csv", predictions_table(rows, split, sealed, {"ours": ours, **rungs}))
    watch.lap("sealed")
    settings = policy("scratch")["network" if pictures else "kernels"]
    settings = settings if pictures else {**settings, "count": most}
    notes = [*rows.notes, *split.notes, f"The best small model is {best}; it was fitted again with the rows held back."]
    notes += [f"{name} learnt from {few:,} training rows: time or memory allow no more." for name, few in some.items()]
    if note := gaps_told(rows.features, shape):
        notes.append(note)
    slices = errors_by_class(sealed, ours, classes)
    if note := told(slices, number=False):
        notes.append(note)
    notes += guessed(metric, rungs["trivial"])
    if note := opening_note(opening):
        notes.append(note)
    return end_run(
        run,
        plan,
        watch,
        chosen=chosen,
        candidates=tuple(Candidate(name, one) for name, one in scored.items()),
        judged=judged,
        rows={"train": len(split.train), "development": len(held), "test": len(split.test)},
        packages=("torch", "safetensors"),
        secondary=secondary(_TASK, sealed, ours, metric.name),
        hyperparameters={**settings, "seed": plan.seed, "rounds": len(rounds)},
        diagnostics={
            **accounted(plan.task, found | errors_of(sealed, ours, classes) | {"slices": slices}, lacking),
            "choice": "a network from nothing was asked for; small models on the raw numbers stand beside it",
            "rounds": rounds,
            "curve": [
                {"step": int(one["round"]), "train_loss": one["loss"], "development_loss": one["held_loss"]}
                for one in rounds
                if "held_loss" in one
            ],
            "sealed_openings": opening,
            "test_part": test_part,
        },
        notes=tuple(notes),
        represented="Values were brought to one range by the training rows alone.",
    )


def _seer_of_signals(
    shape: Shape,
    classes: tuple[str, ...],
    values: Floats,
    truth: Integers,
    parts: tuple[Integers, Integers],
    seed: int,
    seconds: float,
    count: int,
) -> tuple[Seer, Seer, int]:
    """The model of all training rows, the same without those held back, and how many rows the first learnt from."""
    train, every = parts
    kernels, rules = random_kernels(values.shape[1], seed, count), policy("scratch")["kernels"]
    # The rows are read by the kernels once, those that are held back too; a fit takes little beside that.
    rows, _ = rows_in_time(lambda at: kernels.features(values[every[at]]), truth[every], seconds, seed, rules["rows"])
    used = every[rows]
    features, before = kernels.features(values[used]), np.isin(used, train)
    made = [
        Seer(shape, classes, None, kernels, fit_linear(features[take], truth[used[take]], len(classes)))
        for take in (np.ones(len(used), dtype=bool), before)
    ]
    return made[0], made[1], len(used)
