"""Forecasts are made from the past only, judged at rolling origins, and hold up against the naive ways."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "trainers"))

from training_plans import Silent, ledger, plan_for, run_folder, untold, written  # noqa: E402  after the path is set

from advisor.base.errors import BadInput  # noqa: E402
from advisor.records.look import SplitProposal  # noqa: E402
from advisor.records.plain import load  # noqa: E402
from advisor.records.plan import Plan  # noqa: E402
from advisor.records.run import RunRecord  # noqa: E402
from trainers.common.policy import policy  # noqa: E402
from trainers.forecast.ahead import answer  # noqa: E402
from trainers.forecast.candidates import Candidate, Forecaster, Problem, portfolio  # noqa: E402
from trainers.forecast.clock import Clock, learn_clock, steps_of  # noqa: E402
from trainers.forecast.lags import Shape, fit_boosted, fit_linear  # noqa: E402
from trainers.forecast.measure import forecast_metric, values_in, windows_of  # noqa: E402
from trainers.forecast.model_file import load_model  # noqa: E402
from trainers.forecast.origins import origins_of  # noqa: E402
from trainers.forecast.panel import filled_from_the_past, load_panel  # noqa: E402
from trainers.forecast.search import Tried, choose, search  # noqa: E402
from trainers.forecast.seasons import scales  # noqa: E402
from trainers.forecast.simple import Seasonal, Theta, drift, naive  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402
from trainers.use.opened import open_run  # noqa: E402
from trainers.use.wholefile import answer_file  # noqa: E402

TRAIN = """
import sys
from pathlib import Path
sys.path.append(sys.argv[2])
from advisor.records.plain import load
from advisor.records.plan import Plan
from training_plans import Silent
from trainers.registry import find_trainer
case = Path(sys.argv[1])
find_trainer("forecast").train(load(case / "plan.json", Plan), case, case / "runs" / "forecast-1", Silent())
"""


def shops(days: int = 365, seed: int = 0) -> pd.DataFrame:
    """Two shops a day each, with a weekday, a trend and noise."""
    draw = np.random.default_rng(seed)
    when = pd.date_range("2026-01-01", periods=days, freq="D")
    parts = []
    for shop, size in (("north", 100.0), ("south", 5.0)):
        sold = size * (1 + 0.002 * np.arange(days) + 0.5 * (when.dayofweek >= 5)) * draw.normal(1, 0.05, days)
        parts.append(pd.DataFrame({"day": when.strftime("%Y-%m-%d"), "shop": shop, "sold": sold.round(2)}))
    return pd.concat(parts, ignore_index=True)


def forecast_plan(data: Path, target: str = "sold", **settings: object) -> Plan:
    # A budget that leaves statsforecast out keeps these tests quick; the heavy one has time for it.
    plan = plan_for(
        data, target, "forecast", "mase", split=SplitProposal("time", "day"), against=("naive", "seasonal_naive"),
        settings=settings, budget=600,
    )  # fmt: skip
    return replace(plan, trainer="forecast")


@pytest.fixture(scope="module", autouse=True)
def without_statsforecast() -> object:
    """Its models compile for a minute; a heavy test has them. And one point of a learning curve is enough."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainers.forecast.candidates.is_installed", lambda: False)
        patch.setitem(policy("telling")["curve"], "shares", [0.5])
        yield


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    case = tmp_path_factory.mktemp("shops")
    plan = forecast_plan(written(shops(), case))
    return case, find_trainer("forecast").train(plan, case, run_folder(case, "forecast-1"), Silent())


def test_two_shops_are_forecast_better_than_last_week(sold: tuple[Path, RunRecord]) -> None:
    case, record = sold
    assert record.gate.outcome == "earned"
    assert record.sealed.metric == "mase"
    assert record.sealed.low < record.sealed.value < record.sealed.high < 1
    assert [item.against for item in record.gate.comparisons] == ["naive", "seasonal_naive"]
    assert 0.8 <= record.secondary["interval_coverage"] <= 1
    assert {one["series"] for one in record.diagnostics["series"]} == {"north", "south"}
    names = [candidate.name for candidate in record.candidates]
    assert names[:2] == ["the last value", "the value 7 steps before"]
    assert [event["event"] for event in ledger(case)].count("sealed_opened") == 1
    assert load(case / "runs" / "forecast-1" / "run.json", RunRecord) == record


