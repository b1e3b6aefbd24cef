"""`train-or-not new`: an empty case whose answers.yaml explains itself, for people who would rather fill in a file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from advisor.base.case import open_case
from advisor.base.errors import BadInput
from advisor.base.files import write_atomically
from advisor.cli.output import Output

if TYPE_CHECKING:
    from advisor.reasoning.rulebook import Rulebook

SUMMARY = "Starts an empty case: a folder with an answers.yaml in which every question stands as a comment."
EXAMPLES = (
    "train-or-not new my-case                      fill in my-case/answers.yaml, then decide",
    "train-or-not new my-case && train-or-not ask my-case",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `new`."""
    parser.add_argument("name", help="the folder to make")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Write the commented answers.yaml, unless there is one already."""
    from advisor.reasoning.rulebook import load_rulebook

    rulebook = load_rulebook()
    case = open_case(arguments.name, create=True)
    if case.answers.exists():
        raise BadInput(
            f"The case {case.name!r} has answers already.",
            where=str(case.answers),
            why="They would be lost.",
            fix=f"Go on with it: train-or-not ask {arguments.name}",
            code="case-exists",
        )
    case.remember("started")  # first: a kill in between tells it twice, the other order would never tell it
    write_atomically(case.answers, template(rulebook))
    if out.json_mode:
        out.json({"case": str(case.folder), "answers": str(case.answers), "questions": len(rulebook.facts)})
    else:
        out.line(f"{case.answers}: {len(rulebook.facts)} questions, none answered.")
    out.note(
        f"Next: train-or-not ask {arguments.name}   (or fill in the file, then train-or-not decide {arguments.name})"
    )
    return 0


def template(rulebook: Rulebook) -> str:
    """An answers.yaml without answers: every fact as a comment, with its question and what may be entered."""
    from advisor.interview.words import allowed
    from advisor.interview.wrap import wrapped

    lines = [
        "# What you know about this case. Answer what you can: take the # and the space away in front of a name, and",
        "# write the value behind the colon. Leave out what does not fit: `train-or-not ask` asks what still matters.",
        "# If you do not know, write: don't know",
        "schema: 1",
        "# data: customers.csv        the file with your examples, as seen from this folder",
        "# target: churned            its column with the right answers",
        "answers:",
    ]
    for definition in rulebook.facts.values():
        lines.append("")
        lines += [f"  ## {line}" for line in wrapped(definition.question, 108)]
        lines += [f"  ## {line}" for line in wrapped(allowed(definition), 108, "  ")]
        lines.append(f"  # {definition.name}:")
    return "\n".join(lines) + "\n"
