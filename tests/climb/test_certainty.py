"""Every interval that a climb prints holds the truth about as often as it says: simulated."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from trainers.climb.certainty import gain_interval, items_to_tell, mean_interval
from trainers.common.intervals import wilson
from trainers.common.sequential import bounds, even_looks, repeated_interval

RATES = (0.5, 0.65, 0.8, 0.9, 0.95)
Seen = dict[str, list[bool]]


def simulated(items: int, rate: float, runs: int) -> Seen:
    """Whether each kind of interval held the truth, run by run."""
    generator = np.random.default_rng(items * 1000 + round(rate * 100))
    held: Seen = defaultdict(list)
    for _ in range(runs):
        right = (generator.random(items) < rate).astype(float)
        _, low, high = mean_interval(right)
        held["right or wrong"].append(low <= rate <= high)
        _, low, high = mean_interval(generator.beta(4 * rate, 4 * (1 - rate), items))
        held["shares"].append(low <= rate <= high)
        rare = generator.random(items) < 0.2
        if 1 < rare.sum() < items - 1:
            rates = np.where(rare, rate - 0.1, rate)
            scores = (generator.random(items) < rates).astype(float)
            _, low, high = mean_interval(scores, classes=rare.astype(str).tolist())
            held["over classes"].append(low <= rate - 0.05 <= high)
        other = np.where(generator.random(items) < 0.3, generator.random(items) < rate - 0.1, right)
        _, low, high = gain_interval(right, other.astype(float))
        held["gain"].append(low <= 0.03 <= high)
        group = np.repeat(np.arange(items // 5), 5)
        shared = np.repeat(generator.beta(5 * rate, 5 * (1 - rate), items // 5), 5)
        grouped = (generator.random(len(group)) < shared).astype(float)
        _, low, high = mean_interval(grouped, groups=group.astype(str).tolist())
        held["groups"].append(low <= rate <= high)
    return held


def judged(sizes: tuple[int, ...], runs: int, slack: float) -> None:
    shares: dict[str, list[float]] = defaultdict(list)
    for items in sizes:
        for rate in RATES:
            for kind, held in simulated(items, rate, runs).items():
                shares[kind].append(float(np.mean(held)))
    for kind, coverage in shares.items():
        print(f"\n{kind}: on average {np.mean(coverage):.1%}, at worst {min(coverage):.1%}")
        assert np.mean(coverage) >= 0.93
        assert min(coverage) >= 0.90 - slack


@pytest.mark.heavy
def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    judged((30, 120), 400, slack=0.03)  # 400 runs tell a coverage to three points


@pytest.mark.heavy
def test_intervals_hold_the_truth_from_thirty_to_five_hundred_items() -> None:
    judged((30, 60, 120, 250, 500), 3_000, slack=0.0)


@pytest.mark.parametrize("rate", [0.5, 0.8, 0.9])
def test_an_interval_after_stopping_early_holds_as_often_as_it_says(rate: float) -> None:
    looks = even_looks(60, 6)
    plan = bounds(0.8, looks)
    known: dict[tuple[int, int], tuple[float, float]] = {}
    generator = np.random.default_rng(7)
    held = naive = 0
    runs = 500
    for right in (generator.random((runs, 60)) < rate).cumsum(axis=1):
        for at, look in enumerate(looks):
            if plan.answer(int(right[look - 1]), look) != "open" or at == len(looks) - 1:
                key = (int(right[look - 1]), at)
                if key not in known:
                    known[key] = repeated_interval(key[0], looks, at)
                held += known[key][0] <= rate <= known[key][1]
                low, high = wilson(key[0], look)
                naive += low <= rate <= high
                break
    print(f"\ntrue {rate}: {held / runs:.1%} hold; Wilson as if nobody had looked: {naive / runs:.1%}")
    assert held / runs >= 0.93


def test_right_or_wrong_scores_get_exactly_wilsons_interval() -> None:
    scores = [1.0] * 17 + [0.0] * 6
    assert mean_interval(scores)[1:] == pytest.approx(wilson(17, 23), abs=0.01)


def test_items_that_belong_together_count_less() -> None:
    scores = [1.0] * 40 + [0.0] * 20
    alone = mean_interval(scores)
    together = mean_interval(scores, groups=[str(at // 10) for at in range(60)])
    assert together[2] - together[1] > 1.5 * (alone[2] - alone[1])


def test_all_right_is_not_certainty() -> None:
    assert mean_interval([1.0] * 20)[1] < 0.9
    assert gain_interval([1.0] * 20, [1.0] * 20)[1] < 0 < gain_interval([1.0] * 20, [1.0] * 20)[2]


def test_how_many_more_examples_would_tell() -> None:
    assert items_to_tell(0.95, 0.9) == pytest.approx(239, abs=2)
    assert items_to_tell(0.9, 0.9) is None
