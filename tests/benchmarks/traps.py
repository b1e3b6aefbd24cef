"""The traps of the real sets, through the whole chain: what look said, what plan did, what train did, and the figures.

    python tests/benchmarks/traps.py --keep traps/ [titanic parkinsons_tele ...]
    python tests/benchmarks/traps.py --keep traps/ --draws 8 titanic        (eight parts taken away in turn)

Of every set a part that is truly apart is taken away first: other people, later days, rows without a copy. The chain
(look, plan, train, by the command line) sees the rest only. Then the run answers the part taken away. Held beside each
other: the sealed score the run reported with its interval, the score on the part apart, and what a random split with
every column kept would have promised.

Two parts of a few hundred rows differ by chance too, and an interval says nothing of the other part's noise: `--draws`
takes away other parts and seals others, and tells the mean difference with its standard error. The latest days can be
taken but once.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "trainers")]

from training_plans import Silent, plan_for, run_folder  # noqa: E402  after the path is set

from advisor.base.tables import read_table  # noqa: E402
from advisor.records.look import SplitProposal  # noqa: E402
from trainers.classical.model_file import load_model  # noqa: E402
from trainers.common.intervals import bootstrap, percentile  # noqa: E402
from trainers.common.metrics import METRICS, Metric, Output  # noqa: E402
from trainers.common.splits import content_hashes  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402

# target, task, how the part apart is chosen (a column of groups, "latest", or "rows"), the columns of the trap
SETS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "titanic": ("survived", "binary", "rows", ("alive",)),
    "ai4i_maintenance": ("Machine failure", "binary", "rows", ("TWF", "HDF", "PWF", "OSF")),
    "bikeshare_hourly": ("bikers", "regression", "latest", ("casual", "registered")),
    "parkinsons_tele": ("total_UPDRS", "regression", "subject#", ("motor_UPDRS",)),
    "wine_quality": ("quality", "multiclass", "rows", ()),
    "elec2_drift": ("class", "binary", "latest", ()),
}


def apart(frame: pd.DataFrame, how: str, target: str, draw: int) -> np.ndarray:
    """Which rows are taken away: a quarter of the people, the last fifth, or a quarter of the different contents."""
    if how == "latest":
        return np.arange(len(frame)) >= int(0.8 * len(frame))
    if how == "rows":
        keys = content_hashes(frame.drop(columns=target))
    else:
        keys = pd.util.hash_array(frame[how].astype(str).to_numpy(dtype=object))
    return np.isin(keys, np.random.default_rng(draw).permutation(np.unique(keys))[: len(np.unique(keys)) // 4])


def say(case: Path, *words: str) -> dict[str, Any]:
    """One command of the tool, as a user runs it; its answer as JSON."""
    command = [sys.executable, "-m", "advisor", words[0], str(case), *words[1:], "--json", "--no-input"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        return {"code": done.returncode, **json.loads(done.stdout)}
    except ValueError:
        raise SystemExit(f"{' '.join(words)} said no JSON:\n{done.stdout[-500:]}\n{done.stderr[-1500:]}") from None


def score(run: Path, rows: pd.DataFrame, target: str, metric_name: str, how: str) -> tuple[float, float, float]:
    """What the run's model scores on rows it has nothing to do with, with its own 95 % interval over whole units."""
    model, metric = load_model(run), METRICS[metric_name]
    if not model.classes:
        return _with_interval(metric, rows[target].to_numpy(dtype=float), model.answer(rows), _units(rows, how))
    codes = rows[target].map(lambda value: str(int(value)) if isinstance(value, float) else str(value))
    known = codes.isin(model.classes).to_numpy()
    truth = codes[known].map({name: code for code, name in enumerate(model.classes)}).to_numpy(dtype=float)
    return _with_interval(metric, truth, model.answer(rows[known]), _units(rows[known], how))


def _with_interval(metric: Metric, truth: np.ndarray, output: Output, units: np.ndarray) -> tuple[float, float, float]:
    values = bootstrap(metric, truth, {"one": output}, units, 0, 1_000)["one"]
    return metric.value(truth, output), *percentile(values, 0.95)


def _units(rows: pd.DataFrame, how: str) -> np.ndarray:
    """People by their code, days by stretches, rows by themselves."""
    if how == "latest":
        return np.arange(len(rows)) // max(1, round(len(rows) ** 0.5))
    keys = np.arange(len(rows)) if how == "rows" else rows[how].to_numpy()
    return np.unique(keys, return_inverse=True)[1]


def naive(data: Path, case: Path, target: str, task: str, metric: str, seconds: float) -> float:
    """The score a random split with every column kept promises."""
    frame = read_table(data).frame
    # A number that makes every row different keeps copies from being recognised, as a plain random split would.
    unrecognised = frame.assign(**{"row noise": np.random.default_rng(0).normal(size=len(frame))})
    case.mkdir(parents=True, exist_ok=True)
    path = case / "naive.csv"
    unrecognised.to_csv(path, index=False)
    plan = plan_for(path, target, task, metric, split=SplitProposal("random"), budget=seconds)
    return find_trainer("classical").train(plan, case, run_folder(case), Silent()).sealed.value


