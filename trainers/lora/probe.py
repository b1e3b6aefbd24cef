"""A few trial steps before the first real one: threads, time and memory. Nothing is learned from them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from advisor.base.errors import BudgetReached
from trainers.lora.batches import all_batches, pieces
from trainers.lora.forward import Losses, step_gradients
from trainers.lora.full_card import taken_of_card_mb
from trainers.lora.machine import fastest_threads, peak_resident_mb, resident_mb, seconds_of
from trainers.lora.optimiser import Optimiser
from trainers.lora.policy import presets
from trainers.lora.recipe import Recipe
from trainers.lora.sharding import held
from trainers.lora.team import Team
from trainers.lora.tokens import Encoded

# Forward passes only, against forward and backward of frozen weights: one of two products a weight.
_EVALUATION_COST = 0.5


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the probe settled and foretells. `seconds` is for `steps` steps with `looks`, `changed` what it cut."""

    threads: int
    seconds_by_threads: dict[int, float]
    seconds_per_token: float
    steps: int
    looks: int
    seconds: float
    peak_memory_mb: float
    tokens: int
    changed: str = ""


def probe(
    loss_of: Losses,
    optimiser: Optimiser,
    rows: Sequence[Encoded],
    development: Sequence[Encoded],
    prefix: int,
    recipe: Recipe,
    steps: int,
    seed: int,
    budget_seconds: float,
    team: Team,
) -> Forecast:
    """Time one typical micro-batch at each thread count, run the largest twice, and add up the whole run.

    Where `budget_seconds` is short, looks at the development rows are cut first, to their share of it (presets.yaml),
    then `steps` to what fits. All of a `team` try at once, as in earnest, and the first one's time counts for all.
    Raises `BudgetReached` when too few steps would fit.
    """
    planned = [
        pieces(rows, batch, recipe.micro_tokens, prefix) for batch in all_batches(rows, recipe.batch, seed, steps)
    ]
    work = [_tokens(rows, step, prefix) for step in planned]
    ours = [_tokens(rows, step[:: team.size], prefix) for step in planned]  # the first process's share is the largest
    parts = sorted((part for step in planned for part in step), key=lambda part: _padded(rows, part, prefix))
    # Threads are told apart on two rows: on a slow machine a whole micro-batch for each count would cost minutes.
    few = [rows[index] for index in parts[len(parts) // 2][:2]]
    largest = [rows[index] for index in parts[-1]]
    head = rows[0].ids[:prefix]

    def once(part: Sequence[Encoded]) -> None:
        step_gradients(loss_of, [part], head)
        optimiser.clear()

    if recipe.threads:
        import torch

        torch.set_num_threads(recipe.threads)
        threads, by_threads = recipe.threads, dict[int, float]()
        once(few)
    else:
        threads, by_threads = fastest_threads(lambda: once(few))
    before = resident_mb()
    once(largest)  # it finds room for what it holds, which takes as long as the step itself, and only once
    per_token = team.from_first(seconds_of(lambda: once(largest)) / _tokens(rows, [parts[-1]], prefix))
    adapters = sum(held(master) * 4 for master in optimiser.masters) / 2**20
    # The moments come with the first step, and so do the gradients of masters that are not the weights themselves.
    beside = 2 if optimiser.masters[0] is optimiser.named[0][1] else 3
    peak = max(peak_resident_mb(), before * presets()["memory"]["growth"]) + beside * adapters
    if taken := taken_of_card_mb(optimiser.masters[0].device.type):
        peak = taken + beside * adapters
    look = per_token * _EVALUATION_COST * (prefix + sum(len(row.ids) - prefix for row in development))
    steps, looks, changed = fitted([tokens * per_token for tokens in ours], look, recipe.evaluations, budget_seconds)
    return Forecast(
        threads=threads,
        seconds_by_threads={count: round(seconds, 4) for count, seconds in by_threads.items()},
        seconds_per_token=per_token,
        steps=steps,
        looks=looks,
        seconds=sum(ours[:steps]) * per_token + (looks + 1) * look,
        peak_memory_mb=peak,
        tokens=sum(work[:steps]),
        changed=changed,
    )


def fitted(steps: Sequence[float], look: float, wanted: int, budget: float) -> tuple[int, int, str]:
    """How many steps and looks fit into `budget` seconds, and what was cut, in words.

    `steps` holds the seconds of each step; `look` those of a look, of which one more comes before the first step.
    Raises `BudgetReached` when too few steps fit.
    """
    rules, whole = presets()["short_of_time"], sum(steps) + (wanted + 1) * look
    if whole <= budget:
        return len(steps), wanted, ""
    looks = min(wanted, max(rules["fewest_looks"], int(rules["share_for_looks"] * budget / max(look, 1e-9)) - 1))
    ends = itertools.accumulate(steps, initial=(looks + 1) * look)
    fits = sum(end <= budget for end in ends) - 1
    if fits < max(1, math.ceil(rules["fewest_steps"] * len(steps))):
        raise BudgetReached(
            f"The run would take about {whole:,.0f} s here; of its {len(steps)} steps {max(fits, 0)} fit "
            f"{budget:,.0f} s.",
            why="So short a run would learn next to nothing, and its verdict would say nothing about training.",
            fix=f"train-or-not plan CASE --budget-seconds {math.ceil(whole * 1.2)}, or fewer epochs in plan.yaml.",
            code="budget-too-small",
            details={"steps_that_fit": max(fits, 0)},
        )
    cut = [f"looks {wanted} → {looks}"] * (looks < wanted) + [f"steps {len(steps)} → {fits}"] * (fits < len(steps))
    return fits, looks, f"{', '.join(cut)}, to end within {budget:,.0f} s"


def _padded(rows: Sequence[Encoded], part: Sequence[int], prefix: int) -> int:
    """Padded tokens of one micro-batch beyond the shared head."""
    return len(part) * (max(len(rows[index].ids) for index in part) - prefix)


def _tokens(rows: Sequence[Encoded], step: Sequence[Sequence[int]], prefix: int) -> int:
    return prefix + sum(_padded(rows, part, prefix) for part in step)
