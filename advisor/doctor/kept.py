"""What was kept and may grow old: the cache on disk, and the hosted models that the cases of this folder rest on."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advisor.base.case import Case, today
from advisor.base.errors import BadInput
from advisor.base.files import read_text
from advisor.base.safetext import plain
from advisor.doctor.findings import Finding, Status

MOST_FILES = 10_000


def cache_findings(folder: Path | None, most_mb: float) -> Iterator[Finding]:
    """How much the cache holds and how to empty it; a folder that cannot be written."""
    if folder is None or not folder.exists():
        return
    if not os.access(folder, os.W_OK):
        yield Finding("cache", "models", "warn", "The cache folder cannot be written.", f"chmod -R u+w {folder}")
    size, files = _size(folder)
    status: Status = "warn" if size > most_mb else "ok"
    held = f"{files:,} {'file' if files == 1 else 'files'}, {size:,.0f} MB"
    text = f"{held} in {plain(folder, 200)}; all of it is made or fetched again when needed"
    yield Finding("cache size", "other", status, text, f"rm -r {folder}" if status == "warn" else "")


def _size(folder: Path) -> tuple[float, int]:
    total = count = 0
    for place, _, names in os.walk(folder):
        for name in names:
            count += 1
            if count > MOST_FILES:
                return total / 2**20, count
            try:
                total += (Path(place) / name).lstat().st_size
            except OSError:
                continue
    return total / 2**20, count


def retirement_findings(folder: Path, warn_days: int) -> Iterator[Finding]:
    """For every case here whose climb knows the day on which its model is shut down: how long that is away."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        record = _climb(Case(path)) if path.is_dir() else {}
        day = str(record.get("retires") or "")
        try:
            left = (datetime.date.fromisoformat(day) - datetime.date.fromisoformat(today())).days
        except ValueError:
            continue
        model, case = plain(record.get("model", "the model"), 80), plain(path.name, 80)
        near = left <= warn_days
        when = f"was shut down on {day}" if left < 0 else f"is shut down on {day}, in {left:,} days"
        fix = f"train-or-not climb {case}   (with another --model; the decision follows)" if near else ""
        yield Finding(f"model of {case}", "models", "warn" if near else "ok", f"{case}: {model} {when}.", fix)


def _climb(case: Case) -> dict[str, Any]:
    try:
        content = json.loads(read_text(case.climb)) if case.climb.exists() else {}
    except (BadInput, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
