"""Whether a log can judge another policy: its probabilities add up, and chance tried what the policy would do.

Where every action can be chosen on every row, one over the probability, summed over the rows on which an action was
taken, gives the number of rows (Horvitz and Thompson 1952). More is impossible; less means that the action was never
possible on some rows, where nothing but the model speaks for it.
"""

from __future__ import annotations

import numpy as np

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.records.run import GateVerdict
from trainers.common.metrics import Floats
from trainers.common.policy import policy
from trainers.common.verdict import nothing_shown
from trainers.logged.log import UNIFORM, Log
from trainers.logged.values import Seen, effective_rows


def check_probabilities(log: Log) -> None:
    """Raise `BadInput` for probabilities that cannot be those of the choices, or that left nothing to chance."""
    rules, rows = policy("acting")["propensity"], len(log.action)
    weights = 1 / log.propensity
    stands_for = [np.where(log.action == at, weights, 0.0) for at in range(len(log.actions))]
    for name, each in zip(log.actions, stands_for, strict=True):
        over = float(each.mean()) - 1
        if over > max(rules["off"], rules["standard_errors"] * float(each.std()) / rows**0.5):
            raise _too_small(log, name, float((each > 0).mean()), over)
    if sum(float(each.mean()) for each in stands_for) < 1 + rules["off"]:
        raise BadInput(
            f"By column {plain(log.columns.propensity, 60)} every choice was as good as certain.",
            where=plain(log.columns.propensity, 60),
            why="Where nothing is left to chance no row tells what another action would have earned.",
            fix="Log the probability that the action was chosen; if a rule chose, let chance choose on a few per cent "
            "of cases first.",
            code="no-chance",
        )


def _too_small(log: Log, name: str, share: float, over: float) -> BadInput:
    due = f"{over + 1:.2g} times the rows there are"
    if log.columns.propensity == UNIFORM:
        return BadInput(
            f"The actions were not drawn alike: {plain(name, 60)} was taken on {share:.0%} of the rows, and "
            f"1 in {len(log.actions)} was due.",
            where="plan.yaml: settings.propensity",
            why="Each row is weighed by one over the probability of its choice.",
            fix="Name the column that holds it: train-or-not plan CASE --setting propensity=COLUMN",
            code="bad-propensity",
        )
    return BadInput(
        f"The probabilities do not add up: the rows on which {plain(name, 60)} was taken stand for {due}.",
        where=plain(log.columns.propensity, 60),
        why="One over the probability of a choice says for how many rows it stands; together they cannot be more than "
        "all. These are too small, or they are those of another action than the one that was taken.",
        fix="Log the probability of the action that was chosen, at the moment it was chosen.",
        code="bad-propensity",
    )


def judged_by_the_log(verdict: GateVerdict, seen: Seen, policies: dict[str, Floats]) -> GateVerdict:
    """The verdict, or that the sealed rows do not hold what one of the compared `policies` would do.

    `policies` gives, by name, the chance of each action on each sealed row [rows, actions].
    """
    reason = next((text for name, shares in policies.items() if (text := _unjudged(seen, name, shares))), "")
    if not reason:
        return verdict
    return nothing_shown(verdict, f"This log cannot show that training earned its place: {reason}")


def _unjudged(seen: Seen, name: str, shares: Floats) -> str:
    weights, rules = seen.weights(shares), policy("acting")
    held, unsure = float(weights.mean()), float(weights.std()) / len(weights) ** 0.5
    effective, fewest = effective_rows(weights), rules["effective"]["fewest"]
    if 1 - held > max(rules["propensity"]["off"], rules["propensity"]["standard_errors"] * unsure):
        return (
            f"it holds {held:.0%} of what {name} would do, and nothing but a model speaks for the rest. Let chance "
            "choose there on a few per cent of cases, and log how likely each choice was."
        )
    if effective < fewest:
        return (
            f"{effective:.0f} sealed rows' worth of evidence stand behind what {name} would earn, and {fewest} are the "
            "least. Log for longer, or let chance choose more often."
        )
    return ""
