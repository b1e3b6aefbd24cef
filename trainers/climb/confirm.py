"""One rung meets the sealed examples, once: the only test that the recommendation rests on."""

from __future__ import annotations

from collections.abc import Callable

from scipy.stats import binomtest

from advisor.base.errors import Problem
from advisor.records.run import Score
from trainers.climb.certainty import items_to_tell
from trainers.climb.clock import Clock
from trainers.climb.measure import ERROR, FEWEST_ANSWERS, Measured, ask, exact, score_interval
from trainers.climb.task import Task
from trainers.common.sequential import simultaneous_alpha

Confirmed = tuple[bool, Score | None, str, tuple[str, ...]]


def confirm(
    chosen: Measured | None,
    task: Task,
    requirement: float | None,
    opened: Callable[[str], int],
    clock: Clock | None = None,
    workers: int = 1,
) -> Confirmed:
    """Whether the sealed part agrees, its score, the verdict in words, and what a reader must know beside it.

    The rung was chosen on other examples, and is the only one that gets here, so the test needs no correction. Where
    earlier climbs of the case opened the same part, each look gets its share of the error (Bonferroni). A rung that
    takes long is asked until the `clock` is at its end, but never fewer examples than tell anything.
    """
    if chosen is None:
        return False, None, "No rung measured so far is surely enough.", ()
    name, rung = chosen.rung.name, chosen.rung
    sealed, wanted = Measured(rung, task), task.asked(task.sealed, costs=rung.paid or rung.slow)
    clock = clock if clock and (rung.paid or rung.slow) else Clock()
    clock.keep(0.0)  # what was kept for this may be used now
    clock.share_out()
    try:
        ask(sealed, wanted[:FEWEST_ANSWERS], workers, Clock())
        ask(sealed, wanted[FEWEST_ANSWERS:], workers, clock)
    except Problem as problem:
        enough = len(sealed.scores) >= min(FEWEST_ANSWERS, len(wanted))
        if problem.code != "time-reached" or not enough:
            return False, None, f"{name} looked enough, but could not be confirmed: {problem.what}", ()
    items, scores = sealed.items, sealed.scores
    opening = opened(name)
    value, low, high, method = sealed.interval()
    count = len(scores)
    score = Score(task.metric.name, value, low, high, count, 1 - ERROR, f"sealed examples, {method}")
    told = f"{task.metric.title} {value:.1%} on {count} sealed examples (95 %: {low:.1%} to {high:.1%})"
    notes = () if opening == 1 else (_opened_before(opening),)
    if requirement is None:
        return True, score, f"The cheapest within noise of the best: {name}, {told}.", notes
    error = simultaneous_alpha(ERROR, opening)
    if exact(task):
        passed = binomtest(round(sum(scores)), count, requirement, alternative="greater").pvalue <= error
    else:
        passed = score_interval(task, items, scores, 1 - 2 * error)[1] >= requirement
    if passed:
        return True, score, f"The cheapest rung that is enough: {name}, {told}, required {requirement:.0%}.", notes
    if high < requirement:
        text = f"{name} met {requirement:.0%} where it was chosen, but not on sealed examples: {told}."
        return False, score, text, notes
    needed = items_to_tell(value, requirement)
    more = f"about {needed:,} sealed examples would, there are {count}" if needed and needed > count else "it is close"
    text = f"{name} met {requirement:.0%} where it was chosen; the sealed examples do not prove it ({more}): {told}."
    return False, score, text, notes


def _opened_before(opening: int) -> str:
    return (
        f"The sealed part was opened {opening} times in this case, so each look must be {opening} times as sure. "
        "Examples collected since would give a fresh one."
    )
