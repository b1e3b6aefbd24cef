"""An image model's body tuned on the user's images: adapters beside its layers learn with a linear head, pass by pass.

The head begins as the linear model of what the frozen body sees, so that the first step is taken from there. After each
pass the rows held back are scored by the run's own metric; the best weights are kept, and so is all that the next pass
needs: a killed run goes on from its last whole pass and ends with the same weights.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import nn

from advisor.base.errors import BadInput
from advisor.base.files import read_text, sha256_of_file, to_json, write_atomically
from trainers.backbone.adapters import merge, tried, with_adapters
from trainers.backbone.reading import Reading
from trainers.common.metrics import Floats, Integers, Metric
from trainers.common.policy import policy
from trainers.common.runfolder import work_file
from trainers.lora.bundle import write_tensors
from trainers.lora.machine import choose_arithmetic, find_device
from trainers.lora.optimiser import Optimiser, Schedule
from trainers.scratch.beside import output_of
from trainers.scratch.linear import Linear
from trainers.scratch.network import moved

Passes = list[dict[str, float]]


@dataclass(frozen=True)
class Lesson:
    """What is learnt from: `rows` that `reading` reads, with classes `truth` [rows], but for those `held` [rows] back.

    `start` is the linear model from which the head begins.
    """

    reading: Reading
    rows: Integers
    truth: Integers
    held: NDArray[np.bool_]
    start: Linear
    metric: Metric
    seed: int


@dataclass(frozen=True)
class Learnt:
    """What each pass came to, which of them was kept (from 1), and how many weights `learned` `beside` how many."""

    passes: Passes
    kept: int
    learned: int
    beside: int


class Head(nn.Module):
    """A linear classifier on features freed of the middle and scale that they had before tuning."""

    def __init__(self, start: Linear) -> None:
        super().__init__()
        self.middle, self.scale = torch.tensor(start.middle).float(), torch.tensor(start.scale).float()
        self.weights = nn.Parameter(torch.tensor(start.weights).float())
        self.start = nn.Parameter(torch.tensor(start.start).float())

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[images, classes]."""
        middle, scale = self.middle.to(features.device), self.scale.to(features.device)
        return (features - middle) / scale @ self.weights + self.start