def test_a_forecast_tells_what_a_longer_past_would_help_and_what_of_it_counts(sold: tuple[Path, RunRecord]) -> None:
    _, record = sold
    assert not untold(record)
    found = record.diagnostics
    curve = found["learning_curve"]
    assert len(curve) == 2 and curve[0]["rows"] < curve[1]["rows"]
    assert all(point["low"] <= point["value"] <= point["high"] for point in curve)
    falls = {one["column"]: one["fall"] for one in found["importance"]}
    assert falls["the rest of the last season of 7"] > 0
    held = [one["happened"] for one in found["calibration"]]
    assert held == sorted(held) and held[-1] > 0.8
    assert found["tables"][0]["rows"][0][1] >= found["tables"][0]["rows"][1][1], "the worst series first"
    assert len(found["by_steps_ahead"]) == 14


def test_rows_without_a_value_are_forecast_and_others_give_their_own(sold: tuple[Path, RunRecord]) -> None:
    case, _ = sold
    opened = open_run(case / "runs" / "forecast-1")
    ahead = pd.date_range("2027-01-02", periods=7, freq="D").strftime("%Y-%m-%d")
    rows = pd.DataFrame({"day": ahead, "shop": "north", "sold": [None] * 7})
    said = opened.answer(rows).predictions
    assert all(150 < value < 290 for value in said)
    assert max(said) == max(said[0], said[1])  # the 2nd and 3rd are a weekend
    known = rows.assign(sold=[150.0] * 3 + [None] * 4)
    assert opened.answer(known).predictions[:3] == [150.0] * 3


def test_a_file_of_forecasts_holds_the_interval_of_each(sold: tuple[Path, RunRecord]) -> None:
    case, _ = sold
    ahead = pd.date_range("2027-01-01", periods=14, freq="D").strftime("%Y-%m-%d")
    written(pd.DataFrame({"day": ahead, "shop": "north", "sold": ["180", *[None] * 13]}), case, "ahead.csv")
    answer_file(open_run(case / "runs" / "forecast-1"), case / "ahead.csv", case / "told.csv", Silent())
    told = pd.read_csv(case / "told.csv")
    assert (told["low"] < told["prediction"]).tolist() == [False, *[True] * 13]
    assert (told["prediction"] < told["high"]).tolist() == [False, *[True] * 13]
    assert told["high"].max() - told["low"].min() < 200


def test_what_cannot_be_foretold_is_said_in_one_sentence(sold: tuple[Path, RunRecord]) -> None:
    case, _ = sold
    opened = open_run(case / "runs" / "forecast-1")
    far = pd.DataFrame({"day": ["2027-06-01"], "shop": ["north"], "sold": [None]})
    with pytest.raises(BadInput, match="steps after the last known value"):
        opened.answer(far)
    with pytest.raises(BadInput, match="never met 1 of these series: east"):
        opened.answer(far.assign(shop="east"))
    with pytest.raises(BadInput, match="lies before the last known value"):
        opened.answer(far.assign(day="2026-06-01"))


def test_no_way_sees_what_comes_after_its_origin() -> None:
    draw = np.random.default_rng(1)
    values = np.abs(draw.normal(10, 2, (3, 200))) + np.sin(np.arange(200) / 7 * 2 * np.pi) * 3 + 10
    problem = Problem(values, values, (7,), 7, Clock((), "row", 0.0, 1.0), 0)
    changed = values.copy()
    changed[:, 150:] = 1e6
    other = Problem(changed, changed, (7,), 7, problem.clock, 0)
    moments = np.arange(150, 157)
    for candidate in portfolio(problem, 150):
        one = candidate.fitted(problem, 150)(values[:, :150], moments)
        two = candidate.fitted(other, 150)(changed[:, :150], moments)
        assert np.array_equal(one, two), candidate.name


def test_theta_is_smoothing_with_half_the_trend() -> None:
    line = np.arange(40.0)[None, :] * 2 + 5
    found = Theta(1, multiplicative=False)(line, 5)[0]
    assert np.all(np.diff(found) == pytest.approx(1.0))  # half of the slope of two
    weekly = np.tile([1.0, 2, 3, 4, 5, 6, 7], 10)[None, :] + 10
    for multiplicative in (False, True):
        assert Theta(7, multiplicative)(weekly, 7)[0] == pytest.approx(weekly[0, :7], rel=0.02)


