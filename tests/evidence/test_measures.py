"""The measures under the checks: association, order, near copies, agreement, the trial and its curve."""

from __future__ import annotations

import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.evidence.association import exact_sum, neighbour_correlation, power_of
from advisor.evidence.catalogue import load_catalogue, words_of
from advisor.evidence.checks import CHECKS
from advisor.evidence.checks.signal import agreement_of, suspicious
from advisor.evidence.curve import learning_curve
from advisor.evidence.hashing import hash_rows
from advisor.evidence.kinds import kind_of, to_dates
from advisor.evidence.look import Silence, run_checks
from advisor.evidence.neighbours import near_numbers, near_texts
from advisor.evidence.observed import observed_facts
from advisor.evidence.preparing import prepare

FORMATTER = string.Formatter()
RANDOM = np.random.default_rng(7)
CATALOGUE = load_catalogue()


def test_every_pitfall_has_a_check_and_every_check_a_pitfall() -> None:
    assert list(CHECKS) == list(CATALOGUE.entries)


def test_every_entry_says_what_why_how_and_the_cure() -> None:
    for entry in CATALOGUE.entries.values():
        assert all((entry.title, entry.what, entry.why, entry.how, entry.fix, entry.source, entry.says["issue"]))
        assert entry.severity in ("severe", "moderate", "mild")


def test_a_copy_settles_the_target_and_noise_does_not() -> None:
    target = RANDOM.integers(0, 2, 800)
    assert power_of(pd.Series(target * 10), target, 2, 0) > 0.97
    assert power_of(pd.Series(RANDOM.normal(size=800)), target, 2, 0) < 0.05
    assert power_of(pd.Series([f"id{n}" for n in range(800)]), target, 2, 0) < 0.05


