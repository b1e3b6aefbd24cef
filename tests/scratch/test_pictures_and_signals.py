"""Pictures and signals from nothing: learnt, held against small models, resumed to the same network."""

from __future__ import annotations

import shutil
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

pytest.importorskip("torch")
TESTS = Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "trainers"))

from training_plans import Silent, plan_for, run_folder, untold, written  # noqa: E402  after the path is set

from advisor.base.errors import BadInput  # noqa: E402
from advisor.records.plan import Plan, Setting  # noqa: E402
from advisor.records.run import RunRecord  # noqa: E402
from trainers.common.policy import policy  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402
from trainers.scratch.kernels import random_kernels  # noqa: E402
from trainers.scratch.linear import fit_linear  # noqa: E402
from trainers.scratch.network import learn, moved, probabilities  # noqa: E402
from trainers.scratch.shapes import learn_shape  # noqa: E402
from trainers.scratch.timed import rows_in_time  # noqa: E402
from trainers.use.opened import open_run  # noqa: E402


def digits(kinds: int = 4) -> pd.DataFrame:
    found = load_digits(n_class=kinds)
    frame = pd.DataFrame(found.data, columns=[f"p{at}" for at in range(64)])
    frame["digit"] = found.target
    return frame


def seeing(data: Path, task: str, target: str, seed: int = 0) -> Plan:
    plan = plan_for(data, target, task, "macro_f1", against=("trivial", "small_model"), seed=seed)
    return replace(plan, trainer="scratch", approach="deep_scratch")


def train(plan: Plan, case: Path) -> RunRecord:
    return find_trainer("scratch").train(plan, case, run_folder(case, "scratch-1"), Silent())


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(policy("scratch")["stop"], "rounds", 4)
    monkeypatch.setitem(policy("scratch")["network"], "channels", 8)
    monkeypatch.setitem(policy("telling")["curve"], "shares", [0.5])


@pytest.mark.usefixtures("few_rounds")
def test_digits_are_read_and_the_small_model_stands_beside(tmp_path: Path) -> None:
    data = written(digits(), tmp_path)
    record = train(seeing(data, "pictures", "digit"), tmp_path)
    assert record.chosen == "small network"
    assert record.sealed.value > 0.9
    assert [item.against for item in record.gate.comparisons] == ["trivial", "small_model"]
    assert record.gate.comparisons[0].passed
    assert {candidate.name for candidate in record.candidates} == {"linear", "extra trees", "small network"}
    run = tmp_path / "runs" / "scratch-1"
    assert not untold(record)
    found = record.diagnostics
    assert [point["rows"] for point in found["learning_curve"]] == [246, 493]
    assert found["train_validation_gap"]["train"] > 0.95
    assert found["importance"][0]["fall"] > 0.03
    edge = [one["fall"] for one in found["importance"] if one["column"].endswith("columns 1 to 2")]
    assert len(edge) == 4 and max(map(abs, edge)) < 0.01, "hardly any ink is there"
    assert [point["step"] for point in found["curve"]] == [1, 2, 3, 4]
    assert (run / "network.safetensors").exists()
    opened = open_run(run)
    some = digits().drop(columns="digit").head(20)
    said = opened.answer(some)
    assert (np.array(said.predictions).astype(int) == digits()["digit"].head(20)).mean() >= 0.9
    assert opened.answer(some[some.columns[::-1]]).predictions == said.predictions
    stored = pd.read_csv(run / "test_predictions.csv")
    assert (stored["ours"] == stored["truth"]).mean() > 0.9


@pytest.mark.usefixtures("few_rounds")
def test_a_killed_training_goes_on_to_the_very_same_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = digits(3)
    values, truth = frame.drop(columns="digit").to_numpy() / 16, frame["digit"].to_numpy()
    held = np.arange(0, len(truth), 7)

    def learnt(run: Path) -> np.ndarray:
        return probabilities(learn(values, truth, 3, 8, held, run, 0, Silent(), 600).network, values, 8)

    whole = learnt(tmp_path / "whole")
    monkeypatch.setitem(policy("scratch")["stop"], "patience", 1)

    class Killed(Silent):
        def step(self, done: float, total: float, note: str = "") -> None:
            if done == 2:
                raise KeyboardInterrupt

    monkeypatch.setitem(policy("scratch")["stop"], "patience", 6)
    with pytest.raises(KeyboardInterrupt):
        learn(values, truth, 3, 8, held, tmp_path / "cut", 0, Killed(), 600)
    assert np.array_equal(learnt(tmp_path / "cut"), whole)
    shutil.rmtree(tmp_path / "cut" / "work")
    assert np.array_equal(learnt(tmp_path / "cut"), whole)


