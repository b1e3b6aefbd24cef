"""Tell images apart by a pretrained image model, frozen or tuned on them, and say whether that was worth it.

In order: read the images; seal the test part; fit small models on small images, and a small network from nothing; let
the pretrained model read each image once; fit a linear model on what it saw; tune its body where the time holds that,
read all anew, and take the simpler way unless tuning gained; open the sealed part once; compare.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from advisor.base.errors import BadInput
from advisor.base.files import to_json
from advisor.base.safetext import plain
from advisor.records.plain import to_plain
from advisor.records.plan import Estimate, Plan, Setting
from advisor.records.run import Candidate, RunRecord
from trainers.backbone.base import check_base, open_backbone
from trainers.backbone.fitting import fit_ways
from trainers.backbone.images import digests_of, find_source, open_images, small_values
from trainers.backbone.method import NAMES, TUNED, Way, method_of
from trainers.backbone.model_file import Seer, load_seer, save_seer
from trainers.backbone.planning import base_of, estimate, settings_of
from trainers.backbone.reading import Reading
from trainers.backbone.room import Asked, find_room
from trainers.classical.diagnostics import errors_of
from trainers.classical.record import predictions_table, secondary
from trainers.classical.slices import errors_by_class, told
from trainers.common.account import accounted, time_is_up
from trainers.common.baselines import trivial
from trainers.common.ending import Watch, end_run
from trainers.common.gate import check_gate, hold_against
from trainers.common.metrics import Floats, Integers, Metric, metric_by_name
from trainers.common.policy import policy
from trainers.common.rows import Rows, data_path, load_rows
from trainers.common.runfolder import keep, verify
from trainers.common.sealed import freeze, open_sealed, opening_note, sealed_before
from trainers.common.splits import Split, folds_of, split_rows
from trainers.contract import Progress
from trainers.lora.base import fingerprint
from trainers.scratch.beside import SMALL, check_classes, output_of, score_of, small_model
from trainers.scratch.linear import fit_linear
from trainers.scratch.look import Answer, Looked, gap_and_curve
from trainers.scratch.network import learn, probabilities
from trainers.scratch.timed import fitted_in_time

TASK = "images"
RUNGS = ("trivial", "small_model", "small_network")
_SORTING = "multiclass"


class BackboneTrainer:
    """The trainer named `backbone`."""

    def settings(self, plan: Plan, folder: Path) -> dict[str, Setting]:
        """The choices it would make, each with its reason."""
        return settings_of(plan, folder)

    def estimate(self, plan: Plan, folder: Path) -> Estimate:
        """From the number of images, the size of the model and of what it reads, and the speed of this machine."""
        return estimate(plan, folder)

    def train(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> RunRecord:
        """Do what the plan says and leave the run folder complete."""
        if plan.task != TASK:
            raise BadInput(
                f"With a pretrained image model a {plain(plan.task, 40)!r} task is not trained.",
                where="plan.yaml: task",
                fix=f"Write task: {TASK}, or plan again: train-or-not plan CASE",
                code="no-task",
            )
        with threadpool_limits(1):
            return _Training(plan, folder, run, progress).record()

    def predict(self, run: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """One answer a row, in order, with the probability of each class; no file name is followed."""
        verify(run)
        seer = load_seer(run)
        for row in rows:
            shares = seer.probabilities(pd.DataFrame([row]), None)[0].tolist()
            scores = dict(zip(seer.classes, shares, strict=True))
            yield {"prediction": max(scores, key=lambda name: scores[name]), "scores": scores}


@dataclass(frozen=True)
class _Given:
    """What there is to learn from: rows, their split, `values` of the images made small, and who reads them whole."""

    rows: Rows
    split: Split
    truth: Integers
    values: Floats
    reading: Reading


class _Training:
    """One run, step by step; each step reads what the steps before it left."""

    def __init__(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> None:
        self.plan, self.folder, self.run, self.progress = plan, folder, run, progress
        self.watch, self.rules = Watch(), policy("backbone")
        self.metric: Metric = metric_by_name(str(plan.metric.value), _SORTING)
        self.scored: dict[str, Any] = {}
        self.notes: list[str] = []
        check_gate(plan.gate, RUNGS)
        method_of(plan)  # refused before anything is read

    def record(self) -> RunRecord:
        """Run all steps and return the record of the complete run."""
        keep(self.run, "plan.json", to_json(to_plain(self.plan)))
        place = check_base(base_of(self.plan), self.folder)
        given, test_part = self._given(place)
        split, classes = given.split, given.rows.target.classes
        train, held = folds_of(split, round(1 / self.rules["held"]["share"]), self.plan.seed)[0]
        self.watch.lap("read_and_split")
        rivals = self._rivals(given, train, held)
        self.watch.lap("cheaper_rungs")

        self.progress.phase(f"Reading the images by {place.name}")
        seed, method = self.plan.seed, method_of(self.plan)
        budget, tested = self.plan.budget_seconds, len(split.test)
        asked = Asked(split.train, len(held), tested, given.truth, budget, method, seed)
        room = find_room(given.reading, asked)
        used, at_held = room.rows, np.isin(room.rows, held)
        truth = given.truth[used]
        fitted = fit_ways(room, place, method, truth, at_held, len(classes), self.metric, budget, seed)
        way, reading = fitted.way, fitted.reading
        self.scored |= fitted.scored
        seer = Seer(reading.source, classes, reading.backbone, way.linear)
        save_seer(self.run, seer, place, tuned=fitted.tuned)
        self.watch.lap("fit")
        found = self._look(way, truth, at_held, len(classes))
        self.watch.lap("look")

        self.progress.phase("Opening the sealed test part")
        opening = open_sealed(self.folder, self.run.name, test_part, len(split.test))
        sealed = given.truth[split.test].astype(np.float64)
        ours = output_of(seer.of_features(reading.features(split.test)))
        always = trivial(self.metric, given.truth[split.train].astype(np.float64), len(classes), len(sealed))
        rungs = {"trivial": always, **rivals}
        cheaper = {name: rungs[name] for name in self.plan.gate.against}
        judged = hold_against(self.metric, sealed, ours, cheaper, split.test_units(), self.plan.gate, seed)
        keep(self.run, "test_predictions.csv", predictions_table(given.rows, split, sealed, {"ours": ours, **rungs}))
        self.watch.lap("sealed")
        if len(used) < len(split.train):
            self.notes.append(
                f"The pretrained model read {len(used):,} of {len(split.train):,} training images, {room.each:.2f} s "
                "each: the time budget allows no more."
            )
        slices = errors_by_class(sealed, ours, classes)
        found |= errors_of(sealed, ours, classes) | {"slices": slices}
        self.notes += [note for note in (room.note, opening_note(opening), told(slices, number=False)) if note]
        return end_run(
            self.run,
            self.plan,
            self.watch,
            chosen=NAMES[way.method],
            candidates=tuple(Candidate(name, score) for name, score in self.scored.items()),
            judged=judged,
            rows={"train": len(used), "development": int(np.isin(used, held).sum()), "test": len(split.test)},
            packages=("torch", "transformers", "safetensors", "pillow", *(["peft"] if room.passes else [])),
            secondary=secondary(_SORTING, sealed, ours, self.metric.name),
            hyperparameters={
                "base": f"a copy in this run, from {place.name}" + ", tuned on these images" * fitted.tuned,
                "base_fingerprint": fingerprint(place),
                "features": way.features.shape[1],
                "strength": way.strength,
                "threads": reading.backbone.threads,
                "seed": self.plan.seed,
                **fitted.settings,
            },
            # Of a tuned body the reason is another than the time; rules/telling.yaml has it.
            diagnostics=accounted(TASK, found, {} if fitted.tuned else time_is_up("learning_curve"))
            | {
                "choice": f"a pretrained image model was named; {fitted.choice}. Beside it stand small models and a "
                "small network that know nothing but these images",
                "seconds_an_image": round(room.each, 4),
                "sealed_openings": opening,
                "test_part": test_part,
                **fitted.diagnostics,
            },
            notes=tuple(self.notes),
            represented="Each image became what the pretrained model says of it, which "
            + ("was tuned on training rows alone." if fitted.tuned else "never saw a label of these."),
        )

    def _given(self, place: Path) -> tuple[_Given, str]:
        """The rows read and sealed, and the model loaded: what is broken is told before anything is learnt."""
        self.progress.phase("Reading the images and sealing the test part")
        plan, path = self.plan, data_path(self.plan, self.folder)
        rows = load_rows(replace(plan, task=_SORTING), self.folder, images=True)
        truth, source = rows.target.values.astype(np.int64), find_source(rows.features)
        beside = path if path.is_dir() else path.parent
        digests, content, proposal = digests_of(rows.features, source, beside), rows.features, plan.split
        if source.column:
            # A file's name says nothing: copies are known by what the files hold.
            content, proposal = rows.features.assign(**{source.column: digests}), replace(plan.split, near=())
        before = sealed_before(plan, self.folder)
        split = split_rows(content, rows.target.values, proposal, rows.split_by, plan.seed, sealed_before=before)
        check_classes(
            truth[split.train],
            rows.target.classes,
            self.rules["limits"],
            "images",
            "What cannot be held back cannot be tested.",
        )
        side, images = self.rules["small"]["side"], open_images(rows.features, source, beside)
        values = np.empty((len(truth), 3 * side * side))
        for at, image in enumerate(images):
            values[at] = small_values(image, side)
            self.progress.step(at + 1, len(truth), f"{at + 1:,} images")
        backbone = open_backbone(place)
        self.notes += [*rows.notes, *split.notes]
        reading = Reading(backbone, source, rows.features, beside, digests, self.run, self.progress)
        return _Given(rows, split, truth, values, reading), freeze(plan, self.folder, split)

    def _rivals(self, given: _Given, train: Integers, held: Integers) -> dict[str, Any]:
        """What knows only these images, on the sealed ones: the best small model, and a small network."""
        self.progress.phase("Fitting small models on small images")
        values, truth, seed = given.values, given.truth, self.plan.seed
        classes, tested = len(given.rows.target.classes), given.split.test
        allowed = self.plan.budget_seconds * self.rules["budget"]["small"] / 3

        def small(name: str, of: Integers) -> Any:
            fitted, learnt_from = fitted_in_time(
                lambda at: small_model(name, values[of[at]], truth[of[at]], classes, seed), truth[of], allowed, seed
            )
            if len(learnt_from) < len(of):
                self.notes.append(f"{name} learnt from {len(learnt_from):,} images: time allows no more.")
            return fitted

        for name in SMALL:
            self.scored[name] = score_of(self.metric, truth[held], small(name, train)(values[held]), seed)
        best = max(SMALL, key=lambda name: self.metric.gain(self.scored[name].value, 0.0))
        self.notes.append(f"The best small model is {best}; it was fitted again with the rows held back.")
        found = {"small_model": output_of(small(best, given.split.train)(values[tested]))}
        if "small_network" not in self.plan.gate.against:
            return found
        self.progress.phase("Training a small network from nothing")
        known, side = np.concatenate([train, held]), self.rules["small"]["side"]
        at_held, seconds = np.arange(len(train), len(known)), self.plan.budget_seconds * self.rules["budget"]["network"]
        learnt = learn(values[known], truth[known], classes, side, at_held, self.run, seed, self.progress, seconds)
        shares = probabilities(learnt.network, values[held], side)
        self.scored["small network"] = score_of(self.metric, truth[held], shares, seed)
        return {**found, "small_network": output_of(probabilities(learnt.network, values[tested], side))}

    def _look(self, way: Way, truth: Integers, held: Any, classes: int) -> dict[str, Any]:
        """Whether it knows its rows by heart and more of them would help, by linear models of what was read."""

        def fit(rows: Integers) -> Answer:
            return fit_linear(way.features[rows], truth[rows], classes, way.strength).probabilities

        started, train = time.monotonic(), np.flatnonzero(~held)
        part = fit(train)
        now = time.monotonic()
        left = self.rules["budget"]["look"] * (self.plan.budget_seconds - self.watch.seconds())
        looked = Looked(way.features, truth, train, np.flatnonzero(held), self.metric, part, self.plan.seed)
        # What a tuned body says of few rows it learnt from all the others: a curve over rows would flatter.
        return gap_and_curve(looked, fit, now - started, -math.inf if way.method == TUNED else now + left)
