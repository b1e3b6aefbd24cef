"""Names that lead out of a case: wherever a name comes from a file or a person, nothing outside is written or read."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import table_case
from promises import Figure

from advisor.base.case import open_case
from advisor.base.errors import BadInput, Problem
from advisor.base.files import inside
from tests.command import train_or_not
from trainers.common.runfolder import keep, start_run, verify, work_file

NAMES = (
    "../out", "..", "../../out", "a/../../out", "a/b/../../../out", "./../out", "/etc/passwd", "/out", "//out",
    "link/out", "link", "a/../link/out", "loop/out", "with\0nul", "\0", "../out\0.json", "dangling", "dangling/out",
    "x" * 300 + "/../../../out", "~/../../out", "..\u2215out/../../out", "a/./../../out",
    "file/../../out", "../my-case-evil/out", "../" + "../" * 40 + "out",
)  # fmt: skip
CASE_NAMES = (
    "..\u2215x", "a\0b", "CON:", "a|b", "a b", "-rf", ".hidden", " ", "a" * 81, "a\nb", "a\x1b[2J", "\u202etxt",
    "naïve", "а-cyrillic", "a/..", "*", "$(id)", "`id`", "a;b", "'", '"', "%s", "{}",
)  # fmt: skip


def every_byte(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.fixture
def yard(tmp_path: Path) -> tuple[Path, Path]:
    """A case folder with traps in it, and what stands outside and must stay as it is."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("precious")
    case = tmp_path / "my-case"
    case.mkdir()
    (tmp_path / "my-case-evil").mkdir()
    (case / "link").symlink_to(outside)
    (case / "loop").symlink_to(case / "loop")
    (case / "dangling").symlink_to(outside / "not-there-yet")
    (case / "file").write_text("x")
    return case, outside


def attempt(write: Callable[[], object], case: Path) -> None:
    """It may raise a problem or fail as the system does; a path that it gives is inside, and the disk is looked at."""
    with contextlib.suppress(Problem, OSError, ValueError, RuntimeError):
        given = write()
        assert not isinstance(given, Path) or os.path.realpath(given).startswith(f"{os.path.realpath(case)}/")


def test_no_name_leads_outside(yard: tuple[Path, Path], tmp_path: Path, figure: Figure) -> None:
    case, outside = yard
    before = every_byte(outside)
    tried = 0
    for name in NAMES:
        for write in (
            lambda name=name: inside(case, name),
            lambda name=name: keep(case, name, "evil"),
            lambda name=name: work_file(case, f"../{name}"),
        ):
            attempt(write, case)
            tried += 1
    run, _ = start_run(case / "runs", "classical", "key")
    for name in NAMES:
        (run / "COMPLETE").write_text(json.dumps({"files": [{"name": name, "bytes": 1, "sha256": ""}]}))
        with pytest.raises((Problem, OSError, ValueError, RuntimeError)):
            verify(run)
        tried += 1
    for name in CASE_NAMES:
        with pytest.raises((Problem, OSError, ValueError)):
            open_case(str(tmp_path / "cases" / name), create=True)
        tried += 1
    assert every_byte(outside) == before
    assert {path.name for path in tmp_path.iterdir()} <= {"outside", "my-case", "my-case-evil", "cases"}
    assert not (tmp_path / "cases").exists() or not list((tmp_path / "cases").iterdir())
    figure(8, "escapes", f"0 of {tried} names and links")


def test_a_file_of_the_case_that_is_a_link_is_replaced_and_what_it_points_at_is_left(tmp_path: Path) -> None:
    folder = table_case(tmp_path / "work")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in ("decision.json", "facts.json", "report.md", "report.html"):
        (folder / "my-case" / name).symlink_to(victim)
    said = train_or_not("report", "my-case", folder=folder)
    # Reading through such a link fails; writing replaces the link itself.
    assert said.code in (0, 2), said.err
    assert victim.read_text() == "precious"


def test_a_ledger_that_is_a_link_does_not_write_elsewhere(tmp_path: Path) -> None:
    folder = table_case(tmp_path / "work")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (folder / "my-case" / "ledger.jsonl").symlink_to(victim)
    said = train_or_not("decide", "my-case", folder=folder)
    assert victim.read_text() == "precious"
    assert said.code in (0, 2, 5)


