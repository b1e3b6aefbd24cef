"""Forecast as the plan says, and say whether it was worth it over the last value and the last season.

In order: read the series; seal the latest part; let the naive ways and all others forecast from rolling origins before
it; take the mean of the best few; learn that from all that is not sealed; open the sealed windows once; compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from advisor.base.files import to_json
from advisor.base.safetext import plain
from advisor.records.plain import to_plain
from advisor.records.plan import Estimate, Plan, Setting
from advisor.records.run import Candidate as Told
from advisor.records.run import RunRecord, Score
from trainers.classical.diagnostics import errors_of
from trainers.common.account import accounted
from trainers.common.ending import Watch, end_run
from trainers.common.gate import check_gate, hold_against
from trainers.common.intervals import rough_interval
from trainers.common.metrics import Floats, Integers, Output
from trainers.common.policy import policy
from trainers.common.runfolder import keep, verify
from trainers.common.sealed import freeze, open_sealed, opening_note
from trainers.common.splits import Split
from trainers.contract import Progress
from trainers.forecast import planning
from trainers.forecast.candidates import Problem, baselines, portfolio
from trainers.forecast.intervals import coverage, widths
from trainers.forecast.look import look, promises, worst_series
from trainers.forecast.measure import (
    Windows,
    awaited,
    check_awaited,
    flat,
    forecast_metric,
    forecasts_at,
    scored,
    units_of,
    values_in,
    windows_of,
)
from trainers.forecast.model_file import ForecastModel, load_model, save_model
from trainers.forecast.origins import Origins, origins_of
from trainers.forecast.panel import Panel, load_panel
from trainers.forecast.search import Chosen, Together, Tried, again_for, best_seasonal, choose, search
from trainers.forecast.seasons import scales

RUNGS = ("naive", "seasonal_naive")


class ForecastTrainer:
    """The trainer named `forecast`."""

    def settings(self, plan: Plan, folder: Path) -> dict[str, Setting]:
        """The choices it would make, each with its reason."""
        return planning.settings(plan, folder)

    def estimate(self, plan: Plan, folder: Path) -> Estimate:
        """Time, memory and disk, from the number of values."""
        return planning.estimate(plan, folder)

    def train(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> RunRecord:
        """Do what the plan says and leave the run folder complete."""
        with threadpool_limits(1):
            return _Training(plan, folder, run, progress).record()

    def predict(self, run: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """One answer a row, in order, with its interval: a row without a value is forecast, another gives its own."""
        from trainers.forecast.ahead import answer

        verify(run)
        answers = answer(load_model(run), pd.DataFrame(list(rows)))
        both = zip(answers.predictions.tolist(), answers.ends(), strict=True)
        yield from ({"prediction": value} | ends for value, ends in both)


class _Training:
    """One training, step by step; each step reads what the steps before it left."""

    def __init__(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> None:
        self.plan, self.folder, self.run, self.progress = plan, folder, run, progress
        self.watch = Watch()
        self.metric = forecast_metric(str(plan.metric.value))
        check_gate(plan.gate, RUNGS)

    def record(self) -> RunRecord:
        """Run all steps and return the record of the complete run."""
        keep(self.run, "plan.json", to_json(to_plain(self.plan)))
        self.progress.phase("Reading the series and sealing the latest part")
        panel = load_panel(self.plan, self.folder)
        horizon = planning.horizon_of(self.plan, panel)
        origins = origins_of(panel.steps, horizon, self.plan.split.test_share)
        seasons = planning.seasons_for(self.plan, panel, origins.fit_until)
        share = planning.interval_of(self.plan)
        problem = Problem(panel.filled, panel.values, seasons, horizon, panel.clock, self.plan.seed)
        scale = scales(panel.values[:, : origins.train_until], seasons[0])
        check_awaited(windows_of(panel.values, origins.development, horizon), scale, panel.layout.target, "chosen by")
        check_awaited(windows_of(panel.values, origins.sealed, horizon), scale, panel.layout.target, "judged by")
        test_part, sealed_rows = self._seal(panel, origins)
        self.watch.lap("read_and_split")

        self.progress.phase("Forecasting from rolling origins, naive ways first")
        rules = policy("forecasting")["budget"]
        candidates = baselines(problem) + portfolio(problem, origins.fit_until)
        seconds = self.plan.budget_seconds * rules["choosing"]
        tried = search(problem, origins, candidates, self.run, self.progress, seconds)
        left = self.plan.budget_seconds - self.watch.seconds()
        chosen = choose(tried, problem, origins, scale, self.metric, left)
        self.watch.lap("choose")

        self.progress.phase("Learning from all that is not sealed")
        fitted = tuple(one.fitted(problem, origins.train_until) for one in chosen.members)
        known = windows_of(panel.values, origins.development, horizon)
        half = widths(known, chosen.forecasts, scale, share)
        kept = min(panel.steps, max(10 * seasons[-1], 4 * horizon, policy("forecasting")["history"]["steps"]))
        tail, start = panel.values[:, -kept:], panel.steps - kept
        forecaster = Together(fitted)
        model = ForecastModel(
            chosen.members, forecaster, panel.layout, panel.clock, panel.names,
            horizon, seasons, scale, half, share, tail, start,
        )  # fmt: skip
        save_model(self.run, model, fitted)
        self.watch.lap("fit")

        self.progress.phase("Looking at what it leans on")
        again = sum(one.seconds * again_for(one, origins) for one in tried if one.candidate in chosen.members)
        left = (self.plan.budget_seconds - self.watch.seconds() - again) * rules["looking"]
        looked = look(problem, origins, scale, self.metric, chosen, tried, left)
        self.watch.lap("look")

        self.progress.phase("Opening the sealed windows")
        opening = open_sealed(self.folder, self.run.name, test_part, sealed_rows)
        windows = windows_of(panel.values, origins.sealed, horizon)
        ours = forecasts_at(forecaster, panel.filled, origins.sealed, horizon)
        last_season = best_seasonal(tried, known, scale, self.metric)
        ways = {"naive": candidates[0], "seasonal_naive": last_season}
        naive = {
            name: forecasts_at(way.fitted(problem, origins.train_until), panel.filled, origins.sealed, horizon)
            for name, way in ways.items()
        }
        keep(self.run, "test_predictions.csv", _predictions(panel, windows, {"ours": ours, **naive}, horizon))
        self.watch.lap("sealed")
        notes = [*panel.notes, f"The last season is {last_season.name}."]
        found, lacking = looked
        found["calibration"] = promises(known, chosen, windows, ours, scale)
        return self._end(
            panel, origins, scale, tried, chosen, windows, ours, naive, half, share, notes, opening, found, lacking
        )

    def _seal(self, panel: Panel, origins: Origins) -> tuple[str, int]:
        """Freeze the rows of the sealed steps in the case, and return the part's name and how many rows it has."""
        sealed = panel.rows[:, origins.train_until :]
        test = np.sort(sealed[sealed >= 0])
        before = panel.rows[:, : origins.train_until]
        train = np.sort(before[before >= 0])
        steps = np.full(int(panel.rows.max()) + 1, 0, dtype=np.int64)
        steps[panel.rows[panel.rows >= 0]] = np.nonzero(panel.rows >= 0)[1]
        # The data's own hash stands in the frozen file: with it, a step number names a row for good.
        hashes = tuple(f"{row:08d}@{step}" for row, step in enumerate(steps.tolist()))
        split = Split("time", train, test, steps, np.zeros_like(steps), steps.astype(np.float64), hashes, "")
        return freeze(self.plan, self.folder, split), len(test)

    def _end(
        self,
        panel: Panel,
        origins: Origins,
        scale: Floats,
        tried: list[Tried],
        chosen: Chosen,
        windows: Windows,
        ours: Floats,
        naive: dict[str, Floats],
        half: Floats,
        share: float,
        notes: list[str],
        opening: int,
        found: dict[str, Any],
        lacking: dict[str, str],
    ) -> RunRecord:
        truth, said = flat(windows, ours, scale, self.metric)
        rungs = {
            name: Output(numbers=flat(windows, naive[name], scale, self.metric)[1]) for name in self.plan.gate.against
        }
        units = units_of(windows, scale)
        rows = values_in(windows, scale)
        judged = hold_against(
            self.metric, truth, Output(numbers=said), rungs, units, self.plan.gate, self.plan.seed, rows=rows
        )
        if len(truth) > rows:
            notes.append(
                f"So few steps are sealed that windows overlap: {len(truth):,} forecasts were made of {rows:,} values."
            )
        held = coverage(windows, ours, scale, half)
        constant = int((~np.isfinite(scale)).sum())
        if constant:
            told = "they are forecast without an interval, and not scored"
            notes.append(f"{constant:,} series never change over a season before the sealed part; {told}.")
        notes.append(
            f"Intervals promised to hold {share:.0%} of the true values; on the sealed windows they held {held:.0%}."
        )
        if note := opening_note(opening):
            notes.append(note)
        others = ("mase", "mae", "rmse")
        figures = {
            name: scored(windows, ours, scale, forecast_metric(name)) for name in others if name != self.metric.name
        }
        known = awaited(windows, scale)
        bias = (windows.truth - ours)[np.isfinite(windows.truth)]
        series = _by_series(panel, windows, ours, scale)
        found |= errors_of(windows.truth[known], Output(numbers=ours[known]), ())
        found |= {"tables": worst_series(panel.names, series), "series": series}
        found |= {"by_steps_ahead": _by_step(windows, ours, scale, half)}
        return end_run(
            self.run,
            self.plan,
            self.watch,
            chosen=chosen.name,
            candidates=tuple(self._told(one, origins, panel, scale) for one in tried),
            judged=judged,
            rows={
                "train": int((panel.rows[:, : origins.train_until] >= 0).sum()),
                "development": values_in(windows_of(panel.values, origins.development, origins.horizon), scale),
                "test": rows,
            },
            packages=("skops", "statsforecast"),
            secondary={**figures, "interval_coverage": held},
            hyperparameters={
                "horizon": origins.horizon,
                "seed": self.plan.seed,
                "members": [one.name for one in chosen.members],
                "scale": "mean absolute change over the shortest season, before the sealed part",
            },
            diagnostics={
                **accounted("forecast", found, lacking),
                "choice": chosen.reason,
                "sealed_openings": opening,
                "origins": {"development": len(origins.development), "sealed": len(origins.sealed)},
                "bias": float(bias.mean()) if len(bias) else 0.0,
            },
            notes=tuple(notes),
            represented="Every forecast saw only what came before its origin.",
        )

    def _told(self, one: Tried, origins: Origins, panel: Panel, scale: Floats) -> Told:
        """A way that was tried, with its score at the development origins and an interval over them."""
        if one.forecasts is None:
            return Told(one.candidate.name, None, round(one.seconds, 3), one.note)
        windows = windows_of(panel.values, origins.development, origins.horizon)
        truth, said = flat(windows, one.forecasts, scale, self.metric)
        units: Integers = units_of(windows, scale)
        shown = rough_interval(self.metric, truth, Output(numbers=said), units, self.plan.seed)
        method = f"{len(origins.development)} development origins, bootstrap of stretches"
        return Told(
            one.candidate.name,
            Score(self.metric.name, **shown, rows=values_in(windows, scale), confidence=0.95, method=method),
            round(one.seconds, 3),
        )


