"""`train-or-not report`: the decision as a page people forward, a record a repository keeps, a page in the terminal."""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import TYPE_CHECKING

from advisor.base.case import Case, open_case
from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_file, write_atomically
from advisor.cli.output import Output

if TYPE_CHECKING:
    from advisor.report.blocks import Story

SUMMARY = "Writes the decision report: report.md and report.html in the case, and its first page here."
EXAMPLES = (
    "train-or-not report my-case --open                    and show report.html in the browser",
    "train-or-not report my-case --format adr > docs/decisions/0007-train-or-not.md",
)
FORMATS = ("terminal", "markdown", "html", "adr", "json")


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `report`."""
    parser.add_argument("case", metavar="CASE", help="the folder of the case")
    parser.add_argument("--format", choices=FORMATS, help="print the whole report in this form, write no page")
    parser.add_argument("--open", action="store_true", help="show report.html in the browser")
    parser.add_argument("--as-of", default="", metavar="DATE", help="replay the decision with that day's prices")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Decide, tell the story, and draw it where it was asked for."""
    case = open_case(arguments.case)
    if not case.answers.exists() and not case.look.exists():
        raise BadInput(
            f"{case.name} holds no answers yet.",
            where=str(case.folder),
            why="A report tells a decision, and a decision needs at least one answer.",
            fix=f"train-or-not ask {shlex.quote(str(case.folder))}",
            code="nothing-to-report",
        )
    story = story_of(case, arguments.as_of)
    if arguments.format:
        _print(story, arguments.format, out)
        return 0
    _write(case, story)
    _first_page(case, story, out)
    if arguments.open:
        _open(case, out)
    return 0


def story_of(case: Case, as_of: str = "") -> Story:
    """The story of a case, on all its records."""
    from advisor.cli.chain import decide_case, facts_of, latest_run, look_of, own_prices, plan_of, run_in_use
    from advisor.reasoning.rulebook import load_rulebook
    from advisor.records.climb import ClimbRecord
    from advisor.records.plain import load
    from advisor.report.gather import gather
    from advisor.report.story import tell

    decision = decide_case(case, as_of)
    files = [case.answers, case.look, case.climb, case.facts, case.decision, case.plan]
    run = run_in_use(case)
    if run is not None:
        files.append(run / "run.json")
    inputs = {path.relative_to(case.folder).as_posix(): sha256_of_file(path) for path in files if path.exists()}
    return tell(
        gather(
            case.name,
            str(case.folder),
            decision,
            facts_of(case),
            load_rulebook(),
            look=look_of(case),
            plan=plan_of(case),
            run=latest_run(case),
            climb=load(case.climb, ClimbRecord) if case.climb.exists() else None,
            inputs=inputs,
            prices=own_prices(case),
        )
    )


def _print(story: Story, form: str, out: Output) -> None:
    if form == "json" or out.json_mode:
        from advisor.records.plain import to_plain

        out.json(to_plain(story))
    elif form == "terminal":
        from advisor.report.terminal import show

        show(story, out.console(), everything=True, bare=out.bare)
    elif not out.silent:
        from advisor.report.adr import to_adr
        from advisor.report.markdown import to_markdown
        from advisor.report.page import to_html

        sys.stdout.write({"markdown": to_markdown, "html": to_html, "adr": to_adr}[form](story))


def _write(case: Case, story: Story) -> None:
    from advisor.report.markdown import to_markdown
    from advisor.report.page import to_html

    write_atomically(case.report_markdown, to_markdown(story))
    write_atomically(case.report_html, to_html(story))


def _first_page(case: Case, story: Story, out: Output) -> None:
    if out.json_mode:
        _print(story, "json", out)
        return
    from advisor.report.terminal import show

    show(story, out.console(), bare=out.bare)
    out.note(f"\nThe whole report: {case.report_html} and {case.report_markdown.name}")


def _open(case: Case, out: Output) -> None:
    import webbrowser

    if not webbrowser.open(case.report_html.resolve().as_uri()):
        out.note("No browser could be started here; open the file yourself.")
