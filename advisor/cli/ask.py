"""`train-or-not ask`: the questionnaire, or, without a terminal, the list of what it would ask."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.case import Case, open_case
from advisor.base.datafolder import sha256_of_data
from advisor.base.errors import BadInput, Interrupted
from advisor.base.files import read_text
from advisor.base.safetext import plain
from advisor.cli.output import Output
from advisor.records.facts import Fact

if TYPE_CHECKING:
    from advisor.interview.door import Door
    from advisor.interview.intake import Intake
    from advisor.interview.session import Interview

SUMMARY = """\
Asks one question at a time, only what can still change the decision. Every answer is saved at once; ^C loses none.
At every question: an answer, "don't know", `?` why it is asked, `back`, `jump` to any earlier answer."""
EXAMPLES = (
    "train-or-not ask my-case --data customers.csv --target churned     the data answers what it can",
    'train-or-not ask my-case --set task_type=classify --set n_labeled=?    for scripts; ? is "don\'t know"',
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `ask`."""
    parser.add_argument("case", nargs="?", help="the case's folder, made if it is not there (default: my-case)")
    parser.add_argument("--data", metavar="FILE", help="the file with your examples; it is looked at first")
    parser.add_argument("--target", metavar="COLUMN", help="its column with the right answers")
    parser.add_argument("--set", metavar="FACT=VALUE", action="append", default=[], help="answer without being asked")
    parser.add_argument(
        "--from", metavar="FILE", dest="problem", help="a problem text; a language model proposes answers from it"
    )
    parser.add_argument("--model", help="the model for --from (default: $TRAIN_OR_NOT_MODEL)")
    parser.add_argument("--endpoint", metavar="URL", help="its server (default: $OPENAI_BASE_URL, else api.openai.com)")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Ask what is open, or list it. Exit 3 when facts are missing and nobody can be asked."""
    from advisor.cli.ask_unattended import list_open
    from advisor.interview.lock import hold

    name = arguments.case or ("." if Path("answers.yaml").exists() else "my-case")
    changes = bool(arguments.data or arguments.target or arguments.set)
    if not (out.can_ask or changes):
        # Nothing to keep and nobody to ask: make no folder.
        interview = _interview(open_case(name) if Path(name).exists() else Case(Path(name)))
        return list_open(interview, name, _intake(interview, arguments, out), out)
    case = open_case(name, create=True)
    with hold(case):
        _keep_what_was_given(case, arguments, out)
        interview = _interview(case)
        if not out.can_ask:
            return list_open(interview, name, _intake(interview, arguments, out), out)
        return _ask(interview, name, arguments, out)


def _interview(case: Case) -> Interview:
    from advisor.cli.chain import look_of, measured_facts
    from advisor.interview.session import Interview
    from advisor.reasoning.rulebook import load_rulebook

    rulebook = load_rulebook()
    look = look_of(case)
    seen = [*(look.facts if look else ()), *measured_facts(case)]
    known = tuple(fact for fact in seen if fact.name in rulebook.facts and fact.origin != "default")
    hints = [*(look.suggestions if look else ()), *(fact for fact in seen if fact.origin == "default")]
    return Interview(case, rulebook, known, tuple(fact for fact in hints if fact.name in rulebook.facts))


def _keep_what_was_given(case: Case, arguments: argparse.Namespace, out: Output) -> None:
    """Save --data, --target and --set. A value that cannot be used is told before anything is saved."""
    from advisor.cli.factfile import from_settings
    from advisor.interview.session import Interview
    from advisor.reasoning.rulebook import load_rulebook

    rulebook = load_rulebook()
    facts = from_settings(arguments.set, rulebook)
    interview = Interview(case, rulebook)
    _look(interview, arguments, out)
    for name, value in facts.items():
        interview.record(Fact(name, value), how="given on the command line")


def _look(interview: Interview, arguments: argparse.Namespace, out: Output) -> None:
    """Look at the data of the case where that was not done yet, or not at this data."""
    from advisor.cli.chain import look_of
    from advisor.cli.main import dispatch

    case, file = interview.case, interview.answers.data_path(interview.case)
    if arguments.data:
        file = Path(arguments.data)
    elif file is None:
        if arguments.target:
            interview.name_data(None, arguments.target)
        return
    elif not file.exists():
        out.note(f"{plain(file)} is not there any more, so it was not looked at again.")
        return
    target = arguments.target or interview.answers.target or ""
    look = look_of(case)
    if look is not None and look.target == target and look.sha256 == sha256_of_data(file):
        if arguments.data:
            from advisor.interview.answers import relative_to_case

            interview.name_data(relative_to_case(file, case), target or None)
        return
    out.note(f"Looking at {plain(file.name)} ...")
    words = ["look", str(case.folder), "--data", str(file), *(["--target", target] if target else [])]
    dispatch([*words, "--quiet", "--no-input"], silent=True)


def _ask(interview: Interview, name: str, arguments: argparse.Namespace, out: Output) -> int:
    from advisor.interview.ask import conduct
    from advisor.interview.explain import greeting, seen_text

    door = _door(out)
    try:
        intake = _intake(interview, arguments, out)
        door.say(greeting(interview))
        if interview.observed and not interview.answers.facts:
            door.show(seen_text(interview))
        if intake is not None:
            from advisor.interview.review import review

            review(interview, intake, plain(Path(arguments.problem).name, 80), door)
        conduct(interview, door)
    except KeyboardInterrupt:
        count = len(interview.answers.facts)
        raise Interrupted(
            f"Stopped. {count} answer{' is' if count == 1 else 's are'} saved in {interview.case.answers}.",
            fix=f"Go on where you stopped: train-or-not ask {shlex.quote(name)}",
            code="interrupted",
        ) from None
    out.note(f"Next: train-or-not decide {shlex.quote(name)}")
    return 0


def _door(out: Output) -> Door:
    if out.bare:
        from advisor.interview.typed import Typed

        return Typed()
    from advisor.interview.prompts import Prompts

    return Prompts()


def _intake(interview: Interview, arguments: argparse.Namespace, out: Output) -> Intake | None:
    """What a model proposes from the problem text, where one was named. None of it is an answer yet."""
    if not arguments.problem:
        return None
    from advisor.base.llm import OPENAI, OpenAIDoor
    from advisor.interview.intake import read_problem

    text = read_text(Path(arguments.problem), 2**20)
    model = arguments.model or os.environ.get("TRAIN_OR_NOT_MODEL", "")
    if not model:
        raise BadInput(
            "No model is named to read the text.",
            where="--from",
            fix="Add --model NAME (and --endpoint URL for a server of your own), or leave --from out.",
            code="no-model",
        )
    door = OpenAIDoor(model, arguments.endpoint or os.environ.get("OPENAI_BASE_URL") or OPENAI)
    out.note(f"Sending {plain(arguments.problem)} ({len(text):,} characters) to {plain(door.name)}, nothing else.")
    known = {*interview.observed, *(fact.name for fact in interview.answers.facts)}
    intake = read_problem(text, interview.rulebook, door, known)
    if interview.case.folder.exists():
        interview.case.remember(
            "text read by a model",
            model=plain(door.name),
            tokens_in=intake.tokens_in,
            tokens_out=intake.tokens_out,
            proposed=[proposal.fact for proposal in intake.proposals],
            refused=len(intake.refused),
        )
    return intake
