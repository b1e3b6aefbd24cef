"""When may a paid measurement stop?  Exact group-sequential tests of one success rate against a requirement.

Looking at a running score and stopping when it looks good enough is wrong in more than a quarter of borderline cases
(ten looks at a nominal 2.5 % a side; simulated in the tests). Here each look spends a part of the allowed error, and
the bounds are found from the exact binomial distribution of the paths that have not stopped yet, so that the whole
error stays below the stated one however often one looks.

Sources: Jennison and Turnbull, Group Sequential Methods (1999), chapters 2 and 12; Lan and DeMets, Biometrika 70 (1983)
for the spending functions; Pocock's and O'Brien and Fleming's shapes as given there; Lan, Simon and Halperin (1982) for
stopping where a success has become unlikely.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm

Shape = Literal["pocock", "obrien_fleming"]
Answer = Literal["meets", "fails", "futile", "open", "undecided"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where to stop: at look k after `looks[k]` items, `meets` from `upper[k]` successes on, `fails` up to `lower[k]`.

    A bound that cannot be reached is `looks[k] + 1` above and -1 below.
    """

    requirement: float
    looks: tuple[int, ...]
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    alpha: float
    shape: Shape

    def answer(self, successes: int, items: int) -> Answer:
        """What is certain after `items` items with `successes` right? `undecided` only at the last look."""
        if items in self.looks:
            at = self.looks.index(items)
            if successes >= self.upper[at]:
                return "meets"
            if successes <= self.lower[at]:
                return "fails"
        if items >= self.looks[-1]:
            return "undecided"
        return "open"


def even_looks(items: int, count: int) -> tuple[int, ...]:
    """`count` looks spread evenly over `items`, the last one at the end; fewer when there are fewer items."""
    return tuple(sorted({max(1, round(items * k / count)) for k in range(1, count + 1)}))


def spending(alpha: float, shape: Shape) -> Callable[[float], float]:
    """How much of `alpha` may be spent by the information fraction t in (0, 1]; Lan and DeMets (1983)."""
    if shape == "pocock":
        return lambda t: alpha * math.log(1 + (math.e - 1) * t)
    quantile = float(norm.ppf(1 - alpha / 2))
    return lambda t: 2 * (1 - float(norm.cdf(quantile / math.sqrt(t))))


@lru_cache(maxsize=256)
def bounds(requirement: float, looks: tuple[int, ...], alpha: float = 0.025, shape: Shape = "pocock") -> Bounds:
    """The exact stopping bounds for "is the success rate above `requirement`?", with error `alpha` on each side.

    `looks` are the item counts at which one looks, rising; `requirement` lies strictly between 0 and 1. The chance of
    answering `meets` when the true rate is the requirement or less is at most `alpha`, and likewise for `fails`.
    Raises `ValueError` for anything else.
    """
    if not 0 < requirement < 1 or not looks or any(b <= a for a, b in itertools.pairwise(looks)):
        raise ValueError(f"requirement {requirement} must lie in (0, 1) and looks {looks} must rise")
    allowed = spending(alpha, shape)
    upper, lower = [], []
    # Mass of the paths still running, by number of successes, once for each side: a path that one side would have
    # stopped still counts for the other, which keeps each side's error below alpha whatever the other does.
    for_upper = for_lower = np.ones(1)
    spent_above = spent_below = 0.0
    before = 0
    for count in looks:
        step = binom.pmf(np.arange(count - before + 1), count - before, requirement)
        for_upper, for_lower = np.convolve(for_upper, step), np.convolve(for_lower, step)
        budget = allowed(count / looks[-1])
        top = _first_affordable(for_upper[::-1], budget - spent_above)
        bottom = _first_affordable(for_lower, budget - spent_below)
        upper.append(count + 1 - top)
        lower.append(bottom - 1)
        spent_above += float(for_upper[count + 1 - top :].sum())
        spent_below += float(for_lower[:bottom].sum())
        for_upper, for_lower = for_upper.copy(), for_lower.copy()
        for_upper[count + 1 - top :] = 0.0
        for_lower[:bottom] = 0.0
        before = count
    return Bounds(requirement, tuple(looks), tuple(upper), tuple(lower), alpha, shape)


@dataclass(frozen=True, slots=True)
class Futility:
    """Where going on is hardly worth it: at look k with at most `limits[k]` successes.

    Even at the rate `hoped` from there on, the chance to be shown to meet the requirement is `chance` or less.
    """

    hoped: float
    limits: tuple[int, ...]
    chance: float


