"""Does a training use the time it was given, and no more? Asked and used seconds, and their ratio, by kind of run.

    python tests/benchmarks/budgets.py                                 every set at 20, 60 and 180 seconds
    python tests/benchmarks/budgets.py --seconds 20,60 air_passengers  one of them

A ratio above 1.1 is an overrun. One far below 1 is none where there was nothing left to try: the last column names what
took longest and how many ways were left out or cut short, by what the run itself says. Run it on a machine with nothing
else to do: what a budget holds is measured by the clock.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "trainers")]

from dataclasses import replace  # noqa: E402  after the path is set

from training_plans import Silent, plan_for, run_folder  # noqa: E402

from advisor.records.look import SplitProposal  # noqa: E402
from advisor.records.run import RunRecord  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402

OVERRUN = 1.1


@dataclass(frozen=True)
class Asked:
    """How one set is trained on: by which trainer, for which task, held against what."""

    trainer: str
    target: str
    task: str
    metric: str
    against: tuple[str, ...] = ("trivial", "one_rule")
    split: SplitProposal = field(default_factory=SplitProposal)
    drop: tuple[str, ...] = ()
    settings: dict[str, object] = field(default_factory=dict)


_NAIVE, _TIME = ("naive", "seasonal_naive"), SplitProposal("time")
SETS = {
    "titanic": Asked("classical", "survived", "binary", "roc_auc", drop=("alive",)),
    "adult": Asked("classical", "income", "binary", "roc_auc"),
    "concrete": Asked("classical", "compressive_strength", "regression", "mae"),
    "banking77": Asked("classical", "category", "multiclass", "accuracy", ("trivial",), drop=("split",)),
    "air_passengers": Asked("forecast", "value", "forecast", "mase", _NAIVE, _TIME, settings={"time": "time"}),
    "nab_nyc_taxi": Asked("forecast", "value", "forecast", "mase", _NAIVE, _TIME, settings={"time": "timestamp"}),
    "beijing_pm25": Asked(
        "forecast", "pm2.5", "forecast", "mase", _NAIVE, _TIME, settings={"time": "year, month, day, hour"}
    ),
    "mnist_3000": Asked("scratch", "label", "pictures", "accuracy", ("trivial", "small_model")),
    "wine_quality": Asked("unsupervised", "", "groups", "agreement", ("chance", "shuffled"), drop=("quality",)),
    "thyroid_anomaly": Asked("unsupervised", "", "oddities", "agreement", ("chance",), drop=("anomaly",)),
    "sms_spam": Asked("unsupervised", "", "topics", "agreement", ("chance", "shuffled"), drop=("label",)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=list(SETS), help=f"of {', '.join(SETS)}")
    parser.add_argument("--seconds", default="20,60,180", help="budgets to ask for, with commas between")
    options = parser.parse_args()
    budgets = [float(one) for one in options.seconds.split(",")]
    shared = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared")) / "data"
    print(f"{'set':<18}{'trainer':<14}{'asked':>8}{'used':>8}{'ratio':>7}  what took longest; what was not tried")
    over = 0
    for name in options.sets:
        for seconds in budgets:
            record, used = trained(shared / name / "data.csv", SETS[name], seconds)
            over += used > OVERRUN * seconds
            mark = " OVER" if used > OVERRUN * seconds else ""
            words = f"{longest(record)}; {left_out(record)}{mark}"
            trainer = SETS[name].trainer
            print(f"{name:<18}{trainer:<14}{seconds:>8.0f}{used:>8.1f}{used / seconds:>7.2f}  {words}", flush=True)
    print(f"\n{over} of {len(options.sets) * len(budgets)} ran over by more than a tenth")


def trained(data: Path, asked: Asked, seconds: float) -> tuple[RunRecord, float]:
    """The record of a run in a case of its own, and how many seconds it took by the clock."""
    plan = plan_for(
        data, asked.target, asked.task, asked.metric, split=asked.split, drop=asked.drop, against=asked.against,
        budget=seconds, settings=asked.settings,
    )  # fmt: skip
    plan = replace(plan, trainer=asked.trainer)
    with tempfile.TemporaryDirectory() as folder:
        run = run_folder(Path(folder), f"{asked.trainer}-1")
        trainer = find_trainer(asked.trainer)  # what it imports is no part of a training
        before = time.monotonic()
        record = trainer.train(plan, Path(folder), run, Silent())
        return record, time.monotonic() - before


def longest(record: RunRecord) -> str:
    """The two phases that took most."""
    phases = sorted(record.times.items(), key=lambda phase: -phase[1])[:2]
    return ", ".join(f"{name} {seconds:.1f} s" for name, seconds in phases)


def left_out(record: RunRecord) -> str:
    """How many candidates did not get their time, and which of the things that every run tells were not measured."""
    cut = sum(bool(one.note) and ("time" in one.note or "budget" in one.note) for one in record.candidates)
    without = record.diagnostics.get("without")
    up = [name for name, why in without.items() if "time was up" in why] if isinstance(without, dict) else []
    return f"{cut} of {len(record.candidates)} ways cut" + (f", no {' or '.join(up)}" if up else "")


if __name__ == "__main__":
    main()
