"""A cell means the same wherever it stands: alone in its file, in a piece of one, or among others as in training."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import Silent, plan_for, run_folder

import trainers.use.wholefile as wholefile
from tests.use.conftest import LIGHT
from trainers.monitor.watch import watch
from trainers.registry import find_trainer
from trainers.use.answers import Answers
from trainers.use.opened import OpenedRun, open_run
from trainers.use.wholefile import answer_file
from trainers.use.written import csv_lines

CODES = ["007", "012", "A12", "B07"]
STATES = ["true", "false", "unknown"]


def coded(rows: int, seed: int) -> pd.DataFrame:
    """Codes that look like numbers beside ones that do not, and truths beside a third word; both matter."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame({"code": draw.choice(CODES, rows), "open": draw.choice(STATES, rows)})
    frame["amount"] = draw.normal(size=rows).round(3)
    frame["flag"] = draw.choice(["true", "false"], rows)
    odds = 3.0 * (frame["code"] == "007") + 3.0 * (frame["open"] == "true") - 2.0 * (frame["flag"] == "true")
    frame["paid"] = np.where(odds + frame["amount"] > 0.5, "yes", "no")
    return frame


@pytest.fixture(scope="module")
def codes(tmp_path_factory: pytest.TempPathFactory) -> OpenedRun:
    folder = tmp_path_factory.mktemp("codes") / "case"
    folder.mkdir()
    coded(400, 0).to_csv(folder / "data.csv", index=False)
    plan = replace(plan_for(folder / "data.csv", "paid", "binary", "roc_auc", settings=LIGHT), data="data.csv")
    find_trainer("classical").train(plan, folder, run_folder(folder), Silent())
    return open_run(folder / "runs" / "classical-1")


