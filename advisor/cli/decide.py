"""`decide`: from facts to a verdict, without a question."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.cli.factfile import checked, from_file, from_settings
from advisor.cli.output import Output

if TYPE_CHECKING:
    from advisor.reasoning.rulebook import Rulebook
    from advisor.records.decision import Decision, Step

SUMMARY = "Walk the ladder and stop at the cheapest rung that is enough. Nothing is asked."
EXAMPLES = (
    "train-or-not decide my-case",
    "train-or-not decide --set task_type=classify --set modality=tabular --set n_labeled=5000",
)
_MARKS = {
    "enough": "=>",
    "insufficient": " x",
    "blocked": " #",
    "not_applicable": " -",
    "not_reached": " .",
    "unknown": " ?",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `decide`."""
    parser.add_argument("case", nargs="?", metavar="CASE", help="a case folder; its decision.json is written")
    parser.add_argument("--set", action="append", default=[], metavar="FACT=VALUE", help="a fact; FACT=? is don't know")
    parser.add_argument("--facts", metavar="FILE", help="a YAML or JSON file that maps facts to values")
    parser.add_argument("--batch", metavar="FILE", help="one JSON object of facts a line; one decision a line out")
    parser.add_argument("--as-of", default="", metavar="DATE", help="decide with that day's prices (2026-11-21)")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Decide a case, a set of facts, or a file of them."""
    from advisor.base.case import today
    from advisor.reasoning.rulebook import load_rulebook

    as_of = _date(arguments.as_of) or today()
    rulebook = load_rulebook()
    if arguments.batch:
        if arguments.case or arguments.facts or arguments.set:
            raise BadInput("--batch stands alone.", fix="Put every fact into the file.", code="usage")
        return _batch(arguments.batch, rulebook, as_of)
    if arguments.case and arguments.facts:
        raise BadInput("Give a case or --facts, not both.", fix="Leave one of them out.", code="usage")
    facts = from_file(arguments.facts, rulebook) if arguments.facts else {}
    facts |= from_settings(arguments.set, rulebook)
    if arguments.case:
        from advisor.base.case import open_case
        from advisor.cli.chain import decide_case

        decision = decide_case(open_case(arguments.case), as_of=as_of, overrides=facts)
    else:
        from advisor.reasoning.walk import decide

        decision = decide(facts, rulebook, as_of=as_of, with_cost=out.json_mode)
    if out.json_mode:
        from advisor.records.plain import to_plain

        out.json(to_plain(decision))
    else:
        _print(decision, rulebook, out)
        _point(decision, arguments, out)
    return 0


def _date(text: str) -> str:
    if not text:
        return ""
    import datetime

    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadInput(f"{plain(text, 40)!r} is not a date.", where="--as-of", fix="--as-of 2026-11-21") from None


def _batch(name: str, rulebook: Rulebook, as_of: str) -> int:
    """One decision a line. A line that cannot be read gives an error line, and exit code 2 at the end; none is lost."""
    import json
    import sys

    from advisor.base.files import read_text
    from advisor.cli.factfile import parse_line
    from advisor.reasoning.walk import decide
    from advisor.records.plain import to_plain

    bad = 0
    for number, line in enumerate(read_text(Path(name)).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{Path(name).name}:{number}"
        head: dict[str, Any] = {}
        try:
            data = parse_line(line, where)
            if isinstance(data, dict) and "id" in data and "id" not in rulebook.facts:
                head = {"id": data.pop("id")}
            result = {**head, **to_plain(decide(checked(data, rulebook, where), rulebook, as_of=as_of))}
        except BadInput as problem:
            bad += 1
            problem.details = {"line": number, **problem.details}
            result = {**head, **problem.as_dict()}
            sys.stderr.write(f"error[{problem.code}]: {plain(problem.what, 300)}\n  --> {plain(problem.where, 300)}\n")
            if problem.fix:
                sys.stderr.write(f"  fix: {plain(problem.fix, 300)}\n")
        sys.stdout.write(json.dumps(result, ensure_ascii=False, allow_nan=False) + "\n")
    return BadInput.exit_code if bad else 0


def _print(decision: Decision, rulebook: Rulebook, out: Output) -> None:
    verdict = decision.verdict.replace("_", ", ") if decision.verdict else "open"
    firm = "" if decision.settled or not decision.verdict else " so far, not settled"
    out.line(f"Train? {verdict}{firm}" + (f"   Approach: {decision.approach}" if decision.approach else ""))
    out.told(decision.headline)
    decided = [step for step in (*decision.ladder, *decision.beside) if step.status == "enough"]
    for step in decided:
        for reason in step.because:
            out.told(f"Because {reason.text} [{reason.rule}]")
            if reason.do_instead:
                out.told(f"Do: {reason.do_instead}")
    out.line()
    for step in decision.ladder:
        out.told(_rung(step), hang=17)
    for step in decision.beside:
        if step.status in ("enough", "unknown"):
            out.told(_rung(step), hang=17)
    _side_answers(decision, rulebook, out)
    for caution in decision.cautions:
        out.told(f"Mind: {caution.text} [{caution.rule}]")
    out.line()
    if decision.settled:
        out.line("Settled: no open question can change it.")
    else:
        also = ", ".join(decision.also_possible)
        out.told(
            f"Not settled: {len(decision.unknown)} open facts can still change it. Also possible: {also or 'none'}."
        )
        out.told(f"Most would be settled by: {', '.join(decision.unknown[:3])}.")
    for flip in decision.flips[:3]:
        out.told(flip.text)


def _rung(step: Step) -> str:
    text = step.because[0].text if step.because and step.status != "enough" else ""
    rule = f" [{step.because[0].rule}]" if text else ""
    return f"{_MARKS[step.status]} {step.rung:<13} {step.status.replace('_', ' '):<14} {text}{rule}".rstrip()


def _side_answers(decision: Decision, rulebook: Rulebook, out: Output) -> None:
    said = []
    for name in ("hosting", "model_family", "metric", "trainer"):
        value = getattr(decision, name).value
        if value is not None:
            said.append(f"{name.replace('_', ' ')}: {rulebook.answers[name].get(value, value)}")
    if said:
        out.line()
        out.told("; ".join(said)[:1].upper() + "; ".join(said)[1:])


def _point(decision: Decision, arguments: argparse.Namespace, out: Output) -> None:
    if decision.next_question:
        if arguments.case:
            out.note(f"Next: train-or-not ask {arguments.case}")
        else:
            question = decision.next_question
            out.note(f"Next: add --set {question}=..  (train-or-not explain {question} says what it means)")
    elif arguments.case:
        out.note(f"Next: train-or-not report {arguments.case}")
    else:
        out.note("Next: train-or-not ask my-case   (keeps the answers, and goes on to a report)")
