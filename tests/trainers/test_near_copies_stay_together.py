"""Near copies and repeated measurements never stand on both sides of a split, whatever the seed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from advisor.base.near import near_number_groups, near_text_groups
from advisor.records.look import SplitProposal
from trainers.common.splits import Split, split_rows

RANDOM = np.random.default_rng(5)
WORDS = np.array([f"word{letter}{other}" for letter in "abcdefghij" for other in "klmnopqrst"])


def sides(split: Split, rows: int) -> np.ndarray:
    sealed = np.zeros(rows, dtype=bool)
    sealed[split.test] = True
    return sealed


def messages(count: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Texts with one copy each in another spelling and one with a word more; the code of what they are copies of."""
    first = [" ".join(RANDOM.choice(WORDS, 14)) for _ in range(count)]
    spelt = [f"{text.upper()} !!" for text in first]
    longer = [f"{text} please" for text in first]
    order = RANDOM.permutation(3 * count)
    frame = pd.DataFrame({"text": [*first, *spelt, *longer]}).iloc[order].reset_index(drop=True)
    return frame, np.tile(np.arange(count), 3)[order]


@pytest.mark.parametrize("seed", range(4))
def test_texts_in_another_spelling_stay_on_one_side(seed: int) -> None:
    frame, origin = messages(80)
    target = RANDOM.integers(0, 2, len(frame)).astype(float)
    plain = sides(split_rows(frame, target, SplitProposal("stratified"), None, seed), len(frame))
    assert pd.Series(plain).groupby(origin).nunique().max() == 2, "without the comparison they straddle"
    kept = split_rows(frame, target, SplitProposal("stratified", near=("text",)), None, seed)
    sealed = sides(kept, len(frame))
    assert pd.Series(sealed).groupby(origin).nunique().max() == 1
    assert 0.1 < sealed.mean() < 0.3


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_the_rows_does_not_decide_which_are_sealed(seed: int) -> None:
    frame, _ = messages(80)
    target = RANDOM.integers(0, 2, len(frame)).astype(float)
    shuffled = RANDOM.permutation(len(frame))
    again = split_rows(
        frame.iloc[shuffled].reset_index(drop=True),
        target[shuffled],
        SplitProposal("random", near=("text",)),
        None,
        seed,
    )
    first = split_rows(frame, target, SplitProposal("random", near=("text",)), None, seed)
    assert set(frame["text"].iloc[first.test]) == set(frame["text"].iloc[shuffled[again.test]]), "order decides nothing"


def test_rows_of_numbers_that_differ_in_the_last_digits_stay_on_one_side() -> None:
    table = pd.DataFrame(RANDOM.normal(size=(300, 5)), columns=list("abcde"))
    both = pd.concat([table, table + 1e-4], ignore_index=True)
    origin = np.tile(np.arange(300), 2)
    proposal = SplitProposal("random", near=tuple("abcde"))
    sealed = sides(split_rows(both, RANDOM.normal(size=600), proposal, None, 0), 600)
    assert pd.Series(sealed).groupby(origin).nunique().max() == 1
    assert len(np.unique(near_number_groups(both, 0.01))) == 300
    assert len(np.unique(near_number_groups(both, 1e-9))) == 600


def test_rows_equal_in_the_named_columns_stay_on_one_side_and_keep_them_as_features() -> None:
    mixture = pd.DataFrame(RANDOM.normal(size=(60, 3)), columns=["cement", "water", "sand"])
    frame = mixture.loc[mixture.index.repeat(5)].reset_index(drop=True).assign(age=np.tile([1, 3, 7, 28, 90], 60))
    proposal = SplitProposal("group", same=("cement", "water", "sand"))
    sealed = sides(split_rows(frame, RANDOM.normal(size=300), proposal, None, 0), 300)
    assert pd.Series(sealed).groupby(frame["cement"]).nunique().max() == 1
    assert 0.1 < sealed.mean() < 0.3


def test_short_and_different_texts_are_not_joined() -> None:
    texts = pd.Series(["yes", "Yes", "no", "the parcel never arrived at our house", "where is the parcel that I sent"])
    assert len(set(near_text_groups(texts, 0.8, 0))) == 5
