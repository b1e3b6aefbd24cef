"""Estimates on a log come out as the truth of a simulated world, where the truth is known."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "trainers"))

from training_plans import Silent, plan_for, run_folder, untold, written  # noqa: E402  after the path is set

from advisor.base.errors import BadInput  # noqa: E402
from advisor.records.look import SplitProposal  # noqa: E402
from advisor.records.plan import Plan  # noqa: E402
from advisor.records.run import RunRecord  # noqa: E402
from trainers.logged.bandits import GREEDY, THOMPSON, acts, learn_rewards  # noqa: E402
from trainers.logged.log import Columns, Log  # noqa: E402
from trainers.logged.support import check_probabilities  # noqa: E402
from trainers.logged.values import Seen  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402
from trainers.use.opened import open_run  # noqa: E402

ACTIONS = ("call", "mail", "wait")


def chances(age: np.ndarray, new: np.ndarray) -> np.ndarray:
    """The true chance of success of each action: calling pays with the old, mailing with the young, waiting rarely."""
    return np.clip(np.stack([0.1 + 0.4 * age, 0.5 - 0.4 * age, 0.2 + 0.05 * new], axis=1), 0, 1)


def world(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """A log by a policy that mostly mails, with the probabilities it had, and the true chances."""
    draw = np.random.default_rng(seed)
    age, new = draw.random(rows), draw.integers(0, 2, rows)
    logged = np.stack([0.15 + 0.1 * age, 0.65 - 0.2 * age, 0.2 + 0.1 * age], axis=1)
    action = (draw.random(rows)[:, None] > np.cumsum(logged, axis=1)).sum(axis=1)
    true = chances(age, new)
    frame = pd.DataFrame({"age": age.round(4), "new": new, "action": np.array(ACTIONS)[action]})
    frame["reward"] = (draw.random(rows) < true[np.arange(rows), action]).astype(int)
    frame["propensity"] = logged[np.arange(rows), action]
    return frame, true


def acting(data: Path, target: str = "reward", **settings: object) -> Plan:
    plan = plan_for(
        data, target, "actions", "reward", split=SplitProposal("random", "", 0.3), against=("today", "best_action"),
        settings=settings,
    )  # fmt: skip
    return replace(plan, trainer="logged", approach="reinforcement")


def train(plan: Plan, case: Path) -> RunRecord:
    return find_trainer("logged").train(plan, case, run_folder(case, "logged-1"), Silent())


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    case = tmp_path_factory.mktemp("world")
    return case, train(acting(written(world(6_000, 0)[0], case)), case)


def test_acting_by_age_is_found_to_earn_more_than_today_and_than_any_one_action(learnt: tuple[Path, RunRecord]) -> None:
    case, record = learnt
    assert record.gate.outcome == "earned"
    assert [item.against for item in record.gate.comparisons] == ["today", "best_action"]
    # The truth in this world: today 0.29, always one action at best 0.30, by age 0.40 less what is left to chance.
    frame, true = world(200_000, 9)
    shares = open_run(case / "runs" / "logged-1").answer(frame).scores
    worth = float((shares * true).sum(axis=1).mean())
    assert record.sealed.low < worth < record.sealed.high
    assert worth > 0.37
    today = next(item for item in record.gate.comparisons if item.against == "today")
    assert today.theirs.value == pytest.approx(float(frame["reward"].mean()), abs=0.03)
    for name in ("inverse_propensity", "self_normalised", "direct"):
        assert record.secondary[name] == pytest.approx(worth, abs=0.06)


def test_a_policy_tells_what_it_leans_on_and_whether_the_log_can_judge_it(learnt: tuple[Path, RunRecord]) -> None:
    _, record = learnt
    assert not untold(record)
    found = record.diagnostics
    assert found["importance"][0]["column"] == "age"
    assert found["importance"][0]["fall"] > 5 * abs(found["importance"][-1]["fall"])
    curve = found["learning_curve"]
    assert len(curve) == 4 and curve[-1]["low"] < 0.4 < curve[-1]["high"] + 0.03
    assert abs(found["train_validation_gap"]["gap"]) < 0.05, "two columns cannot be learnt by heart"
    assert max(abs(one["said"] - one["happened"]) for one in found["calibration"] if one["rows"] > 50) < 0.25
    assert {one["value"] for one in found["slices"]} == {"call", "mail", "wait"}
    overlap = dict(found["tables"][1]["rows"])
    assert overlap["Sealed rows"] == record.rows["test"]
    assert 0 < overlap["Rows' worth of evidence (Kish)"] < record.rows["test"]


def test_the_likeliest_action_is_the_right_one_and_chance_keeps_its_share(learnt: tuple[Path, RunRecord]) -> None:
    case, _ = learnt
    said = open_run(case / "runs" / "logged-1").answer(pd.DataFrame({"age": [0.05, 0.95], "new": [0, 0]}))
    assert said.predictions == ["mail", "call"]
    assert said.scores.min() >= 0.05 / 3 - 1e-12
    assert said.scores.sum(axis=1) == pytest.approx([1, 1])


def test_estimates_are_right_on_average_and_their_intervals_hold_the_truth() -> None:
    found, inside = [], 0
    target = np.array([[0.6, 0.2, 0.2]])
    for seed in range(120):
        frame, true = world(400, seed)
        code = frame["action"].map({name: at for at, name in enumerate(ACTIONS)}).to_numpy()
        wrong = np.full((400, 3), 0.9)  # a model that is wrong everywhere must not spoil it
        seen = Seen(code, frame["reward"].to_numpy(float), frame["propensity"].to_numpy(), wrong)
        policy = np.repeat(target, 400, axis=0)
        worth = float((policy * true).sum(axis=1).mean())
        parts = seen.doubly_robust(policy)
        half = 1.96 * parts.std(ddof=1) / 20
        found.append([parts.mean() - worth, seen.estimates(policy)["inverse_propensity"] - worth])
        inside += abs(parts.mean() - worth) < half
    assert np.abs(np.mean(found, axis=0)).max() < 0.02
    assert 0.88 <= inside / 120 <= 1


def test_a_good_model_narrows_what_weights_alone_leave_open() -> None:
    frame, true = world(3_000, 1)
    code = frame["action"].map({name: at for at, name in enumerate(ACTIONS)}).to_numpy()
    policy = np.repeat(np.array([[0.8, 0.1, 0.1]]), 3_000, axis=0)
    seen = Seen(code, frame["reward"].to_numpy(float), frame["propensity"].to_numpy(), true)
    weighed = seen.weights(policy) * seen.reward
    assert seen.doubly_robust(policy).std() < 0.9 * weighed.std()
    same = np.zeros((3_000, 3))
    same[np.arange(3_000), code] = 1
    always_taken = Seen(code, seen.reward, np.ones(3_000), true)
    assert always_taken.estimates(same)["inverse_propensity"] == pytest.approx(seen.reward.mean())


def test_thompson_tries_what_it_knows_little_of_and_greed_does_not() -> None:
    draw = np.random.default_rng(2)
    features, action = draw.normal(size=(300, 1)), np.repeat([0, 1], [290, 10])
    reward = np.where(action == 0, 1.0, 0.8) + draw.normal(0, 1, 300)
    rewards = learn_rewards(features, action, reward, 2)
    greedy, sampled = (acts(rewards, np.zeros((1, 1)), way, 0)[0] for way in (GREEDY, THOMPSON))
    assert greedy.max() == pytest.approx(0.975)
    assert 0.05 < sampled.min() < 0.5


def test_where_every_action_pays_alike_nothing_is_earned(tmp_path: Path) -> None:
    frame, _ = world(2_000, 3)
    frame["reward"] = np.random.default_rng(4).integers(0, 2, len(frame))
    record = train(acting(written(frame, tmp_path)), tmp_path)
    assert record.gate.outcome == "not_earned"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: f.drop(columns="propensity"), "No column of the log holds the propensity"),
        (lambda f: f.assign(propensity=0.0), "probabilities are not between"),
        (lambda f: f.assign(reward="much"), "does not hold a number"),
        (lambda f: f.assign(action="wait"), "holds 1 actions"),
        (
            lambda f: f.assign(action=f["action"].where(f.index != 7)),
            "1 rows of action do not say what was.*row 8",
        ),
        (lambda f: f.assign(action=f["action"].where(f.index % 9 > 0, "  ")), "do not say what was done"),
        (lambda f: f.head(50), "at least 200"),
        (lambda f: f.assign(propensity=1.0), "every choice was as good as certain"),
        (lambda f: f.assign(propensity=f["propensity"] / 2), "do not add up: the rows on which .* was taken stand for"),
    ],
)
def test_a_log_that_cannot_be_weighed_is_refused_in_one_sentence(spoil: object, said: str, tmp_path: Path) -> None:
    frame = spoil(world(400, 5)[0])  # type: ignore[operator]  # a function
    with pytest.raises(BadInput, match=said) as caught:
        train(acting(written(frame, tmp_path)), tmp_path)
    assert caught.value.fix


def test_choices_drawn_alike_need_no_column_of_probabilities(tmp_path: Path) -> None:
    draw = np.random.default_rng(6)
    frame, true = world(3_000, 6)
    code = draw.integers(0, 3, len(frame))
    frame["action"] = np.array(ACTIONS)[code]
    frame["reward"] = (draw.random(len(frame)) < true[np.arange(len(frame)), code]).astype(int)
    record = train(acting(written(frame.drop(columns="propensity"), tmp_path), propensity="uniform"), tmp_path)
    assert record.gate.outcome == "earned"


def test_choices_that_were_not_drawn_alike_are_not_taken_for_it(tmp_path: Path) -> None:
    frame, _ = world(2_000, 8)
    with pytest.raises(BadInput, match=r"not drawn alike: mail was taken on 5.% of the rows, and 1 in 3 was due"):
        train(acting(written(frame.drop(columns="propensity"), tmp_path), propensity="uniform"), tmp_path)


def test_sound_probabilities_are_never_refused() -> None:
    columns = Columns("action", "reward", "propensity")
    for seed in range(150):
        frame, _ = world(250, seed)
        code = frame["action"].map({name: at for at, name in enumerate(ACTIONS)}).to_numpy()
        rounded = frame["propensity"].round(2).to_numpy()
        check_probabilities(Log(frame, code, ACTIONS, frame["reward"].to_numpy(), rounded, columns, None, ()))


def test_a_gain_where_the_log_tried_nothing_else_is_not_earned(tmp_path: Path) -> None:
    draw, rows = np.random.default_rng(7), 2_400
    age = draw.random(rows).round(4)
    mailed = (age < 0.5) & (draw.random(rows) < 0.5)  # the old were always called: nobody knows what mail would bring
    frame = pd.DataFrame({"age": age, "action": np.where(mailed, "mail", "call")})
    frame["reward"] = (draw.random(rows) < np.where(mailed, 0.6, 0.2)).astype(int)
    frame["propensity"] = np.where(age < 0.5, 0.5, 1.0)
    record = train(acting(written(frame, tmp_path)), tmp_path)
    assert record.sealed.low > frame["reward"].mean() + 0.15, "the model is sure of what was never tried"
    assert record.gate.outcome == "not_earned"
    assert "it holds 5" in record.gate.text and "% of what the new policy would do" in record.gate.text
    assert not any(one.passed for one in record.gate.comparisons)


def test_a_gain_that_a_dozen_rows_speak_for_is_not_earned(tmp_path: Path) -> None:
    draw, rows = np.random.default_rng(9), 1_500
    mailed = draw.random(rows) < 0.03
    frame = pd.DataFrame({"age": draw.random(rows).round(4), "action": np.where(mailed, "mail", "call")})
    frame["reward"] = (np.where(mailed, 3.0, 0.0) + draw.normal(0, 0.3, rows)).round(3)
    frame["propensity"] = np.where(mailed, 0.03, 0.97)
    plan = acting(written(frame, tmp_path))
    record = train(replace(plan, gate=replace(plan.gate, against=("today",))), tmp_path)
    assert record.gate.comparisons[0].low > 1
    assert record.gate.outcome == "not_earned"
    assert (
        "rows' worth of evidence stand behind what the new policy would earn, and 50 are the least" in record.gate.text
    )
