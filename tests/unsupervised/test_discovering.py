"""Groups and oddities are found where they are, not where they are not, and a person can judge what was found."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score, roc_auc_score

TESTS = Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "trainers"))

from training_plans import Silent, ledger, plan_for, run_folder, untold, written  # noqa: E402  after the path is set

from advisor.base.errors import BadInput  # noqa: E402
from advisor.base.tables import read_table  # noqa: E402
from advisor.records.look import SplitProposal  # noqa: E402
from advisor.records.plan import Plan  # noqa: E402
from advisor.records.run import RunRecord  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402
from trainers.unsupervised.grouping import chosen_count, try_counts  # noqa: E402
from trainers.unsupervised.halves import agreement, matched, shuffled  # noqa: E402
from trainers.unsupervised.oddness import WAYS, fit_detector, tails  # noqa: E402
from trainers.unsupervised.steps import learn_profile  # noqa: E402
from trainers.use.opened import open_run  # noqa: E402

RULES = {"fewest": 2, "most": 5, "halves": 3, "starts": 2, "margin": 0.02}
GATES = {
    "groups": ("chance", "shuffled"), "topics": ("chance", "shuffled"),
    "oddities": ("chance",), "anomalies": ("trivial", "one_column"),
}  # fmt: skip


def looking(data: Path, task: str, target: str = "", split: SplitProposal | None = None, **settings: object) -> Plan:
    metric = "roc_auc" if task == "anomalies" else "agreement"
    plan = plan_for(
        data, target, task, metric, split=split or SplitProposal("random"), against=GATES[task], settings=settings
    )
    return replace(plan, trainer="unsupervised", approach="unsupervised")


def train(plan: Plan, case: Path, name: str = "unsupervised-1") -> RunRecord:
    return find_trainer("unsupervised").train(plan, case, run_folder(case, name), Silent())


def three_kinds(rows: int = 300) -> tuple[pd.DataFrame, np.ndarray]:
    draw = np.random.default_rng(0)
    kind = draw.integers(0, 3, rows)
    frame = pd.DataFrame({"height": np.array([0, 10, 20])[kind] + draw.normal(size=rows)})
    frame["weight"] = np.array([5, -5, 5])[kind] + draw.normal(size=rows)
    frame["colour"] = np.array(["red", "blue", "=cmd()"])[kind]
    return frame, kind


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord, np.ndarray]:
    case = tmp_path_factory.mktemp("kinds")
    frame, kind = three_kinds()
    return case, train(looking(written(frame, case), "groups"), case), kind


def test_three_kinds_are_found_and_are_more_than_chance(grouped: tuple[Path, RunRecord, np.ndarray]) -> None:
    case, record, kind = grouped
    assert record.chosen == "3 groups"
    assert record.gate.outcome == "earned"
    assert [item.against for item in record.gate.comparisons] == ["chance", "shuffled"]
    found = pd.read_csv(case / "runs" / "unsupervised-1" / "groups.csv")
    assert adjusted_rand_score(kind, found["group"]) > 0.98
    assert [event["event"] for event in ledger(case)].count("sealed_opened") == 1
    assert not untold(record)
    curve = record.diagnostics["learning_curve"]
    assert [point["rows"] for point in curve] == sorted({point["rows"] for point in curve})
    assert len(curve) > 1 and curve[-1]["value"] > 0.95
    assert {one["value"] for one in record.diagnostics["slices"]} <= {"group 1", "group 2", "group 3"}
    assert all(one["error"] < 0.1 and not one["worse"] for one in record.diagnostics["slices"])
    assert "heart" in record.diagnostics["without"]["train_validation_gap"]


def test_one_long_cloud_that_is_cut_alike_each_time_is_not_told_as_kinds(
    grouped: tuple[Path, RunRecord, np.ndarray], tmp_path: Path
) -> None:
    draw = np.random.default_rng(0)
    cloud = draw.normal(size=(300, 1)) + 0.3 * draw.normal(size=(300, 4))
    record = train(looking(written(pd.DataFrame(cloud, columns=list("abcd")), tmp_path), "groups", groups=3), tmp_path)
    assert record.gate.outcome == "earned", "two halves cut it alike"
    assert "may be stretches of one whole, not kinds" in record.gate.text
    assert "one whole" not in grouped[1].gate.text


def test_a_person_sees_sizes_typical_rows_and_what_sets_groups_apart(
    grouped: tuple[Path, RunRecord, np.ndarray],
) -> None:
    case, record, _ = grouped
    table = record.diagnostics["tables"][0]
    assert sum(row[1] for row in table["rows"]) == 300
    assert all("elsewhere" in row[3] for row in table["rows"])
    with (case / "runs" / "unsupervised-1" / "exemplars.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["group"] for row in rows} == {"group 1", "group 2", "group 3"}
    assert all(not row["colour"].startswith("=") for row in rows)


def test_a_new_row_goes_where_its_like_are(grouped: tuple[Path, RunRecord, np.ndarray]) -> None:
    case, _, _ = grouped
    opened = open_run(case / "runs" / "unsupervised-1")
    frame, _ = three_kinds()
    said = opened.answer(frame).predictions
    stored = pd.read_csv(case / "runs" / "unsupervised-1" / "groups.csv")["group"].tolist()
    assert said == stored
    assert opened.answer(frame.head(1)).predictions == stored[:1]


def test_noise_without_groups_earns_nothing(tmp_path: Path) -> None:
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(400, 5)), columns=list("abcde"))
    record = train(looking(written(frame, tmp_path), "groups"), tmp_path)
    assert record.gate.outcome == "not_earned"


def test_the_number_of_groups_is_the_one_that_halves_agree_on() -> None:
    draw = np.random.default_rng(2)
    centres = np.array([[0.0, 0], [8, 9], [1, 17], [16, 3]])
    features = centres[draw.integers(0, 4, 400)] + draw.normal(size=(400, 2))
    assert chosen_count(try_counts(features, RULES, 0, Silent(), 60), 0.02).count == 4


def test_groups_are_looked_for_no_longer_than_the_budget_allows() -> None:
    rules = {"fewest": 2, "most": 10, "halves": 5, "starts": 1}
    features = np.random.default_rng(0).normal(size=(120, 3))
    (only,) = try_counts(features, rules, 0, Silent(), 0.0)
    assert only.count == 2
    assert len(only.agreed) == len(only.by_chance) == 1
    assert chosen_count([only], 0.02) is only


def test_names_of_groups_do_not_matter_to_agreement() -> None:
    first = np.array([0, 0, 1, 1, 2, 2])
    assert matched(first, np.array([2, 2, 0, 0, 1, 1]), 3).tolist() == first.tolist()
    assert agreement(first, np.array([2, 2, 0, 1, 1, 1]), 3).tolist() == [1, 1, 1, 0, 1, 1]


def test_shuffling_keeps_every_column_and_breaks_every_row() -> None:
    features = np.stack([np.arange(50.0), np.arange(50.0)], axis=1)
    torn = shuffled(features, 0)
    assert np.array_equal(np.sort(torn, axis=0), features)
    assert abs(np.corrcoef(torn.T)[0, 1]) < 0.5


def test_topics_gather_texts_by_their_words(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    words = {
        "trip": ["hotel", "flight", "ticket", "airport", "luggage", "beach", "island", "tour"],
        "food": ["soup", "bread", "cheese", "kitchen", "oven", "recipe", "butter", "pepper"],
        "work": ["invoice", "payment", "meeting", "contract", "deadline", "manager", "budget", "office"],
    }
    kinds = draw.choice(list(words), 240)
    texts = [" ".join(draw.choice(words[kind], 6)) for kind in kinds]
    record = train(looking(written(pd.DataFrame({"text": texts}), tmp_path), "topics"), tmp_path)
    assert record.gate.outcome == "earned"
    run = tmp_path / "runs" / "unsupervised-1"
    found = pd.read_csv(run / "groups.csv")["group"]
    assert pd.Series(kinds).groupby(found).agg(lambda kind: kind.value_counts(normalize=True).max()).min() > 0.95
    assert all(
        set(row[3].split(", ")) <= {w for some in words.values() for w in some}
        for row in record.diagnostics["tables"][0]["rows"]
    )
    assert open_run(run).answer(pd.DataFrame({"text": texts[:5]})).predictions == found[:5].tolist()


def with_odd_rows(rows: int = 600, odd: int = 30) -> pd.DataFrame:
    draw = np.random.default_rng(4)
    frame = pd.DataFrame(draw.normal(size=(rows, 4)), columns=["a", "b", "c", "d"])
    frame["b"] = frame["a"] + 0.1 * draw.normal(size=rows)
    at = draw.choice(rows, odd, replace=False)
    frame.loc[at, "b"] = -frame.loc[at, "a"] + np.sign(frame.loc[at, "a"]) * -2  # odd only beside the other column
    frame.loc[at, "c"] *= 3
    frame["state"] = "fine"
    frame.loc[at, "state"] = "broken"
    return frame


def test_odd_rows_are_found_better_than_by_one_column(tmp_path: Path) -> None:
    plan = looking(written(with_odd_rows(), tmp_path), "anomalies", "state", SplitProposal("stratified"))
    record = train(plan, tmp_path)
    assert record.sealed.metric == "roc_auc"
    assert record.sealed.value > 0.85
    assert record.gate.comparisons[0].passed
    names = [candidate.name for candidate in record.candidates]
    assert names[0] == "all four ways together"
    assert not untold(record)
    (_, called_odd), (_, found) = record.diagnostics["confusion"]["rows_actual_columns_predicted"]
    assert found > called_odd, "most of those that are called odd are"
    sheet = pd.read_csv(tmp_path / "runs" / "unsupervised-1" / "odd_rows.csv")
    assert (sheet["state"].head(10) == "broken").mean() >= 0.8
    answers = open_run(tmp_path / "runs" / "unsupervised-1").answer(with_odd_rows().drop(columns="state"))
    assert set(answers.predictions) == {"usual", "odd"}
    assert roc_auc_score(with_odd_rows()["state"] == "broken", answers.scores[:, 1]) > 0.85


def test_without_labels_two_halves_must_call_the_same_rows_odd(tmp_path: Path) -> None:
    data = written(with_odd_rows().drop(columns="state"), tmp_path)
    record = train(looking(data, "oddities", share=0.05), tmp_path)
    assert record.sealed.metric == "agreement"
    assert record.gate.comparisons[0].against == "chance"
    assert record.gate.outcome == "earned"
    assert not untold(record)
    assert record.diagnostics["learning_curve"][-1]["value"] > 0.5


def test_each_way_puts_a_far_row_above_all_others() -> None:
    draw = np.random.default_rng(5)
    features = draw.normal(size=(300, 3))
    detector = fit_detector(features, 0)
    far = np.array([[9.0, -9.0, 9.0]])
    for way in WAYS:
        assert detector.score(far, (way,))[0] > detector.score(features, (way,)).max(), way
    assert detector.score(features, WAYS).min() >= 0
    assert detector.score(far * 100, WAYS)[0] < 1


def test_tails_add_up_over_columns() -> None:
    columns = np.sort(np.arange(1.0, 101.0)[:, None].repeat(2, axis=1), axis=0)
    middle, edge = tails(np.array([[50.0, 50.0], [100.0, 1.0]]), columns)
    assert middle == pytest.approx(-2 * np.log(0.5))
    assert edge == pytest.approx(-2 * np.log(0.01))


def test_a_strange_day_is_odd_although_each_of_its_values_is_usual(tmp_path: Path) -> None:
    hours = np.arange(24 * 60)
    values = 100 + 50 * np.sin(hours / 24 * 2 * np.pi) + np.random.default_rng(6).normal(0, 3, len(hours))
    odd = np.zeros(len(hours), dtype=int)
    for day in (20, 40, 55):
        part = slice(24 * day, 24 * day + 24)
        values[part], odd[part] = 100 - 50 * np.sin(hours[part] / 24 * 2 * np.pi), 1
    when = pd.date_range("2026-01-01", periods=len(hours), freq="h").strftime("%Y-%m-%d %H:%M")
    data = written(pd.DataFrame({"when": when, "load": values.round(2), "odd": odd}), tmp_path)
    record = train(looking(data, "anomalies", "odd", SplitProposal("time", "when")), tmp_path)
    assert record.gate.outcome == "earned"
    column = next(item for item in record.gate.comparisons if item.against == "one_column")
    assert record.sealed.value > 0.9 > column.theirs.value
    rows = read_table(data).frame
    said = open_run(tmp_path / "runs" / "unsupervised-1").answer(rows.drop(columns="odd"))
    assert roc_auc_score(odd, said.scores[:, 1]) > 0.9


def test_a_profile_reads_only_the_past() -> None:
    values = np.random.default_rng(7).normal(size=300)
    profile = learn_profile(values[:200], np.arange(200), (7,))
    before = profile.features(values, np.arange(300))[:250]
    changed = np.r_[values[:250], np.full(50, 99.0)]
    assert np.array_equal(profile.features(changed, np.arange(300))[:250], before)


@pytest.mark.parametrize(
    ("frame", "task", "target", "said"),
    [
        (three_kinds(30)[0], "groups", "", "takes at least 60"),
        (pd.DataFrame({"note": [f"n{n}" for n in range(80)]}), "groups", "", "No column can be"),
        (pd.DataFrame({"x": range(80), "y": np.arange(80) % 7.5}), "topics", "", "No column holds texts"),
        (with_odd_rows(100, 5).assign(state=["a", "b", "c", "d"] * 25), "anomalies", "state", "holds 4 labels"),
        (with_odd_rows(100, 2), "anomalies", "state", "labelled odd"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_in_one_sentence(
    frame: pd.DataFrame, task: str, target: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        train(looking(written(frame, tmp_path), task, target), tmp_path)
    assert caught.value.fix
    assert not [event for event in ledger(tmp_path) if event["event"] == "sealed_opened"]


def test_the_same_plan_finds_the_same_again(grouped: tuple[Path, RunRecord, np.ndarray]) -> None:
    case, record, _ = grouped
    train(record.plan, case, "unsupervised-2")
    first, second = (case / "runs" / f"unsupervised-{number}" for number in (1, 2))
    assert (first / "groups.csv").read_bytes() == (second / "groups.csv").read_bytes()
    stored = [json.loads((run / "run.json").read_text(encoding="utf-8")) for run in (first, second)]
    assert stored[0]["sealed"] == stored[1]["sealed"]
