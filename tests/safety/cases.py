"""Small cases for tests of this folder, and the harness that walks them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ANSWERS = """\
schema: 1
data: data.csv
target: left
answers:
  task_type: classify
  decision_uses_output: true
  rules_can_solve: no
  success_metric_defined: true
  error_cost: low
  n_labeled: don't know
"""
ROWS = "age,city,spend,left\n" + "".join(
    f"{20 + n % 50},{'ABCD'[n % 4]},{(n * 37) % 90},{int((n % 50) + (n * 7) % 23 > 38)}\n" for n in range(240)
)


def table_case(folder: Path) -> Path:
    """`folder/my-case` with answers and a table; gives `folder`."""
    case = folder / "my-case"
    case.mkdir(parents=True)
    (case / "answers.yaml").write_text(ANSWERS, encoding="utf-8")
    (case / "data.csv").write_text(ROWS, encoding="utf-8")
    return folder


def light_plan(folder: Path) -> None:
    """Let the plan of `my-case` try one quick model in two folds: for tests whose point is not which model wins."""
    from advisor.base.strictyaml import dump, parse
    from trainers.classical.candidates import names

    file = folder / "my-case" / "plan.yaml"
    plan = parse(file.read_text(encoding="utf-8"), "plan.yaml").data
    plan["settings"]["folds"]["value"] = 2
    plan["settings"]["leave_out"]["value"] = [name for name in names() if name != "linear"]
    plan["budget_seconds"] = 600.0
    file.write_text(dump(plan), encoding="utf-8")


def walked(folder: Path, *words: str) -> Any:
    """What the harness found: see `walker.py`."""
    command = [sys.executable, str(HERE / "walker.py"), str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
