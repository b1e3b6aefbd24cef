"""Our forecasts beside the naive ways and statsforecast's models, at the same sealed origins.

    python tests/benchmarks/forecasts.py --budget 120 air_passengers nab_nyc_taxi
    python tests/benchmarks/forecasts.py --peer-seconds 600 --ces

Each line: MASE over the sealed windows, and seconds. Every peer is fitted anew at each origin on the latest steps, as
many as ours reads, and at least three of its seasons; one whose fits would take more than --peer-seconds says so.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402  after the threads are set

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "trainers")]

from training_plans import Silent, plan_for, run_folder  # noqa: E402  after the path is set

from advisor.records.look import SplitProposal  # noqa: E402
from trainers.common.policy import policy  # noqa: E402
from trainers.forecast.measure import forecast_metric, forecasts_at, scored, windows_of  # noqa: E402
from trainers.forecast.origins import origins_of  # noqa: E402
from trainers.forecast.panel import load_panel  # noqa: E402
from trainers.forecast.planning import horizon_of, seasons_for  # noqa: E402
from trainers.forecast.seasons import scales  # noqa: E402
from trainers.forecast.simple import Seasonal, naive  # noqa: E402
from trainers.forecast.statistical import Statistical, is_installed  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402

SETS = {
    "air_passengers": ("value", {"time": "time"}),
    "nab_nyc_taxi": ("value", {"time": "timestamp"}),
    "beijing_pm25": ("pm2.5", {"time": "year, month, day, hour"}),
    "bikeshare_hourly": ("bikers", {}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=list(SETS), help=f"of {', '.join(SETS)}")
    parser.add_argument("--budget", type=float, default=120.0, help="seconds for ours (default: 120)")
    parser.add_argument("--peer-seconds", type=float, default=240.0, help="the most one peer may take on one set")
    parser.add_argument("--ces", action="store_true", help="with AutoCES, which compiles for minutes first")
    options = parser.parse_args()
    shared = Path(os.environ.get("TRAIN_OR_NOT_SHARED", ROOT.parent / "shared")) / "data"
    for name in options.sets:
        one_set(shared, name, options)


def one_set(shared: Path, name: str, options: argparse.Namespace) -> None:
    target, settings = SETS[name]
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder)
        plan = plan_for(
            shared / name / "data.csv", target, "forecast", "mase", split=SplitProposal("time"),
            against=("naive", "seasonal_naive"), budget=options.budget, settings=dict(settings),
        )  # fmt: skip
        before = time.monotonic()
        record = find_trainer("forecast").train(plan, case, run_folder(case, "forecast-1"), Silent())
        took = time.monotonic() - before
        panel = load_panel(plan, case)
        horizon = horizon_of(plan, panel)
        origins = origins_of(panel.steps, horizon, plan.split.test_share)
        seasons = seasons_for(plan, panel, origins.fit_until)
    scale = scales(panel.values[:, : origins.train_until], seasons[0])
    windows = windows_of(panel.values, origins.sealed, horizon)
    print(f"\n{name}: {panel.steps:,} steps, {horizon} ahead, {len(origins.sealed)} sealed origins, seasons {seasons}")

    def line(label: str, value: float, seconds: float) -> None:
        print(f"  {label:<44} MASE {value:.3f}  {seconds:7.1f} s", flush=True)

    line(f"ours: {record.chosen[:38]}", record.sealed.value, took)
    for item in record.gate.comparisons:
        sure = f"gain {item.gain:+.3f} ({item.low:+.3f} to {item.high:+.3f})"
        print(f"    against {item.against:<30} {item.theirs.value:.3f}  {sure}")
    metric = forecast_metric("mase")
    rules = policy("forecasting")["history"]
    longest = min(int(origins.sealed[0]), max(min(rules["steps"], rules["seasons"] * seasons[0]), 3 * seasons[-1]))
    ways = {"last value": naive, **{f"{season} steps before": Seasonal(season) for season in seasons}}
    if is_installed():
        models = ["AutoTheta", "DynamicOptimizedTheta", "AutoETS", "AutoARIMA", "MSTL", *(["AutoCES"] * options.ces)]
        ways |= {m: Statistical(m, seasons if m == "MSTL" else seasons[:1]) for m in models}
    else:
        print("  statsforecast is not installed")
    best = np.inf
    for label, way in ways.items():
        slow = label in ("AutoETS", "AutoARIMA", "AutoCES") and seasons[0] > 24
        if slow or (label == "AutoARIMA" and seasons[0] > 12):
            print(f"  {label:<44} left out: a season of {seasons[0]} steps takes minutes a fit")
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            way(panel.filled[:, origins.sealed[0] - longest : origins.sealed[0]], horizon)  # compile first
            before = time.monotonic()
            way(panel.filled[:, origins.sealed[0] - longest : origins.sealed[0]], horizon)
            once = time.monotonic() - before
            if once * len(origins.sealed) > options.peer_seconds:
                print(f"  {label:<44} left out: {once:.1f} s a fit, {len(origins.sealed)} fits")
                continue
            before = time.monotonic()
            found = forecasts_at(
                lambda history, _, way=way: way(history[:, -longest:], horizon), panel.filled, origins.sealed, horizon
            )
        value = scored(windows, found, scale, metric)
        line(label, value, time.monotonic() - before)
        if label[0].isupper():
            best = min(best, value)
    if np.isfinite(best):
        print(f"  ours against the best of statsforecast: {record.sealed.value / best - 1:+.1%}")


if __name__ == "__main__":
    main()
