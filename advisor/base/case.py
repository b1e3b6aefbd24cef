"""A case is a folder: where each of its files stands, and the ledger that remembers what was done to it."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.base.errors import BadInput
from advisor.base.files import append_line, read_text

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def today() -> str:
    """The ISO date of today, or of `TRAIN_OR_NOT_TODAY`, so that a replay and a test can fix it."""
    return os.environ.get("TRAIN_OR_NOT_TODAY") or time.strftime("%Y-%m-%d")


def now() -> str:
    """The time in UTC, to the second, as ISO text."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())


@dataclass(frozen=True)
class Case:
    """A folder with answers, facts, decision, report, plan and runs; each file can be rebuilt from those before it."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def answers(self) -> Path:
        return self.folder / "answers.yaml"

    @property
    def look(self) -> Path:
        return self.folder / "look.json"

    @property
    def climb(self) -> Path:
        return self.folder / "climb.json"

    @property
    def costs(self) -> Path:
        return self.folder / "costs.yaml"

    @property
    def facts(self) -> Path:
        return self.folder / "facts.json"

    @property
    def decision(self) -> Path:
        return self.folder / "decision.json"

    @property
    def plan(self) -> Path:
        return self.folder / "plan.yaml"

    @property
    def report_markdown(self) -> Path:
        return self.folder / "report.md"

    @property
    def report_html(self) -> Path:
        return self.folder / "report.html"

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.jsonl"

    def remember(self, event: str, **details: Any) -> None:
        """Append one event to the ledger. What is written there is never changed."""
        append_line(self.ledger, json.dumps({"at": now(), "event": event, **details}, ensure_ascii=False))

    def history(self) -> list[dict[str, Any]]:
        """Every event in order; a line that a kill left torn is passed over."""
        if not self.ledger.exists():
            return []
        events = []
        # Only "\n" ends a line: JSON may hold U+2028 and the like as they are, and `splitlines` would tear it there.
        for line in read_text(self.ledger).split("\n"):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                events.append(event)
        return events


def open_case(name: str, *, create: bool = False) -> Case:
    """The case in the folder `name`. Raises `BadInput` when it is no case, or cannot be one."""
    folder = Path(name)
    if folder.is_dir():
        return Case(folder)
    if folder.exists():
        raise BadInput(
            f"{name} is a file; a case is a folder.",
            where=name,
            fix=f"Name a folder, or look at the file: train-or-not look {name}",
            code="not-a-case",
        )
    if not create:
        raise BadInput(
            f"There is no case {name!r}.",
            where=name,
            fix=f"Start it: train-or-not ask {name}",
            code="no-case",
        )
    if not _NAME.fullmatch(folder.name):
        raise BadInput(
            f"{folder.name!r} cannot be the name of a case.",
            where=name,
            fix="Use letters, digits, dots, dashes and underscores, at most 80.",
            code="bad-name",
        )
    folder.mkdir(parents=True, exist_ok=True)
    return Case(folder)
