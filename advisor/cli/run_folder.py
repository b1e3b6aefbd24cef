"""Which run a user means: one by its folder, a case's newest, or the rung that its climb chose."""

from __future__ import annotations

from pathlib import Path

from advisor.base.case import Case
from advisor.cli.chain import run_in_use


def run_folder(given: str) -> Path:
    """The run that was named; of a case, the one in use, or else the rung that its climb chose.

    `CASE/climb.json` means that rung also where there are runs.
    """
    folder = Path(given)
    if folder.name == "climb.json" and folder.is_file():
        from advisor.cli.kept_rung import rung_folder

        return rung_folder(Case(folder.parent))
    if (folder / "COMPLETE").is_file() or not folder.is_dir():
        return folder
    case = Case(folder)
    if used := run_in_use(case):
        return used
    if case.climb.is_file():
        from advisor.cli.kept_rung import rung_folder

        return rung_folder(case)
    return folder