def test_pictures_are_moved_a_little_and_stay_themselves() -> None:
    import torch

    pictures = torch.zeros(6, 1, 12, 12)
    pictures[:, :, 4:8, 4:8] = 1.0
    after = moved(pictures, np.random.default_rng(0))
    assert after.shape == pictures.shape
    assert not torch.equal(after, pictures)
    assert float((after - pictures).abs().mean()) < 0.1
    assert 10 < float(after[0].sum()) < 22


def waves(rows: int = 400) -> pd.DataFrame:
    """A pulse somewhere in the noise: of a worn machine it rises slowly and falls at once, else mirrored."""
    draw = np.random.default_rng(0)
    kind, values = draw.integers(0, 2, rows), draw.normal(0, 0.3, (rows, 96))
    for row, start in enumerate(draw.integers(0, 80, rows)):
        pulse = np.linspace(0, 3, 12)
        values[row, start : start + 12] += pulse if kind[row] else pulse[::-1]
    frame = pd.DataFrame(values, columns=[f"t{step}" for step in range(96)])
    frame["machine"] = np.where(kind, "worn", "sound")
    return frame


def test_signals_are_told_apart_by_a_shape_that_may_stand_anywhere(tmp_path: Path) -> None:
    record = train(seeing(written(waves(), tmp_path), "signals", "machine"), tmp_path)
    assert record.chosen == "random convolutions and a linear model"
    assert record.gate.outcome == "earned"
    assert record.sealed.value > 0.85
    assert not untold(record)
    assert record.diagnostics["learning_curve"][-1]["value"] > 0.85
    said = open_run(tmp_path / "runs" / "scratch-1").answer(waves().drop(columns="machine"))
    assert (np.array(said.predictions) == waves()["machine"]).mean() > 0.9


@pytest.mark.parametrize(("task", "name"), [("signals", "kernels"), ("pictures", "rounds")])
def test_so_many_kernels_or_rounds_are_taken_as_the_plan_says(task: str, name: str, tmp_path: Path) -> None:
    data, target = (waves(), "machine") if task == "signals" else (digits(), "digit")
    plan = seeing(written(data, tmp_path), task, target)
    record = train(replace(plan, settings={name: Setting(3)}), tmp_path)
    assert record.hyperparameters["count" if task == "signals" else "rounds"] == 3
    with pytest.raises(BadInput, match=f"setting {name} cannot be 'many'"):
        find_trainer("scratch").settings(replace(plan, settings={name: Setting("many")}), tmp_path)


def test_an_infinite_value_in_a_signal_is_a_gap_and_the_model_taken_is_marked_so(tmp_path: Path) -> None:
    from advisor.cli.train_page import page

    signals = waves(100)
    signals.iloc[3, 5], signals.iloc[4, 6], signals.iloc[5, 7] = np.inf, -np.inf, np.nan
    plan = seeing(written(signals, tmp_path), "signals", "machine")
    record = train(replace(plan, settings={"kernels": Setting(60)}), tmp_path)
    marked = [line for line in page(record) if line.endswith("chosen")]
    assert len(marked) == 1 and marked[0].strip().startswith("random convolutions and a linear model")
    run = find_trainer("scratch").predict(tmp_path / "runs" / "scratch-1", signals.head(6).to_dict("records"))
    assert all(np.isfinite(list(answer["scores"].values())).all() for answer in run)
    missing = "3 values of 3 rows are missing, and taken to be the value before them, so that short signals end flat."
    assert missing in record.notes


def test_a_gap_in_a_signal_makes_no_event_of_its_own() -> None:
    whole = waves(60).drop(columns="machine")
    short = whole.copy()
    short.iloc[0, 50:] = np.nan
    short.iloc[1, :3] = np.nan
    values = learn_shape(whole, "signals").values(short)
    assert (values[0, 50:] == values[0, 49]).all(), "a short signal ends as it stood"
    assert (values[1, :3] == values[1, 3]).all()
    pixels = pd.DataFrame(np.linspace(1, 9, 72).reshape(2, 36)).rename(columns=str)
    dark = learn_shape(pixels, "pictures").values(pixels.mask(pixels == 9))
    assert dark[1, 35] == 0, "a pixel that is missing is dark"


