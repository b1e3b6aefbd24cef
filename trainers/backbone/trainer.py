"""Tell images apart by a pretrained image model whose weights stay as they are, and say whether that was worth it.

In order: read the images; seal the test part; fit small models on small images, and a small network from nothing; let
the pretrained model read each image once; fit a linear model on what it saw; open the sealed part once; compare.
"""

from __future__ import annotations

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
from advisor.base.tables import read_table
from advisor.records.plain import to_plain
from advisor.records.plan import Estimate, Plan, Setting
from advisor.records.run import Candidate, RunRecord
from trainers.backbone.base import check_base, open_backbone, side_of, size_of
from trainers.backbone.images import digests_of, find_source, open_images, small_values
from trainers.backbone.model_file import Seer, load_seer, save_seer
from trainers.backbone.reading import Reading, rows_in_budget
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
from trainers.lora.planning import product_speed
from trainers.scratch.beside import SMALL, check_classes, output_of, score_of, small_model
from trainers.scratch.linear import fit_linear
from trainers.scratch.look import Answer, Looked, gap_and_curve
from trainers.scratch.network import learn, probabilities
from trainers.scratch.timed import fitted_in_time

TASK = "images"
RUNGS = ("trivial", "small_model", "small_network")
CHOSEN = "the pretrained image model and a linear one"
_SORTING = "multiclass"


class BackboneTrainer:
    """The trainer named `backbone`."""

    def settings(self, plan: Plan, folder: Path) -> dict[str, Setting]:
        """The choices it would make, each with its reason."""
        asked = plan.settings.get("base", Setting("", "A folder of yours with a saved image model; no hub is reached."))
        place = check_base(str(asked.value), folder)
        tells = f"{size_of(place) / 1e6:,.0f} MB of weights, which stay as they are; no hub is reached."
        frozen = Setting(
            "frozen features under a linear model", "A few examples teach a last layer, and minutes suffice."
        )
        return {"base": replace(asked, reason=asked.reason or tells), "method": frozen}

    def estimate(self, plan: Plan, folder: Path) -> Estimate:
        """From the number of images, the size of the model and of what it reads, and the speed of this machine."""
        place, rows = check_base(_base(plan), folder), len(read_table(data_path(plan, folder)).frame)
        by, size = policy("backbone")["estimate"], size_of(place) / 1e6
        speed = product_speed() * by["share_of_products"]
        each = size / 4 * by["operations"] * (side_of(place) / 224) ** 2 / 1e3 / speed
        shares = policy("backbone")["budget"]
        seconds = by["least_seconds"] + rows / by["images_a_second"]
        seconds += plan.budget_seconds * (shares["small"] + shares["network"])
        memory, disk = by["memory_mb"], by["disk_mb"]
        return Estimate(
            round(min(seconds + rows * each, plan.budget_seconds), 1),
            round(memory["least"] + memory["times_the_base"] * size + rows / 1e3 * memory["a_thousand_rows"], 1),
            round(size + disk["least"] + rows * disk["an_image"], 1),
            formula=f"{rows:,} images, each about {each:.2g} s for a model of {size:,.0f} MB at {speed:,.0f} GFLOP/s; "
            f"what stands beside it has its share of the budget of {plan.budget_seconds:g} s.",
            error_band=by["told"],
        )

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

    def record(self) -> RunRecord:
        """Run all steps and return the record of the complete run."""
        keep(self.run, "plan.json", to_json(to_plain(self.plan)))
        place = check_base(_base(self.plan), self.folder)
        given, test_part = self._given(place)
        split, classes = given.split, given.rows.target.classes
        train, held = folds_of(split, round(1 / self.rules["held"]["share"]), self.plan.seed)[0]
        self.watch.lap("read_and_split")
        rivals = self._rivals(given, train, held)
        self.watch.lap("cheaper_rungs")

        self.progress.phase(f"Reading the images by {place.name}")
        seconds, seed = self.rules["budget"]["read"] * self.plan.budget_seconds, self.plan.seed
        used, each, reading = rows_in_budget(given.reading, split.train, given.truth, len(split.test), seconds, seed)
        features = reading.features(used)
        linear, strength = self._head(features, given.truth[used], np.isin(used, held), len(classes))
        seer = Seer(reading.source, classes, reading.backbone, linear)
        save_seer(self.run, seer, place)
        self.watch.lap("fit")
        found = self._look(features, given.truth[used], np.isin(used, held), len(classes), strength)
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
                f"The pretrained model read {len(used):,} of {len(split.train):,} training images, {each:.2f} s each: "
                "the time budget allows no more."
            )
        slices = errors_by_class(sealed, ours, classes)
        found |= errors_of(sealed, ours, classes) | {"slices": slices}
        self.notes += [note for note in (opening_note(opening), told(slices, number=False)) if note]
        return end_run(
            self.run,
            self.plan,
            self.watch,
            chosen=CHOSEN,
            candidates=tuple(Candidate(name, score) for name, score in self.scored.items()),
            judged=judged,
            rows={"train": len(used), "development": int(np.isin(used, held).sum()), "test": len(split.test)},
            packages=("torch", "transformers", "safetensors", "pillow"),
            secondary=secondary(_SORTING, sealed, ours, self.metric.name),
            hyperparameters={
                "base": f"a copy in this run, from {place.name}",
                "base_fingerprint": fingerprint(place),
                "features": features.shape[1],
                "strength": strength,
                "threads": reading.backbone.threads,
                "seed": self.plan.seed,
            },
            diagnostics=accounted(TASK, found, time_is_up("learning_curve"))
            | {
                "choice": "a pretrained image model was named; its weights stay as they are, and beside it stand small "
                "models and a small network that know nothing but these images",
                "seconds_an_image": round(each, 4),
                "sealed_openings": opening,
                "test_part": test_part,
            },
            notes=tuple(self.notes),
            represented="Each image became what the pretrained model, which never saw a label of these, says of it.",
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

    def _head(self, features: Floats, truth: Integers, held: Any, classes: int) -> tuple[Any, float]:
        """The linear model of all rows that were read, as strong as the held-back ones of them choose."""
        scores = {}
        for strength in self.rules["strengths"]:
            part = fit_linear(features[~held], truth[~held], classes, strength)
            scores[strength] = score_of(self.metric, truth[held], part.probabilities(features[held]), self.plan.seed)
        best = max(scores, key=lambda strength: self.metric.gain(scores[strength].value, 0.0))
        self.scored[CHOSEN] = scores[best]
        return fit_linear(features, truth, classes, best), best

    def _look(self, features: Floats, truth: Integers, held: Any, classes: int, strength: float) -> dict[str, Any]:
        """Whether it knows its rows by heart and more of them would help, by linear models of what was read."""

        def fit(rows: Integers) -> Answer:
            return fit_linear(features[rows], truth[rows], classes, strength).probabilities

        started, train = time.monotonic(), np.flatnonzero(~held)
        part = fit(train)
        now = time.monotonic()
        left = self.rules["budget"]["look"] * (self.plan.budget_seconds - self.watch.seconds())
        looked = Looked(features, truth, train, np.flatnonzero(held), self.metric, part, self.plan.seed)
        return gap_and_curve(looked, fit, now - started, now + left)


def _base(plan: Plan) -> str:
    setting = plan.settings.get("base")
    return str(setting.value) if setting else ""