def answered(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_row_is_answered_alike_alone_in_a_piece_and_over_http(
    codes: OpenedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wholefile, "PIECE", 5)
    frame = coded(60, 1).drop(columns="paid").sort_values(["code", "open"])
    frame.to_csv(tmp_path / "new.csv", index=False)
    answer_file(codes, tmp_path / "new.csv", tmp_path / "out.csv", Silent())
    said = [float(row["score: yes"]) for row in answered(tmp_path / "out.csv")]
    yes = codes.classes.index("yes")
    as_texts = frame.astype({"code": object, "open": object})
    # As a client sends them: texts as they are, and truths as JSON has them where all were truths in training.
    sent = pd.DataFrame([{**row, "flag": row["flag"] == "true"} for row in as_texts.to_dict("records")])
    expected = codes.answer(sent).scores
    assert expected is not None
    assert said == expected[:, yes].tolist()
    bools = sent[sent["open"] != "unknown"].assign(open=lambda rows: rows["open"] == "true")
    both = [codes.answer(rows).scores for rows in (bools, sent[sent["open"] != "unknown"])]
    assert both[0] is not None and both[1] is not None and (both[0] == both[1]).all()


def test_each_row_comes_out_as_it_came(codes: OpenedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wholefile, "PIECE", 2)
    rows = [
        {"id": "007", "big": "9007199254740993", "code": "007", "open": "true", "amount": "-1.50", "flag": "true"},
        {"id": "008", "big": "", "code": "012", "open": "true", "amount": "", "flag": "false"},
        {"id": "x9", "big": "=1+1", "code": "A12", "open": "false", "amount": "3", "flag": "true"},
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "new.csv", index=False)
    answer_file(codes, tmp_path / "new.csv", tmp_path / "out.csv", Silent())
    kept = [{name: row[name] for name in rows[0]} for row in answered(tmp_path / "out.csv")]
    assert kept == [*rows[:2], {**rows[2], "big": "'=1+1"}], "but no spreadsheet runs what stands in a cell"
    answer_file(codes, tmp_path / "new.csv", tmp_path / "out.jsonl", Silent())
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["amount"] for line in lines] == [-1.5, None, 3.0], "a number that the run reads is a number there"
    assert [line["id"] for line in lines] == ["007", "008", "x9"]
    (tmp_path / "new.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def test_numbers_with_a_decimal_comma_are_read_in_a_piece_with_a_slip_too(codes: OpenedRun, tmp_path: Path) -> None:
    lines = ["code;open;amount;flag", *(f"007;true;{at},25;true" for at in range(9)), "007;true;n/k;false"]
    (tmp_path / "new.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = answer_file(codes, tmp_path / "new.csv", tmp_path / "out.csv", Silent())
    assert done.unreadable == {"amount": 1}


@pytest.mark.parametrize("only", [{"code": "007"}, {"open": "true"}])
def test_monitor_knows_a_category_whatever_else_its_file_holds(
    only: dict[str, str], codes: OpenedRun, tmp_path: Path
) -> None:
    frame = coded(600, 5)
    name, value = next(iter(only.items()))
    frame = frame[frame[name] == value]
    frame.to_csv(tmp_path / f"{name}.csv", index=False)
    check = watch(codes, tmp_path / f"{name}.csv")
    unseen = [one for one in check["findings"] if one["test"] == "new categories"]
    assert {one["column"] for one in unseen} >= {name}
    assert not any(one["effect"] for one in unseen)


def test_json_rows_may_name_a_column_late(codes: OpenedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that names no columns, as a fine-tuned one, is told what each row holds, in whichever piece it comes."""
    monkeypatch.setattr(wholefile, "PIECE", 4)
    rows = [{"instruction": f"q{at}"} | ({"input": f"i{at}", "n": 2**53 + 1} if at > 5 else {}) for at in range(9)]
    (tmp_path / "new.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    seen: list[dict[str, object]] = []

    def answer(frame: pd.DataFrame) -> Answers:
        told = frame.to_dict("records")
        seen.extend({name: cell for name, cell in row.items() if not pd.isna(cell)} for row in told)
        return Answers(["a"] * len(frame))

    run = replace(codes, backend=replace(codes.backend, columns=(), classes=(), answer=answer))
    answer_file(run, tmp_path / "new.jsonl", tmp_path / "out.csv", Silent())
    assert seen == rows
    out = answered(tmp_path / "out.csv")
    assert [row["input"] for row in out] == [""] * 6 + ["i6", "i7", "i8"]
    assert [row["n"] for row in out] == [""] * 6 + ["9007199254740993"] * 3


def test_moments_narrow_numbers_gaps_and_formulas_are_spelled_as_pandas_spells_them(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "day": pd.to_datetime(["2020-01-01", None, "2021-02-03"]),
            "narrow": np.array([1.1, np.nan, 3], dtype=np.float32),
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "mixed": [1, None, 'a,"b'],
            "small": [0.1, np.nan, 1e-9],
        }
    )
    answers = Answers(["yes", "=1+1", "no"])
    expected = rows.assign(prediction=["yes", "'=1+1", "no"]).to_csv(index=False, header=False)
    assert csv_lines(rows, answers) == expected


def test_any_text_comes_back_from_the_lines_as_it_was_but_for_a_mark_before_formulas() -> None:
    texts = ["", "a", 'q"', "x,y", "l\nm", "r\rz", "=1", "-5", " s", "é", '""', None]
    rows = pd.DataFrame({"one": texts, "two": pd.Series(texts[::-1], dtype=object), "three": range(len(texts))})
    lines = csv_lines(rows, Answers([text or "" for text in texts]))
    shown = ["'=1" if text == "=1" else text or "" for text in texts]
    expected = [[a, b, str(at), a] for at, (a, b) in enumerate(zip(shown, shown[::-1], strict=True))]
    assert list(csv.reader(io.StringIO(lines, newline=""))) == expected
    assert csv_lines(None, Answers(["", "x"])) == '""\nx\n'