def test_kernels_do_not_mind_loudness_and_rows_are_read_alone() -> None:
    signals = np.random.default_rng(1).normal(size=(5, 100))
    kernels = random_kernels(100, 0)
    found = kernels.features(signals)
    assert kernels.features(3 * signals + 7) == pytest.approx(found)
    assert kernels.features(signals[2:3]) == pytest.approx(found[2:3])


def test_a_class_never_seen_stays_unlikely() -> None:
    features = np.random.default_rng(2).normal(size=(60, 3))
    for seen in (2, 3):
        shares = fit_linear(features, np.arange(60) % seen, 4).probabilities(features)
        assert shares.sum(axis=1) == pytest.approx(np.ones(60))
        assert shares[:, seen:].max() < 1e-6


@pytest.mark.parametrize(
    ("spoil", "task", "said"),
    [
        (lambda f: f.drop(columns="p3"), "pictures", "no square"),
        (lambda f: f.assign(p3="dark"), "pictures", "hold no numbers"),
        (lambda f: f[["p0", "p1", "p2", "p3", "digit"]], "signals", "too short"),
        (lambda f: f.assign(digit=[9, *f["digit"][1:]]), "pictures", "fewer than"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(spoil: object, task: str, said: str, tmp_path: Path) -> None:
    frame = spoil(digits(2))  # type: ignore[operator]  # a function
    with pytest.raises(BadInput, match=said) as caught:
        train(seeing(written(frame, tmp_path), task, "digit"), tmp_path)
    assert caught.value.fix


def test_long_signals_are_read_in_pieces_that_fit_into_memory() -> None:
    signals = np.random.default_rng(0).normal(size=(60, 16_384))
    kernels = random_kernels(16_384, 0)
    few = replace(kernels, weights=kernels.weights[:40], gaps=np.ones(40, np.int64), thresholds=kernels.thresholds[:40])
    tracemalloc.start()
    found = few.features(signals)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # All at once would be 60 signals x 16,376 places x 40 kernels: 314 MB, and twice that while they are compared.
    assert peak < 220e6
    assert np.array_equal(few.features(signals[40:41]), found[40:41])
    windows = np.lib.stride_tricks.sliding_window_view(
        (signals[3] - signals[3].mean()) / signals[3].std(), few.weights.shape[1]
    )
    assert found[3, 1::2] == pytest.approx((windows @ few.weights.T - few.thresholds).max(axis=0))


@pytest.mark.parametrize(("seconds", "count", "made"), [(0.0, 300, True), (1e9, 2_000, False)])
def test_a_fit_learns_from_as_many_rows_as_its_time_allows(seconds: float, count: int, made: bool) -> None:
    truth = np.zeros(2_000, dtype=np.int64)
    truth[1_999] = 1
    rows, found = rows_in_time(lambda at: truth[at].sum(), truth, seconds, 0)
    assert len(rows) == count
    assert (found is not None) == made
    assert 1_999 in rows  # the only row of its class
    assert len(rows_in_time(lambda at: at, truth, 1e9, 0, 500)[0]) == 500


def test_a_budget_that_is_used_up_leaves_a_model_of_fewer_rows_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(policy("scratch")["kernels"], "count", 60)
    plan = replace(seeing(written(waves(500), tmp_path), "signals", "machine"), budget_seconds=0.01)
    record = train(plan, tmp_path)
    for name in ("linear", "extra trees", record.chosen):
        assert any(note.startswith(f"{name} learnt from 300 training rows") for note in record.notes)
    assert record.sealed.rows == record.rows["test"]


def test_no_more_rows_go_under_the_kernels_than_the_rules_allow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(policy("scratch")["kernels"], "rows", 120)
    monkeypatch.setitem(policy("scratch")["kernels"], "count", 60)
    record = train(seeing(written(waves(), tmp_path), "signals", "machine"), tmp_path)
    assert any(note.startswith(f"{record.chosen} learnt from 120 training rows") for note in record.notes)


def test_the_estimate_counts_what_the_kernels_make_of_long_signals(tmp_path: Path) -> None:
    plan = seeing(written(waves(400), tmp_path), "signals", "machine")
    few = find_trainer("scratch").estimate(plan, tmp_path).peak_memory_mb
    many = find_trainer("scratch").estimate(seeing(written(waves(2_000), tmp_path), "signals", "machine"), tmp_path)
    rules = policy("scratch")
    assert few > rules["estimate"]["memory_mb"]["least"] + rules["estimate"]["memory_mb"]["pieces"]
    assert many.peak_memory_mb - few > 1_600 * 2 * rules["kernels"]["count"] / 1e6 * 20
