"""`train-or-not list`: the cases in a folder and where each stands."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from advisor.base.case import Case
from advisor.base.errors import BadInput
from advisor.base.files import read_text
from advisor.base.safetext import plain
from advisor.base.strictyaml import parse
from advisor.cli.output import Output

SUMMARY = "Lists the cases in a folder: the last decision of each, and the step that comes next."
EXAMPLES = (
    "train-or-not list             the cases here",
    "train-or-not list projects    the cases in projects/",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `list`."""
    parser.add_argument("folder", nargs="?", default=".", help="where to look (default: here)")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """One line a case, by name."""
    folder = Path(arguments.folder)
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder}.", where=str(folder), fix="Name a folder that holds cases.")
    cases = [_standing(Case(path)) for path in sorted(folder.iterdir()) if _is_case(path)]
    if out.json_mode:
        out.json({"folder": str(folder), "cases": cases})
        return 0
    width = max((len(plain(case["case"], 40)) for case in cases), default=0)
    for case in cases:
        said = plain(case["headline"] or "not decided yet", 100)
        out.line(f"{plain(case['case'], 40):<{width}}  {said}")
        out.line(f"{'':<{width}}  next: {plain(case['next'], 120)}")
    if not cases:
        out.line(f"No case in {folder}.")
        out.note("Next: train-or-not ask my-case")
    return 0


def _is_case(path: Path) -> bool:
    return path.is_dir() and any((path / name).is_file() for name in ("answers.yaml", "decision.json"))


def _standing(case: Case) -> dict[str, Any]:
    decision = _decision(case)
    if decision is None:
        step = "decide" if _answered(case) else "ask"
    elif not decision.get("settled"):
        step = "ask"
    else:
        step = "report" if case.plan.exists() or decision.get("trainer", {}).get("value") is None else "plan"
    return {
        "case": case.name,
        "approach": decision.get("approach") if decision else None,
        "verdict": decision.get("verdict") if decision else None,
        "settled": bool(decision.get("settled")) if decision else False,
        "headline": str(decision.get("headline", "")) if decision else "",
        "next": f"train-or-not {step} {case.folder}",
    }


def _answered(case: Case) -> bool:
    """Whether the answers file holds an answer; one that cannot be read is for `decide` to complain about."""
    try:
        content = parse(read_text(case.answers), str(case.answers)).data
    except BadInput:
        return case.answers.exists()
    return isinstance(content, dict) and bool(content.get("answers"))


def _decision(case: Case) -> dict[str, Any] | None:
    """The last decision, or None when there is none that can be read: `decide` makes it anew."""
    try:
        content = json.loads(read_text(case.decision))
    except (BadInput, ValueError):
        return None
    return content if isinstance(content, dict) else None
