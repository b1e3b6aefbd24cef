"""The range test finds a rate between too low and too high, changes nothing else, and survives a kill."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.lora.conftest import Quiet, ticket_rows
from trainers.lora.base import load_tokenizer
from trainers.lora.examples import read_example
from trainers.lora.loop import Trained, train
from trainers.lora.machine import Arithmetic, find_device
from trainers.lora.optimiser import Optimiser, Schedule
from trainers.lora.rate import find_rate, steepest
from trainers.lora.recipe import Recipe
from trainers.lora.session import Session, open_session
from trainers.lora.team import Team
from trainers.lora.tokens import Encoded

RECIPE = Recipe(
    learning="full",
    learning_rate=1e-4,
    batch=8,
    epochs=1,
    evaluations=2,
    threads=1,
    micro_tokens=256,
    find_learning_rate="on",
)


class Killed(BaseException):
    """Ends a training where a test wants it to end."""


def opened(model: Path, recipe: Recipe = RECIPE) -> tuple[Session, list[Encoded]]:
    arithmetic = Arithmetic("float32", "highest", "")
    session = open_session(recipe, model, load_tokenizer(model), find_device(), arithmetic, 100, 5)
    examples = [read_example(row, n, "columns", target="answer") for n, row in enumerate(ticket_rows(60), 1)]
    return session, [session.encoder.encode(example) for example in examples]


def trained(model: Path, work: Path, *, killed: bool = False) -> Trained:
    session, rows = opened(model)

    def saved(step: int) -> None:
        if killed and step:
            raise Killed

    return train(
        session.loss,
        session.trainable(),
        rows[:48],
        rows[48:],
        RECIPE,
        prefix=0,
        seed=5,
        budget_seconds=1e6,
        work=work,
        progress=Quiet(),
        saved=saved,
    )


def test_the_rate_is_where_the_loss_falls_most_steeply() -> None:
    rates = [10 ** (-6 + step / 5) for step in range(26)]
    losses = [3 - 2 / (1 + math.exp(-3 * (math.log10(rate) + 3))) for rate in rates]
    found = steepest(rates, losses, 2e-5)
    assert 1e-3 <= found.rate <= 5e-3  # the fall is steepest at 1e-3, and smoothing sees it a little late
    assert "was found by 26 trial steps" in found.said


@pytest.mark.parametrize("losses", ([], [2.0], [2.0] * 20, [2.0 + 0.1 * step for step in range(20)]))
def test_where_the_loss_does_not_fall_the_preset_stays(losses: list[float]) -> None:
    found = steepest([10 ** (-6 + step / 5) for step in range(len(losses))], losses, 2e-5)
    assert found.rate == 2e-5
    assert "2e-05 stays" in found.said


def test_looking_for_a_rate_leaves_weights_moments_and_random_numbers_as_they_were(tiny_model: Path) -> None:
    session, rows = opened(tiny_model, replace(RECIPE, learning="lora", dropout=0.1))  # dropout draws
    optimiser = Optimiser(session.trainable(), Schedule(1e-4, 1, 10), clip=1.0, weight_decay=0.0)
    weights = {name: weight.clone() for name, weight in optimiser.weights().items()}
    random = torch.get_rng_state()
    found = find_rate(session.loss, optimiser, rows, RECIPE, prefix=0, seed=5, seconds=1e6, team=Team())
    assert len(found.rates) > 5
    assert found.losses[0] != found.losses[-1]
    after = optimiser.weights()
    assert all(torch.equal(after[name], weight) for name, weight in weights.items())
    assert optimiser.moments() == {}
    assert torch.equal(torch.get_rng_state(), random)
    assert optimiser.schedule == Schedule(1e-4, 1, 10)


def test_a_killed_run_goes_on_at_the_rate_it_found(tiny_model: Path, tmp_path: Path) -> None:
    whole = trained(tiny_model, tmp_path / "whole")
    with pytest.raises(Killed):
        trained(tiny_model, tmp_path / "cut", killed=True)
    resumed = trained(tiny_model, tmp_path / "cut")
    assert whole.course.rate == resumed.course.rate > RECIPE.learning_rate
    assert all(torch.equal(resumed.weights[name], weight) for name, weight in whole.weights.items())
