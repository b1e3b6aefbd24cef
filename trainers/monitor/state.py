"""What was checked before, in one file that is whole or absent: no row is counted twice, whatever was killed when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from advisor.base.errors import BadInput
from advisor.base.files import read_text, to_json, write_atomically

FILE = "state.json"
_STEP = 1 << 20


@dataclass
class Source:
    """A file as far as it was checked: its first `bytes` have this hash and hold `rows` rows."""

    bytes: int
    sha256: str
    rows: int


@dataclass
class State:
    """All checks of one run, newest last, the files they saw by path, and the labelled rows counted so far.

    `served` holds seconds and USD of the first answers that were served, by the column of the served file. `gathered`
    are rows whose labels were counted and that were too few to be compared.
    """

    checks: list[dict[str, Any]] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    right: int = 0
    labelled: int = 0
    labelled_files: int = 0
    served: dict[str, list[float]] = field(default_factory=dict)
    gathered: list[dict[str, Any]] = field(default_factory=list)

    def known(self, content: str, asked: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """The latest check of a file with exactly this content, wherever it stood; with `asked`, of that kind only."""
        return next(
            (
                check
                for check in reversed(self.checks)
                if check["sha256"] == content and (asked is None or asked_of(check) == asked)
            ),
            None,
        )

    def without(self, check: Mapping[str, Any] | None) -> tuple[int, int, int]:
        """Right answers, labelled rows and files so far, without those of a check that is made again."""
        right, rows = self._counted(check) if check else (0, 0)
        return self.right - right, self.labelled - rows, self.labelled_files - bool(rows)

    def _counted(self, check: Mapping[str, Any]) -> tuple[int, int]:
        if "counted" in check:
            return int(check["counted"][0]), int(check["counted"][1])
        # Written before checks said it themselves: what it added to the sums of the check before it.
        sums = [one["performance"] for one in self.checks[: int(check["check"])] if one["performance"]]
        if not check["performance"]:
            return 0, 0
        before = sums[-2] if len(sums) > 1 else {"right": 0, "rows": 0}
        return int(sums[-1]["right"] - before["right"]), int(sums[-1]["rows"] - before["rows"])


def asked_of(check: Mapping[str, Any]) -> dict[str, Any]:
    """How a check looked at its file: two checks of one file are the same only where this is the same too."""
    told: dict[str, Any] = check.get("asked") or asked(ignored=check["ignored"])
    return told


def asked(
    *,
    names: Mapping[str, str] | None = None,
    ignored: Sequence[str] = (),
    by_meaning: bool = False,
    reference: str = "",
) -> dict[str, Any]:
    """The options of a check as they are kept; `reference` is the hash of a file that was named, or empty."""
    return {"names": dict(names or {}), "ignored": sorted(ignored), "by_meaning": by_meaning, "reference": reference}


def load_state(folder: Path) -> State:
    """The state in `folder`, empty when nothing was checked. Raises `BadInput` when it cannot be read."""
    path = folder / FILE
    if not path.exists():
        return State()
    try:
        told = json.loads(read_text(path))
        told.pop("schema")
        told["sources"] = {name: Source(**source) for name, source in told["sources"].items()}
        return State(**told)
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(
            "The record of earlier checks cannot be read.",
            where=str(path),
            why="Rows could be counted twice without it.",
            fix="Move the file away to start counting anew.",
            code="torn-file",
        ) from error


def save_state(folder: Path, state: State) -> None:
    """Write it whole."""
    told = {"schema": 1, **vars(state), "sources": {name: vars(source) for name, source in state.sources.items()}}
    write_atomically(folder / FILE, to_json(told))


def seen_part(source: Source | None, file: Path) -> int:
    """How many of the file's rows were checked before: all of an earlier, shorter version that it still begins with."""
    if source is None or file.stat().st_size < source.bytes:
        return 0
    return source.rows if hash_of(file, source.bytes) == source.sha256 else 0


def hash_of(file: Path, size: int) -> str:
    """Hex SHA-256 of the first `size` bytes."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while size and (piece := stream.read(min(size, _STEP))):
            digest.update(piece)
            size -= len(piece)
    return digest.hexdigest()
