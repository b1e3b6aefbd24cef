"""`train-or-not climb`: measure the rungs on the team's own examples, cheapest first, under a hard cap."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.case import Case, open_case, today
from advisor.base.errors import BadInput, BudgetReached
from advisor.base.keys import check_address, key_for
from advisor.cli.output import Output

if TYPE_CHECKING:
    from advisor.records.climb import ClimbRecord
    from trainers.climb.judge import Verdict
    from trainers.climb.task import Task

SUMMARY = "Measures the rungs on your own examples and stops at the cheapest that is surely enough."
EXAMPLES = (
    "train-or-not climb my-case --requirement 0.9     offline, with the embedded model",
    "train-or-not climb my-case --endpoint https://api.openai.com/v1 --model gpt-6-luna --max-usd 2 --dry-run",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `climb`."""
    add = parser.add_argument
    add("case", metavar="CASE", help="the case whose data holds the examples")
    what = parser.add_argument_group("what is measured")
    what.add_argument("--requirement", type=float, help="the score that is enough (default: accuracy_target)")
    what.add_argument(
        "--metric", help="accuracy, balanced_accuracy, exact_match, token_f1, rouge_l, bleu, all_fields, fields"
    )
    what.add_argument("--text", metavar="COLUMN", help="the column that is read (default: the one with most words)")
    what.add_argument("--as-text", action="store_true", help="read a table's whole rows as text")
    what.add_argument("--group", metavar="COLUMN", help="rows of one value here stay together")
    what.add_argument("--pairs", metavar="FILE", help="JSON lines of input and output: a label, a text or an object")
    what.add_argument("--questions", metavar="FILE", help="JSON lines of question, answer and, if known, document")
    what.add_argument("--documents", metavar="FOLDER", help="the documents that hold the answers")
    what.add_argument("--rule", metavar="FILE", help="a rule of your own as a rung (YAML)")
    what.add_argument(
        "--examples", type=int, help="ask a language model at most this many a part (default: all; local: 60)"
    )
    what.add_argument("--every-rung", action="store_true", help="go on after the first rung that is enough")
    what.add_argument("--optimise", action="store_true", help="let the model rewrite its instruction as one more rung")
    what.add_argument("--judge", metavar="FILE", help="let the model judge free text, corrected by people (JSON lines)")
    model = parser.add_argument_group("the model")
    model.add_argument("--endpoint", default="local", help="local, or the address of a server (default: %(default)s)")
    model.add_argument("--model", default="", help="the model's name at that address")
    model.add_argument("--workers", type=int, default=4, help="questions asked at once (default: %(default)s)")
    money = parser.add_argument_group("what it may cost")
    money.add_argument("--max-usd", type=float, help="never spend more than this on this case, all climbs together")
    money.add_argument("--max-tokens", type=int, help="never use more tokens than this, all climbs together")
    money.add_argument("--max-minutes", type=float, help="stop after this (default: 30; local: 5)")
    money.add_argument("--price", metavar="IN,OUT", help="USD per million tokens in and out, where nobody knows it")
    money.add_argument("--dry-run", action="store_true", help="say what it can see and may cost, and send nothing")
    money.add_argument("--yes", action="store_true", help="send and spend without being asked")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Measure, write climb.json, and decide again on what was measured."""
    from advisor.cli.climb_task import judged_by, most_asked, task_of

    case = open_case(arguments.case)
    _check(arguments)
    task = task_of(case, arguments)
    requirement = arguments.requirement if arguments.requirement is not None else _stated_requirement(case)
    if task is None:
        return _table(case, requirement, arguments, out)
    most = arguments.examples or most_asked(arguments.endpoint)
    task = replace(task, most=most, **judged_by(task, arguments))
    return _text(case, task, requirement, arguments, out)


def _check(arguments: argparse.Namespace) -> None:
    if arguments.requirement is not None and not 0 < arguments.requirement < 1:
        raise BadInput("--requirement is a score between 0 and 1.", fix="--requirement 0.9", code="bad-requirement")
    if bool(arguments.questions) != bool(arguments.documents):
        raise BadInput(
            "Questions and documents go together.", fix="--questions FILE --documents FOLDER", code="half-a-task"
        )
    for name, low, high in (
        ("workers", 1, 64),
        ("examples", 20, 10**6),
        ("max_usd", 0, 10**6),
        ("max_minutes", 0, 1e5),
    ):
        value = getattr(arguments, name)
        if value is not None and not low <= value <= high:
            option = f"--{name.replace('_', '-')}"
            raise BadInput(f"{option} {value:g} is out of range.", fix=f"Give {low} to {high:g}.", code="range")
    if arguments.optimise:
        from trainers.climb.optimised import require_gepa

        require_gepa()
    if arguments.endpoint != "local":
        check_address(arguments.endpoint)
        if not arguments.endpoint.startswith(("http://", "https://")):
            raise BadInput(
                f"{arguments.endpoint!r} is no address.", fix="--endpoint https://…/v1, or local", code="bad-address"
            )
        if not arguments.model:
            raise BadInput("Which model at that address?", fix="--model NAME", code="no-model")
        if arguments.max_usd is None and arguments.max_tokens is None:
            raise BadInput(
                "A climb that may cost money needs a cap.",
                why="Nothing was sent.",
                fix="--max-usd 2   (or --max-tokens 1000000 for a server of your own)",
                code="no-cap",
            )


def _stated_requirement(case: Case) -> float | None:
    from advisor.cli.chain import facts_of

    value = facts_of(case).values().get("accuracy_target")
    return float(value) if isinstance(value, int | float) and 0 < value < 1 else None


def _text(case: Case, task: Task, requirement: float | None, arguments: argparse.Namespace, out: Output) -> int:
    """Text, questions or pairs: the language rungs, and what learns from text."""
    from advisor.cli.climb_page import announce, announced
    from advisor.cli.climb_rungs import climb_text, language_rungs
    from advisor.cli.kept_rung import asked_options
    from trainers.climb.forecast import forecast
    from trainers.climb.spend import price_of

    price = price_of(arguments.model, arguments.endpoint, _price(arguments.price))
    asked = [rung for rung in language_rungs(optimise=arguments.optimise) if not rung.not_applicable(task)]
    expected = forecast(task, asked, price, len(_verdicts(arguments)))
    announce(task, requirement, arguments, expected, price, out)
    if arguments.dry_run:
        if out.json_mode:
            out.json(announced(task, requirement, arguments, expected, price))
        else:
            out.note(f"Nothing was sent. Next: train-or-not climb {_name(case)} … without --dry-run")
        return 0
    if arguments.endpoint != "local":
        key_for(arguments.endpoint)  # asked for now, not after a person has said yes
        _confirm(task, expected, arguments, out)
    record = _held(case, lambda: climb_text(case, task, requirement, arguments, price, out, _verdicts(arguments)))
    record = replace(record, asked=asked_options(case, arguments))
    return _end(case, record, out)


def _verdicts(arguments: argparse.Namespace) -> list[Verdict]:
    from trainers.climb.judge import read_verdicts

    return read_verdicts(Path(arguments.judge)) if arguments.judge else []


def _table(case: Case, requirement: float | None, arguments: argparse.Namespace, out: Output) -> int:
    """A table: no language model is asked, nothing is sent anywhere."""
    from advisor.base.files import own_folder, sha256_of_text, to_json
    from advisor.cli.climb_task import minutes_of, rule_of, table_plan
    from advisor.cli.progress import shown_progress
    from advisor.records.plain import to_plain
    from trainers.climb.table import TableClimb

    plan = table_plan(case, minutes_of(arguments))
    if arguments.requirement is None and str(plan.metric.value) not in ("accuracy", "balanced_accuracy"):
        requirement = None  # a share that must be right says nothing about another measure
    out.line(
        f"A table: its rungs are measured on the training part by {plan.metric.value}, and one on the sealed rows."
    )
    out.line("Language models are left out: they are no match for rows and columns (--as-text asks them all the same).")
    if arguments.dry_run:
        if out.json_mode:
            out.json({"dry_run": True, "task": plan.task, "metric": plan.metric.value, "calls": 0, "most_usd": 0.0})
        return 0
    work = case.folder / ".climb" / f"table-{sha256_of_text(to_json(to_plain(plan)))[:12]}"
    own_folder(own_folder(work.parent) / work.name)
    rule = (lambda columns: rule_of(arguments, columns)) if arguments.rule else None

    def climb() -> ClimbRecord:
        with shown_progress(out) as progress:
            return TableClimb(plan, case.folder, work, progress, requirement, rule).climb(today())

    return _end(case, _held(case, climb), out)


def _held(case: Case, climb: Callable[[], ClimbRecord]) -> ClimbRecord:
    """Run a climb alone on its case."""
    from advisor.cli.sending import paid_answers_kept
    from trainers.common.lock import locked

    with paid_answers_kept(case.folder), locked(case.folder / ".climb", "climb"):
        return climb()


def _confirm(task: Task, expected: Any, arguments: argparse.Namespace, out: Output) -> None:
    """A typed yes before examples leave this machine or money is spent; --yes where nobody can be asked."""
    from advisor.cli.sending import agree_to_send

    sent = f"up to {expected.most_calls:,} questions with your examples to {arguments.endpoint}"
    agree_to_send(arguments.endpoint, sent, out, yes=arguments.yes, free=not expected.most_usd)


def _end(case: Case, record: ClimbRecord, out: Output) -> int:
    """Write climb.json and the ledger, decide again, and show the comparison."""
    from advisor.cli.chain import decide_case
    from advisor.cli.climb_page import draw, own_instead
    from advisor.records.plain import save, to_plain

    save(case.climb, record)
    case.remember(
        "climbed",
        endpoint=record.endpoint,
        recommended=record.recommended,
        usd=record.usd,
        tokens=record.tokens,
        calls=record.calls,
        stopped=record.stopped,
    )
    before = _approach(case)
    decision = decide_case(case)
    if out.json_mode:
        out.json({**to_plain(record), "decision": {"approach": decision.approach, "settled": decision.settled}})
    else:
        draw(record, out)
        now = decision.approach or "nothing yet"
        moved = f"was {before}, now {now}" if before and before != decision.approach else now
        for line in own_instead(record, decision):
            out.line(line)
        out.line(f"The decision on what was measured: {moved}{'' if decision.settled else ', still open'}.")
    out.note(f"\nNext: train-or-not report {_name(case)}   (the comparison is in it)")
    return BudgetReached.exit_code if record.stopped else 0


def _approach(case: Case) -> str | None:
    from advisor.records.decision import Decision
    from advisor.records.plain import load

    return load(case.decision, Decision).approach if case.decision.exists() else None


def _name(case: Case) -> str:
    return shlex.quote(str(case.folder))


def _price(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        price_in, price_out = (float(Decimal(part)) for part in text.split(","))
    except (ValueError, ArithmeticError):
        raise BadInput("--price takes two numbers: IN,OUT.", fix="--price 0.10,0.50", code="bad-price") from None
    if not (0 <= price_in < 1e6 and 0 <= price_out < 1e6):
        raise BadInput("A price is zero or more.", fix="--price 0.10,0.50", code="bad-price")
    return price_in, price_out