def test_a_bent_copy_of_a_number_is_seen() -> None:
    target = RANDOM.lognormal(0, 2, 1000)
    assert power_of(pd.Series(np.log(target)), target, 0, 0) > 0.9
    assert power_of(pd.Series(RANDOM.normal(size=1000)), target, 0, 0) < 0.05


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 5), st.integers(60, 300), st.integers(0, 10_000))
def test_power_is_a_share(classes: int, rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    found = power_of(
        pd.Series(random.choice([1.0, 2.0, np.nan], rows)), random.integers(0, classes, rows), classes, seed
    )
    assert 0 <= found <= 1


def test_a_sum_is_taken_apart_into_the_columns_it_needs() -> None:
    table = pd.DataFrame(RANDOM.normal(size=(200, 4)), columns=list("abcd"))
    total = (table["b"] + 2 * table["d"]).to_numpy()
    assert set(exact_sum(table, total, 1e-6, 30)) == {"b", "d"}
    assert exact_sum(table, total + RANDOM.normal(0, 0.1, 200), 1e-6, 30) == ()


def test_shuffled_answers_do_not_follow_each_other() -> None:
    walk = np.cumsum(RANDOM.normal(size=500))
    assert neighbour_correlation(walk, 0)[0] > 0.9
    assert abs(neighbour_correlation(RANDOM.permutation(walk), 0)[1]) < 4


def test_rows_that_are_equal_have_equal_hashes_and_others_do_not() -> None:
    frame = pd.DataFrame({"a": [1.0, 1.0, np.nan, np.nan, 2.0], "b": ["x", "x", "y", "y", "x"], "c": [1, 1, 1, 1, 1]})
    hashes = hash_rows(frame, ["a", "b", "c"], frozenset(), 0).whole
    assert hashes[0] == hashes[1] and hashes[2] == hashes[3] and len(set(hashes)) == 3
    swapped = pd.DataFrame({"a": ["x", "y"], "b": ["y", "x"]})
    assert len(set(hash_rows(swapped, ["a", "b"], frozenset(), 0).whole)) == 2


def test_texts_that_differ_in_spelling_are_near_and_others_are_not() -> None:
    texts = pd.Series([
        "please send me the invoice of last month again",
        "Please send me the invoice of LAST month again!!",
        "the parcel never arrived although it says delivered",
        "where can I change the address of my account",
    ])  # fmt: skip
    found, largest = near_texts(texts, 0.8, 0)
    assert found.tolist() == [False, True, False, False] and largest == 0.5


def test_rows_of_numbers_that_differ_in_the_last_digit_are_near() -> None:
    table = pd.DataFrame(RANDOM.normal(size=(400, 6)))
    copies = table.iloc[:20] + 1e-4
    assert near_numbers(pd.concat([table, copies], ignore_index=True), 0.01, 5).sum() == 40
    assert near_numbers(table, 0.01, 5).sum() == 0


def test_krippendorffs_alpha_is_one_for_equal_and_zero_for_random_labels() -> None:
    truth = RANDOM.choice(["a", "b", "c"], 900)
    same = pd.DataFrame({"annotator_1": truth, "annotator_2": truth, "x": RANDOM.normal(size=900)})
    agreed = agreement_of(prepare(same, "", CATALOGUE))
    assert agreed is not None and agreed[1] == 1.0 and agreed[2] == pytest.approx(1.0)
    luck = same.assign(annotator_2=RANDOM.permutation(truth))
    by_chance = agreement_of(prepare(luck, "", CATALOGUE))
    assert by_chance is not None and by_chance[1] == pytest.approx(1 / 3, abs=0.06)
    assert by_chance[2] == pytest.approx(0.0, abs=0.08)


def test_the_label_that_a_sure_model_contradicts_is_suspected_first() -> None:
    answers = np.array([0] * 50 + [1] * 50)
    found = np.where(answers[:, None] == np.array([0, 1]), 0.95, 0.05)
    found[3] = [0.99, 0.01]
    answers[3] = 1
    assert suspicious(found, answers).tolist() == [3]


@pytest.mark.parametrize(("cells", "kind"), [
    (["1", "2", "3"] * 30, "category"),
    (list(range(100)), "id"),
    ([1.5 * n for n in range(100)], "number"),
    (["yes", "no"] * 30, "boolean"),
    ([f"a sentence of several words, number {n}" for n in range(60)], "text"),
    ([f"c-{n:05d}" for n in range(60)], "id"),
    ([f"2024-01-{n % 28 + 1:02d}" for n in range(60)], "date"),
    (["only"] * 40, "constant"),
    ([None] * 40, "empty"),
])  # fmt: skip
def test_the_kind_of_a_column_is_told(cells: list[object], kind: str) -> None:
    assert kind_of(pd.Series(cells, name="x"), CATALOGUE) == kind


def _orders(rows: int = 200) -> pd.DataFrame:
    reference = [f"R-{n * 7919 % 99991}" for n in range(rows)]
    return pd.DataFrame({
        "mail": [f"Please send {n % 40} bolts by Monday, reference {r}, thank you." for n, r in enumerate(reference)],
        "order": [f'{{"item": "bolt", "quantity": {n % 40}, "reference": "{r}"}}' for n, r in enumerate(reference)],
        "reference": reference,
        "reply": [f"Thank you, {n % 40} bolts will leave our house under {r}." for n, r in enumerate(reference)],
        "team": ["sales" if n % 3 else "stock" for n in range(rows)],
    })  # fmt: skip


@pytest.mark.parametrize(("target", "task", "fact"), [
    ("order", "extract", "extract"),
    ("reference", "extract", "extract"),
    ("reply", "generate", "generate_text"),
    ("team", "binary", "classify"),
])  # fmt: skip
def test_answers_that_are_texts_of_their_own_are_no_classes(target: str, task: str, fact: str) -> None:
    sheet = prepare(_orders(), target, CATALOGUE)
    facts = {found.name: found.value for found in observed_facts(sheet, "orders.csv", "2026-01-01")}
    assert (sheet.task, facts["task_type"]) == (task, fact)
    assert ("n_classes" in facts) == (task == "binary")
    outcomes = {code: found.outcome for code, found in run_checks(sheet, Silence(), {}).items()}
    assert (outcomes["P302"], outcomes["P305"]) == ("not_applicable" if sheet.written else "passed", "passed")


def test_days_come_first_where_no_month_has_so_many() -> None:
    dates = to_dates(pd.Series(["25/01/2024", "03/02/2024"] * 10))
    assert dates.dt.month.tolist()[:2] == [1, 2]


def test_column_names_are_split_into_words() -> None:
    assert words_of("customerID") == ["customer", "id"]
    assert words_of("Date of Purchase") == ["date", "of", "purchase"]
    assert CATALOGUE.names_a_thing("patient_id") and CATALOGUE.names_a_thing("subject#")
    assert not CATALOGUE.names_a_thing("Customer Age")


def test_a_trial_sees_signal_where_there_is_some_and_none_in_noise() -> None:
    frame = pd.DataFrame(RANDOM.normal(size=(600, 5)), columns=list("abcde"))
    signal = frame.assign(label=(frame["a"] + RANDOM.normal(0, 0.5, 600) > 0).astype(int))
    noise = frame.assign(label=RANDOM.integers(0, 2, 600))
    seen, unseen = (prepare(table, "label", CATALOGUE).trial for table in (signal, noise))
    assert seen is not None and seen.baseline.low > 0.1
    assert unseen is not None and unseen.baseline.low <= 0


@pytest.mark.parametrize(("rows", "outcome", "fact"), [(60, "tip", None), (2000, "issue", "no")])
def test_nothing_to_learn_is_said_only_when_rows_are_enough_to_tell(rows: int, outcome: str, fact: str | None) -> None:
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.normal(size=(rows, 4)), columns=list("abcd"))
    sheet = prepare(frame.assign(label=random.integers(0, 2, rows)), "label", CATALOGUE)
    finding = CHECKS["P703"](sheet)
    assert finding.outcome == outcome and "{" not in finding.text
    facts = {found.name: found.value for found in observed_facts(sheet, "noise.csv", "2026-01-01")}
    assert facts.get("baseline_beats_trivial") == fact, "what cannot be told must not be answered"