class Pictures:
    """Images made ready for the body; read once while there is room to keep them."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.kept = reading, dict[int, torch.Tensor]()
        self.room = policy("backbone")["tune"]["keep_mb"] * 1e6

    def of(self, rows: Integers) -> list[torch.Tensor]:
        """Each [3, height, width], in order."""
        missing = np.array([at for at in rows if at not in self.kept], dtype=np.int64)
        new = dict(zip(missing.tolist(), self.reading.pixels(missing), strict=True))
        found = [self.kept[at] if at in self.kept else new[at] for at in rows.tolist()]
        for at, picture in new.items():
            if (size := picture.numel() * picture.element_size()) <= self.room:
                self.room -= size
                self.kept[at] = picture
        return found


class Learner:
    """Body with adapters and head, and what they say of images; in half the bits where a card has them."""

    def __init__(self, adapted: Any, reading: Reading, start: Linear) -> None:
        device = find_device()
        self.adapted, self.backbone, self.pictures = adapted, reading.backbone, Pictures(reading)
        self.head = Head(start).to(device.kind)
        # A processor is not asked: one that only emulates these bits is slower with them.
        half = device.kind == "cuda" and choose_arithmetic(device).dtype == "bfloat16"
        self.autocast = torch.autocast(device.kind, torch.bfloat16, enabled=half)
        torch.set_num_threads(self.backbone.threads)

    def scores(self, rows: Integers, draw: np.random.Generator | None = None) -> torch.Tensor:
        """[rows, classes]; with `draw` the images are moved and made lighter or darker."""
        pictures = self.pictures.of(rows)
        found: list[torch.Tensor] = [torch.empty(0)] * len(rows)
        for alike in _of_one_size(pictures):
            batch = torch.stack([pictures[at] for at in alike])
            batch = batch if draw is None else varied(batch, draw)
            with self.autocast:
                features = self.backbone.summary(self.adapted(pixel_values=batch.to(self.backbone.model.device)))
            for at, row in zip(alike, self.head(features.float()), strict=True):
                found[at] = row
        return torch.stack(found)


class _Course:
    """One tuning: who learns, from which rows, and the optimiser of both."""

    def __init__(self, lesson: Lesson, planned: int) -> None:
        rules = policy("backbone")["tune"]
        self.lesson, self.planned = lesson, planned
        self.train, self.held = lesson.rows[~lesson.held], lesson.rows[lesson.held]
        self.adapted = with_adapters(lesson.reading.backbone, lesson.seed)
        self.learner = Learner(self.adapted, lesson.reading, lesson.start)
        named = [(name, weight) for name, weight in self.adapted.named_parameters() if weight.requires_grad]
        named += [(f"head.{name}", weight) for name, weight in self.learner.head.named_parameters()]
        self.a_pass = math.ceil(len(self.train) / rules["batch"])
        steps = planned * self.a_pass
        schedule = Schedule(rules["rate"]["value"], max(1, round(rules["warmup"] * steps)), steps)
        self.optimiser = Optimiser(named, schedule, clip=rules["clip"], weight_decay=rules["decay"])

    def one_pass(self, number: int) -> float:
        """Learn from every row once, in an order of this pass's own. Returns the mean loss."""
        rules, draw = policy("backbone")["tune"], np.random.default_rng((self.lesson.seed, number))
        truth = dict(zip(self.lesson.rows.tolist(), self.lesson.truth.tolist(), strict=True))
        order, total, done = draw.permutation(self.train), 0.0, (number - 1) * len(self.train)
        for step, batch in enumerate(_pieces(order, rules["batch"]), (number - 1) * self.a_pass):
            for few in _pieces(batch, rules["at_once"]):
                scores = self.learner.scores(few, draw)
                wanted = torch.tensor([truth[at] for at in few.tolist()]).to(scores.device)
                loss = nn.functional.cross_entropy(scores, wanted, reduction="sum")
                (loss / len(batch)).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
                total += float(loss.detach())
            self.optimiser.step(step)
            done += len(batch)
            self.lesson.reading.progress.step(done, self.planned * len(order), f"pass {number} of {self.planned}")
        return total / len(order)

    def on_held(self) -> Floats:
        """[rows held back, classes], probabilities."""
        with torch.no_grad():
            found = [self.learner.scores(few) for few in _pieces(self.held, policy("backbone")["tune"]["at_once"])]
            return np.asarray(torch.softmax(torch.cat(found), dim=1).double().cpu().numpy())


def seconds_an_image(reading: Reading, rows: Integers) -> float:
    """How long it takes to learn from one image, by a step on the first of these rows; the body stays as it was."""
    few = rows[: policy("backbone")["tune"]["at_once"]]
    width = reading.seen(few[:1]).shape[1]
    start = Linear(np.zeros(width), np.ones(width), np.zeros((width, 2)), np.zeros(2))
    with tried(reading.backbone, 0) as adapted:
        took = 0.0
        for part in (few[:1], few):  # the first also pays for what is made ready once
            learner, began = Learner(adapted, reading, start), time.monotonic()
            torch.square(learner.scores(part, np.random.default_rng(0))).sum().backward()  # type: ignore[no-untyped-call]
            float(torch.as_tensor(learner.head.start.grad).sum())  # a card works on while the processor goes ahead
            took = (time.monotonic() - began) / len(part)
        return took


