"""`train-or-not monitor`: has the world changed since the run was trained, and what follows."""

from __future__ import annotations

import argparse
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.case import Case, today
from advisor.base.errors import EnvironmentMissing
from advisor.base.safetext import plain
from advisor.cli.output import Output

if TYPE_CHECKING:
    from trainers.use.opened import OpenedRun

SUMMARY = (
    "Compares new rows with the training rows: inputs, texts, answers, data quality, time and cost; and right answers\n"
    "where the file holds the target. No row counts twice. Exit 4 when there is something to do, so a timer can tell:\n"
    "  0 6 * * *  cd /where/it/is && train-or-not monitor my-case asked.jsonl --quiet || mail -s drift me@example.org"
)
EXAMPLES = (
    "train-or-not monitor my-case new-rows.csv                       the case's newest run",
    "train-or-not monitor my-case/runs/classical-1 asked.jsonl --ignore date --json",
)
_WIDTH = 100
_CHANNELS = {
    "inputs": "Inputs",
    "texts": "Texts",
    "outputs": "Answers",
    "quality": "Data quality",
    "service": "Time and cost",
}
ATTENTION = 4


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor`."""
    parser.add_argument("run", metavar="RUN", help="the folder of a finished run, CASE/runs/ID, or the case itself")
    parser.add_argument("file", metavar="FILE", help="new rows, or the file that `serve --keep` goes on writing")
    parser.add_argument("--max-usd", type=float, metavar="N", help="where answers cost money: never spend more in all")
    parser.add_argument("--ignore", metavar="COLUMN", action="append", default=[], help="a column that moves by nature")
    parser.add_argument(
        "--reference", metavar="FILE", help="this time, compare with these rows and not with those of training"
    )
    parser.add_argument(
        "--map", metavar="FILE_NAME=MODEL_NAME", action="append", default=[], help="a column that has another name here"
    )
    parser.add_argument("--all", action="store_true", help="show every test, not only the largest")
    parser.add_argument("--page", action="store_true", help="write a page with charts too, beside the checks")
    parser.add_argument(
        "--by-meaning", action="store_true", help="compare texts by meaning too, with the embedded sentence model"
    )


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Check, show, remember; exit 0 when there is nothing to do and 4 when there is."""
    from advisor.cli.predict import asked_names
    from advisor.cli.run_folder import run_folder
    from trainers.monitor.watch import watch
    from trainers.use.opened import Allowance, open_run

    opened = open_run(run_folder(arguments.run), Allowance(arguments.max_usd, files=Path(arguments.file).parent))
    check = watch(
        opened,
        Path(arguments.file),
        names=asked_names(arguments.map),
        ignored=arguments.ignore,
        source=Path(arguments.reference) if arguments.reference else None,
        vectors=_vectors(out) if arguments.by_meaning else None,
        decided_otherwise=_decided_otherwise(Case(opened.folder.parent.parent)),
    )
    written = _write_page(opened, check) if arguments.page else None
    if out.json_mode:
        out.json(check | ({"page": str(written)} if written else {}))
    for line in page(check, everything=arguments.all):
        out.line(line)
    if written:
        out.note(f"\nThe page: {written}")
    first = check["triggers"][0] if check["triggers"] else None
    if first:
        out.note(f"\nNext: {first['command']}")
    elif check["alarm"]:
        out.note(f"\nNext, what the rows look like: train-or-not look {shlex.quote(arguments.file)}")
    else:
        out.note("\nNext: the same command when new rows have come; no row counts twice.")
    return ATTENTION if check["attention"] else 0


def _vectors(out: Output) -> Any:
    """The embedded sentence model; `EnvironmentMissing` where its packages are not installed."""
    from advisor.cli.progress import shown_progress

    try:
        from trainers.embedded.sentences import SentenceModel

        with shown_progress(out) as progress:
            return SentenceModel(progress).vectors
    except ImportError as error:
        raise EnvironmentMissing(
            f"Comparing by meaning needs {error.name}.", fix='pip install "train-or-not[lora]"', code="extra-missing"
        ) from error


def _decided_otherwise(case: Case) -> str:
    """What the case's decision would be today, where prices, rules or dates have made it another; else empty."""
    if not case.decision.exists() or not case.answers.exists():
        return ""
    from advisor.cli.chain import facts_of
    from advisor.reasoning.prices import load_prices
    from advisor.reasoning.rulebook import load_rulebook
    from advisor.reasoning.walk import decide
    from advisor.records.decision import Decision
    from advisor.records.plain import load

    sheet = facts_of(case)
    prices = load_prices(own=case.costs) if case.costs.exists() else None
    today_s = decide(sheet.values(), load_rulebook(), declined=sheet.declined(), as_of=today(), prices=prices)
    then = load(case.decision, Decision)
    if today_s.approach == then.approach:
        return ""
    was, now = (plain(one or "open", 60).replace("_", " ") for one in (then.approach, today_s.approach))
    return (
        f"The decision of {plain(then.as_of, 20)} was {was}; with today's prices, rules and measurements it is {now}."
    )


def _write_page(opened: OpenedRun, check: dict[str, Any]) -> Path:
    from advisor import __version__
    from advisor.base.files import write_atomically
    from advisor.report.page import to_html
    from advisor.report.watched import tell_checks
    from trainers.monitor.policy import policy
    from trainers.monitor.state import load_state

    folder = opened.folder.parent.parent / "monitor" / opened.name
    # A check that is shown again tells what follows today; one that waits for rows is not kept, and shown all the same.
    checks = [check if one["check"] == check["check"] else one for one in load_state(folder).checks]
    checks += [check] if check.get("waiting") else []
    story = tell_checks(opened.name, checks, policy()["smallest"], f"train-or-not {__version__}")
    write_atomically(folder / "page.html", to_html(story))
    return folder / "page.html"


def page(check: dict[str, Any], *, everything: bool = False) -> Iterator[str]:
    """A check as plain lines: the verdict, each channel, right answers, what follows."""
    again = " (checked before; nothing was counted again)" if check["again"] else ""
    yield f"Check {check['check']} of {check['run']}: {check['rows']:,} new rows of {plain(check['file'], 60)}{again}"
    if check["rows_seen_before"]:
        yield f"{check['rows_seen_before']:,} rows of the file were checked before and are passed over."
    if check["compared"] and check.get("gathered"):
        yield f"{check['gathered']:,} rows of earlier files, too few by themselves, are compared along with them."
    yield ""
    if check["alarm"]:
        yield "Something has changed: " + ", ".join(check["alarms"]) + "."
    elif check["compared"]:
        yield "No change is shown."
    for channel, title in _CHANNELS.items():
        found = [one for one in check["findings"] if one["channel"] == channel]
        if found:
            yield ""
            yield f"{title} ({len(found)} tests, {sum(one['alarm'] for one in found)} alarms)"
        for one in found if everything else [one for at, one in enumerate(found) if one["alarm"] or at < 2]:
            yield from _line(one)
    yield ""
    if check["performance"]:
        yield from _wrapped(f"Right answers: {check['performance']['text']}")
        if check.get("costs"):
            yield from _wrapped(f"What answers cost: {check['costs']['text']}")
        if check.get("held"):
            yield from _wrapped(f"Inputs: {check['held']:,} rows are too few to compare; more of them will be enough.")
    elif check["compared"]:
        yield "Right answers: not known; the rows carry no labels."
    else:
        yield from _wrapped(_too_few(check))
    for trigger in check["triggers"]:
        yield ""
        yield from _wrapped(f"{trigger['trigger'].capitalize()}: {trigger['why']}")
        yield f"  {trigger['command']}"


def _too_few(check: dict[str, Any]) -> str:
    # Checks that an earlier version wrote down do not say so; they did not wait.
    waits = "These are not counted as checked: they wait in the file until more have come."
    return f"Too few rows to compare. {waits if check.get('waiting') else ''}".rstrip()


def _line(one: dict[str, Any]) -> Iterator[str]:
    mark = "ALARM" if one["alarm"] else "ok"
    size = f"{one['measure']} {one['effect']:.3f}"
    psi = ""
    if one["psi"] is not None:
        beyond = "above" if one["psi"] > one["psi_line"] else "below"
        psi = f", PSI {one['psi']:.2f} {beyond} its line {one['psi_line']:.2f}"
    sure = "p < 0.0001" if one["adjusted"] < 0.0001 else f"p = {one['adjusted']:.4f}"
    yield f"  {mark:<6}{plain(one['column'], 30):<22} {one['test']}: {size}, adjusted {sure}{psi}"
    yield from (f"        {line}" for line in textwrap.wrap(one["text"], _WIDTH - 8))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent="  ")
