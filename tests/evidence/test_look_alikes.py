"""What looks like a fault and is none, and what looks harmless and is one: classes of mistakes seen on real tables."""

from __future__ import annotations

from io import StringIO

import numpy as np
import pandas as pd
from rich.console import Console

from advisor.cli.look_page import draw
from advisor.evidence.catalogue import load_catalogue
from advisor.evidence.checks import CHECKS
from advisor.evidence.look import Silence, look_at_sheet, run_checks
from advisor.evidence.preparing import prepare
from advisor.evidence.sheet import Sheet
from advisor.evidence.splits import propose
from advisor.records.look import Pitfall

CATALOGUE = load_catalogue()


def drawn() -> np.random.Generator:
    return np.random.default_rng(11)


def sheet_of(table: dict[str, object], target: str) -> Sheet:
    return prepare(pd.DataFrame(table), target, CATALOGUE)


def found(code: str, table: dict[str, object], target: str = "label") -> Pitfall:
    return CHECKS[code](sheet_of(table, target))


def test_two_people_of_one_age_and_income_are_no_copies_of_each_other() -> None:
    random = drawn()
    measures = {name: np.repeat(random.normal(size=150), 2) + random.normal(0, 1e-4, 300) for name in "abc"}
    table = {**measures, "label": random.integers(0, 2, 300)}
    assert found("P202", table).outcome == "issue"
    assert found("P202", {**table, "colour": ["red", "blue"] * 150}).outcome == "passed"


def test_few_fine_numbers_cannot_be_near_copies() -> None:
    random = drawn()
    table = {"miles": random.integers(0, 9000, 500), "doors": random.integers(2, 5, 500), "seats": [4, 5] * 250}
    assert found("P202", {**table, "label": random.integers(0, 2, 500)}).outcome == "not_applicable"


def test_patients_alike_in_a_few_coarse_columns_are_no_severe_repeats() -> None:
    random = drawn()
    coarse = {
        "arm": random.integers(0, 2, 200),
        "fever": random.integers(0, 3, 200),
        "label": random.integers(0, 2, 200),
    }
    fine = {name: np.repeat(random.normal(size=100), 2) for name in "ab"}
    assert found("P201", {**coarse, "patient_id": range(200)}).outcome == "passed"
    assert found("P201", {**fine, "label": [0, 1, 1, 0] * 50}).outcome == "passed"
    assert found("P201", {**fine, "label": np.repeat([0, 1], 100)}).severity == "severe"
    assert found("P201", {**fine, "label": np.repeat([0, 1], 100), "patient_id": range(200)}).severity == "moderate"


def test_a_mark_such_as_a_balance_of_zero_gives_one_class_away() -> None:
    random = drawn()
    label = random.choice(["current", "late", "paid"], 900, p=[0.7, 0.2, 0.1])
    balance = np.where(label == "paid", 0.0, random.uniform(100, 9000, 900).round(2))
    finding = found("P102", {"balance": balance, "other": random.normal(size=900), "label": label})
    assert finding.outcome == "issue" and "balance = 0" in finding.text and "paid" in finding.text
    balance[np.flatnonzero(label == "late")[:3]] = 0.0
    nearly = found("P102", {"balance": balance, "other": random.normal(size=900), "label": label})
    assert nearly.outcome == "issue" and nearly.text[:2] in ("96", "97", "98")


def test_a_logarithm_of_the_answer_is_a_copy_of_it_beside_other_strong_columns() -> None:
    random = drawn()
    price = random.lognormal(3, 0.3, 120)
    near = {f"strong_{n}": price + random.normal(0, 0.03 * n, 120) * price.std() for n in range(4, 9)}
    finding = found("P101", {"log_price": np.log(price), **near, "price": price}, "price")
    assert (finding.outcome, finding.severity) == ("issue", "severe")
    assert finding.columns == ("log_price",)


def test_a_hard_task_is_not_called_mislabelled() -> None:
    random = drawn()
    score = random.normal(size=2000)
    label = (random.random(2000) < 1 / (1 + np.exp(-0.8 * score))).astype(int)
    assert found("P303", {"a": score, "b": random.normal(size=2000), "label": label}).outcome != "issue"
    rare = (random.random(2000) < 0.1 / (1 + np.exp(-score))).astype(int)
    assert found("P303", {"a": score, "b": random.normal(size=2000), "label": rare}).outcome in ("skipped", "passed")


