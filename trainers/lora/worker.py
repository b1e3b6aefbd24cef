"""One of several processes that train a run together: `LAUNCHER -m trainers.lora.worker RUN`.

Reads what the run's own process settled before it (plan.json, work/settled.json) and leaves checkpoints in work/, the
last of which that process takes up as if it had trained itself. Progress goes to work/progress.json, and what each
process begins to the launcher's log.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

from advisor.base.files import to_json, write_atomically
from advisor.records.plain import load
from advisor.records.plan import Plan
from trainers.common.lock import is_alive
from trainers.common.machine import peak_memory_mb
from trainers.common.rows import data_path
from trainers.common.runfolder import work_file
from trainers.lora.launching import PARENT, keep_peak
from trainers.lora.trainer import need_packages


class Written:
    """Progress as a file that another process reads, at most five times a second."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last = 0.0

    def phase(self, text: str) -> None:
        """A new phase begins, told to the launcher's log."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def step(self, done: float, total: float, note: str = "") -> None:
        """`done` of `total` steps are behind us."""
        if time.monotonic() - self._last > 0.2 or done == total:
            self._last = time.monotonic()
            write_atomically(self._file, to_json({"done": done, "total": total, "note": note}))


class Silent(Written):
    """Progress of the processes that only help."""

    def step(self, done: float, total: float, note: str = "") -> None:
        """The first process says it for all."""


def end_with(parent: str) -> None:
    """End this process, whatever it is at, soon after the run's own is gone: a new one may take the run up."""
    started_by = json.loads(parent)
    while is_alive(started_by):
        time.sleep(0.5)
    sys.stderr.write("the process that started this training is gone\n")
    sys.stderr.flush()
    os._exit(1)  # leaving the main thread to end by itself would wait for the others of the team


def main(run: Path) -> None:
    """Do this process's share of the training of `run`."""
    if parent := os.environ.get(PARENT):
        threading.Thread(target=end_with, args=(parent,), daemon=True).start()
    need_packages()
    from trainers.lora.full_card import taken_of_card_mb, told_when_full
    from trainers.lora.machine import find_device
    from trainers.lora.presets import settings_for
    from trainers.lora.recipe import recipe_of
    from trainers.lora.team import join_team
    from trainers.lora.training import Training

    team = join_team()
    folder = run.parent.parent
    plan = load(run / "plan.json", Plan)
    recipe = recipe_of(settings_for(plan, folder, data_path(plan, folder)))
    file = work_file(run, "progress.json")
    with told_when_full(recipe):
        Training(plan, folder, run, Silent(file) if team.rank else Written(file), recipe).learn(team)
    keep_peak(run, team.rank, taken_of_card_mb(find_device().kind) or peak_memory_mb())


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
