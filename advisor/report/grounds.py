"""The grounds of the answer: which facts it rests on, what the data shows, which options were weighed."""

from __future__ import annotations

from collections.abc import Iterator

from advisor.base.safetext import plain
from advisor.records.decision import Decision, Reason, Step
from advisor.records.facts import Contradiction, Fact
from advisor.records.look import Look
from advisor.report.blocks import (
    Argument,
    Block,
    Cell,
    Code,
    Heading,
    Notice,
    Option,
    Options,
    Paragraph,
    Points,
    Section,
    Table,
)
from advisor.report.data_charts import class_balance, missing_values, more_labels
from advisor.report.given import Given
from advisor.report.look_charts import copies_across_the_split, drift_over_time
from advisor.report.steps import SILENT, deciding_step, outcome_of
from advisor.report.words import (
    ORIGINS,
    OWN_MODEL,
    count,
    figure,
    full_stop,
    metric_words,
    question_words,
    say,
    score,
    value_words,
)

SHOWN_COLUMNS = 30


def the_drivers(given: Given) -> Section:
    """Every known fact with its origin and evidence: those a rule rested on first; then where origins disagree."""
    used = _facts_in_reasons(given.decision)
    known = [fact for fact in given.facts.facts if fact.value is not None]
    weighed = sorted((fact for fact in known if fact.name in used), key=lambda fact: used.index(fact.name))
    others = [fact for fact in known if fact.name not in used]
    blocks: list[Block] = []
    if weighed:
        blocks += [Paragraph("The facts a rule rested on."), _fact_table(weighed, given)]
    if others:
        blocks += [Heading("Also known, but it decided nothing here"), _fact_table(others, given)]
    if not known:
        blocks.append(Paragraph("No fact is known yet."))
    blocks += [_disagreement(contradiction, given) for contradiction in given.facts.contradictions]
    return Section("drivers", "What the answer rests on", "detail", tuple(blocks))


def _facts_in_reasons(decision: Decision) -> list[str]:
    names: dict[str, None] = {}
    for reason in all_reasons(decision):
        names.update(dict.fromkeys(reason.facts))
    return list(names)


def all_reasons(decision: Decision) -> Iterator[Reason]:
    """Every rule that held, most decisive first."""
    yield from decision.stops
    steps = (*decision.ladder, *decision.beside)
    chosen = deciding_step(decision)
    for step in sorted(steps, key=lambda step: step is not chosen):
        yield from step.because
    for choice in (decision.hosting, decision.trainer, decision.metric, decision.model_family):
        yield from choice.because
    yield from decision.cautions


def _fact_table(facts: list[Fact], given: Given) -> Table:
    rows = tuple(
        (
            question_words(fact.name, given.definitions),
            value_words(fact.name, fact.value, given.definitions),
            _known_how(fact),
            Code(plain(fact.name)),
        )
        for fact in facts
    )
    return Table(("Question", "Answer", "How it is known", "Fact"), rows)


def _known_how(fact: Fact) -> str:
    """The origin, the evidence and the day: seen in the data: customers.csv (2026-11-22)."""
    how = ORIGINS[fact.origin] + (", confirmed" if fact.confirmed else "")
    evidence = f": {plain(fact.evidence)}" if fact.evidence else ""
    return f"{how}{evidence}{f' ({plain(fact.as_of)})' if fact.as_of else ''}"


def _disagreement(contradiction: Contradiction, given: Given) -> Notice:
    def told(fact: Fact) -> str:
        return f"“{value_words(fact.name, fact.value, given.definitions)}” ({ORIGINS[fact.origin]})"

    question = question_words(contradiction.name, given.definitions)
    why = " because you confirmed it" if contradiction.kept.confirmed else ""
    return Notice(
        f"{question} Two sources disagree: {told(contradiction.kept)} counts{why}, not {told(contradiction.overruled)}."
    )