@lru_cache(maxsize=256)
def futility(plan: Bounds, power: float = 0.9, chance: float = 0.1) -> Futility | None:
    """The non-binding futility bound of a plan, or None when no rate short of 1 is shown to meet it with `power`.

    `hoped` is the lowest rate that the plan shows to meet the requirement with that power. Stopping here claims
    nothing, so the errors of `bounds` stay below `alpha`, and whoever goes on may; the power at `hoped` falls by at
    most `chance` times the share that stops. Stochastic curtailment (Lan, Simon and Halperin, Communications in
    Statistics C 1, 1982; Jennison and Turnbull 1999, chapter 10).
    """
    low, high = plan.requirement, 1.0 - 1e-6
    if _chances(plan, high)[0] < power:
        return None
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (low, middle) if _chances(plan, middle)[0] >= power else (middle, high)
    going_on = _chances(plan, high)[1]
    limits = tuple(int(np.searchsorted(chances, chance, side="right")) - 1 for chances in going_on)
    return Futility(high, (*limits[:-1], -1), chance)


def _chances(plan: Bounds, rate: float) -> tuple[float, list[NDArray[np.float64]]]:
    """The chance of `meets` at a true rate: in all, and at each look by the successes so far when it goes on."""
    reached = np.zeros(plan.looks[-1] + 1)
    going_on = [reached]
    for at in range(len(plan.looks) - 1, -1, -1):
        value = going_on[0].copy()
        value[plan.upper[at] :] = 1.0
        before = plan.looks[at - 1] if at else 0
        step = binom.pmf(np.arange(plan.looks[at] - before + 1), plan.looks[at] - before, rate)
        going_on.insert(0, np.correlate(value, step, mode="valid"))
    return float(going_on[0][0]), going_on[1:]


def repeated_interval(
    successes: int, looks: tuple[int, ...], at: int, alpha: float = 0.025, shape: Shape = "pocock"
) -> tuple[float, float]:
    """The interval of a success rate after the look number `at`, from 0, which holds however often one has looked.

    All rates that the exact group-sequential test would not have ruled out at this look: the repeated confidence
    interval of Jennison and Turnbull (1999, chapter 9). At least 1 - 2 `alpha` of such intervals hold the true rate at
    every look at once, so stopping early does not narrow it.
    """
    items = looks[at]

    def ruled_out_below(rate: float) -> bool:
        return successes >= bounds(rate, looks, alpha, shape).upper[at]

    def ruled_out_above(rate: float) -> bool:
        return successes <= bounds(rate, looks, alpha, shape).lower[at]

    share = successes / items
    low = _edge(ruled_out_below, 0.0, share) if successes else 0.0
    high = _edge(ruled_out_above, 1.0, share) if successes < items else 1.0
    return low, high


def _edge(ruled_out: Callable[[float], bool], outside: float, inside: float) -> float:
    """The rate furthest from `inside` that is not ruled out, to a ten-thousandth, by bisection."""
    while abs(outside - inside) > 1e-4:
        middle = (outside + inside) / 2
        if ruled_out(middle):
            outside = middle
        else:
            inside = middle
    return outside


def _first_affordable(mass_from_the_edge: NDArray[np.float64], budget: float) -> int:
    """How many outcomes, counted from the edge, fit into the budget of error."""
    return int(np.searchsorted(np.cumsum(mass_from_the_edge), budget, side="right"))


def smallest_visible_difference(items: int, discordant: float = 0.2, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest difference in success rates that `items` paired items can show, given the share they disagree on.

    Solves n = (z_alpha/2 + z_power)² (d - δ²) / δ² for δ; Miller, arXiv:2411.00640, section 5. At most `discordant`.
    """
    z = float(norm.ppf(1 - alpha / 2) + norm.ppf(power))
    return min(discordant, z * math.sqrt(discordant / (items + z * z)))


def items_needed(difference: float, discordant: float = 0.2, power: float = 0.8, alpha: float = 0.05) -> int:
    """How many paired items show a `difference` in success rates; the inverse of `smallest_visible_difference`."""
    z = float(norm.ppf(1 - alpha / 2) + norm.ppf(power))
    return math.ceil(z * z * (discordant - difference**2) / difference**2)


def simultaneous_alpha(alpha: float, rungs: int) -> float:
    """The error each of several rungs may spend when more than one goes to the sealed part (Bonferroni)."""
    return alpha / max(1, rungs)
