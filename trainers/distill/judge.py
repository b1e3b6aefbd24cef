"""Did the student earn its place? Beside its teacher, and beside the same model without the teacher's labels."""

from __future__ import annotations

from collections.abc import Sequence

from advisor.records.run import Comparison, GateVerdict, Score
from advisor.records.rung_names import NAMES
from trainers.climb.certainty import gain_interval, mean_interval
from trainers.climb.task import Item, Task


def judge(
    task: Task,
    items: Sequence[Item],
    ours: Sequence[float],
    teacher: Sequence[float],
    cheaper: tuple[str, Sequence[float]],
    *,
    margin: float,
    confidence: float,
) -> tuple[Score, GateVerdict]:
    """Both comparisons on the same sealed items, paired.

    Against the cheaper rung the lower end of the gain's interval must be above nothing; against the teacher, which
    answers at a price, above minus `margin` (a test of non-inferiority).
    """
    classes, groups = task.classes(items), task.groups(items)

    def told(scores: Sequence[float]) -> Score:
        value, low, high = mean_interval(scores, classes=classes, groups=groups, confidence=confidence)
        return Score(task.metric.name, value, low, high, len(scores), confidence, "sealed examples, Wilson")

    mine = told(ours)
    found = []
    for name, theirs, least in (("teacher", teacher, -margin), (cheaper[0], cheaper[1], 0.0)):
        gain, low, high = gain_interval(ours, theirs, classes=classes, groups=groups, confidence=confidence)
        method = "paired, Wilson" + (f"; passed when not more than {margin:g} below" if least else "")
        found.append(Comparison(name, told(theirs), mine, gain, low, high, method, low > least))
    return mine, _verdict(tuple(found), margin)


def _verdict(found: tuple[Comparison, ...], margin: float) -> GateVerdict:
    teacher, cheaper = found
    rows = f"{teacher.ours.rows:,} sealed examples that people labelled"
    beside = f"{teacher.ours.value:.1%} against {teacher.theirs.value:.1%} for its teacher"
    if all(one.passed for one in found):
        text = f"The student earned its place: on {rows} {beside}, and {cheaper.theirs.value:.1%} for {_name(cheaper)}."
        text += f" It gains {cheaper.gain:.3g} ({cheaper.low:.3g} to {cheaper.high:.3g}) over that."
        return GateVerdict("earned", text, found)
    reasons = []
    if not teacher.passed:
        reasons.append(
            f"it may be more than {margin:g} worse than its teacher "
            f"({teacher.gain:+.3g}, between {teacher.low:+.3g} and {teacher.high:+.3g})"
        )
    if not cheaper.passed:
        reasons.append(
            f"it is not shown to be better than {_name(cheaper)} "
            f"({cheaper.gain:+.3g}, between {cheaper.low:+.3g} and {cheaper.high:+.3g})"
        )
    keep = _name(teacher) if not teacher.passed and cheaper.passed else _name(cheaper)
    text = f"The student did not earn its place: on {rows} {beside}; {' and '.join(reasons)}."
    text += f" Keep {keep}, or come back with more rows or more sealed examples."
    return GateVerdict("not_earned", text, found)


def _name(one: Comparison) -> str:
    return NAMES[one.against]