def test_the_naive_ways_say_what_their_names_say() -> None:
    history = np.array([[1.0, 2, 3, 4, 5, 6]])
    assert naive(history, 2).tolist() == [[6, 6]]
    assert drift(history, 2).tolist() == [[7, 8]]
    assert Seasonal(3)(history, 4).tolist() == [[4, 5, 6, 4]]
    assert Seasonal(3, cycles=2)(history, 3).tolist() == [[2.5, 3.5, 4.5]]


def test_mase_divides_by_the_change_over_a_season() -> None:
    values = np.array([[1.0, 5, 2, 7, np.nan, 6], [3, 3, 3, 3, 3, 3]])
    # Changes over two steps: 1, 2, not known, 1 (7 to 6).
    found = scales(values, 2)
    assert found[0] == pytest.approx(4 / 3)
    assert np.isnan(found[1])


def test_sealed_windows_lie_after_all_that_was_learnt_from() -> None:
    origins = origins_of(1_000, 24, 0.2)
    assert origins.sealed.min() == origins.train_until
    assert origins.sealed.max() + 24 <= 1_000
    assert origins.development.max() + 24 <= origins.train_until
    assert origins.development.min() == origins.fit_until
    assert np.diff(origins.sealed).min() >= 24


@pytest.mark.parametrize(
    ("texts", "step"),
    [
        (["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"], "month"),
        (["2026-01-01 00:00", "2026-01-01 00:30", "2026-01-01 01:00", "2026-01-01 02:00"], "1800"),
        (["2024", "2025", "2026", "2027"], "row"),
    ],
)
def test_the_step_is_read_off_the_times(texts: list[str], step: str) -> None:
    frame = pd.DataFrame({"when": texts})
    clock = learn_clock(frame, ("when",), None)
    assert clock.step == step
    expected = [0, 1, 2, 4] if step == "1800" else [0, 1, 2, 3]
    assert steps_of(frame, clock).tolist() == expected


@pytest.mark.parametrize("written_as", ["%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%m/%d/%Y %H:%M:%S"])
def test_days_follow_one_another_however_their_dates_are_written(written_as: str) -> None:
    days = pd.date_range("2023-01-01", periods=365, freq="D")
    frame = pd.DataFrame({"when": days.strftime(written_as)})
    clock = learn_clock(frame, ("when",), None)
    assert steps_of(frame, clock).tolist() == list(range(365))
    # A few later rows alone could be read both ways; the clock remembers how the training rows were written.
    later = pd.DataFrame({"when": pd.date_range("2024-02-01", periods=9, freq="D").strftime(written_as)})
    assert steps_of(later, Clock(("when",), **clock.told())).tolist() == list(range(396, 405))
    with pytest.raises(BadInput, match="1 rows of when do not say when: for example '2024-02-01'; the others write"):
        steps_of(pd.DataFrame({"when": ["2024-02-01"]}), clock)


def test_dates_that_may_be_read_both_ways_are_refused_before_a_forecast_is_made() -> None:
    frame = pd.DataFrame({"when": [f"01/{month:02d}/2024" for month in range(1, 13)]})
    with pytest.raises(BadInput, match="day first or month first"):
        learn_clock(frame, ("when",), None)


def test_gaps_are_filled_from_the_past_only() -> None:
    assert filled_from_the_past(np.array([[np.nan, 1, np.nan, 3]])).tolist() == [[1, 1, 1, 3]]