def _predictions(panel: Panel, windows: Windows, forecasts: dict[str, Floats], horizon: int) -> str:
    """One line an awaited step: series, origin, steps ahead, the truth and each forecast."""
    count, series, _ = windows.truth.shape
    table: dict[str, Any] = {
        "series": np.tile(np.repeat(np.arange(series), horizon), count),
        "origin": np.repeat(windows.origins, series * horizon),
        "ahead": np.tile(np.arange(1, horizon + 1), count * series),
        "truth": windows.truth.ravel(),
    }
    table |= {name: values.ravel() for name, values in forecasts.items()}
    return pd.DataFrame(table).dropna(subset=["truth"]).to_csv(index=False)


def _by_step(windows: Windows, ours: Floats, scale: Floats, half: Floats) -> list[dict[str, float]]:
    """The mean miss in units of the scale, and the half-width of the interval, for each step ahead."""
    misses = np.abs(windows.truth - ours) / scale[None, :, None]
    known = np.isfinite(misses)
    mean = np.where(known, misses, 0.0).sum(axis=(0, 1)) / np.maximum(known.sum(axis=(0, 1)), 1)
    return [
        {"ahead": float(step + 1), "miss": float(mean[step]), "half_interval": float(half[step])}
        for step in range(len(mean))
    ]


def _by_series(panel: Panel, windows: Windows, ours: Floats, scale: Floats) -> list[dict[str, Any]]:
    """The series with the worst MASE, at most twenty."""
    misses = np.abs(windows.truth - ours)
    known = np.isfinite(misses)
    mean = np.where(known, misses, 0.0).sum(axis=(0, 2)) / np.maximum(known.sum(axis=(0, 2)), 1) / scale
    worst = [at for at in np.argsort(-np.nan_to_num(mean, nan=-1.0)) if np.isfinite(mean[at])][:20]
    return [{"series": plain(panel.names[at], 60), "mase": float(mean[at])} for at in worst]
