"""What another policy would have earned, estimated on the log of today's: with weights, with a model, with both.

Inverse propensity (Horvitz and Thompson 1952), self-normalised (Swaminathan and Joachims 2015), direct method, doubly
robust (Dudík, Langford and Li 2011). A policy is a matrix of probabilities [rows, actions].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainers.common.metrics import Floats, Integers, Metric, Output


def _mean_of_numbers(truth: Floats, output: Output, weights: Floats) -> Floats:
    if output.numbers is None:
        raise TypeError("this metric reads numbers")
    return np.asarray(weights @ output.numbers / weights.sum(axis=1))


# The mean of each row's part in an estimated value; the truth is in those parts already.
REWARD = Metric("reward", "reward per decision", True, (), "numbers", _mean_of_numbers)


@dataclass(frozen=True)
class Seen:
    """Some rows of a log with a model's expectation of each action [rows, actions]."""

    action: Integers
    reward: Floats
    propensity: Floats
    expected: Floats

    def weights(self, policy: Floats) -> Floats:
        """How much likelier the policy is than today's to have done what was done."""
        return np.asarray(policy[np.arange(len(self.action)), self.action] / self.propensity)

    def doubly_robust(self, policy: Floats) -> Floats:
        """Each row's part: what the model expects of the policy, put right by what it missed on the action taken."""
        missed = self.reward - self.expected[np.arange(len(self.action)), self.action]
        return np.asarray((policy * self.expected).sum(axis=1) + self.weights(policy) * missed)

    def estimates(self, policy: Floats) -> dict[str, float]:
        """The policy's value by each method, and Kish's effective number of rows behind the weights."""
        weights = self.weights(policy)
        total = max(float(weights.sum()), 1e-12)
        return {
            "inverse_propensity": float((weights * self.reward).mean()),
            "self_normalised": float((weights * self.reward).sum() / total),
            "direct": float((policy * self.expected).sum(axis=1).mean()),
            "doubly_robust": float(self.doubly_robust(policy).mean()),
            "effective_rows": effective_rows(weights),
        }


def effective_rows(weights: Floats) -> float:
    """Kish's effective number of rows behind some weights [rows] (Kish 1965, Survey Sampling)."""
    return float(weights.sum() ** 2 / max(float((weights**2).sum()), 1e-12))