def test_a_trend_goes_on_and_sizes_do_not_matter_to_what_is_learnt() -> None:
    steps = np.arange(160.0)
    small = 10 + 0.5 * steps + 3 * np.sin(steps / 12 * 2 * np.pi)
    both = np.stack([small, 1000 * small])
    known = np.ones_like(both, dtype=bool)
    shape = Shape(12, (12,), logarithm=False)
    truth = 10 + 0.5 * np.arange(150, 162) + 3 * np.sin(np.arange(150, 162) / 12 * 2 * np.pi)
    for forecaster in (
        fit_linear(both[:, :150], known[:, :150], shape, 1.0),
        fit_boosted(both[:, :150], known[:, :150], shape, Clock((), "row", 0.0, 1.0), 0),
    ):
        found = forecaster(both[:, :150], np.arange(150, 162))
        assert found[1] == pytest.approx(1000 * found[0], rel=1e-3)
        assert np.abs(found[0] - truth).mean() < 2


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: f.assign(sold="much"), "no column of numbers"),
        (lambda f: f.assign(sold=7.0), "same number in every row"),
        (lambda f: f.head(30), "needs at least 40"),
        (lambda f: f.assign(day=["soon", *f["day"][1:]]), "do not say when: for example 'soon'"),
        (lambda f: pd.concat([f, f.head(3)]), "share a moment"),
    ],
)
def test_broken_series_are_refused_in_one_sentence(spoil: object, said: str, tmp_path: Path) -> None:
    frame = spoil(shops(60)[lambda f: f["shop"] == "north"].drop(columns="shop"))  # type: ignore[operator]  # a function
    plan = forecast_plan(written(frame, tmp_path))
    with pytest.raises(BadInput, match=said) as caught:
        find_trainer("forecast").train(plan, tmp_path, run_folder(tmp_path, "forecast-1"), Silent())
    assert caught.value.fix


@pytest.mark.parametrize(
    "settings", [{"horizon": "soon"}, {"horizon": 0}, {"seasons": "7,x"}, {"interval": 2}, {"series": "town"}]
)
def test_choices_that_cannot_be_are_refused(settings: dict[str, object], tmp_path: Path) -> None:
    plan = forecast_plan(written(shops(60), tmp_path), **settings)
    with pytest.raises(BadInput) as caught:
        find_trainer("forecast").train(plan, tmp_path, run_folder(tmp_path, "forecast-1"), Silent())
    assert "plan.yaml" in caught.value.where


def test_noise_earns_no_place(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    steps = np.cumsum(draw.normal(size=300))
    frame = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=300).strftime("%Y-%m-%d"), "sold": steps})
    plan = forecast_plan(written(frame, tmp_path))
    record = find_trainer("forecast").train(plan, tmp_path, run_folder(tmp_path, "forecast-1"), Silent())
    assert record.gate.outcome == "not_earned"  # of a random walk nothing is better than its last value


@pytest.mark.heavy
def test_a_killed_run_goes_on_and_gives_the_same_forecasts(tmp_path: Path) -> None:
    import shutil

    plans = {}
    for name in ("whole", "killed"):
        case = tmp_path / name
        plans[name] = forecast_plan(written(shops(120), case))
        (case / "plan.json").write_text(json.dumps(_plain(plans[name])), encoding="utf-8")
        run_folder(case, "forecast-1")
    shutil.copy(tmp_path / "whole" / "data.csv", tmp_path / "killed" / "data.csv")
    words = [sys.executable, "-c", TRAIN]
    where = {"cwd": TESTS.parent, "env": {**os.environ, "PYTHONPATH": str(TESTS.parent)}}
    subprocess.run([*words, str(tmp_path / "whole"), str(TESTS / "trainers")], check=True, **where)
    work = tmp_path / "killed" / "runs" / "forecast-1" / "work"
    child = subprocess.Popen([*words, str(tmp_path / "killed"), str(TESTS / "trainers")], **where)
    end = time.monotonic() + 120
    while time.monotonic() < end and len(list(work.glob("*.npz"))) < 3:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not (work.parent / "COMPLETE").exists()
    subprocess.run([*words, str(tmp_path / "killed"), str(TESTS / "trainers")], check=True, **where)
    first, second = (
        (tmp_path / name / "runs" / "forecast-1" / "test_predictions.csv").read_bytes() for name in ("whole", "killed")
    )
    assert first == second


def _plain(plan: Plan) -> object:
    from advisor.records.plain import to_plain

    return to_plain(plan)


def test_a_series_that_only_changes_once_it_is_sealed_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    frame = shops(100).query("shop == 'north'").drop(columns="shop")
    frame.loc[frame.index[:85], "sold"] = 7.0
    plan = forecast_plan(written(frame, tmp_path))
    with pytest.raises(BadInput, match="never changes over a season before the sealed part") as told:
        find_trainer("forecast").train(plan, tmp_path, run_folder(tmp_path, "forecast-1"), Silent())
    assert told.value.code == "one-value"
    assert not [event for event in ledger(tmp_path) if event["event"] == "sealed_opened"]


