"""`train-or-not look`: what the data answers by itself, what would ruin a model, and an honest split."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.case import Case, open_case
from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.cli.output import Output

if TYPE_CHECKING:
    from advisor.evidence.look import Progress
    from advisor.interview.answers import Answers
    from advisor.records.look import Look

SUMMARY = "Profiles data: observed facts, the columns, pitfalls with their fix, and an honest split."
EXAMPLES = (
    "train-or-not look customers.csv --target churned              one file, nothing is stored",
    "train-or-not look my-case --data customers.csv --target churned   kept in the case, used by decide and plan",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `look`."""
    from advisor.base.sniff import MAX_COLUMNS

    parser.epilog = (
        f"Limits: {MAX_COLUMNS:,} columns, 2 GiB read at once. A table over one is refused, with what to do."
    )
    parser.add_argument(
        "what", metavar="CASE|FILE", help="a case, a data file, a folder of tables, texts or images, or -"
    )
    parser.add_argument("--target", metavar="COLUMN", help="the column that holds the answer")
    parser.add_argument("--data", metavar="FILE|FOLDER", help="the data of the case; stored in its answers.yaml")
    parser.add_argument("--ignore", metavar="CODE", help="set a finding of this case aside; needs --because")
    parser.add_argument(
        "--because", metavar="REASON", default="", help="why it does not count here; shown in the report"
    )
    parser.add_argument("--heed", metavar="CODE", help="take an ignored finding seriously again")
    parser.add_argument("--all", action="store_true", help="show the checks that passed or do not apply as well")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Look at a file, or at the data of a case, and show it."""
    case = _case_of(arguments)
    if case is None and (arguments.ignore or arguments.heed):
        raise BadInput(
            "A finding is ignored in a case, not in a file.",
            fix="train-or-not look my-case --data FILE --target COLUMN, then ignore it there.",
            code="no-case",
        )
    if case is None:
        look = _look_at_file(arguments, out)
        _show(look, out, arguments.all)
        out.note(_next_for_file(arguments.what, look))
        return 0
    look = _look_at_case(case, arguments, out)
    _show(look, out, arguments.all)
    out.note(_next_for_case(case, look))
    return 0


def _case_of(arguments: argparse.Namespace) -> Case | None:
    """The case that is meant, or None when a file or a folder of data is."""
    path = Path(arguments.what)
    if arguments.data:
        return open_case(arguments.what, create=True)
    if arguments.what == "-" or path.is_file():
        return None
    if path.is_dir():
        case = Case(path)
        known = (case.answers, case.look, case.ledger, case.facts, case.decision)
        return case if any(file.exists() for file in known) or not any(path.iterdir()) else None
    if path.suffix and not path.exists():
        raise BadInput(
            f"There is no file {path}.",
            where=str(path),
            fix="Check the name; `ls` shows what is there.",
            code="no-file",
        )
    return open_case(arguments.what)


def _look_at_file(arguments: argparse.Namespace, out: Output) -> Look:
    from advisor.evidence.look import look_at
    from advisor.evidence.reading import standard_input

    with _progress(out) as told:
        if arguments.what != "-":
            return look_at(arguments.what, arguments.target or "", progress=told)
        with standard_input(sys.stdin.buffer) as path:
            return replace(look_at(path, arguments.target or "", progress=told), path="standard input")


def _look_at_case(case: Case, arguments: argparse.Namespace, out: Output) -> Look:
    from advisor.base.files import sha256_of_text
    from advisor.evidence.ignored import heed, ignore, load_ignored
    from advisor.evidence.look import look_at
    from advisor.interview.answers import load_answers
    from advisor.reasoning.rulebook import load_rulebook
    from advisor.records.plain import save

    if arguments.ignore:
        out.note(f"{ignore(case, arguments.ignore, arguments.because)} is set aside in this case.")
    if arguments.heed:
        out.note(f"{heed(case, arguments.heed)} counts again.")
    answers = load_answers(case, load_rulebook())
    path, target = _data_of(case, answers, arguments)
    ignored = load_ignored(case)
    with _progress(out) as told:
        look = look_at(path, target, progress=told, ignored=ignored)
    _store(case, answers, arguments)
    made_from = {"data": look.sha256, "target": target, "ignored": sha256_of_text(repr(sorted(ignored.items())))}
    save(case.look, look, made_from=made_from)
    issues = [finding.code for finding in look.pitfalls if finding.outcome == "issue"]
    case.remember("looked", data=look.path, sha256=look.sha256, target=target, issues=issues)
    return look


def _data_of(case: Case, answers: Answers, arguments: argparse.Namespace) -> tuple[Path, str]:
    target = arguments.target or answers.target or ""
    if arguments.data:
        return Path(arguments.data), target
    path = answers.data_path(case)
    if path is None:
        raise BadInput(
            f"The case {case.name} names no data.",
            where=str(case.answers),
            fix=f"train-or-not look {shlex.quote(str(case.folder))} --data FILE --target COLUMN",
            code="no-data",
        )
    return path, target


def _store(case: Case, answers: Answers, arguments: argparse.Namespace) -> None:
    """Keep where the data is and what the target is; only after they proved readable."""
    from advisor.interview.answers import relative_to_case, save_answers

    changed = answers
    if arguments.data:
        changed = replace(changed, data=relative_to_case(Path(arguments.data), case))
    if arguments.target:
        changed = replace(changed, target=arguments.target)
    if changed != answers:
        save_answers(case, changed)


def _progress(out: Output) -> _Bar:
    return _Bar(show=sys.stderr.isatty() and not (out.quiet or out.json_mode or out.bare))


class _Bar:
    """A progress bar on stderr, gone when the work is done; silent without a terminal."""

    def __init__(self, *, show: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True, disable=not show)
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, *ignored: object) -> None:
        self._bar.stop()

    def phase(self, text: str) -> None:
        """A new phase begins."""
        self._bar.update(self._task, description=plain(text, 60), completed=0, total=None)

    def step(self, done: float, total: float, note: str = "") -> None:
        """`done` of `total` units are behind us."""
        self._bar.update(self._task, completed=done, total=total)


def _show(look: Look, out: Output, everything: bool) -> None:
    from advisor.records.plain import to_plain

    if out.json_mode:
        out.json(to_plain(look))
        return
    from advisor.cli.look_page import draw

    draw(look, out.console(), everything=everything)


def _next_for_file(what: str, look: Look) -> str:
    if look.candidates and not look.target:
        named = f"--target {shlex.quote(plain(look.candidates[0], 80))}"
        return f"Next: name the target, for example: train-or-not look {shlex.quote(what)} {named}"
    target = f" --target {shlex.quote(plain(look.target, 80))}" if look.target else ""
    if what == "-":
        return f"Next: keep the data in a file, then: train-or-not look my-case --data FILE{target}"
    return f"Next: train-or-not look my-case --data {shlex.quote(what)}{target}"


def _next_for_case(case: Case, look: Look) -> str:
    folder = shlex.quote(str(case.folder))
    if look.candidates and not look.target:
        named = shlex.quote(plain(look.candidates[0], 80))
        return f"Next: name the target, for example: train-or-not look {folder} --target {named}"
    return f"Next: train-or-not ask {folder}"
