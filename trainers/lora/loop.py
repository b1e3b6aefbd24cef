"""The training loop: steps, looks at the development rows, checkpoints, early stop, and back to the best.

Every step is a function of the weights, the optimiser and the step's number, so a run killed at any moment and resumed
ends with the same weights, bit for bit on a processor.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from advisor.base.errors import BadInput
from trainers.contract import Progress
from trainers.lora.batches import all_batches, pieces
from trainers.lora.bundle import Bundle, newest_bundle, random_state, save_bundle, write_tensors
from trainers.lora.forward import Losses, Tally, measuring, step_gradients
from trainers.lora.optimiser import Optimiser, Schedule
from trainers.lora.policy import presets
from trainers.lora.probe import Forecast, probe
from trainers.lora.rate import find_rate
from trainers.lora.recipe import Recipe
from trainers.lora.team import Team
from trainers.lora.tokens import Encoded

ALONE = Team()


@dataclass
class Course:
    """How far a run has come: plain values, saved with every checkpoint. `rate` 0 is the recipe's."""

    step: int = 0
    steps: int = 0
    threads: int = 0
    seconds: float = 0.0
    tokens: int = 0
    best_step: int = -1
    best_exact: float = -1.0
    best_loss: float = math.inf
    stale: int = 0
    stopped: str = ""
    curve: list[dict[str, float]] = field(default_factory=list)
    recent: list[list[float]] = field(default_factory=list)
    forecast: dict[str, Any] = field(default_factory=dict)
    rate: float = 0.0
    tried_rates: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trained:
    """The weights of the best look, and the course that led there."""

    weights: dict[str, Tensor]
    course: Course


def train(
    loss_of: Losses,
    trainable: list[tuple[str, Tensor]],
    rows: Sequence[Encoded],
    development: Sequence[Encoded],
    recipe: Recipe,
    *,
    prefix: int,
    seed: int,
    budget_seconds: float,
    work: Path,
    progress: Progress,
    saved: Callable[[int], None] | None = None,
    team: Team = ALONE,
) -> Trained:
    """Train to the end, or take up where a killed run stopped. `work` holds checkpoints; `saved` hears of each.

    In a `team` the first process's times and looks count, and it writes; the others do their share of each step. A
    team returns no weights: they lie in `work`, for one process to take up.

    Raises `BudgetReached` when the budget is far too small, `BadInput` when the loss leaves the numbers.
    """
    if team.size == 1 and (done := _finished(work)):
        torch.set_num_threads(done.threads)  # answers too are summed as they were before the kill
        return Trained(_best(trainable, work), done)
    steps = max(1, math.ceil(recipe.epochs * len(rows) / recipe.batch))
    schedule = Schedule(recipe.learning_rate, max(1, round(recipe.warmup_share * steps)), steps)
    optimiser = Optimiser(
        trainable, schedule, clip=recipe.clip, weight_decay=recipe.weight_decay, paged=recipe.is_paged
    )
    course = _resume(optimiser, work)
    if course is None:
        progress.phase("Trial steps: threads, time and memory")
        trying = presets()["rate_finder"]["share_of_budget"] * budget_seconds * (recipe.find_learning_rate == "on")
        allowed = budget_seconds - trying
        forecast = probe(loss_of, optimiser, rows, development, prefix, recipe, steps, seed, allowed, team)
        found = team.from_first(_plain(forecast))
        course = Course(steps=found["steps"], threads=found["threads"], forecast=found)
        if trying:
            progress.phase("Trial steps: the learning rate")
            began = time.monotonic()
            tried = find_rate(loss_of, optimiser, rows, recipe, prefix=prefix, seed=seed, seconds=trying, team=team)
            course.rate, course.tried_rates = tried.rate, asdict(tried)
            course.seconds = team.from_first(time.monotonic() - began)
        progress.phase(f"Looking at {len(development)} rows held back, before the first step")
        course.curve.append(_look(loss_of, development, prefix, recipe, course))
        _save(optimiser, course, work, saved, team)
    torch.set_num_threads(course.threads)
    rate = course.rate or recipe.learning_rate
    optimiser.schedule = Schedule(rate, max(1, round(recipe.warmup_share * course.steps)), course.steps)
    every = math.ceil(course.steps / course.forecast["looks"])
    threads = f"{course.threads} thread{'s' * (course.threads > 1)}"
    progress.phase(f"Training: {course.steps} steps of {recipe.batch} rows, {threads}")
    head = rows[0].ids[:prefix]
    saved_at, spoken = course.seconds, _words(course)
    batches = all_batches(rows, recipe.batch, seed, course.steps, course.step)
    for batch in batches:
        if course.stopped:
            break
        start = time.monotonic()
        groups = [[rows[index] for index in part] for part in pieces(rows, batch, recipe.micro_tokens, prefix)]
        learned = sum(row.learned for group in groups for row in group)
        loss, _ = step_gradients(loss_of, team.share(groups), head, learned, team.idle(groups))
        loss = team.sum_gradients([weight for _, weight in trainable], loss)
        course.recent.append([loss, learned])
        if not math.isfinite(loss):
            raise _diverged(course.step, course.rate or recipe.learning_rate)
        optimiser.step(course.step)
        course.step += 1
        course.tokens += sum(len(row.ids) for group in groups for row in group)
        looks = course.step % every == 0 or course.step == course.steps
        if looks:
            _settle(course, _look(loss_of, development, prefix, recipe, course), optimiser, work, recipe, team)
            spoken = _words(course)
        course.seconds = team.from_first(course.seconds + time.monotonic() - start)
        progress.step(course.step, course.steps, spoken)
        if course.step < course.steps and not course.stopped and course.seconds > 1.5 * budget_seconds:
            # Half as much again as foretold: the machine is busier than it was. What was learned so far is kept.
            if not looks:
                _settle(course, _look(loss_of, development, prefix, recipe, course), optimiser, work, recipe, team)
            course.stopped = f"the time of {budget_seconds:,.0f} s ran out at step {course.step} of {course.steps}"
        if looks or course.stopped or course.seconds - saved_at >= recipe.save_seconds:
            _save(optimiser, course, work, saved, team)
            saved_at = course.seconds
    return Trained({}, course) if team.size > 1 else Trained(_best(trainable, work), course)


