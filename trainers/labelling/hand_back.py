"""What people do with the rows they differ on and the labels that are done: the commands, ready to paste."""

from __future__ import annotations

import shlex
from pathlib import Path

from trainers.labelling.sheets import SETTLED


def to_settle(folder: Path, run: Path, differ: int, decided: int, sheet: Path | None) -> list[str]:
    """What to do with the rows on which people differ, where some are left; `sheet` holds those decided so far."""
    if differ == decided:
        return [f"All {differ:,} rows on which people differ are settled."] * bool(differ)
    file = sheet or folder / "settled.csv"
    start = (
        f"{decided:,} of the {differ:,} rows on which people differ are settled. Fill in more of {_shown(file)}"
        if sheet
        else f"{differ:,} rows on which people differ are in {run.name}/conflicts.csv, for somebody to settle. "
        f"cp {_shown(run / 'conflicts.csv')} {_shown(file)} and fill in its column {SETTLED!r}"
    )
    setting = f"--setting {SETTLED}={_shown(file.relative_to(folder) if file.is_relative_to(folder) else file)}"
    again = f"train-or-not plan {_shown(folder)} --approach get_labels {setting} && train-or-not train {_shown(folder)}"
    return [f"{start}; then: {again}"]


def to_use(folder: Path, run: Path, target: str, *, settled: bool) -> str:
    """What the run's labels hold, and the command that takes them for the case's data."""
    return (
        f"{run.name}/labelled.csv holds every label nobody contradicts{' or that was settled' * settled}. Use it: "
        f"train-or-not look {_shown(folder)} --data {_shown(run / 'labelled.csv')} --target {shlex.quote(target)}"
    )


def _shown(path: Path) -> str:
    return shlex.quote(str(path))