def test_links_where_this_tool_keeps_its_own_files_are_not_written_through(tmp_path: Path, figure: Figure) -> None:
    from advisor.base.case import Case
    from advisor.base.files import write_atomically
    from advisor.interview.lock import hold
    from trainers.climb.answers import AnswerStore
    from trainers.common.lock import locked
    from trainers.use.sinks import sink_for
    from trainers.use.wholefile import _alone

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    victim = elsewhere / "victim"
    victim.write_text("precious")
    case = tmp_path / "my-case"
    (case / ".climb").mkdir(parents=True)
    for name in ("away", ".answers.parquet.pieces"):
        (case / name).symlink_to(elsewhere)
    for name in (".ask.lock", f".decision.json.{os.getpid()}.part", ".climb/answers.sqlite", ".climb/lock",
                 ".answers.csv.part"):  # fmt: skip
        (case / name).symlink_to(victim)
    attempts: tuple[Callable[[], object], ...] = (
        lambda: hold(Case(case)).__enter__(),
        lambda: write_atomically(case / "decision.json", "{}"),
        lambda: AnswerStore(case / ".climb" / "answers.sqlite"),
        lambda: AnswerStore(case / "away" / "answers.sqlite"),
        lambda: locked(case / "away").__enter__(),
        lambda: locked(case / ".climb").__enter__(),
        lambda: _alone(case / ".answers.csv.part").__enter__().truncate(0),
        lambda: sink_for(case / "answers.parquet", io.BytesIO()).resume(0),
    )
    for write in attempts:
        with contextlib.suppress(Problem, OSError):
            write()
        assert victim.read_text() == "precious"
        assert [path.name for path in elsewhere.iterdir()] == ["victim"]
    figure(8, "files of our own written through a link", f"0 of {len(attempts)}")


def test_a_folder_of_runs_that_leads_away_is_not_trained_into(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    case = tmp_path / "my-case"
    case.mkdir()
    (case / "runs").symlink_to(elsewhere)
    with pytest.raises(BadInput, match="leads outside"):
        start_run(case / "runs", "classical", "key")
    assert not list(elsewhere.iterdir())


def test_a_run_folder_swapped_for_a_link_is_not_written_through(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run, _ = start_run(tmp_path / "my-case" / "runs", "classical", "key")
    (run / "deep").symlink_to(elsewhere)
    with pytest.raises(BadInput, match="leads outside"):
        keep(run, "deep/model.json", "{}")
    os.unlink(run / "deep")
    assert not list(elsewhere.iterdir())


ODD_NAMES = ("../out", "../../out", "/tmp/out", "", ".", "..", "a/b", "a\0b", "a\nb", "\x1b[2J", "a" * 81)
ODD_VERSIONS = (
    "1.0\nevil-package",
    "1.0 ; --index-url http://evil.example",
    "@ http://evil.example/x.whl",
    "1.0\r\n-e .",
)
ODD_BASES = ("base\nRUN id", "base dir", "base\tx", "$(id)", "-base", "a//b", "sub/../base")


@pytest.mark.heavy
def test_a_record_from_elsewhere_names_no_folder_and_writes_no_command(tmp_path: Path, figure: Figure) -> None:
    """What a record says becomes folders of an export, and lines that `pip` and `docker build` carry out."""
    import sys
    from dataclasses import replace

    sys.path.append(str(Path(__file__).resolve().parents[1] / "trainers"))
    from training_plans import LIGHT, Silent, plan_for, run_folder, written

    from advisor.records.plain import save
    from tests.use.conftest import table
    from trainers.classical.trainer import ClassicalTrainer
    from trainers.common.runfolder import MARKER, complete
    from trainers.export.container import dockerfile, requirements
    from trainers.use.opened import open_run

    case = tmp_path / "my-case"
    plan = plan_for(written(table(150), case), "late", "binary", "roc_auc", settings=LIGHT)
    run = run_folder(case)
    record = ClassicalTrainer().train(plan, case, run, Silent())
    for name in ODD_NAMES:
        (run / MARKER).unlink()
        save(run / "run.json", replace(record, run=name), kind="run")
        complete(run)
        with pytest.raises(BadInput):
            open_run(run)
    (run / MARKER).unlink()
    save(run / "run.json", record, kind="run")
    complete(run)
    opened = open_run(run)
    for version in ODD_VERSIONS:
        with pytest.raises(BadInput):
            requirements(replace(opened, record=replace(record, versions={**record.versions, "scipy": version})))
    for base in ODD_BASES:
        (case / base).mkdir(parents=True, exist_ok=True)
        with pytest.raises(BadInput):
            dockerfile(replace(opened, record=replace(record, hyperparameters={"base": base})))
    assert "RUN id" not in dockerfile(opened)
    tried = len(ODD_NAMES) + len(ODD_VERSIONS) + len(ODD_BASES)
    figure(8, "names in a foreign record that became a folder or a command", f"0 of {tried}")
