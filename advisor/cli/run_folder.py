"""Which run a user means: one by its folder, a case's newest, or the rung that its climb chose."""

from __future__ import annotations

from pathlib import Path

from advisor.base.case import Case
from advisor.cli.chain import newest_run_folder


def _in_use(case: Case) -> Path | None:
    """The newest complete run, without those that were trained again and did not beat the run before them."""
    beaten = {
        str(event.get("run"))
        for event in case.history()
        if event.get("event") == "held_against_old" and event.get("outcome") != "better"
    }
    if not beaten or not case.runs.is_dir():
        return newest_run_folder(case)
    whole = [run for run in case.runs.iterdir() if (run / "COMPLETE").is_file() and run.name not in beaten]
    return max(whole, key=lambda run: ((run / "COMPLETE").stat().st_mtime_ns, run.name), default=None)


def run_folder(given: str) -> Path:
    """The run that was named; of a case, its newest complete one, or else the rung that its climb chose.

    `CASE/climb.json` means that rung also where there are runs.
    """
    folder = Path(given)
    if folder.name == "climb.json" and folder.is_file():
        from advisor.cli.kept_rung import rung_folder

        return rung_folder(Case(folder.parent))
    if (folder / "COMPLETE").is_file() or not folder.is_dir():
        return folder
    case = Case(folder)
    if newest := _in_use(case):
        return newest
    if case.climb.is_file():
        from advisor.cli.kept_rung import rung_folder

        return rung_folder(case)
    return folder