def test_no_interval_is_given_for_a_series_that_never_changed(sold: tuple[Path, RunRecord]) -> None:
    case, _ = sold
    model = load_model(case / "runs" / "forecast-1")
    still = replace(model, scale=np.where(np.array(model.names) == "north", np.nan, model.scale))
    rows = pd.DataFrame({"day": ["2027-01-01"] * 2, "shop": ["north", "south"], "sold": [None] * 2})
    said = answer(still, rows)
    assert np.isfinite(said.predictions).all()
    assert np.isnan(said.low).tolist() == np.isnan(said.high).tolist() == [True, False]


def test_sales_are_not_foretold_to_fall_below_zero_and_what_did_is(sold: tuple[Path, RunRecord]) -> None:
    case, _ = sold
    model = load_model(case / "runs" / "forecast-1")
    wild = replace(model, half=model.half + 1_000)
    rows = pd.DataFrame({"day": ["2027-01-01"] * 2, "shop": ["north", "south"], "sold": [None] * 2})
    said = answer(wild, rows)
    assert said.low.tolist() == [0.0, 0.0]
    assert (said.predictions > 0).all()
    below = replace(wild, tail=np.where(np.arange(wild.tail.shape[1]) == 3, -5.0, wild.tail))
    assert (answer(below, rows).low < -5).all()


def test_a_series_that_ended_before_all_that_the_run_keeps_is_not_forecast(sold: tuple[Path, RunRecord]) -> None:
    case, _ = sold
    model = load_model(case / "runs" / "forecast-1")
    at = model.names.index("north")
    tail = np.where(np.arange(len(model.names))[:, None] == at, np.nan, model.tail)
    with pytest.raises(BadInput, match="values of north are older than all that the run keeps") as told:
        answer(replace(model, tail=tail), pd.DataFrame({"day": ["2027-01-01"], "shop": ["north"], "sold": [None]}))
    assert told.value.fix


def test_series_and_latest_steps_without_a_value_are_left_out_and_told(tmp_path: Path) -> None:
    frame, days = shops(120), pd.date_range("2026-01-01", periods=160).strftime("%Y-%m-%d")
    empty = pd.DataFrame({"day": days, "shop": "west", "sold": np.nan})
    panel = load_panel(forecast_plan(written(pd.concat([frame, empty]), tmp_path)), tmp_path)
    assert panel.names == ("north", "south")
    assert panel.steps == 120 and np.isfinite(panel.values).all()
    assert "Left out, for they hold no value at all: west." in panel.notes


def test_nothing_is_awaited_of_a_series_that_had_not_begun() -> None:
    values = np.stack([np.arange(30.0), np.r_[np.full(12, np.nan), np.arange(18.0)]])
    windows = windows_of(values, np.array([10, 14]), 5)
    assert np.isnan(windows.truth[0, 1]).all(), "its first value fills the gap before it, and would foretell itself"
    assert windows.truth[1, 1].tolist() == [2, 3, 4, 5, 6]
    assert np.isfinite(windows.truth[:, 0]).all()


def test_a_value_that_several_windows_await_is_told_as_one_row(sold: tuple[Path, RunRecord]) -> None:
    _, record = sold
    windows = windows_of(np.arange(40.0).reshape(1, 40), np.array([20, 22, 24]), 6)
    assert values_in(windows, np.ones(1)) == 10
    assert values_in(windows, np.full(1, np.nan)) == 0
    # Of 365 days 70 are sealed, in two shops; windows of 14 days overlap there, and the last ends on the 68th.
    assert record.rows["test"] == record.sealed.rows == 136
    assert "on 136 sealed rows" in record.gate.text
    assert any("windows overlap" in note and "of 136 values" in note for note in record.notes)


def test_times_that_are_some_seconds_off_fall_into_their_hours() -> None:
    off = pd.to_timedelta(np.random.default_rng(0).integers(-40, 40, 400), unit="s")
    frame = pd.DataFrame({"at": (pd.date_range("2026-01-01", periods=400, freq="h") + off).strftime("%Y-%m-%d %X")})
    clock = learn_clock(frame, ("at",), None)
    assert clock.step == "3600"
    assert steps_of(frame, clock).tolist() == list(range(400))


