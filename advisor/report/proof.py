"""The proof: the seven stages, the gate and what the run showed, and the record that lets anyone repeat it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from advisor.base.safetext import plain
from advisor.records.decision import Stage
from advisor.records.judging import COST, cost_decides
from advisor.records.plan import Plan
from advisor.records.run import Comparison, RunRecord
from advisor.report.blocks import (
    Block,
    Cell,
    Check,
    Checklist,
    Code,
    Command,
    Heading,
    Link,
    Notice,
    Paragraph,
    Points,
    Section,
    Table,
)
from advisor.report.data_charts import cost_comparison, gain_table, score_comparison
from advisor.report.given import Given
from advisor.report.grounds import all_reasons
from advisor.report.learnt import what_it_learnt
from advisor.report.run_charts import learning_curve, lengths, loss_curve, rates_tried
from advisor.report.words import (
    STAGES,
    baseline_words,
    count,
    figure,
    full_stop,
    mark,
    metric_words,
    over_folds,
    say,
    score,
    sentence,
)


def did_it_earn_its_place(given: Given) -> Section | None:
    """After a run, for the first page: the verdict, one sentence for each cheaper way, and the scores drawn."""
    run = given.run
    if run is None:
        return None
    tone = {"earned": "good", "owed": "warn"}.get(run.gate.outcome, "bad")
    sentences = tuple(_held_against(item) for item in run.gate.deciding)
    blocks: list[Block] = [Notice(full_stop(run.gate.text), tone)]  # type: ignore[arg-type]
    if sentences:
        blocks.append(Points(sentences))
    if run.gate.costs:
        blocks.append(cost_comparison(run))
    blocks.append(score_comparison(run))
    return Section("earned", "Did training earn its place?", "first_page", tuple(blocks))


def _held_against(item: Comparison) -> str:
    metric = metric_words(item.ours.metric)
    sure = f"{item.ours.confidence:.0%} interval {item.low:+,.3f} to {item.high:+,.3f}"
    better, gained = ("cheaper", "saving") if item.ours.metric == COST else ("better", "gain")
    verdict = f"shown to be {better}" if item.passed else f"not shown to be {better}"
    figures = f"{metric} {score(item.ours.value)} instead of {score(item.theirs.value)}"
    return f"Against {baseline_words(item.against)}: {figures}, a {gained} of {item.gain:+,.3f} ({sure}): {verdict}."


def the_stages(given: Given) -> Section:
    """The seven stages as a checklist: what good looks like, what was done, by whom, and what is owed."""
    checks = tuple(_checks(given))
    blocks: tuple[Block, ...] = (
        (Checklist(checks),) if checks else (Paragraph("The rulebook lists no stages for this."),)
    )
    return Section("stages", "The seven stages", "detail", blocks)


def _checks(given: Given) -> Iterator[Check]:
    """The stages as the run left them, else as the plan has them, else as the decision lists them."""
    if given.run is not None and given.run.stages:
        known = {stage.stage: stage for stage in given.decision.plan}
        for entry in given.run.stages:
            before = known.get(entry.get("stage", ""))
            yield _check(
                entry.get("title") or (before.title if before else ""),
                entry.get("good") or (before.good if before else ""),
                entry.get("status", ""),
                entry.get("done", ""),
                entry.get("by", ""),
                entry.get("owed", ""),
            )
        return
    stages: tuple[Stage, ...] = (
        given.plan.stages if given.plan is not None and given.plan.stages else given.decision.plan
    )
    for stage in stages:
        yield _check(stage.title, stage.good, stage.status, stage.done, stage.by, stage.owed)


def _check(title: str, good: str, status: str, done: str, by: str, owed: str) -> Check:
    return Check(plain(title), mark(STAGES, status), full_stop(good), full_stop(done), plain(by), full_stop(owed))


def the_confirmation(given: Given) -> Section:
    """How the answer is confirmed: the gate before the run; the sealed test and everything measured after it."""
    blocks: list[Block] = []
    plan = given.run.plan if given.run is not None else given.plan
    if plan is not None:
        blocks += [Heading("The gate, fixed before training"), Paragraph(_gate(plan))]
    if given.run is not None:
        blocks += _run_blocks(given.run)
    elif plan is not None:
        blocks.append(Paragraph("Nothing has been trained yet, so the sealed test part has not been opened."))
    elif given.decision.verdict in ("yes", "yes_light", "yes_heavy"):
        blocks.append(
            Paragraph("A plan fixes the gate, the metric and the sealed test part before anything is trained.")
        )
    else:
        text = "There is nothing to train, so there is no gate to pass. Ask again when one of the facts above changes."
        blocks.append(Paragraph(text))
    return Section("confirmation", "Confirmation", "detail", tuple(blocks))


def _gate(plan: Plan) -> str:
    gate = plan.gate
    against = " and ".join(baseline_words(name) for name in gate.against) or "nothing"
    if cost_decides(plan):
        return (
            f"The trained model must beat {against} on the same sealed rows, by what answers cost a row at the stated "
            f"costs. The lower end of the {gate.confidence:.0%} interval of what is saved must lie above "
            f"{figure(gate.minimum_saving)}. {gate.because} The metric is {metric_words(gate.metric)}."
        )
    return (
        f"The trained model must beat {against} on the same sealed rows. The metric is {metric_words(gate.metric)}. "
        f"The lower end of the {gate.confidence:.0%} interval of the gain must lie above {figure(gate.minimum_gain)}."
    )


def _run_blocks(run: RunRecord) -> Iterator[Block]:
    rows = ", ".join(f"{say(part)} {number:,}" for part, number in run.rows.items())
    yield Heading("The sealed test, opened once")
    sealed = run.sealed
    interval = f"{sealed.confidence:.0%} interval {score(sealed.low)} to {score(sealed.high)}"
    method = f" Interval by {plain(sealed.method)}." if sealed.method else ""
    yield Paragraph(
        f"Chosen: {say(run.chosen)}. {sentence(metric_words(sealed.metric))} {score(sealed.value)} ({interval}) on "
        f"{count(sealed.rows, 'row')} that no choice was made on.{method} Rows by part: {rows}."
    )
    if run.gate.costs:
        yield Heading("What answers cost a row, at the stated costs")
        yield gain_table(run.gate.costs)
        yield Heading(f"The same by {metric_words(sealed.metric)}")
    if run.gate.comparisons:
        yield gain_table(run.gate.comparisons)
    if run.secondary:
        yield Heading("Other figures on the sealed rows")
        figures = tuple((sentence(metric_words(name)), score(value)) for name, value in run.secondary.items())
        yield Table(("Metric", "Value"), figures, numeric=(1,))
    yield from _candidates(run)
    yield from learning_curve(run)
    yield from loss_curve(run)
    yield from rates_tried(run.diagnostics.get("learning_rates_tried"))
    yield from lengths(run.diagnostics.get("lengths"))
    yield from what_it_learnt(run)


def _candidates(run: RunRecord) -> Iterator[Block]:
    if not run.candidates:
        return
    yield Heading("What was tried, without the sealed rows")
    rows: list[tuple[Cell, ...]] = []
    for candidate in run.candidates:
        shown = over_folds(candidate.development)
        rows.append((sentence(say(candidate.name)), shown, f"{candidate.seconds:,.1f} s", plain(candidate.note)))
    yield Table(("Candidate", "Cross-validated", "Time to fit", "Note"), tuple(rows), numeric=(1, 2))


def the_record(given: Given) -> Section:
    """What repeats this page: versions, dates, hashes, and the command."""
    rows: list[tuple[Cell, ...]] = [
        ("Day of the decision", plain(given.decision.as_of) or "not given"),
        ("Tool", f"train-or-not {plain(given.tool_version)}".strip()),
        ("Rulebook version", plain(given.decision.rulebook.get("version", "not given"))),
        ("Rulebook SHA-256", Code(plain(given.decision.rulebook.get("hash", "not given")))),
        *((f"SHA-256 of {plain(name)}", Code(plain(digest))) for name, digest in given.inputs.items()),
    ]
    if given.look is not None:
        rows.append(("SHA-256 of the data", Code(plain(given.look.sha256))))
    if given.run is not None:
        rows += _run_record(given.run)
    as_of = f" --as-of {plain(given.decision.as_of)}" if given.decision.as_of else ""
    again = Command(f"train-or-not report {shlex.quote(plain(given.folder))}{as_of}")
    blocks: list[Block] = [Table(("What", "Value"), tuple(rows)), Paragraph("To make this page again:"), again]
    rules = tuple(
        (Code(plain(reason.rule)), sentence(plain(reason.name).replace("-", " ")), _cited(reason.sources))
        for reason in {reason.rule: reason for reason in all_reasons(given.decision)}.values()
    )
    if rules:
        blocks += [Heading("Rules that held"), Table(("Rule", "Name", "Sources"), rows=rules)]
    return Section("record", "Record", "reference", tuple(blocks))


def _run_record(run: RunRecord) -> Iterator[tuple[Cell, ...]]:
    yield ("Run", Code(plain(run.run)))
    yield ("Started and finished", f"{plain(run.started)} to {plain(run.finished)}")
    yield ("Seed", figure(run.plan.seed))
    for title, pairs in (("Versions", run.versions), ("Machine", run.machine), ("Settings", run.hyperparameters)):
        if pairs:
            yield (title, "; ".join(f"{plain(name)} {plain(value)}" for name, value in pairs.items()))


def _cited(sources: tuple[str, ...]) -> str:
    return ", ".join(plain(source) for source in sources) or "none"


def the_sources(given: Given) -> Section | None:
    """The sources that the rules cite, each with its address and date."""
    cited = sorted({source for reason in all_reasons(given.decision) for source in reason.sources})
    if not cited:
        return None
    rows = []
    for name in cited:
        source = given.sources.get(name, {})
        title, address = plain(source.get("title") or name, 300), str(source.get("address") or source.get("url") or "")
        linked: Cell = Link(title, address) if address.startswith(("https://", "http://")) else title
        rows.append((plain(name), linked, plain(source.get("date") or source.get("as_of") or "")))
    return Section("sources", "Sources", "reference", (Table(("Id", "Source", "Date"), tuple(rows)),))
