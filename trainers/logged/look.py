"""What a person wants to know of a policy besides its worth: would a longer log help, and can the log judge it at all.

The model's own questions are asked of rows of the training part that it has not seen; overlap and misses of the sealed.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from advisor.base.safetext import plain
from trainers.classical.calibration import calibration_bins
from trainers.classical.diagnostics import errors_of
from trainers.classical.slices import errors_by_part
from trainers.common.account import shares_of, time_is_up
from trainers.common.intervals import rough_interval
from trainers.common.metrics import Floats, Integers, Output
from trainers.common.policy import policy
from trainers.logged.bandits import acts, learn_rewards
from trainers.logged.log import Log
from trainers.logged.values import REWARD, Seen
from trainers.unsupervised.lenses import TableLens
from trainers.unsupervised.telling import table


def look(
    log: Log,
    lens: TableLens | None,
    features: Floats,
    fold: tuple[Integers, Integers],
    way: str,
    seed: int,
    seconds: float,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Learning curve, train-validation gap and what the choice leans on, on one fold; why what is lacking."""
    end = time.monotonic() + seconds
    train, rest = fold
    order = np.random.default_rng(seed).permutation(train)
    points, took = [], 0.0
    for count in [*shares_of(len(train), policy("acting")["limits"]["fewest_rows"] // 2), len(train)]:
        if time.monotonic() + 2 * took > end:
            return {}, time_is_up("learning_curve", "train_validation_gap", "importance")
        started = time.monotonic()
        points.append(_point(count, _worth(log, features, order[:count], rest, rest, way, seed), seed))
        took = time.monotonic() - started
    known = float(_worth(log, features, train, train, train, way, seed).mean())
    found: dict[str, Any] = {
        "train_validation_gap": {
            "train": known,
            "validation": points[-1]["value"],
            "gap": REWARD.gain(known, points[-1]["value"]),
        }
    }
    if len(points) > 1:
        found["learning_curve"] = points
    if lens is None:
        return found, {}
    drivers = _leans_on(log, lens, features, fold, way, seed, end)
    return found | {"importance": drivers}, {} if drivers else time_is_up("importance")


def _worth(
    log: Log, features: Floats, train: Integers, rest: Integers, acting_on: Integers, way: str, seed: int
) -> Floats:
    """Each row's part in the worth of acting on `rest` by a model of `train`, doubly robust."""
    rewards = learn_rewards(features[train], log.action[train], log.reward[train], len(log.actions))
    seen = Seen(log.action[rest], log.reward[rest], log.propensity[rest], rewards.expected(features[rest]))
    return seen.doubly_robust(acts(rewards, features[acting_on], way, seed))


def _point(count: int, parts: Floats, seed: int) -> dict[str, float]:
    rows = len(parts)
    shown = rough_interval(REWARD, np.zeros(rows), Output(numbers=parts), np.arange(rows), seed)
    return {"rows": float(count), **shown}


def _leans_on(
    log: Log,
    lens: TableLens,
    features: Floats,
    fold: tuple[Integers, Integers],
    way: str,
    seed: int,
    end: float,
) -> list[dict[str, Any]]:
    """How much less acting is worth when the policy is shown one column of other rows, largest fall first."""
    train, rest = fold
    rewards = learn_rewards(features[train], log.action[train], log.reward[train], len(log.actions))
    seen = Seen(log.action[rest], log.reward[rest], log.propensity[rest], rewards.expected(features[rest]))
    whole = float(seen.doubly_robust(acts(rewards, features[rest], way, seed)).mean())
    context, order = log.context.iloc[rest], np.random.default_rng(seed).permutation(len(rest))
    found = []
    for name in lens.columns():
        if time.monotonic() > end:
            return []
        other = context.copy()
        other[name] = context[name].to_numpy()[order]
        worth = float(seen.doubly_robust(acts(rewards, lens.features(other), way, seed)).mean())
        found.append({"column": plain(name, 80), "fall": whole - worth, "spread": 0.0})
    return sorted(found, key=lambda one: -one["fall"])


def held_against_sealed(seen: Seen, actions: tuple[str, ...]) -> dict[str, Any]:
    """What the model expected of the actions taken on the sealed rows, and what came; by action too."""
    expected = seen.expected[np.arange(len(seen.action)), seen.action]
    found = errors_of(seen.reward, Output(numbers=expected), ())
    if set(np.unique(seen.reward)) <= {0.0, 1.0}:
        found["calibration"] = calibration_bins(seen.reward, expected, np.ones(len(expected)))
    missed = np.abs(expected - seen.reward)
    return found | {
        "slices": errors_by_part("action", [(name, seen.action == at) for at, name in enumerate(actions)], missed)
    }


def overlap(seen: Seen, policy_shares: Floats, effective_rows: float) -> dict[str, Any]:
    """Whether the log holds what the new policy would do: how far its choices are from today's, row by row."""
    weights, rules = seen.weights(policy_shares), policy("acting")["overlap"]
    lines: list[list[Any]] = [
        ["Sealed rows", len(weights)],
        ["Rows' worth of evidence (Kish)", round(effective_rows, 1)],
        ["Share of the evidence that is left", f"{effective_rows / max(1, len(weights)):.0%}"],
        ["Share of the policy that the log holds (100 % where each action was possible)", f"{weights.mean():.0%}"],
        [
            f"Rows on which today's action is one the policy would hardly take (weight below {rules['hardly']:g})",
            f"{(weights < rules['hardly']).mean():.0%}",
        ],
        ["Least probability of an action taken today", round(float(seen.propensity.min()), 4)],
        ["Largest weight of one row", round(float(weights.max()), 2)],
        [
            f"Share of all weight on the heaviest {rules['heaviest']:.0%} of the rows",
            f"{_heaviest(weights, rules['heaviest']):.0%}",
        ],
    ]
    return table("Can this log judge the new policy?", ["What", "Value"], lines)


def _heaviest(weights: Floats, share: float) -> float:
    most = np.sort(weights)[::-1][: max(1, int(len(weights) * share))]
    return float(most.sum() / max(float(weights.sum()), 1e-12))