def the_data(given: Given) -> Section | None:
    """What was seen in the data, or None where nobody looked."""
    look = given.look
    if look is None:
        return None
    blocks: list[Block] = [
        _summary(look),
        *_quick_model(look),
        *class_balance(look),
        *missing_values(look),
        *more_labels(look),
        *copies_across_the_split(look),
        *drift_over_time(look),
        Heading("Columns"),
        *_columns(look),
    ]
    blocks += [Heading("How to hold rows back"), Paragraph(_split(look))]
    return Section("data", "What the data shows", "detail", tuple(blocks))


def _summary(look: Look) -> Paragraph:
    rows, columns = look.shape
    target = f" The column to predict is “{plain(look.target)}”." if look.target else ""
    sampled = f" {full_stop(look.sampled)}" if look.sampled else ""
    size = f"{count(rows, 'row')} and {count(columns, 'column')}"
    return Paragraph(f"{plain(look.path)} ({say(look.format)}) holds {size}.{target}{sampled}")


def _quick_model(look: Look) -> Iterator[Block]:
    """Whether there is anything to learn: a quick model against always the same answer."""
    quick = look.baseline
    if quick is None:
        return
    better = "found" if quick.low > 0 else "did not find"
    scores = f"{metric_words(quick.metric)} {score(quick.score)} against {score(quick.trivial)}"
    yield Paragraph(
        f"A quick {say(quick.model)} {better} something to learn: {scores} for always the same answer, on "
        f"{count(quick.rows, 'row')} it was not fitted on."
    )


def _columns(look: Look) -> Iterator[Block]:
    shown = look.columns[:SHOWN_COLUMNS]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            plain(column.name, 60),
            say(column.kind),
            figure(column.missing),
            figure(column.distinct),
            ", ".join(plain(example, 30) for example in column.examples[:3]),
        )
        for column in shown
    )
    if rows:
        yield Table(("Column", "Kind", "Missing", "Distinct", "For example"), rows, numeric=(2, 3))
    if len(look.columns) > len(shown):
        yield Paragraph(f"And {count(len(look.columns) - len(shown), 'more column')}; look.json lists all of them.")


def _split(look: Look) -> str:
    split = look.split
    by = f", by “{plain(split.column)}”" if split.column else ""
    sealed = f"{split.test_share:.0%} sealed for the test"
    return f"A {say(split.kind)} split{by}, with {sealed}. {full_stop(split.reason)}".strip()


def the_options(given: Given) -> Section:
    """Every option in the shape of an architectural decision record: good, neutral and bad, each with its rule."""
    decision = given.decision
    chosen = deciding_step(decision)
    steps = sorted((*decision.ladder, *decision.beside), key=lambda step: step is not chosen)
    options = tuple(_option(step, step is chosen, given) for step in steps)
    blocks: list[Block] = [Options(options)]
    side = list(_side_answers(given))
    if side:
        blocks += [Heading("The answers beside it"), Points(tuple(side))]
    return Section("options", "Options considered", "detail", tuple(blocks))


SIDES = {"enough": "Good", "insufficient": "Bad", "blocked": "Bad"}


def _option(step: Step, chosen: bool, given: Given) -> Option:
    name = OWN_MODEL if step.rung == "scratch" else given.title(step.rung)
    side = SIDES.get(step.status, "Neutral")
    arguments = tuple(
        Argument(side, full_stop(reason.text), plain(reason.rule), tuple(map(plain, reason.sources)))  # type: ignore[arg-type]
        for reason in step.because
    )
    silent = Argument(side, SILENT[step.status])  # type: ignore[arg-type]
    return Option(name, outcome_of(step, given)[0], arguments or (silent,), chosen)


def _side_answers(given: Given) -> Iterator[str]:
    decision = given.decision
    for title, answer, choice in (
        ("Where it runs", "hosting", decision.hosting),
        ("Trainer", "trainer", decision.trainer),
        ("Metric", "metric", decision.metric),
        ("Model family", "model_family", decision.model_family),
    ):
        if choice.value is None and not choice.because:
            continue
        value = given.title(choice.value, answer) if choice.value is not None else "not known yet"
        because = " ".join(full_stop(reason.text) for reason in choice.because)
        yield f"{title}: {value}. {because}".strip()
