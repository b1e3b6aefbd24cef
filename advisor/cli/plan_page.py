"""A plan as a page of plain lines, as wide as the terminal."""

from __future__ import annotations

import math
import shutil
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from advisor.base.safetext import plain
from advisor.records.judging import cost_decides
from advisor.report.words import baseline_words, least_to_most, metric_words, say

if TYPE_CHECKING:
    from advisor.base.machine import Machine
    from advisor.records.decision import Stage
    from advisor.records.plan import Estimate, Lengths, Plan

_MARKS = {"done": "[x]", "part": "[~]", "owed": "[ ]", "not_needed": "[-]"}
_LABEL = 12


def page(plan: Plan, title: str, machine: Machine, width: int = 0) -> Iterator[str]:
    """The lines of the page: what will be done, what it takes, what is asked, and the seven stages."""
    width = max(40, min(width or shutil.get_terminal_size().columns, 110))
    yield f"Plan: {title}"
    if plan.override:
        yield from _row("Against", plan.override, width)
    if plan.trainer:
        yield from _training(plan, machine, width)
    else:
        yield from _steps(plan, width)
    yield ""
    yield "The seven stages: [x] done, [~] partly, [ ] owed, [-] not needed"
    for stage in plan.stages:
        yield from _stage(stage, width)


def _training(plan: Plan, machine: Machine, width: int) -> Iterator[str]:
    split = plan.split
    by = f" by {plain(split.column, 60)}" if split.column else ""
    yield from _row(
        "Learns", f"{plain(plan.target, 60)} ({plan.task or 'kind not known'}) from {plain(plan.data, 200)}", width
    )
    yield from _row("Split", f"{split.kind}{by}, {split.test_share:.0%} sealed until the end. {split.reason}", width)
    yield from _judging(plan, width)
    rivals = " and ".join(baseline_words(name) for name in plan.gate.against)
    minimum = plan.gate.minimum_saving if cost_decides(plan) else plan.gate.minimum_gain
    least = f" by more than {minimum:g}{' a row' * cost_decides(plan)}" if minimum else ""
    yield from _row("Must beat", f"{rivals}{least}, at {plan.gate.confidence:.0%} confidence.", width)
    for column in plan.drop:
        yield from _row("Left out", f"{plain(column.name, 60)}: {column.reason}", width)
    for question in plan.to_ask:
        yield from _row("To be asked", f"{plain(question.name, 60)}: {question.question}", width)
    for one in plan.accepted:
        yield from _row("Accepted", f"{plain(one.name, 60)}: {plain(one.reason, 200)} Asked was: {one.question}", width)
    for name, setting in plan.settings.items():
        yield from _row("Setting", f"{say(name)}: {_value(setting.value)}. {setting.reason}", width)
    for base in plan.bases:
        size = f"{base.parameters / 1e9:.2f} billion weights, {base.licence or 'licence not named'}"
        yield from _row("Base", f"{plain(base.name, 80)} ({size}): {say(base.verdict)}. {base.reason}", width)
    takes = plan.estimate
    room, place = machine.memory_for(on_card=takes.on_card), "on the card" if takes.on_card else "free"
    memory = f" of {room:,.0f} MB {place}" if room is not None else ""
    yield from _row(
        "Takes",
        f"{_time(takes.seconds)} · {takes.peak_memory_mb:,.0f} MB memory{memory} · {takes.disk_mb:,.0f} MB disk"
        f" · ${takes.usd:,.2f}. {takes.error_band}",
        width,
    )
    if takes.formula:
        yield from _row("", takes.formula, width)
    if takes.lengths:
        yield from _lengths(takes.lengths, width)
    if takes.cards:
        yield from _cards(takes, width)


def _judging(plan: Plan, width: int) -> Iterator[str]:
    """What decides in the end, and what chooses among models where that is something else."""
    metric = metric_words(str(plan.metric.value))
    if cost_decides(plan):
        why = plan.gate.because or "What errors cost is stated, and the gate names nothing else."
        yield from _row("Judged by", f"cost a row, the less the better. {why}", width)
        yield from _row("Chosen by", f"{metric}. {plan.metric.reason}", width)
        return
    why = f" {plan.gate.because}" if plan.gate.because not in ("", plan.metric.reason) else ""
    yield from _row("Judged by", f"{metric}. {plan.metric.reason}{why}", width)


