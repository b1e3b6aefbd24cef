"""Nothing of the sealed rows is ever in the training part: no copy, no person, no future."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_plans import ledger, plan_for, written

from advisor.base.errors import BadInput
from advisor.base.tables import read_table
from advisor.records.look import SplitProposal
from trainers.common.sealed import freeze, open_sealed, opening_note, sealed_before
from trainers.common.splits import Split, content_hashes, folds_of, split_rows


def people(rows: int = 400, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    generator = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"age": generator.integers(18, 30, rows), "city": generator.choice(["Köln", "Lyon", "Porto"], rows)}
    )
    return frame, (generator.random(rows) < 0.3).astype(float)


def split(frame: pd.DataFrame, target: np.ndarray, kind: str = "stratified", **more: object) -> Split:
    by = more.pop("by", None)
    proposal = SplitProposal(kind, column="by" if by is not None else "", test_share=float(more.pop("share", 0.2)))
    return split_rows(frame, target, proposal, by, int(more.pop("seed", 0)), **more)


def test_copies_of_a_row_never_stand_on_both_sides(shared_data: Path) -> None:
    frame = read_table(shared_data / "wine_quality" / "data.csv").frame
    target = frame.pop("quality").to_numpy(dtype=float)
    made = split(frame, target)
    hashes = content_hashes(frame)
    assert len(set(hashes)) < len(frame) - 1_000  # the set holds more than a thousand copies
    assert not set(hashes[made.train]) & set(hashes[made.test])
    for train, validate in folds_of(made, 5, 0):
        assert not set(hashes[train]) & set(hashes[validate])
        assert not set(validate) & set(made.test)


def test_classes_keep_their_shares_and_rare_ones_reach_both_sides(shared_data: Path) -> None:
    frame = read_table(shared_data / "wine_quality" / "data.csv").frame
    target = frame.pop("quality").to_numpy(dtype=float)
    made = split(frame, target)
    assert len(made.test) / len(target) == pytest.approx(0.2, abs=0.01)
    for code in np.unique(target):
        there = (target[made.test] == code).mean()
        assert there == pytest.approx((target == code).mean(), abs=0.01)
        assert (target[made.train] == code).any()


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(30, 200),
    groups=st.integers(3, 25),
    share=st.floats(0.1, 0.4),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_group_is_whole_on_one_side_whatever_its_size(rows: int, groups: int, share: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    owner = pd.Series(generator.integers(0, groups, rows))
    frame = pd.DataFrame({"x": generator.normal(size=rows)})
    if owner.nunique() < 2:
        return
    made = split(frame, generator.normal(size=rows), "group", by=owner, share=share, seed=seed)
    assert not set(owner[made.train]) & set(owner[made.test])
    assert sorted([*made.train, *made.test]) == list(range(rows))
    count = min(3, owner[made.train].nunique())
    if count >= 2:
        for train, validate in folds_of(made, count, seed):
            assert not set(owner[train]) & set(owner[validate])


def test_a_row_without_a_group_is_alone() -> None:
    owner = pd.Series(["a", None, "a", None, "b", "b"] * 10)
    frame = pd.DataFrame({"x": np.arange(60.0)})
    made = split(frame, np.arange(60.0), "group", by=owner)
    assert len(set(made.units)) == 2 + 20


@pytest.mark.parametrize("dates", [False, True])
def test_the_sealed_rows_are_the_latest_and_moments_stay_whole(dates: bool) -> None:
    moments = np.repeat(np.arange(50), 4)
    when = pd.Series(moments)
    if dates:
        when = pd.Series(pd.Timestamp("2024-01-30") + pd.to_timedelta(moments, unit="D")).dt.strftime("%Y-%m-%d")
    shuffled = np.random.default_rng(0).permutation(200)
    frame = pd.DataFrame({"x": np.arange(200.0)})
    made = split(frame, np.arange(200.0), "time", by=when.iloc[shuffled].reset_index(drop=True))
    moment = moments[shuffled]
    assert moment[made.train].max() < moment[made.test].min()
    for train, validate in folds_of(made, 4, 0):
        assert moment[train].max() < moment[validate].min()


def test_a_column_that_tells_no_time_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        split(pd.DataFrame({"x": np.arange(50.0)}), np.arange(50.0), "time", by=pd.Series(["soon", "later"] * 25))
    assert caught.value.code == "no-time"
    assert "soon" in caught.value.why


def test_a_row_lands_on_its_side_in_whatever_order_the_file_is() -> None:
    frame, target = people()
    order = np.random.default_rng(3).permutation(len(frame))
    one = split(frame, target)
    other = split(frame.iloc[order].reset_index(drop=True), target[order])
    assert {one.hashes[row] for row in one.test} == {other.hashes[row] for row in other.test}


def test_whole_numbers_read_as_decimals_are_the_same_row() -> None:
    whole = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    decimal = whole.assign(a=whole["a"].astype(float))
    assert (content_hashes(whole) == content_hashes(decimal)).all()
    assert len(set(content_hashes(whole))) == 3


def test_sealed_rows_stay_sealed_when_columns_are_dropped_or_rows_join(tmp_path: Path) -> None:
    frame, target = people(400)
    frame["id"] = [f"row {number}" for number in range(400)]
    plan = plan_for(written(frame.assign(y=target), tmp_path), "y", "binary", "roc_auc")
    first = split(frame, target, whole_rows=frame)
    freeze(plan, tmp_path, first)
    before = sealed_before(plan, tmp_path)
    assert before == {first.hashes[row] for row in first.test}

    more, more_target = people(100, seed=9)
    more["id"] = [f"new {number}" for number in range(100)]
    joined = pd.concat([frame, more], ignore_index=True)
    again = split(
        joined.drop(columns="id"),
        np.concatenate([target, more_target]),
        whole_rows=joined,
        sealed_before=before,
    )
    assert set(first.test) <= set(again.test)
    hashes = content_hashes(joined.drop(columns="id"))
    assert not set(hashes[again.train]) & set(hashes[again.test])


def test_another_way_to_split_seals_anew(tmp_path: Path) -> None:
    frame, target = people()
    path = written(frame.assign(y=target), tmp_path)
    freeze(plan_for(path, "y", "binary", "roc_auc"), tmp_path, split(frame, target))
    assert sealed_before(plan_for(path, "y", "binary", "roc_auc"), tmp_path)
    assert not sealed_before(plan_for(path, "y", "binary", "roc_auc", seed=1), tmp_path)
    (tmp_path / "split.json").write_text("{torn", encoding="utf-8")
    assert not sealed_before(plan_for(path, "y", "binary", "roc_auc"), tmp_path)


def test_every_opening_is_in_the_ledger_and_the_second_is_told(tmp_path: Path) -> None:
    assert open_sealed(tmp_path, "classical-1", "abc", 200) == 1
    assert open_sealed(tmp_path, "classical-1", "abc", 200) == 1  # killed and resumed: the same look
    assert open_sealed(tmp_path, "classical-2", "abc", 200) == 2
    assert open_sealed(tmp_path, "classical-3", "other part", 200) == 1
    openings = [event["opening"] for event in ledger(tmp_path) if event["event"] == "sealed_opened"]
    assert openings == [1, 2, 1]
    assert opening_note(1) == ""
    assert "opened 2 times" in opening_note(2)


def test_one_group_alone_cannot_be_split() -> None:
    with pytest.raises(BadInput, match="leaves nothing"):
        split(pd.DataFrame({"x": np.arange(50.0)}), np.arange(50.0), "group", by=pd.Series(["a"] * 50))


def test_neighbours_in_time_count_as_one_unit_of_evidence() -> None:
    made = split(pd.DataFrame({"x": np.arange(2_000.0)}), np.arange(2_000.0), "time")
    assert len(made.test) == 400
    assert len(set(made.test_units())) == 20


@pytest.mark.parametrize("written_as", ["%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%Y %H:%M:%S", "%Y-%m-%d"])
def test_the_latest_days_are_sealed_however_their_dates_are_written(written_as: str) -> None:
    days = pd.date_range("2023-01-01", periods=365, freq="D")
    order = np.random.default_rng(0).permutation(365)
    frame = pd.DataFrame({"sold": np.arange(365.0)}).iloc[order].reset_index(drop=True)
    by = pd.Series(days.strftime(written_as), name="day").iloc[order].reset_index(drop=True)
    made = split(frame, np.zeros(365), "time", by=by)
    assert sorted(frame["sold"].iloc[made.test]) == list(range(292, 365))
    for train, validate in folds_of(made, 5, 0):
        assert frame["sold"].iloc[train].max() < frame["sold"].iloc[validate].min()


def test_days_and_months_that_cannot_be_told_apart_are_not_guessed_at() -> None:
    by = pd.Series([f"{1 + n % 12:02d}/{1 + n // 12:02d}/2024" for n in range(120)], name="day")
    with pytest.raises(BadInput, match="day first or month first"):
        split(pd.DataFrame({"sold": np.arange(120.0)}), np.zeros(120), "time", by=by)