def test_a_forecast_is_tried_with_the_values_that_came_before() -> None:
    """Without its own past a series looks like noise, and "no signal" would be a lie."""
    steps = np.zeros(600)
    for step in range(1, 600):
        steps[step] = 0.8 * steps[step - 1] + RANDOM.normal()
    frame = pd.DataFrame({"date": pd.date_range("2022-01-01", periods=600).astype(str), "sales": 50 + 4 * steps})
    sheet = prepare(frame, "sales", CATALOGUE)
    assert sheet.task == "forecast" and sheet.trial is not None
    assert sheet.trial.baseline.low > 0.3
    shuffled = prepare(frame.assign(sales=RANDOM.permutation(frame["sales"])), "sales", CATALOGUE).trial
    assert shuffled is not None and shuffled.baseline.low <= 0


def test_the_curve_looks_ahead_at_most_fourfold_and_its_band_holds_the_truth() -> None:
    """Trained on a part, the band for four times as many rows holds what four times as many rows then give."""
    frame = pd.DataFrame(RANDOM.normal(size=(4000, 12)), columns=[f"x{n}" for n in range(12)])
    label = ((frame.sum(axis=1) + RANDOM.normal(0, 2, 4000)) > 0).astype(int)
    whole = frame.assign(label=label)
    small, large = (prepare(whole.iloc[:rows], "label", CATALOGUE).trial for rows in (1000, 4000))
    assert small is not None and large is not None
    ahead, later = learning_curve(small, 1000, CATALOGUE), learning_curve(large, 4000, CATALOGUE)
    assert ahead is not None and later is not None
    measured = [point for point in ahead.points if point.measured]
    assert ahead.points[-1].rows == 4 * measured[-1].rows
    truth = next(point for point in reversed(later.points) if point.measured)
    assert truth.rows == ahead.points[-1].rows
    assert ahead.points[-1].low - 0.03 <= truth.error <= ahead.points[-1].high + 0.03


def test_no_sentence_of_the_catalogue_is_left_with_a_hole(planted_findings: list[str]) -> None:
    names = {
        name for e in CATALOGUE.entries.values() for text in e.says.values() for _, name, _, _ in FORMATTER.parse(text)
    }
    assert len(planted_findings) > 40
    assert not [text for text in planted_findings for name in names if name and "{" + name + "}" in text]


@pytest.fixture(scope="module")
def planted_findings() -> list[str]:
    """What all checks say of a table with many faults at once."""
    rows = 400
    label = RANDOM.integers(0, 2, rows)
    frame = pd.DataFrame({
        "id": range(rows), "copy": label * 2, "flag": np.where(label & (RANDOM.random(rows) < 0.3), 1, 0),
        "sex": RANDOM.choice(["f", "m"], rows), "gap": np.where(label == 1, np.nan, 3.5 + label),
        "customer": RANDOM.integers(0, 40, rows), "when": pd.date_range("2024-01-01", periods=rows).astype(str),
        "spelt": RANDOM.choice(["a", "A ", "b", "?"], rows), "mail": [f"x{n}@y.org" for n in range(rows)],
        "annotator_1": label, "annotator_2": RANDOM.integers(0, 2, rows), "fixed": 1, "split": ["train", "test"] * 200,
        "text": [f"as an ai language model I write to {{customer_name}} {n % 9}" for n in range(rows)], "label": label,
    })  # fmt: skip
    said = []
    for target in ("label", "gap", ""):
        sheet = prepare(pd.concat([frame, frame.iloc[:40]]).reset_index(drop=True), target, CATALOGUE)
        said += [check(sheet).text for check in CHECKS.values()]
    return [text for text in said if text]