def tune(lesson: Lesson, planned: int, seconds: float) -> Learnt:
    """Tune the body of the lesson's reading, which afterwards holds what it learnt: `planned` passes at most.

    It ends sooner when neither metric nor loss of the rows held back gain any more, or when another pass would go
    beyond `seconds`.
    """
    run, metric, course = lesson.reading.run, lesson.metric, _Course(lesson, planned)
    passes, over = _resumed(run, course.optimiser)
    end = time.monotonic() + seconds - sum(one["seconds"] for one in passes)
    truth = lesson.truth[lesson.held]
    while not over:
        began = time.monotonic()
        loss, said = course.one_pass(len(passes) + 1), course.on_held()
        held_loss = float(-np.log(np.maximum(said[np.arange(len(truth)), truth], 1e-12)).mean())
        value = float(metric.value(truth.astype(np.float64), output_of(said)))
        now = time.monotonic()
        told = {"pass": len(passes) + 1.0, "loss": loss, "held_loss": held_loss, "held": value, "seconds": now - began}
        passes.append(told)
        # On few rows the metric stands still while the loss still falls: either is a gain.
        least = min(range(len(passes)), key=lambda at: passes[at]["held_loss"]) + 1
        without_gain = len(passes) - max(best_of(passes, metric), least)
        over = len(passes) >= planned or without_gain >= policy("backbone")["tune"]["patience"]
        over |= now + max(one["seconds"] for one in passes) > end
        _keep(run, course.optimiser, passes, best_of(passes, metric), over)
    kept = best_of(passes, metric)
    course.optimiser.set_weights(safetensors.torch.load_file(_file(run, f"best-{kept}")))
    beside = sum(weight.numel() for weight in lesson.reading.backbone.model.parameters())
    head = sum(weight.numel() for weight in course.learner.head.parameters())
    learned = sum(weight.numel() for _, weight in course.optimiser.named)
    merge(course.adapted)
    return Learnt(passes, kept, learned, beside - learned + head)


def best_of(passes: Passes, metric: Metric) -> int:
    """The number of the best pass by the metric; among equals that of least loss. 0 where there is none."""
    ranked = [(metric.gain(one["held"], 0.0), -one["held_loss"], -one["pass"]) for one in passes]
    return 1 + ranked.index(max(ranked)) if ranked else 0


def varied(pictures: torch.Tensor, draw: np.random.Generator) -> torch.Tensor:
    """Each moved, resized, and made lighter or darker a little, at random."""
    rules = policy("backbone")["augment"]
    lighter = draw.uniform(-rules["brightness"], rules["brightness"], (len(pictures), 1, 1, 1))
    return moved(pictures, draw, rules) + torch.tensor(lighter, dtype=torch.float32)


def _pieces(rows: Integers, size: int) -> Iterator[Integers]:
    yield from (rows[start : start + size] for start in range(0, len(rows), size))


def _of_one_size(pictures: list[torch.Tensor]) -> list[list[int]]:
    """Positions of pictures that fit into one batch: some image processors keep an image's proportions."""
    found: dict[torch.Size, list[int]] = {}
    for at, picture in enumerate(pictures):
        found.setdefault(picture.shape, []).append(at)
    return list(found.values())


def _file(run: Path, name: str) -> Path:
    return work_file(run, f"tuning/{name}.safetensors")


def _keep(run: Path, optimiser: Optimiser, passes: Passes, best: int, over: bool) -> None:
    """The weights and what AdamW remembers, then the note that vouches for them by hash; only what it names is kept."""
    last, at_best = _file(run, f"pass-{len(passes)}"), _file(run, f"best-{best}")
    write_tensors(last, optimiser.weights() | optimiser.moments())
    if best == len(passes):
        write_tensors(at_best, optimiser.weights())
    files = {path.name: sha256_of_file(path) for path in (last, at_best)}
    note = {"passes": passes, "best": best, "over": over, "files": files}
    write_atomically(work_file(run, "tuning/passes.json"), to_json(note))
    for path in last.parent.glob("*.safetensors"):
        if path.name not in files:
            path.unlink()


def _resumed(run: Path, optimiser: Optimiser) -> tuple[Passes, bool]:
    """The passes that a killed attempt had finished, loaded into the optimiser's weights, and whether it was over."""
    try:
        note = json.loads(read_text(work_file(run, "tuning/passes.json")))
        passes: Passes = note["passes"]
        if any(sha256_of_file(work_file(run, f"tuning/{name}")) != digest for name, digest in note["files"].items()):
            return [], False
        kept = safetensors.torch.load_file(_file(run, f"pass-{len(passes)}"))
        optimiser.set_weights(kept)
        optimiser.set_moments(kept)
    except (BadInput, OSError, ValueError, TypeError, KeyError, AttributeError, safetensors.SafetensorError):
        return [], False
    return passes, bool(note["over"])