def test_an_hour_that_a_clock_shows_twice_is_no_second_series(tmp_path: Path) -> None:
    at = pd.date_range("2026-10-20", periods=300, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"day": at.strftime("%Y-%m-%d %X"), "sold": np.arange(300.0)})
    with pytest.raises(BadInput, match="share a moment") as told:
        load_panel(forecast_plan(written(frame, tmp_path)), tmp_path)
    assert "offset from UTC" in told.value.fix
    near = pd.DataFrame({"day": ["2026-01-01 00:00:00", "2026-01-01 00:00:20"], "sold": [1.0, 2.0]})
    hours = pd.date_range("2026-01-01 01:00", periods=60, freq="h").strftime("%Y-%m-%d %X")
    both = pd.concat([near, pd.DataFrame({"day": hours, "sold": np.arange(60.0)})])
    with pytest.raises(BadInput, match="1 rows fall into the same step as another row; a step was taken to be 3600"):
        load_panel(forecast_plan(written(both, tmp_path)), tmp_path)


def test_a_way_that_fits_each_series_by_itself_is_timed_on_one_before_it_is_tried_on_all(tmp_path: Path) -> None:
    asked: list[int] = []

    @dataclass(frozen=True)
    class Slow(Candidate):
        def fitted(self, problem: Problem, until: int) -> Forecaster:
            def each(history: np.ndarray, moments: np.ndarray) -> np.ndarray:
                asked.append(len(history))
                time.sleep(0.02 * len(history))
                return np.repeat(history[:, -1:], len(moments), axis=1)

            return each

    values = np.random.default_rng(0).normal(10, 1, (50, 100))
    problem, origins = Problem(values, values, (7,), 7, Clock((), "row", 0.0, 1.0), 0), origins_of(100, 7, 0.2)
    run = run_folder(tmp_path, "forecast-1")
    (found,) = search(problem, origins, [Slow("slow", 4, "statistical")], run, Silent(), 10.0)
    assert found.forecasts is None and "too slow for this budget" in found.note
    assert set(asked) == {1}


def test_nothing_is_begun_that_cannot_be_stopped_and_would_take_longer_than_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainers.forecast.search._seconds_of_trees", lambda *_: 99.0)
    values = np.random.default_rng(0).normal(10, 1, (1, 200))
    problem, origins = Problem(values, values, (7,), 7, Clock((), "row", 0.0, 1.0), 0), origins_of(200, 7, 0.2)
    trees = Candidate("trees", 5, "boosted", {"logarithm": False})
    compiled = Candidate("AutoETS", 4, "statistical", {"model": "AutoETS", "seasons": [7], "longest": 100})
    tried = search(problem, origins, [compiled, trees], run_folder(tmp_path, "forecast-1"), Silent(), 3.0)
    assert [one.note.split(",")[0] for one in tried] == [
        "not tried: compiling it takes about 5.0 s",
        "left out: 99 s to grow them is too slow for this budget",
    ]


def test_a_blend_holds_no_more_ways_than_can_answer_for_the_sealed_part_in_time() -> None:
    draw = np.random.default_rng(0)
    values = draw.normal(10, 1, (1, 200))
    problem, origins = Problem(values, values, (1,), 5, Clock((), "row", 0.0, 1.0), 0), origins_of(200, 5, 0.2)
    windows = windows_of(values, origins.development, 5)
    # Each way is right but for noise of its own: the more of them, the better their mean.
    tried = [
        Tried(Candidate(f"way {n}", 4, "statistical"), windows.truth + draw.normal(0, 1, windows.truth.shape), 1.0)
        for n in range(5)
    ]
    once = len(origins.sealed) / len(origins.development)
    scale, metric = np.ones(1), forecast_metric("mae")
    assert len(choose(tried, problem, origins, scale, metric, 100.0).members) == 5
    assert len(choose(tried, problem, origins, scale, metric, 2.5 * once).members) == 2
    assert len(choose(tried, problem, origins, scale, metric, 0.0).members) == 1