@torch.no_grad()
def _best(trainable: list[tuple[str, Tensor]], work: Path) -> dict[str, Tensor]:
    """The weights of the best look, put into the model too."""
    best = load_file(work / "best.safetensors")  # mapped: what is read is not in memory twice
    for name, weight in trainable:
        weight.copy_(best[name])
    return best


def _finished(work: Path) -> Course | None:
    """The course of a training that is over. Taking it up needs no optimiser, whose state may not fit one card."""
    course, _ = _newest(work)
    return course if course and (course.step == course.steps or course.stopped) else None


def _newest(work: Path) -> tuple[Course | None, Bundle | None]:
    bundle = newest_bundle(work / "checkpoints")
    if bundle is None:
        return None, None
    course = Course(**{**bundle.state, "best_loss": bundle.state["best_loss"] or math.inf})
    return (None, None) if course.best_step >= 0 and not (work / "best.safetensors").exists() else (course, bundle)


def _resume(optimiser: Optimiser, work: Path) -> Course | None:
    course, bundle = _newest(work)
    if bundle is None:
        return None
    optimiser.set_weights(bundle.weights)
    optimiser.set_moments(bundle.moments)
    torch.set_rng_state(bundle.random_state)
    return course


def _save(optimiser: Optimiser, course: Course, work: Path, saved: Callable[[int], None] | None, team: Team) -> None:
    weights, moments = optimiser.weights(wanted=team.rank == 0), optimiser.moments(wanted=team.rank == 0)
    if team.rank:
        return
    state = {**asdict(course), "best_loss": course.best_loss if math.isfinite(course.best_loss) else None}
    save_bundle(work / "checkpoints", Bundle(weights, moments, random_state(), state))
    if saved:
        saved(course.step)


def _look(
    loss_of: Losses,
    development: Sequence[Encoded],
    prefix: int,
    recipe: Recipe,
    course: Course,
) -> dict[str, float]:
    """One point of the curve: training loss since the last, development loss, tokens and rows right."""
    point: dict[str, float] = {"step": course.step, "seconds": round(course.seconds, 2)}
    if course.recent:
        point["train_loss"] = sum(loss for loss, _ in course.recent) / sum(count for _, count in course.recent)
        course.recent = []
    if development:
        found = tally(loss_of, development, prefix, recipe.micro_tokens)
        point |= {
            "development_loss": found.loss / found.tokens,
            "token_accuracy": found.right / found.tokens,
            "exact": found.exact / found.rows,
        }
    return point


def tally(loss_of: Losses, rows: Sequence[Encoded], prefix: int, micro_tokens: int) -> Tally:
    """Loss and right answers of many rows, in micro-batches, their common head run once."""
    total = Tally(0.0, 0, 0, 0, 0)
    with torch.no_grad(), measuring(loss_of.model):
        head = loss_of.run_prefix(rows[0].ids[:prefix]) if prefix else None
        for part in pieces(rows, range(len(rows)), 2 * micro_tokens, prefix):
            total += loss_of.tally([rows[index] for index in part], head)
    return total


def _settle(
    course: Course, point: dict[str, float], optimiser: Optimiser, work: Path, recipe: Recipe, team: Team
) -> None:
    """Keep the point; keep the weights when it is the best yet; stop when nothing got better for too long.

    Better is more rows wholly right, then less loss. Without development rows the latest is the best.
    """
    point = team.from_first(point)
    course.curve.append(point)
    exact, loss = point.get("exact", 0.0), point.get("development_loss", -float(course.step))
    if not math.isfinite(loss):
        raise _diverged(course.step, course.rate or recipe.learning_rate)
    if (exact, -loss) > (course.best_exact, -course.best_loss):
        course.best_exact, course.best_loss, course.best_step, course.stale = exact, loss, course.step, 0
        weights = optimiser.weights(wanted=team.rank == 0)
        if team.rank == 0:
            write_tensors(work / "best.safetensors", weights)
    else:
        course.stale += 1
        if course.stale >= recipe.patience and course.step < course.steps:
            course.stopped = f"nothing got better in {course.stale} looks; stopped at step {course.step}"


def _words(course: Course) -> str:
    last = course.curve[-1] if course.curve else {}
    parts = [f"{last['exact']:.0%} right"] if "exact" in last else []
    parts += [f"loss {last['train_loss']:.3f}"] if "train_loss" in last else []
    parts += [f"held back {last['development_loss']:.3f}"] if "development_loss" in last else []
    return ", ".join(parts)


def _diverged(step: int, rate: float) -> BadInput:
    return BadInput(
        f"The loss is no number any more at step {step + 1}.",
        where="plan.yaml: settings.learning_rate",
        why="The weights have run away; going on would waste the rest of the time.",
        fix=f"Set learning_rate to {rate / 4:g} in plan.yaml, then train again.",
        code="diverged",
    )


def _plain(forecast: Forecast) -> dict[str, Any]:
    return {**asdict(forecast), "seconds_by_threads": {str(k): v for k, v in forecast.seconds_by_threads.items()}}