def _lengths(found: Lengths, width: int) -> Iterator[str]:
    """Bars of examples by their tokens; where some are longer than the limit, a line across at the limit."""
    examples = sum(found.rows)
    yield from _row("Lengths", f"Tokens of the {examples:,} examples, counted {found.how}:", width)
    figures = [f"up to {upto:,}" for upto in found.upto]
    room = max(map(len, figures))
    for figure, upto, rows in zip(figures, found.upto, found.rows, strict=True):
        bar = "#" * math.ceil(rows / max(found.rows) * (width - room - _LABEL - 14))
        yield f"{'':{_LABEL + 2}}{figure:>{room}}  {bar} {rows:,}".rstrip()
        if found.over and upto == found.limit:
            yield f"{'':{_LABEL + 2}}{'-' * room}  longer than {found.limit:,}: {found.over:,}"
    if found.over:
        one = found.over == 1
        told = f"{found.over:,} {'is' if one else 'are'} longer than the limit of {found.limit:,} tokens. `train`"
        told += f" refuses {'it' if one else 'them'} by row, as a cut would take the end of the answer: shorten, split"
        yield from _row("", f"{told} or take {'it' if one else 'them'} out.", width)


def _cards(takes: Estimate, width: int) -> Iterator[str]:
    """A line for each card that can be rented, as the table that people compare."""
    yield ""
    yield from _wrapped("  ", f"On a rented card (plan --rent NAME). {takes.cards_assume}", width)
    yield f"  {'card':<11} {'fits':<5}{'peak GB':>7}{'hours':>15}{'USD':>15}  how"
    for card in takes.cards:
        hours, usd = (least_to_most(pair) if card.fits else "" for pair in (card.hours, card.usd))
        fits = "yes" if card.fits else "no"
        yield f"  {card.card:<11} {fits:<5}{card.peak_memory_mb / 1024:>7,.1f}{hours:>15}{usd:>15}  {card.how}"


def _steps(plan: Plan, width: int) -> Iterator[str]:
    yield from _wrapped("  ", "No program trains anything here. What to do next, in this order:", width)
    for number, step in enumerate(plan.steps, 1):
        yield ""
        yield from _wrapped(f"{number}. ", step.what, width)
        yield from _wrapped("   why: ", step.why, width)
        yield from _wrapped("   done when: ", step.done_when, width)
    if plan.settings:
        yield ""
        yield "Figures to work with"
        for name, setting in plan.settings.items():
            source = f" ({setting.source})" if setting.source else ""
            yield from _wrapped("  ", f"{say(name)}: {_value(setting.value)}. {setting.reason}{source}", width)


def _stage(stage: Stage, width: int) -> Iterator[str]:
    by = f" ({stage.by})" if stage.by else ""
    yield from _wrapped(f"{_MARKS.get(stage.status, '[ ]')} ", stage.title, width)
    if stage.done:
        yield from _wrapped("    done: ", f"{stage.done}{by}", width)
    if stage.owed:
        yield from _wrapped("    " if stage.status == "not_needed" else "    owed: ", stage.owed, width)


def _row(label: str, text: str, width: int) -> Iterator[str]:
    yield from _wrapped(f"  {label:<{_LABEL}}", text, width)


def _wrapped(head: str, text: str, width: int) -> Iterator[str]:
    indent = " " * len(head)
    lines = textwrap.wrap(plain(text, 2000), max(20, width - len(head)), break_on_hyphens=False) or [""]
    yield f"{head}{lines[0]}".rstrip()
    yield from (f"{indent}{line}" for line in lines[1:])


def _value(value: object) -> str:
    words = {True: "yes", False: "no", "": "not named", None: "not named"}
    return words[value] if isinstance(value, bool | None) or value == "" else plain(value, 80)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"about {seconds:.0f} seconds"
    if seconds < 7200:
        return f"about {seconds / 60:.0f} minutes"
    return f"about {seconds / 3600:.1f} hours"
