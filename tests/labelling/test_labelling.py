"""Rows to label are chosen and shared out, sheets come back, and agreement is what the textbooks say it is."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

TESTS = Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "trainers"))

from training_plans import Silent, plan_for, run_folder, written  # noqa: E402  after the path is set

from advisor.base.errors import BadInput  # noqa: E402
from advisor.records.plan import Plan  # noqa: E402
from advisor.records.run import RunRecord  # noqa: E402
from tests.command import train_or_not  # noqa: E402
from trainers.labelling.agreement import cohen, fleiss, krippendorff, krippendorff_interval  # noqa: E402
from trainers.labelling.picking import farthest_first, learn_quickly, pick  # noqa: E402
from trainers.registry import find_trainer  # noqa: E402

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), section C: four people, twelve units, gaps.
FOUR = """
1 2 3 3 2 1 4 1 2 - - -
1 2 3 3 2 2 4 1 2 5 - 3
- 3 3 3 2 3 4 2 2 5 1 -
1 2 3 3 2 4 4 1 2 5 1 -
"""


def test_alpha_is_the_one_of_krippendorffs_own_example() -> None:
    rows = [[int(c) - 1 if c != "-" else -1 for c in line.split()] for line in FOUR.strip().splitlines()]
    codes = np.array(rows).T
    assert krippendorff(codes) == pytest.approx(0.743, abs=0.0005)
    low, high = krippendorff_interval(codes, 0)
    assert low < 0.743 < high <= 1


def test_kappa_of_two_is_the_one_of_the_textbooks() -> None:
    # Twenty times yes and yes, five yes and no, ten no and yes, fifteen no and no: 0.7 seen, 0.5 by chance.
    first = np.repeat([1, 1, 0, 0], [20, 5, 10, 15])
    second = np.repeat([1, 0, 1, 0], [20, 5, 10, 15])
    assert cohen(first, second) == pytest.approx(0.4)
    assert np.isnan(cohen(np.array([0, -1]), np.array([-1, 0])))


def test_fleiss_is_the_one_of_his_fourteen_raters() -> None:
    # Fourteen raters, ten subjects, five categories, as in the worked example of Fleiss' kappa: 0.210.
    table = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    codes = np.array([np.repeat(np.arange(5), row) for row in table])
    assert fleiss(codes) == pytest.approx(0.210, abs=0.0005)


def test_people_who_guess_agree_on_nothing() -> None:
    codes = np.random.default_rng(0).integers(0, 3, (2_000, 3))
    assert abs(krippendorff(codes)) < 0.03


def test_people_who_all_say_one_thing_show_no_agreement() -> None:
    alike = np.zeros((20, 2), dtype=int)
    assert np.isnan([krippendorff(alike), fleiss(alike), cohen(alike[:, 0], alike[:, 1])]).all()


def test_three_rows_alike_leave_the_interval_open() -> None:
    few, many = (np.repeat(np.arange(count) % 2, 2).reshape(count, 2) for count in (4, 400))
    assert krippendorff(few) == krippendorff(many) == 1
    low, high = krippendorff_interval(few, 0)
    assert low < 0.5 and high == 1
    assert krippendorff_interval(many, 0)[0] > 0.97
    # One more conflict never makes agreement surer.
    conflict = many.copy()
    conflict[0, 0] = 1 - conflict[0, 0]
    assert krippendorff_interval(conflict, 0)[0] < krippendorff_interval(many, 0)[0]


def rows(count: int = 700, labelled: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(1)
    frame = pd.DataFrame({"x": draw.normal(size=count), "z": draw.normal(size=count)})
    frame["note"] = "=1+1"
    frame["kind"] = np.where(frame["x"] > 1.5, "rare", "common")
    frame.loc[labelled:, "kind"] = None
    return frame


def labelling(data: Path, target: str = "kind", **settings: object) -> Plan:
    plan = plan_for(data, target, "labels", "alpha", against=("least_agreement",), settings=settings)
    return replace(plan, trainer="labelling", approach="get_labels")


def train(plan: Plan, case: Path, name: str = "labelling-1") -> RunRecord:
    return find_trainer("labelling").train(plan, case, run_folder(case, name), Silent())


def test_a_sheet_waits_for_people_with_a_test_part_drawn_at_random(tmp_path: Path) -> None:
    record = train(labelling(written(rows(), tmp_path), rows=100, both=20), tmp_path)
    assert record.gate.outcome == "owed"
    # Eight in ten right, to within five points: 246 random rows (1.96² · 0.8 · 0.2 / 0.05²).
    assert record.hyperparameters["test_rows"] == 246
    sheet = pd.read_csv(tmp_path / "runs" / "labelling-1" / "label_sheet.csv")
    assert len(sheet) == 346
    assert sheet["why"].value_counts()["test: drawn at random"] == 246
    assert (sheet["for"] == "everybody").sum() == 20
    assert sheet["for"].value_counts()[["person 1", "person 2"]].min() == 163
    assert sheet[["label by 1", "label by 2"]].isna().all().all()
    assert sheet["note"].eq("'=1+1").all()
    # 346 rows, 20 of them twice, at 15 seconds and 40 dollars an hour.
    assert record.diagnostics["usd"] == pytest.approx(366 * 15 / 3600 * 40)
    assert find_trainer("labelling").estimate(record.plan, tmp_path).usd > 0


def test_rows_for_everybody_are_drawn_from_the_whole_file_and_nothing_else_waits_to_be_filled_in(
    tmp_path: Path,
) -> None:
    frame = rows(labelled=40).assign(when=range(700))  # sorted by time, as files are
    train(labelling(written(frame, tmp_path), rows=100, both=50), tmp_path)
    sheet = pd.read_csv(tmp_path / "runs" / "labelling-1" / "label_sheet.csv")
    assert sheet["for"].head(50).eq("everybody").all()
    assert 250 < sheet["when"].head(50).median() < 490
    assert [name for name in sheet if sheet[name].isna().all()] == ["label by 1", "label by 2"]


def test_labels_that_came_back_stand_in_the_one_column_of_labels(tmp_path: Path) -> None:
    back = rows(60, labelled=10).assign(**{"label by 1": [None] * 20 + ["rare", "common"] * 20})
    back["label by 2"] = back["label by 1"].where(back.index != 59, "comon")
    record = train(labelling(written(back, tmp_path)), tmp_path)
    labelled = pd.read_csv(tmp_path / "runs" / "labelling-1" / "labelled.csv")
    assert list(labelled) == ["kind", "x", "z", "note"]
    assert labelled["kind"].head(10).tolist() == back["kind"].head(10).tolist(), "a label that was there is kept"
    assert labelled["kind"].isna().sum() == 11  # ten that nobody labelled, and the conflict
    assert any(note.startswith("Given once only: comon.") for note in record.notes)


def test_a_model_of_the_labels_there_are_chooses_what_it_is_unsure_of(tmp_path: Path) -> None:
    record = train(labelling(written(rows(2_000, labelled=400), tmp_path), rows=100), tmp_path)
    assert any("a quick model" in note.lower() for note in record.notes)
    sheet = pd.read_csv(tmp_path / "runs" / "labelling-1" / "label_sheet.csv")
    chosen, drawn = (sheet[sheet["why"] == why] for why in ("learn: the model is unsure", "test: drawn at random"))
    assert len(chosen) == 80
    assert sheet["row"].min() >= 400  # nothing that has a label already
    # The border lies at x = 1.5, where few rows are: those chosen lie nearer to it than those drawn.
    assert (chosen["x"] - 1.5).abs().mean() < 0.7 * (drawn["x"] - 1.5).abs().mean()


def test_chosen_rows_teach_more_than_as_many_drawn() -> None:
    draw = np.random.default_rng(2)
    features = draw.normal(size=(4_000, 2))
    truth = np.where(features[:, 0] + 0.3 * features[:, 1] > 1.7, "rare", "common")

    def after(seen: np.ndarray) -> float:
        model = LogisticRegression(max_iter=500).fit(features[seen], truth[seen])
        rest = np.setdiff1d(np.arange(4_000), seen)
        return float(f1_score(truth[rest] == "rare", model.predict(features[rest]) == "rare"))

    gains = []
    for seed in range(6):
        labels = np.array([""] * 4_000, dtype=object)
        start = np.random.default_rng(seed).permutation(4_000)[:150]
        labels[start] = truth[start]
        teacher = learn_quickly(features, labels, seed)
        assert teacher is not None
        chosen = pick(features, labels, 0, 60, teacher, seed).rows
        others = np.setdiff1d(np.random.default_rng(seed + 100).permutation(4_000), start, assume_unique=True)
        gains.append(after(np.r_[start, chosen]) - after(np.r_[start, others[:60]]))
    assert np.mean(gains) > 0.1
    assert sum(gain > 0 for gain in gains) >= 5


def test_the_farthest_rows_come_first() -> None:
    features = np.array([[0.0], [1.0], [10.0], [10.5], [-4.0]])
    assert farthest_first(features, features[:1], 2).tolist() == [3, 4]


def filled(wrong: float, seed: int = 3) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"text": [f"case {n}" for n in range(120)]})
    truth = draw.choice(["yes", "no"], 120)
    for person in (1, 2, 3):
        said = np.where(draw.random(120) < wrong, np.where(truth == "yes", "no", "yes"), truth)
        frame[f"label by {person}"] = [f" {word.upper()} " if n % 3 else word for n, word in enumerate(said)]
    frame.loc[100:, "label by 3"] = None
    return frame


def test_a_sheet_that_came_back_says_how_far_people_agree(tmp_path: Path) -> None:
    frame = filled(0.02)
    record = train(labelling(written(frame, tmp_path), ""), tmp_path)
    assert record.gate.outcome == "earned"
    assert record.sealed.metric == "alpha"
    assert 0.667 < record.sealed.low < record.sealed.value
    assert len(record.diagnostics["tables"][0]["rows"]) == 3
    run = tmp_path / "runs" / "labelling-1"
    clash, done = pd.read_csv(run / "conflicts.csv"), pd.read_csv(run / "labelled.csv")
    assert record.rows["in conflict"] == len(clash) > 0
    assert done["label"].isna().sum() == len(clash)
    assert list(done.columns) == ["label", "text"]


def settle(tmp_path: Path, said: list[str | None]) -> pd.DataFrame:
    """The conflicts that a first run found, with the first of them settled, as a sheet in the case."""
    sheet = pd.read_csv(tmp_path / "runs" / "labelling-1" / "conflicts.csv")
    sheet["settled"] = pd.Series(said, dtype=object).reindex(sheet.index)
    sheet.to_csv(tmp_path / "settled.csv", index=False)
    return sheet


def test_what_people_settled_is_brought_into_the_labels_by_the_commands_that_the_run_tells(tmp_path: Path) -> None:
    filled(0.05).to_csv(tmp_path / "sheet.csv", index=False)
    for words in ("new case", "look case --data sheet.csv --quiet", "plan case --approach get_labels", "train case"):
        assert train_or_not(*words.split(), folder=tmp_path).code == 0
    case = tmp_path / "case"
    sheet = settle(case, [" yes ", "No"] * 60)
    told = json.loads((case / "runs" / "labelling-1" / "run.json").read_text())["notes"]
    commands = [word for note in told for word in re.findall(r"train-or-not (.+?)(?: &&|$)", note)]
    assert [command.split()[0] for command in commands] == ["plan", "train", "look"]
    for command in commands[:2]:
        said = train_or_not(*command.split(), folder=tmp_path)
        assert said.code == 0, said.err
    assert f"All {len(sheet)} rows on which people differ are settled." in said.out
    done = pd.read_csv(case / "runs" / "labelling-2" / "labelled.csv")
    assert done["label"].notna().all()
    assert done["label"][sheet["conflict in row"] - 1].tolist() == (["YES", "no"] * 60)[: len(sheet)]
    assert train_or_not(*commands[2].replace("labelling-1", "labelling-2").split(), folder=tmp_path).code == 0


def test_settling_goes_on_where_it_was_left_and_another_sheet_is_another_plan(tmp_path: Path) -> None:
    data = written(filled(0.05), tmp_path)
    trainer = find_trainer("labelling")
    alone = train(labelling(data, ""), tmp_path)
    settle(tmp_path, ["yes"])
    plan = labelling(data, "", settled="settled.csv")
    plan = replace(plan, settings=trainer.settings(plan, tmp_path))
    record = train(plan, tmp_path, "labelling-2")
    assert record.rows["settled"] == 1
    assert any("1 of the" in note and "Fill in more of" in note for note in record.notes)
    assert record.sealed == alone.sealed  # what people said apart from each other stays what it was
    settle(tmp_path, ["yes", "no"])
    with pytest.raises(BadInput, match=r"settled\.csv has changed since the plan was made") as caught:
        train(plan, tmp_path, "labelling-3")
    assert "--setting settled=settled.csv" in caught.value.fix


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda sheet: sheet.assign(settled="yess"), "nobody gave the label 'yess' of row"),
        (lambda sheet: sheet.assign(**{"conflict in row": 999}), "differ on row '999'"),
        (lambda sheet: sheet.drop(columns="settled"), "no column 'settled'"),
        (None, "no file"),
    ],
)
def test_a_sheet_that_settles_nothing_is_refused(change: Any, said: str, tmp_path: Path) -> None:
    data = written(filled(0.05), tmp_path)
    train(labelling(data, ""), tmp_path)
    if change:
        change(settle(tmp_path, ["yes"])).to_csv(tmp_path / "settled.csv", index=False)
    with pytest.raises(BadInput, match=said) as caught:
        train(labelling(data, "", settled="settled.csv"), tmp_path, "labelling-2")
    assert caught.value.fix


def test_people_who_differ_are_sent_back_to_the_guidelines(tmp_path: Path) -> None:
    record = train(labelling(written(filled(0.3), tmp_path), ""), tmp_path)
    assert record.gate.outcome == "not_earned"
    assert "do not agree enough" in record.gate.text


@pytest.mark.parametrize(("given", "outcome"), [(["no"] * 20, "owed"), (["no"], "owed"), (["no", "yes"], "not_earned")])
def test_agreement_is_not_claimed_from_next_to_nothing(given: list[str], outcome: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": [f"case {n}" for n in range(60)], "label by 1": given + [None] * (60 - len(given))})
    frame["label by 2"] = frame["label by 1"]
    record = train(labelling(written(frame, tmp_path), ""), tmp_path)
    assert record.gate.outcome == outcome
    assert "to tell whether people agree" in record.gate.text or "cannot be told" in record.gate.text
    assert len(pd.read_csv(tmp_path / "runs" / "labelling-1" / "labelled.csv")) == 60


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"half_width": 0}, "half_width"),
        ({"annotators": "ann, bob"}, "no column 'ann'"),
        ({"annotators": ["ann", "bob"]}, "no column 'ann'"),
        ({"annotators": 2.5}, "annotators"),
    ],
)
def test_choices_that_cannot_be_are_refused(settings: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        train(labelling(written(rows(100), tmp_path), **settings), tmp_path)
    assert caught.value.fix


def test_a_table_without_a_free_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="Only 0 rows are without a label"):
        train(labelling(written(rows(100, labelled=100), tmp_path)), tmp_path)


def test_the_columns_of_labels_may_be_named_as_a_list(tmp_path: Path) -> None:
    frame = filled(0.02).rename(columns={f"label by {n}": name for n, name in enumerate(["ann", "bob", "cy"], 1)})
    for at, named in enumerate((["ann", "bob", "cy"], "ann, bob, cy"), 1):
        record = train(labelling(written(frame, tmp_path), "", annotators=named), tmp_path, f"labelling-{at}")
        assert record.gate.outcome == "earned"
        assert record.rows["labelled twice"] == 120


def test_a_sheet_that_one_person_filled_in_is_not_handed_out_again(tmp_path: Path) -> None:
    frame = filled(0.0).assign(**{"label by 2": None, "label by 3": None})
    with pytest.raises(BadInput, match="120 labels came back, and no row has the labels of two people") as caught:
        train(labelling(written(frame, tmp_path), ""), tmp_path)
    assert caught.value.fix.endswith("--target 'label by 1'")


def test_no_more_is_paid_for_than_there_are_rows_to_label(tmp_path: Path) -> None:
    plan = labelling(written(rows(150, labelled=50), tmp_path))
    estimate = find_trainer("labelling").estimate(plan, tmp_path)
    assert estimate.usd == pytest.approx(train(plan, tmp_path).diagnostics["usd"], abs=0.01)


def test_the_page_of_people_who_agree_speaks_of_no_sealed_rows_and_no_folds(tmp_path: Path) -> None:
    from advisor.cli.train_page import page

    shown = list(page(train(labelling(written(filled(0.02), tmp_path), ""), tmp_path)))
    assert shown[0].startswith("Run labelling-1: agreement of people; 120 rows, 120 labelled twice")
    assert not any("sealed" in line or "folds" in line or "train on" in line for line in shown)
