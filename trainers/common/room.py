"""Is there room on the disk for this training? Asked before it starts, not when the disk is full."""

from __future__ import annotations

import shutil
from pathlib import Path

from advisor.base.errors import EnvironmentMissing
from advisor.base.files import read_text
from advisor.base.shipped import rules_folder
from advisor.base.strictyaml import parse

_MIB = 2**20


def check_room(run: Path, estimate_mb: float) -> None:
    """Raise `EnvironmentMissing` unless the disk of `run` has room for twice the estimate (rules/training.yaml).

    What an earlier attempt of the same run left there counts as room: it is taken up or written over.
    """
    limits = parse(read_text(rules_folder() / "training.yaml"), "training.yaml").data["room"]
    needed = max(limits["times_the_estimate"] * estimate_mb, limits["at_least_mb"])
    held = sum(path.stat().st_size for path in run.rglob("*") if path.is_file()) / _MIB
    try:
        free = shutil.disk_usage(run).free / _MIB
    except OSError:
        return  # nobody can tell here; a full disk is told when it is met, and keeps what was finished
    if free + held < needed:
        raise EnvironmentMissing(
            f"Training needs {needed:,.0f} MB free on this disk; {free:,.0f} MB are.",
            where=str(run.parent),
            why="A run that meets a full disk stops; this one was not started, and nothing was changed.",
            fix="Free some space there (df -h), or copy the case to a larger disk and train it there.",
            code="disk-full",
            details={"needed_mb": round(needed), "free_mb": round(free)},
        )
