"""Any file answered: the same numbers in every format, a killed run goes on, other columns are refused or mapped."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from training_plans import Silent

import trainers.use.wholefile as wholefile
from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.base.tables import read_table
from tests.use.conftest import table
from trainers.registry import find_trainer
from trainers.use.answers import Answers
from trainers.use.opened import OpenedRun, open_run
from trainers.use.wholefile import answer_file


def scores(path: Path, column: str = "score: yes") -> list[float]:
    with path.open(encoding="utf-8", newline="") as stream:
        return [float(row[column]) for row in csv.DictReader(stream)]


def test_the_run_record_the_trainer_and_the_opened_run_say_the_same_bits(case: Path, opened: OpenedRun) -> None:
    frame = read_table(case / "data.csv").frame
    sealed = pd.read_csv(case / "runs" / "classical-1" / "test_predictions.csv")
    answers = opened.answer(frame)
    assert answers.scores is not None
    code = opened.classes.index("yes")
    assert (answers.scores[sealed["row"], code] == sealed[f"ours_p{code}"]).all()
    one_by_one = [opened.answer(frame.iloc[[at]]).scores for at in range(20)]
    assert all(one is not None and (one[0] == answers.scores[at]).all() for at, one in enumerate(one_by_one))
    rows = list(find_trainer("classical").predict(case / "runs" / "classical-1", frame.to_dict("records")))
    assert rows == list(answers.rows())


def test_the_schema_says_kinds_categories_and_dates(opened: OpenedRun) -> None:
    columns = {column.name: column for column in opened.columns}
    assert {name: column.kind for name, column in columns.items()} == {
        "x": "number", "z": "number", "place": "category", "day": "date", "note": "text",
    }  # fmt: skip
    assert sorted(columns["place"].categories) == ["east", "north", "south", "west"]
    assert opened.classes == ("no", "yes") or opened.classes == ("yes", "no")
    assert opened.provenance()["gate"] == opened.record.gate.outcome
    assert opened.provenance()["sealed"][0] == opened.record.sealed.value


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_each_format_gives_the_same_answers_in_pieces(
    kind: str, opened: OpenedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(wholefile, "PIECE", 70)
    frame = table(300, seed=1).drop(columns="late")
    source = tmp_path / f"new.{kind}"
    write = {
        "csv": lambda: frame.to_csv(source, index=False),
        "jsonl": lambda: frame.to_json(source, orient="records", lines=True, double_precision=15),
        "parquet": lambda: frame.to_parquet(source),
    }[kind]
    write()
    done = answer_file(opened, source, tmp_path / "out.csv", Silent())
    expected = opened.answer(read_table(source).frame).scores
    assert expected is not None
    assert done.rows == 300
    assert scores(tmp_path / "out.csv") == expected[:, opened.classes.index("yes")].tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"new.{kind}", "out.csv"]
    answer_file(opened, source, tmp_path / "out.jsonl", Silent(), with_rows=False)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["scores"]["yes"] for line in lines] == scores(tmp_path / "out.csv")


def killed_at(call: int, opened: OpenedRun, source: Path, target: Path) -> bool:
    """Answer in a child that kills itself at its `call`-th flush to disk; whether it died."""
    child = os.fork()
    if child == 0:
        left, flush = [call], os.fsync

        def fsync(descriptor: int) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            flush(descriptor)

        os.fsync = fsync
        answer_file(opened, source, target, Silent())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.heavy
def test_kills_at_every_point_lose_nothing_and_double_nothing(
    reckoner: OpenedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wholefile, "PIECE", 80)
    source = tmp_path / "new.csv"
    pd.DataFrame({"id": range(1000), "x": np.random.default_rng(0).normal(size=1000)}).to_csv(source, index=False)
    answer_file(reckoner, source, tmp_path / "whole.csv", Silent())
    whole = (tmp_path / "whole.csv").read_bytes()
    kills = 0
    for first in range(1, 21):
        target = tmp_path / f"killed-{first}.csv"
        kills += killed_at(first, reckoner, source, target)
        if first % 4 == 0:
            kills += killed_at(2, reckoner, source, target)
        assert not target.exists()
        answer_file(reckoner, source, target, Silent())
        assert target.read_bytes() == whole
    assert kills == 25
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_another_file_run_or_option_starts_afresh(
    reckoner: OpenedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wholefile, "PIECE", 10)
    source, target = tmp_path / "new.csv", tmp_path / "out.csv"
    pd.DataFrame({"x": range(100)}).to_csv(source, index=False)
    assert killed_at(7, reckoner, source, target)
    pd.DataFrame({"x": range(1000, 1100)}).to_csv(source, index=False)
    done = answer_file(reckoner, source, target, Silent())
    assert done.resumed == 0
    assert scores(target, "prediction") == [2.0 * x for x in range(1000, 1100)]
    assert killed_at(7, reckoner, source, target)
    assert answer_file(reckoner, source, target, Silent(), with_rows=False).resumed == 0


def test_two_at_once_and_a_full_disk_are_told(reckoner: OpenedRun, tmp_path: Path) -> None:
    source = tmp_path / "new.csv"
    pd.DataFrame({"x": range(100)}).to_csv(source, index=False)
    with wholefile._alone(tmp_path / ".out.csv.part"), pytest.raises(BadInput) as refused:
        answer_file(reckoner, source, tmp_path / "out.csv", Silent())
    assert refused.value.code == "already-answering"
    with pytest.raises(EnvironmentMissing) as full:
        answer_file(reckoner, source, tmp_path / "nowhere" / "out.csv", Silent())
    assert "kept beside it" in full.value.why


def test_columns_that_differ_are_matched_mapped_or_refused(opened: OpenedRun, tmp_path: Path) -> None:
    frame = table(40, seed=2).drop(columns="late")
    expected = list(opened.answer(frame).rows())
    alike = frame.rename(columns={"place": " Place", "note": "NOTE"})
    assert list(opened.answer(alike).rows()) == expected
    other = frame.rename(columns={"place": "ort"})
    with pytest.raises(BadInput) as missing:
        opened.answer(other)
    assert missing.value.where == "place"
    assert list(opened.answer(other, {"ort": "place"}).rows()) == expected
    for names, told in (({"nowhere": "place"}, "no column 'nowhere'"), ({"ort": "plaze"}, "no column 'plaze'")):
        with pytest.raises(BadInput) as refused:
            opened.answer(other, names)
        assert told in refused.value.what
    with pytest.raises(BadInput) as twice:
        opened.answer(frame.assign(ort="x"), {"ort": "place"})
    assert twice.value.code == "duplicate-columns"


def test_a_column_of_another_kind_is_refused_and_single_slips_are_counted(opened: OpenedRun, tmp_path: Path) -> None:
    frame = table(40, seed=3).astype({"x": object})
    frame.loc[4, "x"] = "twelve"
    frame.to_csv(tmp_path / "slip.csv", index=False)
    done = answer_file(opened, tmp_path / "slip.csv", tmp_path / "out.csv", Silent())
    assert done.unreadable == {"x": 1}
    frame["x"] = "red"
    frame.to_csv(tmp_path / "wrong.csv", index=False)
    with pytest.raises(BadInput) as refused:
        answer_file(opened, tmp_path / "wrong.csv", tmp_path / "out2.csv", Silent())
    assert refused.value.code == "column-kind"
    assert not (tmp_path / ".out2.csv.part").exists()


def test_a_torn_or_tampered_run_never_answers(case: Path, tmp_path: Path) -> None:
    copy = tmp_path / "case"
    shutil.copytree(case, copy)
    run = copy / "runs" / "classical-1"
    model = run / "model.json"
    model.write_text(model.read_text(encoding="utf-8").replace('"threshold"', '"threshold" '), encoding="utf-8")
    with pytest.raises(BadInput) as damaged:
        open_run(run)
    assert damaged.value.code == "damaged-run"
    (run / "COMPLETE").unlink()
    with pytest.raises(BadInput) as torn:
        open_run(run)
    assert torn.value.code == "unfinished-run"


def test_a_series_is_answered_whole_however_long_the_file(
    reckoner: OpenedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wholefile, "PIECE", 10)
    pd.DataFrame({"x": range(95)}).to_csv(tmp_path / "new.csv", index=False)
    seen: list[int] = []

    def counted(frame: pd.DataFrame) -> Answers:
        seen.append(len(frame))
        return Answers([0.0] * len(frame))

    for together in (False, True):
        seen.clear()
        backend = replace(reckoner.backend, answer=counted, together=together)
        answer_file(replace(reckoner, backend=backend), tmp_path / "new.csv", tmp_path / f"{together}.csv", Silent())
        assert seen == ([95] if together else [10] * 9 + [5])
