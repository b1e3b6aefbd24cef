"""At which learning rate does the loss fall fastest? A few steps at ever higher rates, after which all is put back.

Smith 2017, Cyclical learning rates, arXiv 1506.01186, section 3.3: at low rates nothing moves, at high ones the weights
run away; between them lies the rate at which the smoothed loss falls most steeply, and that one is taken. The fall is
measured by the loss's logarithm: on the demonstration's tickets, whose loss falls from 1.3 to 0.07 in the test, plain
differences point at 2.4e-4, where a run of 12 steps ends at a loss of 0.18, logarithms at 8.5e-4; 1e-3 ends at 0.08.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from trainers.lora.batches import all_batches, pieces
from trainers.lora.forward import Losses, step_gradients
from trainers.lora.optimiser import Optimiser, Schedule
from trainers.lora.policy import presets
from trainers.lora.recipe import Recipe
from trainers.lora.team import Team
from trainers.lora.tokens import Encoded


@dataclass(frozen=True, slots=True)
class RateFound:
    """The rate to learn at, what was tried (the loss of each step stands before its rate acted), and a sentence."""

    rate: float
    rates: list[float]
    losses: list[float]
    said: str


def find_rate(
    loss_of: Losses,
    optimiser: Optimiser,
    rows: Sequence[Encoded],
    recipe: Recipe,
    *,
    prefix: int,
    seed: int,
    seconds: float,
    team: Team,
) -> RateFound:
    """Try rates around the recipe's for at most `seconds`; weights, moments and random numbers are as before."""
    rules = presets()["rate_finder"]
    tried = np.geomspace(recipe.learning_rate * rules["below"], recipe.learning_rate * rules["above"], rules["steps"])
    weights = {name: weight.clone() for name, weight in optimiser.weights().items()}
    random, schedule = torch.get_rng_state(), optimiser.schedule
    trained = [weight for _, weight in optimiser.named]
    rates, losses, start = list[float](), list[float](), time.monotonic()
    for rate, batch in zip(tried.tolist(), all_batches(rows, recipe.batch, seed, len(tried)), strict=False):
        groups = [[rows[index] for index in part] for part in pieces(rows, batch, recipe.micro_tokens, prefix)][:1]
        learned = sum(row.learned for row in groups[0])
        loss, _ = step_gradients(loss_of, team.share(groups), rows[0].ids[:prefix], learned, team.idle(groups))
        loss = team.sum_gradients(trained, loss) / learned
        if not math.isfinite(loss):
            break
        rates.append(rate)
        losses.append(loss)
        over = time.monotonic() - start > seconds or loss > rules["ends_at_times_the_least"] * min(losses)
        if team.from_first(over):
            break
        optimiser.schedule = Schedule(rate, 1, 1)
        optimiser.step(0)
    optimiser.clear()
    optimiser.forget()
    optimiser.set_weights(weights)
    optimiser.schedule = schedule
    torch.set_rng_state(random)
    return steepest(rates, losses, recipe.learning_rate)


def steepest(rates: Sequence[float], losses: Sequence[float], preset: float) -> RateFound:
    """The rate where the smoothed loss falls most steeply, both as logarithms; the preset where it does not fall."""
    rules = presets()["rate_finder"]
    span = f", at rates from {rates[0]:.2g} to {rates[-1]:.2g}" if rates else ""
    said = f"{len(rates)} trial steps of one micro-batch each{span}"
    # The running mean in which each step counts `smoothing` times the next, without the pull of its start.
    smooth = pd.Series(losses, dtype=float).ewm(alpha=1 - rules["smoothing"]).mean().to_numpy()
    least = int(np.argmin(smooth)) if len(smooth) else 0
    if least < 2 or smooth[least] > (1 - rules["clear_fall"]) * smooth[0]:
        return RateFound(
            preset, list(rates), list(losses), f"In {said}, the loss did not clearly fall: {preset:g} stays."
        )
    best = int(np.argmin(np.gradient(np.log(np.maximum(smooth[: least + 1], 1e-12)), np.log(rates[: least + 1]))))
    found = float(f"{rates[best]:.2g}")
    return RateFound(
        found,
        list(rates),
        list(losses),
        f"The learning rate {found:g} was found by {said}; the preset is {preset:g}.",
    )
