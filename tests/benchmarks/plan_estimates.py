"""Does a plan foretell what its run takes? Five runs, each planned and then trained as a user would.

    XDG_CACHE_HOME=… python tests/benchmarks/plan_estimates.py --keep runs/ [--only full,large] [--under CMD]

Three tables of growing size for the classical trainer; LoRA and full fine-tuning of the embedded model on a part of the
demonstration's tickets. What is held against the plan are the processor seconds of `train`, which on one thread are its
time on a machine with nothing else to do, and the greatest resident memory of its process. `--under CMD` puts a command
before every training, such as one that waits for a free processor. A run that is kept is told again, not repeated.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

MEMORY, TIME = 0.20, 1.5
TICKETS = ROOT / "advisor" / "demo" / "tickets"


@dataclass(frozen=True)
class Job:
    """One run: the data with its target, the approach, and what differs from the plan's own settings."""

    data: str
    target: str
    approach: str = "classical"
    rows: int = 0
    budget: int = 60
    settings: dict[str, Any] = field(default_factory=dict)


_SHORT = {"epochs": 1.0, "sealed_rows": 24, "development_rows": 24, "evaluations": 2}
# Long budgets: a run cut short by its budget on a busy machine would say nothing about the time it takes.
JOBS = {
    "table, small": Job("german_credit", "bad", budget=3600),
    "table, middle": Job("telco_churn", "Churn", budget=3600),
    "table, large": Job("adult", "income", budget=3600),
    "lora": Job("tickets", "answer", "fine_tune", 240, 7200, _SHORT),
    "full": Job("tickets", "answer", "fine_tune", 240, 7200, {**_SHORT, "learning": "full"}),
}


def say(*words: str, under: str = "") -> str:
    """Run the command line; its stdout. A gate that was not passed is an answer, too."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    command = [*shlex.split(under), sys.executable, "-W", "ignore", "-m", "advisor", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    if done.returncode not in (0, 4):
        raise SystemExit(done.stderr[-3000:])
    return done.stdout


def data_of(job: Job, case: Path, shared: Path) -> Path:
    """The file to learn from, beside its instruction where it has one; cut to the job's rows."""
    source = TICKETS / "tickets.csv" if job.data == "tickets" else next((shared / job.data).glob("data.*"))
    target = case / f"data{source.suffix}"
    if not job.rows:
        shutil.copy(source, target)
        return target
    shutil.copy(TICKETS / "instruction.txt", case)
    with source.open(encoding="utf-8", newline="") as read, target.open("w", encoding="utf-8", newline="") as written:
        lines = list(csv.reader(read))[: job.rows + 1]
        csv.writer(written).writerows(lines)
    return target


def planned(job: Job, case: Path, shared: Path) -> None:
    """A case with a plan whose estimate speaks of the job's own settings."""
    from advisor.base.files import write_atomically
    from advisor.base.strictyaml import dump, parse
    from advisor.records.plain import check, to_plain
    from advisor.records.plan import Plan, Setting
    from trainers.registry import find_trainer

    case.mkdir(parents=True)
    data = data_of(job, case, shared)
    say("look", str(case), "--data", str(data), "--target", job.target, "--quiet")
    say("plan", str(case), "--approach", job.approach, "--budget-seconds", str(job.budget))
    if job.settings:
        path = case / "plan.yaml"
        plan = check(parse(path.read_text(encoding="utf-8"), "plan.yaml").data, Plan, where="plan.yaml")
        own = {name: Setting(value, "For this benchmark.") for name, value in job.settings.items()}
        trainer = find_trainer(plan.trainer)
        plan = replace(plan, settings=own)
        plan = replace(plan, settings=trainer.settings(plan, case))
        plan = replace(plan, estimate=trainer.estimate(plan, case))
        write_atomically(path, dump(to_plain(plan)))


def trained(case: Path, under: str) -> None:
    """Train, and keep the processor seconds it took, the waiting for a processor not counted."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    say("train", str(case), "--quiet", under=under)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    (case / "used.json").write_text(json.dumps({"processor_seconds": round(seconds, 1)}), encoding="utf-8")


def told(case: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The plan's estimate and the record of the newest run, or None before there is one."""
    for record in sorted(case.glob("runs/*/run.json"), reverse=True):
        if (record.parent / "COMPLETE").exists():
            run = json.loads(record.read_text(encoding="utf-8"))
            return run["plan"]["estimate"], run | json.loads((case / "used.json").read_text(encoding="utf-8"))
    return None


def main() -> None:
    """Plan and run what is not kept, then print the table; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--data", type=Path, default=shared / "data")
    parser.add_argument("--keep", type=Path, required=True, help="where cases and runs are kept")
    parser.add_argument("--only", default="", help="parts of the names of the runs wanted")
    parser.add_argument("--under", default="", help="a command before every training")
    arguments = parser.parse_args()
    wanted = [part.strip() for part in arguments.only.split(",") if part.strip()]
    print("| run | time foretold | processor time | times | memory foretold | measured | error |")
    print("|---|---|---|---|---|---|---|")
    missed = 0
    for name, job in JOBS.items():
        if wanted and not any(part in name for part in wanted):
            continue
        case = (arguments.keep / name.replace(", ", "-")).resolve()
        if not case.exists():
            planned(job, case, arguments.data)
        if told(case) is None:
            trained(case, arguments.under)
        found = told(case)
        if found is None:
            raise SystemExit(f"{name}: the run left no record")
        estimate, run = found
        seconds, peak = run["processor_seconds"], run["peak_memory_mb"]
        times, error = estimate["seconds"] / seconds, estimate["peak_memory_mb"] / peak - 1
        missed += not 1 / TIME <= times <= TIME
        missed += abs(error) > MEMORY
        print(
            f"| {name} | {estimate['seconds']:,.0f} s | {seconds:,.0f} s | {times:.2f} "
            f"| {estimate['peak_memory_mb']:,.0f} MB | {peak:,.0f} MB | {error:+.0%} |",
            flush=True,
        )
    print(f"\nlimits: time within {TIME} times, memory within {MEMORY:.0%}; missed: {missed}")
    raise SystemExit(bool(missed))


if __name__ == "__main__":
    main()
