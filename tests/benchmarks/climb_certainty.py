"""Are the verdicts and the intervals of a climb as sure as they say?  Simulated, in one table.

    python tests/benchmarks/climb_certainty.py [--runs 2000]

Asked for: coverage at least 93 % on average over true scores from .5 to .95 and nowhere below 90 %, for 30 to 500
items; wrong verdicts at the boundary at most 5 % with ten looks; at least 55 % of the calls saved when the truth is ten
points above the requirement or ten below; at most 5 % wrong recommendations over five rungs that sit exactly at it.

Ten points below, a test that always ends in a verdict cannot save as much (Wald 1945: it needs ln(1/0.025) over the
Kullback-Leibler divergence of .75 from .85 on average, 109 calls of 200; measured 48 %). So a rung is also left, with
no verdict, once it would hardly be shown to be enough; the column `left` is the share of those. Beside it stands
peeking: the textbook interval, p and 1.96 standard errors, looked at as often, believed at once.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.climb.test_certainty import RATES, simulated
from tests.climb.test_ladder import familywise
from trainers.climb.measure import CHANCE, POWER
from trainers.common.sequential import bounds, even_looks, futility, repeated_interval

SIZES = (30, 60, 120, 250, 500)
ITEMS, REQUIRED, LOOKS = 200, 0.85, 10


def coverage(runs: int) -> bool:
    shares: dict[str, dict[tuple[int, float], float]] = defaultdict(dict)
    for items in SIZES:
        for rate in RATES:
            for kind, held in simulated(items, rate, runs).items():
                shares[kind][items, rate] = float(np.mean(held))
    print(f"\nCoverage of the intervals that say 95 %, {runs:,} runs a cell, true scores {RATES}")
    print(f"  {'interval':16}" + "".join(f"{f'n={items}':>9}" for items in SIZES) + f"{'all':>9}{'worst':>9}")
    fine = True
    for kind, cells in shares.items():
        by_size = [np.mean([cells[items, rate] for rate in RATES]) for items in SIZES]
        average, worst = float(np.mean(list(cells.values()))), min(cells.values())
        print(f"  {kind:16}" + "".join(f"{share:9.1%}" for share in by_size) + f"{average:9.1%}{worst:9.1%}")
        fine = fine and average >= 0.93 and worst >= 0.90
    return fine


def peeks_wrong(right: int, items: int) -> bool:
    share = right / items
    return abs(share - REQUIRED) > 1.96 * math.sqrt(share * (1 - share) / items)


def stopping(runs: int) -> bool:
    looks = even_looks(ITEMS, LOOKS)
    plan = bounds(REQUIRED, looks)
    hope = futility(plan, POWER, CHANCE)
    assert hope is not None
    generator = np.random.default_rng(11)
    print(f"\nStopping early: required {REQUIRED:.0%}, at most {ITEMS} calls, {LOOKS} looks, {runs:,} runs")
    print(f"  {'truth':>6}{'wrong':>9}{'peeking, wrong':>16}{'calls':>8}{'saved':>8}{'left':>7}{'interval holds':>16}")
    fine, known = True, dict[tuple[int, int], tuple[float, float]]()
    for truth in (REQUIRED, REQUIRED + 0.1, REQUIRED - 0.1, REQUIRED - 0.15):
        wrong = naive = calls = held = left = 0
        for right in (generator.random((runs, ITEMS)) < truth).cumsum(axis=1):
            said = {look: plan.answer(int(right[look - 1]), look) for look in looks}
            hopeless = {look: right[look - 1] <= limit for look, limit in zip(looks, hope.limits, strict=True)}
            stop = next((look for look in looks if said[look] in ("meets", "fails") or hopeless[look]), looks[-1])
            left += said[stop] not in ("meets", "fails") and hopeless[stop]
            calls += stop
            false = {"meets", "fails"} if truth == REQUIRED else {"fails" if truth > REQUIRED else "meets"}
            wrong += said[stop] in false
            key = (int(right[stop - 1]), looks.index(stop))
            if key not in known:
                known[key] = repeated_interval(key[0], looks, key[1])
            held += known[key][0] <= truth <= known[key][1]
            naive += truth == REQUIRED and any(peeks_wrong(int(right[look - 1]), look) for look in looks)
        saved = 1 - calls / runs / ITEMS
        peeking = f"{naive / runs:.1%}" if truth == REQUIRED else ""
        row = f"  {truth:6.0%}{wrong / runs:9.1%}{peeking:>16}{calls / runs:8.0f}{saved:8.0%}{left / runs:7.0%}"
        print(f"{row}{held / runs:16.1%}")
        spared = truth == REQUIRED or saved >= 0.55
        fine = fine and wrong / runs <= 0.05 and spared and held / runs >= 0.93
    return fine


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=2000)
    runs = options.parse_args().runs
    fine = coverage(runs) & stopping(runs)
    wrong, hasty = familywise(max(100, runs // 4))
    print("\nFive rungs exactly at the requirement")
    print(f"  recommended after the sealed part {wrong:.1%}; picked before it {hasty:.1%}")
    fine = fine and wrong <= 0.05
    print("\nAll as asked for." if fine else "\nNOT as asked for.")
    raise SystemExit(not fine)


if __name__ == "__main__":
    main()
