"""A linear model of the reward of each action, and two ways to act by it: epsilon-greedy, and Thompson sampling.

Bayesian linear regression, one an action (Agrawal and Goyal 2013): the mean says what is expected, the spread how
little is known. Both ways keep a share of choices to chance, so that tomorrow's log can be learnt from as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainers.common.metrics import Floats, Integers
from trainers.common.policy import policy

GREEDY, THOMPSON = "epsilon-greedy", "Thompson sampling"
_CHUNK = 2_000


@dataclass(frozen=True)
class Rewards:
    """`mean` [actions, features] and `root` [actions, features, features], a root of the covariance."""

    mean: Floats
    root: Floats

    def expected(self, features: Floats) -> Floats:
        """[rows, actions]."""
        return np.asarray(with_one(features) @ self.mean.T)


def with_one(features: Floats) -> Floats:
    """Features with a column of ones in front."""
    return np.hstack([np.ones((len(features), 1)), features])


def learn_rewards(features: Floats, action: Integers, reward: Floats, actions: int) -> Rewards:
    """Each action's rewards from the rows on which it was taken, held back towards the overall mean."""
    inputs, overall = with_one(features), float(reward.mean())
    prior = policy("acting")["thompson"]["prior"]
    size = inputs.shape[1]
    means, roots = np.zeros((actions, size)), np.zeros((actions, size, size))
    for at in range(actions):
        rows, gained = inputs[action == at], reward[action == at] - overall
        precision = rows.T @ rows + prior * np.eye(size)
        covariance = np.linalg.inv(precision)
        mean = covariance @ rows.T @ gained
        noise = float(((gained - rows @ mean) ** 2).sum() / max(1, len(rows) - size)) if len(rows) > size else 0.0
        noise = noise or float(reward.var()) or 1.0
        means[at] = mean
        means[at, 0] += overall
        roots[at] = np.linalg.cholesky(noise * (covariance + covariance.T) / 2)
    return Rewards(means, roots)


def acts(rewards: Rewards, features: Floats, way: str, seed: int) -> Floats:
    """The probability of each action [rows, actions] by one of the two ways."""
    rules = policy("acting")
    actions = len(rewards.mean)
    explore = float(rules["explore"])
    if way == GREEDY:
        best = rewards.expected(features).argmax(axis=1)
        chosen = np.eye(actions)[best]
    else:
        # The share of draws of the parameters in which an action is best; the same draws for every row.
        generator = np.random.default_rng(seed)
        draws = generator.normal(size=(rules["thompson"]["draws"], actions, rewards.mean.shape[1]))
        parameters = rewards.mean + np.einsum("afg,dag->daf", rewards.root, draws)
        chosen = np.empty((len(features), actions))
        inputs = with_one(features)
        for start in range(0, len(inputs), _CHUNK):
            part = inputs[start : start + _CHUNK]
            best = np.einsum("rf,daf->rda", part, parameters).argmax(axis=2)
            chosen[start : start + _CHUNK] = np.stack([(best == at).mean(axis=1) for at in range(actions)], axis=1)
    return np.asarray((1 - explore) * chosen + explore / actions)


def always(action: int, rows: int, actions: int) -> Floats:
    """One action on every row."""
    found = np.zeros((rows, actions))
    found[:, action] = 1.0
    return found