def one(name: str, data: Path, keep: Path, seconds: float, draw: int = 1) -> dict[str, Any]:
    """All that is told of one set, with one part taken away; the naive promise with the first part only."""
    target, task, how, columns = SETS[name]
    frame = read_table(next((data / name).glob("data.*"))).frame
    away = apart(frame, how, target, draw)
    case = keep / (name if draw == 1 else f"{name}-{draw}")
    case.mkdir(parents=True, exist_ok=True)
    seen = case / "seen.csv"
    frame[~away].to_csv(seen, index=False)
    look = say(case, "look", "--data", str(seen), "--target", target)
    told = {
        column: [p["code"] for p in look["pitfalls"] if p["outcome"] == "issue" and column in p["columns"]]
        for column in columns
    }
    # Another seed seals other rows too: the same ones each time would be lucky, or not, together.
    asks = ("--approach", "classical", "--budget-seconds", str(int(seconds)), "--seed", str(draw - 1))
    plan = say(case, "plan", *asks)
    plan = plan.get("plan", plan)
    dropped = [entry["name"] for entry in plan["drop"]]
    asked = [entry["name"] for entry in plan["to_ask"]]
    first = say(case, "train")
    refused = first["code"] == 3 and first["error"]["code"] == "suspect-columns"
    if refused:
        # The person answers: what the trap holds is not known in time; everything else asked about is.
        gone = [word for column in columns for word in ("--drop", column)]
        say(case, "plan", *asks, *gone)
        accepted = [w for column in asked if column not in columns for w in ("--accept", f"{column}=known in time")]
        first = say(case, "train", *accepted)
    record = first if "sealed" in first else first["error"]["run"]
    run = case / "runs" / record["run"]
    sealed = record["sealed"]
    independent = score(run, frame[away], target, sealed["metric"], how)
    promised = naive(seen, keep / f"{name}-naive", target, task, sealed["metric"], seconds) if draw == 1 else None
    return {
        "set": name, "told": told, "dropped": dropped, "asked": asked, "refused": refused,
        "split": f"{plan['split']['kind']} {plan['split']['column']}".strip(), "metric": sealed["metric"],
        "sealed": [sealed["value"], sealed["low"], sealed["high"]], "independent": independent, "naive": promised,
        "within": sealed["low"] <= independent[0] <= sealed["high"],
        "level": sealed["low"] <= independent[2] and independent[1] <= sealed["high"],
    }  # fmt: skip


def main() -> None:
    """Print one block a set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*")
    shared = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared"))
    parser.add_argument("--data", type=Path, default=shared / "data")
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--draws", type=int, default=1)
    arguments = parser.parse_args()
    for name in arguments.sets or SETS:
        draws = 1 if SETS[name][2] == "latest" else arguments.draws
        lines = [one(name, arguments.data, arguments.keep, arguments.seconds, draw + 1) for draw in range(draws)]
        tell(name, lines[0])
        if draws > 1:
            tell_draws(lines)


def tell(name: str, line: dict[str, Any]) -> None:
    """The block of one set, with its first part taken away."""
    value, low, high = line["sealed"]
    caught = "; ".join(f"{column} by {', '.join(codes) or 'nothing'}" for column, codes in line["told"].items())
    print(f"{name} ({line['metric']}, split {line['split']})")
    print(f"  look caught     {caught or 'no column; see the split'}")
    print(f"  plan            left out {line['dropped']}; asked about {line['asked']}")
    print(f"  train           {'waited for an answer' if line['refused'] else 'had nothing to ask'}")
    print(f"  sealed          {value:.4f} ({low:.4f} to {high:.4f})")
    apart_value, apart_low, apart_high = line["independent"]
    where = "inside" if line["within"] else "outside"
    both = "the two overlap" if line["level"] else "and THE TWO DO NOT OVERLAP"
    print(f"  truly apart     {apart_value:.4f} ({apart_low:.4f} to {apart_high:.4f}), {where} that interval; {both}")
    print(f"  naive promise   {line['naive']:.4f}", flush=True)


def tell_draws(lines: list[dict[str, Any]]) -> None:
    """Each part's two scores, and whether the sealed one flatters on the mean."""
    pairs = [(line["sealed"][0], line["independent"][0]) for line in lines]
    told = ", ".join(f"{sealed:.3f}/{independent:.3f}" for sealed, independent in pairs)
    flatters = np.array([sealed - independent for sealed, independent in pairs])
    error = flatters.std(ddof=1) / np.sqrt(len(flatters))
    print(f"  sealed/apart    {told}")
    print(f"  sealed - apart  {flatters.mean():+.4f}, standard error {error:.4f}, over {len(lines)} parts", flush=True)


if __name__ == "__main__":
    main()
