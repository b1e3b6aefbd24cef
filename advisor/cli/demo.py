"""`train-or-not demo`: the whole chain on shipped cases, with every command shown as it is run."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.base.case import Case
from advisor.base.errors import BadInput, Problem
from advisor.cli.output import Output

SUMMARY = "Runs the shipped cases through every step: look, decide, plan, train, hold against the cheaper rung, report."
EXAMPLES = (
    "train-or-not demo                     both cases, about two minutes",
    "train-or-not demo --with fine_tune    instead: tune a language model on this machine, about ten minutes",
)
SHIPPED = Path(__file__).resolve().parent.parent / "demo"
MARKER = ".made-by-train-or-not-demo"


@dataclass(frozen=True)
class Story:
    """One shipped case: what it shows, and the verbs that take it from answers to report."""

    name: str
    title: str
    verbs: tuple[tuple[str, ...], ...]


STORIES = (
    Story(
        "churn",
        "A table: which customers are about to leave?",
        (("look", "{case}"), ("decide", "{case}"), ("plan", "{case}"), ("train", "{case}"), ("report", "{case}")),
    ),
    Story(
        "returns",
        "Language: a support assistant whose policy changes every week",
        (("decide", "{case}"), ("plan", "{case}"), ("report", "{case}")),
    ),
)
# Shown only when asked for by name: each takes minutes, and may fetch a model once.
LONGER = {
    "fine_tune": Story(
        "tickets",
        "Fine-tuning: a small language model learns to route tickets",
        (
            ("look", "{case}"),
            ("decide", "{case}"),
            ("plan", "{case}", "--budget-seconds", "300"),
            ("train", "{case}"),
            ("report", "{case}"),
        ),
    )
}


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `demo`."""
    parser.add_argument(
        "--folder", default="train-or-not-demo", help="where the demo's cases go (default: %(default)s)"
    )
    parser.add_argument(
        "--with",
        dest="longer",
        choices=sorted(LONGER),
        help="show this longer case instead of the two short ones",
    )


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Copy the shipped cases, walk each through its verbs, and say where the reports are."""
    stories = (LONGER[arguments.longer],) if arguments.longer else STORIES
    folder = _fresh_folder(Path(arguments.folder), stories)
    endings = [_tell(story, folder, out) for story in stories]
    if out.json_mode:
        out.json({"folder": str(folder), "cases": endings})
    else:
        out.line()
        out.line("From question to verdict:")
        for ending in endings:
            out.line(f"  {ending['case']}: {ending['answer']}")
            out.line(f"    read it: {ending['report']}")
        out.note("\nNext, your own question: train-or-not ask my-case")
    return 0


def _fresh_folder(folder: Path, stories: Sequence[Story]) -> Path:
    if folder.exists():
        if not (folder / MARKER).exists():
            raise BadInput(
                f"{folder} exists and was not made by the demo.",
                where=str(folder),
                why="The demo would overwrite what is in it.",
                fix="train-or-not demo --folder another-name",
                code="not-mine",
            )
        for story in stories:
            shutil.rmtree(folder / story.name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("Made anew by `train-or-not demo` each time.\n", encoding="utf-8")
    return folder


def _tell(story: Story, folder: Path, out: Output) -> dict[str, Any]:
    case = folder / story.name
    shutil.copytree(SHIPPED / story.name, case)
    out.line()
    out.line(f"── {story.title} " + "─" * max(0, 76 - len(story.title)))
    codes = [_step([word.format(case=case) for word in verb], out) for verb in story.verbs]
    return _ending(Case(case), story, codes)


def _step(words: Sequence[str], out: Output) -> int:
    """Run one verb as the user would type it. A gate not passed is an honest ending, not a failure of the demo."""
    from advisor.base.errors import GateNotPassed
    from advisor.cli.main import dispatch

    out.line()
    out.line(f"$ train-or-not {' '.join(words)}")
    everywhere = ["--no-input", *(["--plain"] if out.bare else []), *(["--quiet"] if out.json_mode else [])]
    try:
        return dispatch([*words, *everywhere], silent=out.json_mode)
    except GateNotPassed as problem:
        out.problem(problem)
        return problem.exit_code
    except Problem as problem:
        raise type(problem)(
            f"The demo stopped at `train-or-not {' '.join(words)}`: {problem.what}",
            where=problem.where,
            why=problem.why,
            fix=problem.fix,
            code=problem.code,
        ) from problem


def _ending(case: Case, story: Story, codes: list[int]) -> dict[str, Any]:
    from advisor.cli.chain import latest_run
    from advisor.records.decision import Decision
    from advisor.records.plain import load

    decision = load(case.decision, Decision)
    record = latest_run(case)
    return {
        "case": story.name,
        "verdict": decision.verdict,
        "approach": decision.approach,
        "settled": decision.settled,
        "answer": f"{decision.headline} {record.gate.text if record else ''}".strip(),
        "gate": record.gate.outcome if record else None,
        "report": str(case.report_html),
        "exit_codes": codes,
    }