def test_people_measured_often_are_kept_in_one_part() -> None:
    random = drawn()
    subject, week = np.repeat(np.arange(40), 8), np.tile(np.arange(8), 40)
    height = np.repeat(random.normal(150, 8, 40), 8) + week + random.normal(0, 0.5, 320)
    sheet = sheet_of({"Subject": subject, "week": week, "height": height}, "height")
    assert propose(sheet, run_checks(sheet, Silence(), {}, frozenset(("P501", "P503")))).column == "Subject"


def test_several_series_in_one_file_follow_each_other_in_time() -> None:
    random = drawn()
    days = pd.date_range("2023-01-01", periods=200).astype(str)
    walks = {name: 50 + level + random.normal(size=200).cumsum() for level, name in enumerate("abcde")}
    table = pd.concat([pd.DataFrame({"day": days, "shop": name, "sales": walk}) for name, walk in walks.items()])
    sheet = prepare(table.reset_index(drop=True), "sales", CATALOGUE)
    finding = CHECKS["P503"](sheet)
    assert finding.outcome == "issue"
    assert propose(sheet, {"P503": finding}).kind == "time"


def test_pupils_alike_are_no_repeated_measurements_of_one_pupil() -> None:
    random = drawn()
    table = {f"x{n}": np.repeat(random.normal(size=100), 3).round(4) for n in range(5)}
    last = random.permutation(300)
    assert found("P502", {**table, "age": last, "y": random.normal(size=300)}, "y").outcome == "issue"
    assert found("P502", {**table, "student": last, "y": random.normal(size=300)}, "y").outcome == "passed"


def test_what_goes_with_age_is_told_and_no_alarm() -> None:
    random = drawn()
    table = {"subject": np.arange(600) % 60, "age": random.uniform(5, 15, 600).round(1)}
    height = 80 + 6 * table["age"] + random.normal(0, 4, 600)
    finding = found("P602", {**table, "height": height}, "height")
    assert finding.outcome == "tip" and "by age" in finding.text
    sex = np.where(random.random(600) < 0.5, "f", "m")
    several = random.choice(["a", "b", "c"], 600)
    several[(sex == "f") & (several == "c")] = "a"
    assert found("P602", {"sex": sex, "team": several}, "team").outcome == "issue"


def test_a_column_of_training_and_testing_rows_is_a_split_whatever_its_name() -> None:
    table = {"a": np.arange(200) * 0.37, "dataset": ["Training", "Testing"] * 100, "label": [0, 1, 1, 0] * 50}
    roles = {column.name: column.role for column in sheet_of(table, "label").columns}
    assert roles["dataset"] == "split"
    assert found("P204", table).outcome == "passed"


def test_a_narrow_terminal_shows_kinds_and_counts_whole() -> None:
    random = drawn()
    table = {f"previous_bookings_not_cancelled_{n}": random.normal(size=300).round(3) for n in "ab"}
    table |= {"company": random.choice(["metzger_and_company_of_lisbon", "not_applicable"], 300)}
    look = look_at_sheet(
        sheet_of({**table, "label": [0, 1] * 150}, "label"), "x.csv", Silence(), {}, frozenset(("P401",))
    )
    console = Console(width=80, record=True, file=StringIO())
    draw(look, console)
    page = console.export_text()
    assert "missing" in page and "different" in page
    assert "boolean (target)" in page


def test_titles_that_hardly_repeat_do_not_drift() -> None:
    random = drawn()
    table = {
        "day": pd.date_range("2020-01-01", periods=1000).astype(str),
        "title": [f"title {n}" for n in random.integers(0, 600, 1000)],
        "shop": np.where(np.arange(1000) < 700, "north", random.choice(["north", "south"], 1000)),
        "label": random.integers(0, 2, 1000),
    }
    assert found("P504", table).columns == ("shop",)


def test_a_column_that_grows_with_time_is_no_leak_of_what_grows_with_time() -> None:
    days = pd.date_range("2020-01-01", periods=400).astype(str)
    sales = 100 + drawn().normal(0, 1, 400).cumsum()
    table = {"day": days, "people": np.arange(400) * 3.0 + 1000, "sales": sales}
    assert found("P101", table, "sales").outcome == "passed"
    assert found("P101", {**table, "euros": sales * 2}, "sales").severity == "severe"


def test_the_end_of_a_scale_is_no_mark_that_is_set_afterwards() -> None:
    random = drawn()
    grade = random.integers(1, 11, 900)
    label = (random.random(900) < np.clip((grade - 3) / 6, 0, 1)).astype(int)
    label = np.where(random.random(900) < 0.6, label, 0) if label.mean() > 0.5 else label
    label[grade == 10] = 1
    assert found("P102", {"grade": grade, "other": random.normal(size=900), "label": label}).outcome == "passed"
