"""The model card: what it is for, how good it is and beside what, on which data, what it cannot do, what it cost.

After Mitchell et al., Model Cards for Model Reporting (2019); every figure comes from the run record.
"""

from __future__ import annotations

from collections.abc import Iterator

from advisor.base.safetext import for_markdown
from advisor.records.run import Score
from advisor.records.rung_names import NAMES
from trainers.use.opened import OpenedRun

# What is answered where there are no classes, by task; every other task is answered with a text.
_FORMS = {
    "regression": "a number",
    "forecast": "a number for each step ahead",
    "groups": "the name of a group",
    "topics": "the name of a group",
}


def card(opened: OpenedRun) -> str:
    """The card as Markdown."""
    return "\n".join(_lines(opened)) + "\n"


def _lines(opened: OpenedRun) -> Iterator[str]:
    record = opened.record
    plan = record.plan
    yield f"# {for_markdown(record.run)}: {for_markdown(record.chosen)}"
    yield f"\n**{for_markdown(record.gate.text, 2000)}**"
    yield "\n## Intended use\n"
    about = f"{for_markdown(plan.target)} ({plan.task})" if plan.target else f"a question of {plan.task}"
    apart = "for rows that belong together, as the steps of a series" if opened.backend.together else "for one row"
    yield f"It answers {about} {apart} at a time: {_answer(opened)}."
    yield "It is meant for rows that come from where its training rows came from, with the same columns."
    if record.gate.outcome != "earned":
        yield "It did not beat the cheaper rung, so there is no reason to use it in its place."
    yield "\n## Inputs\n\n| column | kind |\n|---|---|"
    yield from (f"| {for_markdown(column.name)} | {column.kind} |" for column in opened.columns)
    yield "\n## How good it is\n"
    yield "On rows that were sealed before training and opened once for this comparison:\n"
    yield "| | metric | value | interval | rows |\n|---|---|---|---|---|"
    yield _row(for_markdown(record.chosen), record.sealed)
    yield from (_row(NAMES.get(one.against, one.against), one.theirs) for one in record.gate.comparisons)
    if record.gate.costs:
        yield _row(for_markdown(record.chosen), record.gate.costs[0].ours)
        yield from (_row(NAMES.get(one.against, one.against), one.theirs) for one in record.gate.costs)
    if record.secondary:
        told = ", ".join(f"{name} {value:.4g}" for name, value in record.secondary.items())
        yield f"\nOther measures on the same rows: {told}."
    yield "\n## Data\n"
    yield f"- SHA-256 of the file: {plan.data_sha256}"
    yield f"- rows: {', '.join(f'{count:,} {part}' for part, count in record.rows.items())}"
    yield f"- split: {plan.split.kind}. {for_markdown(plan.split.reason, 400)}".rstrip()
    yield from (f"- left out: {for_markdown(one.name)}, because {for_markdown(one.reason, 300)}" for one in plan.drop)
    yield "\n## Limits\n"
    yield from _limits(opened)
    if not record.diagnostics.get("groups"):
        yield "- Fairness between groups of people was not measured here."
    yield "- The world changes: `train-or-not monitor` says when it has."
    yield from (f"- {for_markdown(note, 600)}" for note in record.notes)
    yield "\n## Cost\n"
    seconds = sum(record.times.values())
    yield f"- training took {seconds:,.1f} s and {record.peak_memory_mb:,.0f} MB; money: {plan.estimate.usd:.2f} USD"
    yield "\n## Provenance\n"
    yield f"- trained {record.finished} by train-or-not {record.tool_version}, seed {plan.seed}"
    yield f"- versions: {', '.join(f'{name} {version}' for name, version in record.versions.items())}"


def _answer(opened: OpenedRun) -> str:
    if opened.classes:
        return f"one of {', '.join(map(for_markdown, opened.classes))}"
    return _FORMS.get(opened.record.plan.task, "a text")


def _limits(opened: OpenedRun) -> Iterator[str]:
    if opened.backend.dear:
        yield "- A language model answers: it can say what is not so, and beyond rows like these nothing was measured."
        return
    yield "- It knows nothing that its training rows did not show."
    if opened.record.plan.trainer == "classical":
        yield "- A category it never met counts as unknown."
        if not opened.classes:
            yield "- Its numbers are held within the range of training, widened by half on each side."


def _row(name: str, score: Score) -> str:
    interval = f"{score.low:.4g} to {score.high:.4g} ({score.confidence * 100:g} %)"
    return f"| {name} | {score.metric} | {score.value:.4g} | {interval} | {score.rows:,} |"
