"""A paid measurement may stop early without lying: simulated, with the naive way beside it."""

from __future__ import annotations

import numpy as np
import pytest

from trainers.common.sequential import (
    Bounds,
    Futility,
    bounds,
    even_looks,
    futility,
    items_needed,
    smallest_visible_difference,
)

ITEMS, REQUIREMENT, RUNS = 200, 0.85, 20_000


def played(rate: float, plan: Bounds, hope: Futility | None = None, seed: int = 0) -> tuple[float, float, float]:
    """Share of runs that answered `meets`, that answered `fails`, and the mean number of items, at a true `rate`.

    With `hope` a run ends without an answer where going on is hardly worth it.
    """
    right = (np.random.default_rng(seed).random((RUNS, plan.looks[-1])) < rate).cumsum(axis=1)
    answers = np.zeros(RUNS)
    stopped = np.full(RUNS, plan.looks[-1])
    running = np.ones(RUNS, dtype=bool)
    limits = hope.limits if hope else (-1,) * len(plan.looks)
    for look, upper, lower, limit in zip(plan.looks, plan.upper, plan.lower, limits, strict=True):
        meets, fails = running & (right[:, look - 1] >= upper), running & (right[:, look - 1] <= lower)
        left = running & (right[:, look - 1] <= limit)
        answers[meets], answers[fails] = 1, -1
        stopped[meets | fails | left] = look
        running &= ~(meets | fails | left)
    return float((answers == 1).mean()), float((answers == -1).mean()), float(stopped.mean())


def naive(looks: tuple[int, ...]) -> Bounds:
    """What a peeking person does: stop at any look where the plain 95 % interval leaves the requirement out."""
    upper, lower = [], []
    for items in looks:
        rates = np.arange(items + 1) / items
        half = 1.96 * np.sqrt(rates * (1 - rates) / items)
        upper.append(int(np.argmax(rates - half > REQUIREMENT)) if (rates - half > REQUIREMENT).any() else items + 1)
        lower.append(int(np.flatnonzero(rates + half < REQUIREMENT)[-1]))
    return Bounds(REQUIREMENT, looks, tuple(upper), tuple(lower), 0.025, "pocock")


@pytest.mark.parametrize("shape", ["pocock", "obrien_fleming"])
def test_at_the_boundary_ten_looks_answer_wrongly_in_at_most_five_of_a_hundred(shape: str) -> None:
    plan = bounds(REQUIREMENT, even_looks(ITEMS, 10), 0.025, shape)  # type: ignore[arg-type]  # both shapes are named
    meets, fails, _ = played(REQUIREMENT, plan)
    peeking = played(REQUIREMENT, naive(even_looks(ITEMS, 10)))
    print(f"\n{shape}: wrong {meets + fails:.1%}; naive peeking {sum(peeking[:2]):.1%}")
    assert meets + fails <= 0.05
    assert sum(peeking[:2]) > 0.2, "the naive way must be shown to be wrong, or this test shows nothing"


@pytest.mark.parametrize(("rate", "right", "items"), [(0.95, 0, 200), (0.75, 1, 400)])
def test_ten_points_away_more_than_half_of_the_calls_are_saved(rate: float, right: int, items: int) -> None:
    plan = bounds(REQUIREMENT, even_looks(items, 10), 0.025)
    answered = played(rate, plan)
    saved = 1 - answered[2] / items
    print(f"\ntrue {rate}, {items} items: right {answered[right]:.1%}, calls saved {saved:.1%}")
    assert answered[1 - right] <= 0.025
    assert answered[right] >= 0.9
    assert saved >= 0.55


@pytest.mark.parametrize("rate", [0.95, 0.75])
def test_what_would_hardly_be_shown_enough_is_left_so_that_both_sides_save_more_than_half(rate: float) -> None:
    plan = bounds(REQUIREMENT, even_looks(ITEMS, 10), 0.025)
    hope = futility(plan)
    assert hope is not None
    meets, _, asked = played(rate, plan, hope)
    alone = played(rate, plan)
    print(f"\ntrue {rate}: {1 - asked / ITEMS:.1%} saved, {1 - alone[2] / ITEMS:.1%} without; meets {meets:.1%}")
    assert 1 - asked / ITEMS >= 0.55
    assert alone[0] - 0.01 <= meets <= alone[0], "leaving early may only cost a little power"


def test_leaving_what_is_hardly_shown_enough_costs_no_more_power_than_it_says_and_claims_nothing() -> None:
    plan = bounds(REQUIREMENT, even_looks(ITEMS, 10), 0.025)
    hope = futility(plan)
    assert hope is not None
    meets, _, _ = played(hope.hoped, plan)
    assert meets == pytest.approx(0.9, abs=0.01)
    assert played(hope.hoped, plan, hope)[0] >= meets - hope.chance
    claimed = played(REQUIREMENT, plan, hope)
    assert claimed[0] + claimed[1] <= 0.05
    assert futility(bounds(0.95, even_looks(20, 10))) is None, "where nothing could be shown, nothing is left early"


def test_certain_answers_come_as_soon_as_they_are_certain_and_not_before() -> None:
    plan = bounds(REQUIREMENT, (20, 40, 200))
    assert plan.answer(20, 20) == "open"
    assert plan.answer(40, 40) == "meets"
    assert plan.answer(5, 20) == "fails"
    assert plan.answer(170, 200) == "undecided"


@pytest.mark.parametrize("looks", [(), (10, 10), (10, 5)])
def test_looks_that_do_not_rise_are_refused(looks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must rise"):
        bounds(0.5, looks)


def test_what_a_set_can_see_and_what_a_difference_needs_are_inverse_to_each_other() -> None:
    for difference in (0.03, 0.05, 0.10):
        needed = items_needed(difference)
        assert smallest_visible_difference(needed) == pytest.approx(difference, rel=0.01)
    assert (items_needed(0.10), items_needed(0.05)) == (150, 621)
