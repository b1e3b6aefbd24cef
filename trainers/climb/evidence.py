"""What a climb tells the decision: measured facts, each with its evidence."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.records.facts import Fact, Value, beats_trivial
from trainers.climb.certainty import gain_interval
from trainers.climb.measure import Measured
from trainers.climb.rungs import OracleContext
from trainers.climb.task import Task


def measured_facts(done: Sequence[Measured], task: Task, as_of: str) -> tuple[Fact, ...]:
    """The facts that the measured rungs settle, by the names of the rulebook."""

    def fact(name: str, value: float | str | int, evidence: str) -> Fact:
        return Fact(name, value, "measured", evidence, as_of)

    by_rung: dict[str, list[Measured]] = {}
    for measured in done:
        if not isinstance(measured.rung, OracleContext) and measured.tells:
            by_rung.setdefault(measured.rung.rung, []).append(measured)
    count = len(task.development) + len(task.sealed)
    facts = [fact("eval_examples", count, f"{len(task.development)} to choose on, {len(task.sealed)} sealed")]
    if ready := by_rung.get("api"):
        facts.append(fact("api_score", round(ready[0].interval()[0], 4), told(ready[0])))
    if prompted := by_rung.get("prompt"):
        facts.append(fact("prompting_tried", "systematic", told(prompted[0])))
    if retrieved := by_rung.get("rag"):
        without = [*by_rung.get("prompt", []), *by_rung.get("api", [])]
        if without:
            best = max(without, key=lambda one: one.interval()[0])
            gain, low, high = gain_of(retrieved[0], best)
            evidence = f"{told(retrieved[0])}; {told(best)}; gain {gain:+.1%}, between {low:+.1%} and {high:+.1%}"
            facts.append(fact("retrieval_tried", "helped" if low > 0 else "no_help", evidence))
    asking = [one for one in done if one.tells and any(said.tokens for said in one.said)]
    asking = [one for one in asking if not isinstance(one.rung, OracleContext)]
    if asking:
        best = max(asking, key=lambda one: one.interval()[0])
        tokens = round(sum(said.tokens for said in best.said) / len(best.said))
        evidence = f"{best.rung.name}: {tokens:,} tokens a question with its answer, the mean of {len(best.said)}"
        facts.append(fact("tokens_per_call", tokens, evidence))
    if signal := _signal(done):
        facts.append(fact("baseline_beats_trivial", *signal))
    return tuple(facts)


def _signal(done: Sequence[Measured]) -> tuple[Value, str] | None:
    """Whether a small trained model surely beats saying always the same, and by how much; None: it cannot be told."""
    trivial = next((one for one in done if one.rung.name == "always the same"), None)
    learned = [one for one in done if one.rung.rung in ("scratch", "fine_tune") and one.tells]
    if trivial is None or not learned:
        return None
    best = max(learned, key=lambda one: one.interval()[0])
    gain, low, high = gain_of(best, trivial)
    evidence = f"{told(best)}; {told(trivial)}; gain {gain:+.1%}, between {low:+.1%} and {high:+.1%}"
    beats = beats_trivial(low, high)
    return (beats, evidence) if beats is not None else None


def gain_of(ours: Measured, theirs: Measured) -> tuple[float, float, float]:
    """The mean gain and its paired 95 % interval on the items both saw."""
    count = min(len(ours.scores), len(theirs.scores))
    items = ours.items[:count]
    gain, low, high = gain_interval(
        ours.scores[:count],
        theirs.scores[:count],
        classes=ours.task.classes(items),
        groups=ours.task.groups(items),
    )
    judge = ours.task.judge
    # A judge that errs shrinks every difference by the same factor, so whether it is above zero stays as it is.
    by = judge.trust.youden if judge and judge.trust else 1.0
    return tuple(min(1.0, max(-1.0, share / by)) for share in (gain, low, high))  # type: ignore[return-value]


def told(measured: Measured) -> str:
    """A rung's score in words."""
    value = measured.interval()[0]
    return f"{measured.rung.name}: {measured.task.metric.title} {value:.1%} on {len(measured.scores)} examples"
