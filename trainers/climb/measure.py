"""Measure one rung on the development part: in batches, stopping as soon as its verdict is certain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal

from advisor.base.errors import BudgetReached
from advisor.base.llm import AttemptFailed
from trainers.climb.certainty import mean_interval
from trainers.climb.clock import Clock
from trainers.climb.policy import count, figure
from trainers.climb.rungs import Rung, Said
from trainers.climb.task import Item, Task
from trainers.common.sequential import Answer as Verdict
from trainers.common.sequential import bounds, even_looks, futility, repeated_interval

LOOKS, FEW_LOOKS = count("certainty", "looks"), count("certainty", "few_looks")
ERROR = figure("certainty", "error")
FEWEST_ANSWERS = count("time", "fewest_answers")
POWER, CHANCE = figure("certainty", "hoped_power"), figure("certainty", "futile_chance")


@dataclass
class Measured:
    """What a rung said to each item so far, in the order asked, and the certain answer if there is one."""

    rung: Rung
    task: Task
    items: list[Item] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    read: list[str | None] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    verdict: Verdict = "open"
    looks: tuple[int, ...] = ()
    stopped_early: bool = False
    cut_short: int = 0  # how many were to be asked, where the time was over before
    trouble: str = ""

    @property
    def tells(self) -> bool:
        """Whether there are answers enough to compare this rung by, and nothing went wrong."""
        return not self.trouble and (not self.cut_short or len(self.scores) >= FEWEST_ANSWERS)

    @property
    def usd(self) -> Decimal:
        return sum((said.usd for said in self.said), Decimal(0))

    def interval(self) -> tuple[float, float, float, str]:
        """The score by the task's measure, its 95 % interval, and how that was found."""
        count = len(self.scores)
        if exact(self.task) and count in self.looks:
            low, high = repeated_interval(round(sum(self.scores)), self.looks, self.looks.index(count), ERROR / 2)
            return sum(self.scores) / count, low, high, f"exact, holds for all {len(self.looks)} looks"
        among = max(1, len(self.looks))
        value, low, high = score_interval(self.task, self.items, self.scores, 1 - ERROR / among)
        method = "Wilson" if exact(self.task) else "Wilson, by effective size"
        method += ", combined over classes" if self.task.metric.per_class else ""
        method = "Rogan and Gladen, corrected by people's verdicts" if self.task.judge else method
        return value, low, high, method + (f", holds for all {among} looks" if among > 1 else "")


def score_interval(
    task: Task, items: Sequence[Item], scores: Sequence[float], confidence: float
) -> tuple[float, float, float]:
    """The score of a task's items by its measure and its interval; where a model judged them, corrected by people."""
    found = mean_interval(scores, classes=task.classes(items), groups=task.groups(items), confidence=confidence)
    if task.judge is None or task.judge.trust is None:
        return found
    units = len(set(groups)) if (groups := task.groups(items)) else len(items)
    return task.judge.trust.corrected(found[0], units, confidence)


def exact(task: Task) -> bool:
    """Whether scores are independent rights and wrongs, so that the exact sequential test applies."""
    return task.metric.right_or_wrong and not task.metric.per_class and not any(i.group for i in task.development)


def measure(
    rung: Rung,
    task: Task,
    requirement: float | None,
    *,
    workers: int = 1,
    shown: Callable[[Measured], None] = lambda measured: None,
    clock: Clock | None = None,
) -> Measured:
    """Ask a rung about the development items until its verdict on `requirement` is certain, or the items end.

    Rungs that cost nothing per answer see every item. A cap on money or time stops the rung and is raised again, after
    `shown` was given what was measured so far. One that has used up its share of the `clock` stands at its answers so
    far, if those are enough to say anything: which items were asked does not depend on how they were answered.
    """
    measured, clock = Measured(rung, task), clock or Clock()
    items = task.asked(task.development, costs=rung.paid or rung.slow)
    early = requirement is not None and rung.paid
    looks = even_looks(len(items), LOOKS if exact(task) else FEW_LOOKS) if early else ()
    measured.looks = looks
    before = 0
    for look in even_looks(len(items), LOOKS) if not early else looks:
        try:
            ask(measured, items[before:look], workers, clock if rung.paid or rung.slow else Clock())
        except (BudgetReached, AttemptFailed) as problem:
            measured.trouble = problem.what
            measured.looks = ()
            shown(measured)
            if isinstance(problem, BudgetReached):
                raise
            return measured
        before = look
        if len(measured.scores) < look:
            measured.cut_short = len(items)
            if requirement is not None and measured.scores:
                measured.verdict = _verdict(measured, requirement, last=True)
            shown(measured)
            break
        if requirement is not None and (early or look == len(items)):
            measured.verdict = _verdict(measured, requirement, last=look == len(items))
        shown(measured)
        if early and measured.verdict in ("meets", "fails", "futile") and look < len(items):
            measured.stopped_early = True
            break
    return measured


def _verdict(measured: Measured, requirement: float, *, last: bool) -> Verdict:
    """Whether the rung surely meets or fails the requirement, with error at most 2.5 % a side over all looks.

    `futile` claims neither: it would hardly be shown to meet the requirement, so its other calls are saved.
    """
    if exact(measured.task) and len(measured.scores) in measured.looks:
        rule = bounds(requirement, measured.looks, ERROR / 2)
        right, asked = round(sum(measured.scores)), len(measured.scores)
        said, hope = rule.answer(right, asked), futility(rule, POWER, CHANCE)
        hopeless = said == "open" and hope is not None and right <= hope.limits[rule.looks.index(asked)]
        return "futile" if hopeless else said
    _, low, high, _ = measured.interval()
    if low >= requirement:
        return "meets"
    return "fails" if high < requirement else "undecided" if last else "open"


def ask(measured: Measured, items: Sequence[Item], workers: int, clock: Clock) -> None:
    """Ask about the items until the rung's share of the time is over, several at once where it asks a model.

    One with too few answers by then to say anything takes from the rungs after it, up to a limit. What was answered
    before a failure or the end of the time counts.
    """

    def answered(item: Item) -> Said | None:
        few = len(measured.scores) < FEWEST_ANSWERS
        left = clock.stretch_left() if few else clock.share_left()
        return None if left <= 0 else measured.rung.answer(item)

    if not measured.rung.paid or workers == 1:
        for item in items:
            if (said := answered(item)) is None:
                return
            _keep(measured, item, said)
        return
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(answered, item) for item in items]
        try:
            for item, future in zip(items, futures, strict=True):
                if (said := future.result()) is None:
                    break
                _keep(measured, item, said)
        except BaseException:
            for future in futures:
                future.cancel()
            raise


def _keep(measured: Measured, item: Item, said: Said) -> None:
    read = measured.task.read(said.text)
    measured.items.append(item)
    measured.said.append(said)
    measured.read.append(read)
    measured.scores.append(measured.task.score(item, read))
