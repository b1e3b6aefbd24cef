"""Our classical trainer beside other people's, on the same training rows and the same sealed rows.

    python tests/benchmarks/classical.py --keep bench/ telco_churn german_credit wine_quality
    python tests/benchmarks/classical.py --keep bench/ --systems "ours,autogluon medium" --seconds 30
    python tests/benchmarks/classical.py --keep bench/ --systems "" --table        (what is kept, nothing is run)

Every system gets the same rows, the same metric and the same seconds, in a process of its own, whose memory is summed
over the processes it starts. What one found is kept under --keep and not run again, `ours` excepted with --again.
Interpreters of systems that live elsewhere: PEER_AUTOGLUON, PEER_FLAML, PEER_MLJAR, PEER_H2O, PEER_CATBOOST,
PEER_SKRUB, and PEER_OURS for ours: an environment of its core dependencies, say.
`--under CMD` puts a command before every fit, such as one that waits for free processors.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "trainers"), str(ROOT / "tests" / "benchmarks")]

from table_systems import SYSTEMS, TARGET  # noqa: E402  after the path is set
from training_plans import plan_for  # noqa: E402

from advisor.records.look import SplitProposal  # noqa: E402
from trainers.common.decide import Cut, labelled  # noqa: E402
from trainers.common.intervals import bootstrap, percentile  # noqa: E402
from trainers.common.metrics import METRICS, Output  # noqa: E402
from trainers.common.rows import load_rows  # noqa: E402
from trainers.common.splits import split_rows  # noqa: E402

FAILURES = ("UID", "Product ID", "TWF", "HDF", "PWF", "OSF", "RNF")
SETS: dict[str, tuple[str, str, str, SplitProposal, tuple[str, ...]]] = {
    "german_credit": ("bad", "binary", "roc_auc", SplitProposal(), ()),
    "telco_churn": ("Churn", "binary", "roc_auc", SplitProposal(), ("customerID",)),
    "titanic": ("survived", "binary", "roc_auc", SplitProposal(), ("alive",)),
    "ai4i_maintenance": ("Machine failure", "binary", "average_precision", SplitProposal(), FAILURES),
    "wine_quality": ("quality", "multiclass", "log_loss", SplitProposal(), ()),
    "concrete": ("compressive_strength", "regression", "rmse", SplitProposal(), ()),
    "ames": ("Sale_Price", "regression", "rmse", SplitProposal(), ()),
    "bikeshare_hourly": ("bikers", "regression", "rmse", SplitProposal("time"), ("casual", "registered")),
    "parkinsons_tele": ("total_UPDRS", "regression", "rmse", SplitProposal("group", "subject#"), ("motor_UPDRS",)),
    "adult": ("income", "binary", "roc_auc", SplitProposal(), ()),
    "elec2_drift": ("class", "binary", "roc_auc", SplitProposal("time"), ()),
    "breast_cancer": ("target", "binary", "log_loss", SplitProposal(), ()),
}
# Nobody looked at these while the trainer was written (fresh_tables.py fetches them): they decided nothing.
FRESH: dict[str, tuple[str, str, str, SplitProposal, tuple[str, ...]]] = {
    "credit_data": ("Status", "binary", "roc_auc", SplitProposal(), ()),
    "lending_club": ("Class", "binary", "roc_auc", SplitProposal(), ()),
    "attrition": ("Attrition", "binary", "roc_auc", SplitProposal(), ()),
    "cells": ("class", "binary", "roc_auc", SplitProposal(), ("case",)),
    "diamonds": ("price", "regression", "rmse", SplitProposal(), ()),
    "diabetes": ("target", "regression", "rmse", SplitProposal(), ()),
    "digits": ("target", "multiclass", "log_loss", SplitProposal(), ()),
    "hmda": ("deny", "binary", "roc_auc", SplitProposal(), ()),
}
ALL = {**SETS, **FRESH}
HOMES = {
    "ours": "OURS",
    "autogluon": "AUTOGLUON",
    "flaml": "FLAML",
    "mljar": "MLJAR",
    "h2o": "H2O",
    "catboost": "CATBOOST",
    "skrub": "SKRUB",
    "linear": "SKRUB",
}


def prepared(name: str, data: Path, keep: Path, seconds: float, seed: int) -> Path:
    """The job's folder with train.csv and test.csv, split as our trainer splits."""
    folder = keep / f"{name}-{seed}-{seconds:g}s"
    if (folder / "job.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    target, task, metric, split, drop = ALL[name]
    path = next((data / name).glob("data.*")).resolve()
    plan = plan_for(path, target, task, metric, split=split, drop=drop, seed=seed)
    rows = load_rows(plan, folder)
    whole = rows.features if rows.split_by is None else rows.features.assign(**{"split by": rows.split_by})
    parts = split_rows(rows.features, rows.target.values, split, rows.split_by, seed, whole_rows=whole)
    codes = rows.target.values.astype(int) if rows.target.classes else rows.target.values
    frame = rows.features.assign(**{TARGET: codes})
    frame.iloc[parts.train].to_csv(folder / "train.csv", index=False)
    frame.iloc[parts.test].to_csv(folder / "test.csv", index=False)
    np.save(folder / "units.npy", parts.test_units())
    job = {
        "data": str(path), "target": target, "task": task, "metric": metric, "split": asdict(split),
        "drop": drop, "classes": list(rows.target.classes), "seconds": seconds, "seed": seed,
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return folder


def interpreter(system: str) -> str:
    """The Python that has the system: ours, unless an environment variable names another."""
    home = next((variable for begins, variable in HOMES.items() if system.startswith(begins)), "")
    return os.environ.get(f"PEER_{home}", sys.executable)


def run_one(system: str, folder: Path, under: str, seconds: float) -> str:
    """Run one system in a process of its own; returns what went wrong, or nothing."""
    command = [*shlex.split(under), interpreter(system), str(Path(__file__).with_name("table_systems.py"))]
    log = folder / f"{system}.log"
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen([*command, system, str(folder / "job.json")], stdout=stream, stderr=stream)
        most, over = [0.0], threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, most, over))
        watcher.start()
        try:
            process.wait()
        finally:
            over.set()
            watcher.join()
    found = folder / f"{system}.json"
    if process.returncode or not found.exists():
        return log.read_text(encoding="utf-8").strip().splitlines()[-1:][0][:160] if log.stat().st_size else "no answer"
    told = json.loads(found.read_text(encoding="utf-8"))
    found.write_text(json.dumps({**told, "peak_mb": most[0]}), encoding="utf-8")
    return ""


def _watch(pid: int, most: list[float], over: threading.Event) -> None:
    """Every 50 ms, the memory of a process and all it started, without the command that waits for processors."""
    while not over.wait(0.05):
        total = 0
        try:
            for one in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
                total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        most[0] = max(most[0], total / 2**20)


def line_of(name: str, folder: Path, systems: list[str]) -> dict[str, dict[str, float]]:
    """For each system that answered: its score, and the paired 95 % interval of our gain over it."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    metric, units = METRICS[job["metric"]], np.load(folder / "units.npy")
    truth = pd.read_csv(folder / "test.csv")[TARGET].to_numpy(dtype=float)
    outputs: dict[str, Output] = {}
    for system in systems:
        path = folder / f"{system}.answers.csv"
        if path.exists() and (folder / f"{system}.json").exists():
            answers = pd.read_csv(path).to_numpy(dtype=float)
            if not np.isfinite(answers).all():
                continue
            outputs[system] = labelled(answers, Cut()) if job["classes"] else Output(numbers=answers[:, 0])
    values = bootstrap(metric, truth, outputs, units, 0, 1_000)
    sign, line = (1 if metric.greater_is_better else -1), {}
    for system, output in outputs.items():
        told = json.loads((folder / f"{system}.json").read_text(encoding="utf-8"))
        line[system] = {**told, "value": metric.value(truth, output)}
        if "ours" in outputs:
            low, high = percentile(sign * (values["ours"] - values[system]), 0.95)
            line[system] |= {"gain_low": low, "gain_high": high}
    return line


def table(lines: dict[str, dict[str, dict[str, Any]]], systems: list[str]) -> None:
    """The scores, who is better by more than noise, mean ranks over the sets all finished, speed and memory."""
    print("\n" + f"{'':<22}" + "".join(f"{name[:12]:>14}" for name in lines))
    for system in systems:
        cells = []
        for line in lines.values():
            if system not in line:
                cells.append(f"{'-':>14}")
                continue
            one = line[system]
            mark = "" if system == "ours" or "gain_low" not in one else _mark(one)
            cells.append(f"{one['value']:>13.5g}{mark or ' '}")
        print(f"{system:<22}" + "".join(cells))
    print("- our gain is above zero, + theirs is, neither: within the paired 95 % interval's noise\n")
    ranks: dict[str, list[float]] = {system: [] for system in systems}
    for name, line in lines.items():
        better = METRICS[ALL[name][2]].greater_is_better
        present = {system: one["value"] for system, one in line.items() if system in systems}
        if len(present) < 2:
            continue
        order = pd.Series(present).rank(ascending=not better)
        for system in systems:
            ranks[system].append(float(order.get(system, len(systems))))
    print(f"{'':<22}{'mean rank':>10}{'peak MiB':>10}{'rows/s':>10}{'fit s':>8}{'CPU s':>8}   medians over the sets")
    for system in sorted(systems, key=lambda one: np.mean(ranks[one])):
        found = [line[system] for line in lines.values() if system in line]
        if found:
            middle = [np.median([one[k] for one in found]) for k in
                      ("peak_mb", "rows_per_second", "seconds", "processor_seconds")]  # fmt: skip
            print(f"{system:<22}{np.mean(ranks[system]):>10.2f}{middle[0]:>10.0f}{middle[1]:>10,.0f}"
                  f"{middle[2]:>8.1f}{middle[3]:>8.1f}")  # fmt: skip
    beside = [(line["ours"], line["autogluon medium"]) for line in lines.values()
              if "ours" in line and "autogluon medium" in line]  # fmt: skip
    if beside:
        print("\nBeside AutoGluon medium, set by set: "
              f"memory {np.median([a['peak_mb'] / b['peak_mb'] for a, b in beside]):.2f} times, "
              f"rows a second {np.median([a['rows_per_second'] / b['rows_per_second'] for a, b in beside]):.1f} times "
              f"(medians), worse by more than noise on {sum(b['gain_high'] < 0 for _, b in beside)}, better on "
              f"{sum(b['gain_low'] > 0 for _, b in beside)}, of {len(beside)} sets.")  # fmt: skip


def _mark(one: dict[str, Any]) -> str:
    return "-" if one["gain_low"] > 0 else "+" if one["gain_high"] < 0 else ""


def main() -> None:
    """Run what is not kept yet, then print the table of everything asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", help="all by default; `fresh` for those nobody looked at")
    shared = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--data", type=Path, default=shared / "data")
    parser.add_argument("--fresh-data", type=Path, default=Path("fresh-tables"))
    parser.add_argument("--keep", type=Path, required=True, help="where jobs and answers are kept")
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--under", default="", help="a command before every fit")
    parser.add_argument("--again", action="store_true", help="run `ours` again although it is kept")
    parser.add_argument("--table", action="store_true", help="run nothing, print what is kept")
    arguments = parser.parse_args()
    names = list(SETS) if not arguments.sets else list(FRESH) if arguments.sets == ["fresh"] else arguments.sets
    systems = [one for one in arguments.systems.split(",") if one] or list(SYSTEMS)
    lines = {}
    for name in names:
        data = arguments.fresh_data if name in FRESH else arguments.data
        folder = prepared(name, data, arguments.keep, arguments.seconds, arguments.seed)
        for system in [] if arguments.table else systems:
            if (folder / f"{system}.json").exists() and not (arguments.again and system.startswith("ours")):
                continue
            wrong = run_one(system, folder, arguments.under, arguments.seconds)
            print(f"{name}: {system}: {wrong or 'done'} at {time.strftime('%H:%M:%S')}", flush=True)
        lines[name] = line_of(name, folder, systems)
    table(lines, systems)


if __name__ == "__main__":
    main()
