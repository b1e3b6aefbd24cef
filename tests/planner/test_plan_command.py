"""`plan` as a user meets it: from a case to a file that `train` can obey, and every refusal with its cure."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from advisor.base.case import Case
from advisor.base.errors import EnvironmentMissing
from advisor.base.files import sha256_of_file
from advisor.base.machine import Machine
from advisor.cli.card_prices import with_card_prices
from advisor.cli.chain import plan_of
from advisor.cli.plan import _refuse_what_does_not_fit
from advisor.cli.plan_page import page
from advisor.planner import make_plan
from advisor.records.plan import CardEstimate, Estimate, Plan, Setting
from advisor.report.blocks import Table
from advisor.report.money import _estimate
from tests.command import train_or_not
from tests.planner.stand_ins import decision, look

CANARY = "sk-canary-7f3a9e51c2"
ROWS = "age,city,row_id,left\n" + "".join(
    f"{20 + i * 7 % 50},{'ABC'[i % 3]},r{i:05d},{int((20 + i * 7 % 50) > 44)}\n" for i in range(400)
)
ANSWERS = "schema: 1\ndata: data.csv\ntarget: left\nanswers:\n  task_type: classify\n"


@pytest.fixture
def case(tmp_path: Path) -> Case:
    folder = tmp_path / "my-case"
    folder.mkdir()
    (folder / "answers.yaml").write_text(ANSWERS)
    (folder / "data.csv").write_text(ROWS)
    return Case(folder)


def events(case: Case, name: str) -> list[dict[str, object]]:
    return [event for event in case.history() if event["event"] == name]


def test_a_table_becomes_a_plan_that_train_can_read(case: Case, tmp_path: Path) -> None:
    said = train_or_not("plan", "my-case", "--approach", "classical", "--seed", "3", folder=tmp_path)
    assert said.code == 0, said.err
    made = plan_of(case)
    assert made is not None
    assert (made.trainer, made.task, made.seed, made.data) == ("classical", "binary", 3, "data.csv")
    assert made.data_sha256 == sha256_of_file(case.folder / "data.csv")
    assert made.decision_sha256 and made.rulebook_sha256 and made.tool_version
    assert made.estimate.seconds > 0 and made.estimate.peak_memory_mb > 0
    assert made.estimate.formula and made.estimate.error_band
    assert "row_id" in {column.name for column in made.drop}
    assert all(setting.reason for setting in made.settings.values())
    assert "Next: train-or-not train my-case" in said.err
    (event,) = events(case, "planned")
    assert event["plan_sha256"] == sha256_of_file(case.plan)


def test_json_is_one_object_that_equals_the_file(case: Case, tmp_path: Path) -> None:
    said = train_or_not("plan", "my-case", "--approach", "classical", "--json", folder=tmp_path)
    from advisor.records.plain import to_plain

    extra = {"machine", "over_budget"}
    assert {key: value for key, value in said.json.items() if key not in extra} == json.loads(
        json.dumps(to_plain(plan_of(case)))
    )


@pytest.mark.heavy
def test_the_same_case_gives_the_same_plan(case: Case, tmp_path: Path) -> None:
    plans = []
    for _ in range(2):
        train_or_not("plan", "my-case", "--approach", "classical", folder=tmp_path)
        plans.append(replace(plan_of(case), estimate=Estimate(0, 0, 0)))  # type: ignore[type-var]
    assert plans[0] == plans[1]


@pytest.mark.heavy
def test_data_that_changed_is_looked_at_again(case: Case, tmp_path: Path) -> None:
    train_or_not("plan", "my-case", "--approach", "classical", folder=tmp_path)
    first = plan_of(case)
    again = train_or_not("plan", "my-case", "--approach", "classical", folder=tmp_path)
    assert "looking" not in again.err.lower() and len(events(case, "looked")) == 1
    (case.folder / "data.csv").write_text(ROWS + "33,A,r99999,1\n")
    said = train_or_not("plan", "my-case", "--approach", "classical", folder=tmp_path)
    second = plan_of(case)
    assert "The data changed" in said.err
    assert first is not None and second is not None and first.data_sha256 != second.data_sha256
    assert second.data_sha256 == sha256_of_file(case.folder / "data.csv")


def test_an_override_is_written_into_the_plan_and_the_ledger(case: Case, tmp_path: Path) -> None:
    train_or_not("plan", "my-case", "--approach", "get_labels", folder=tmp_path)
    made = plan_of(case)
    assert (
        made is not None
        and made.trainer == "labelling"
        and made.override.startswith("Planned as get_labels by the user's wish")
    )
    assert events(case, "planned")[0]["override"] == made.override


def test_an_open_decision_ends_in_3_and_writes_no_plan(tmp_path: Path) -> None:
    (tmp_path / "my-case").mkdir()
    (tmp_path / "my-case" / "answers.yaml").write_text("schema: 1\nanswers:\n  task_type: classify\n")
    said = train_or_not("plan", "my-case", "--json", folder=tmp_path)
    assert said.code == 3
    assert said.json["error"]["code"] == "undecided" and "train-or-not ask my-case" in said.json["error"]["fix"]
    assert not (tmp_path / "my-case" / "plan.yaml").exists()


@pytest.mark.parametrize(
    ("words", "answers", "expected"),
    [
        (
            ("--approach", "classical"),
            "schema: 1\nanswers:\n  task_type: classify\n",
            "train-or-not look my-case --data FILE",
        ),
        (("--approach", "clasical"), ANSWERS, "Did you mean 'classical'?"),
        (("--approach", "classical", "--drop", "agee"), ANSWERS, "Did you mean 'age'?"),
        (("--budget-seconds", "0"), ANSWERS, "--budget-seconds 60"),
        (("--budget-seconds", "nan"), ANSWERS, "--budget-seconds 60"),
        (("--seed", "-1"), ANSWERS, "4294967295"),
        (("--approach", "classical"), ANSWERS.replace("data.csv", "gone.csv"), "no file"),
    ],
)
def test_what_cannot_be_planned_ends_in_2_with_its_cure(
    words: tuple[str, ...], answers: str, expected: str, case: Case, tmp_path: Path
) -> None:
    case.answers.write_text(answers)
    said = train_or_not("plan", "my-case", *words, folder=tmp_path)
    assert said.code == 2
    assert expected in said.err
    assert not case.plan.exists()


@pytest.mark.heavy
def test_a_failed_plan_leaves_the_last_good_one(case: Case, tmp_path: Path) -> None:
    train_or_not("plan", "my-case", "--approach", "classical", folder=tmp_path)
    before = case.plan.read_bytes()
    train_or_not("plan", "my-case", "--approach", "classical", "--drop", "nothing", folder=tmp_path)
    assert case.plan.read_bytes() == before


@pytest.mark.heavy
def test_a_key_in_the_environment_reaches_neither_screen_nor_file(case: Case, tmp_path: Path) -> None:
    secrets = {"OPENAI_API_KEY": CANARY, "TRAIN_OR_NOT_API_KEY": CANARY, "HF_TOKEN": CANARY}
    for words in ((), ("--json",)):
        said = train_or_not("plan", "my-case", "--approach", "classical", *words, folder=tmp_path, **secrets)
        assert said.code == 0 and CANARY not in said.out + said.err
    assert not [file for file in case.folder.rglob("*") if file.is_file() and CANARY in file.read_text(errors="ignore")]


def test_a_case_whose_name_needs_quotes_can_be_pasted(tmp_path: Path, case: Case) -> None:
    shutil.move(case.folder, tmp_path / "my case")
    said = train_or_not("plan", "my case", "--approach", "classical", folder=tmp_path)
    assert "Next: train-or-not train 'my case'" in said.err


def machine(**changes: float | None) -> Machine:
    return replace(Machine("Linux x86_64", "CPU", 2, frozenset(), 8000.0, 1000.0, 1000.0), **changes)


def planned(**estimate: float) -> Plan:
    made = make_plan(decision(), {}, look(), case="c", data="d.csv", target="churn")
    return replace(made, estimate=Estimate(**({"seconds": 60.0, "peak_memory_mb": 100.0, "disk_mb": 10.0} | estimate)))


@pytest.mark.parametrize(("estimate", "what"), [({"peak_memory_mb": 901.0}, "memory"), ({"disk_mb": 901.0}, "disk")])
def test_what_does_not_fit_is_refused_with_other_ways(estimate: dict[str, float], what: str) -> None:
    with pytest.raises(EnvironmentMissing) as caught:
        _refuse_what_does_not_fit(planned(**estimate), machine(), "my-case")
    said = caught.value
    assert (said.exit_code, said.code) == (5, f"no-{what}")
    assert len(said.details["alternatives"]) >= 2  # type: ignore[arg-type]
    assert "train-or-not plan my-case --drop COLUMN" in said.fix


def test_what_fits_or_cannot_be_known_is_not_refused() -> None:
    _refuse_what_does_not_fit(planned(peak_memory_mb=899.0), machine(), "c")
    _refuse_what_does_not_fit(planned(peak_memory_mb=1e9), machine(memory_free_mb=None), "c")


@pytest.mark.parametrize("width", [40, 80, 110])
@pytest.mark.parametrize("approach", ["classical", "rag", "get_labels"])
def test_the_page_keeps_to_the_width_of_the_terminal(width: int, approach: str) -> None:
    made = make_plan(decision(approach), {}, look(), case="c", data="d" * 90, target="churn")
    made = replace(made, settings={**made.settings, "x" * 50: Setting("\x1b[31mred\u202e" + "y" * 90)})
    lines = list(page(made, "A title", machine(), width))
    assert max(map(len, lines)) <= max(width, 66)
    assert not any("\x1b" in line or "\u202e" in line for line in lines)


def test_cards_to_rent_stand_in_the_plan_and_in_the_report_with_the_cases_own_prices(case: Case) -> None:
    cards = (
        CardEstimate("L4", True, "bfloat16", 2048.0, (0.5, 2.0), price="card_hour_l4"),
        CardEstimate("RTX 4090", True, "bfloat16", 2048.0, None, price="card_hour_small"),
        CardEstimate("T4", False, "needs a card of 70 GB", 65_000.0, price="card_hour_t4"),
    )
    case.costs.write_text(
        "schema: 1\nsources: {mine: {title: My bill, address: mine, read: 2026-11-01}}\n"
        "numbers:\n  card_hour_l4: {rows: [{as_of: 2026-11-01, value: 2, source: mine}]}\n"
    )
    found = with_card_prices(Estimate(1, 1, 1, cards=cards, cards_assume="Not measured."), case)
    assert [card.usd for card in found.cards] == [(1.0, 4.0), None, None]
    lines = list(page(replace(planned(), estimate=found), "A title", machine(), 100))
    (line,) = [line for line in lines if line.startswith("  L4")]
    assert line.split() == ["L4", "yes", "2.0", "0.50", "to", "2.00", "1.00", "to", "4.00", "bfloat16"]
    assert any(line.startswith("  RTX 4090") and "not known" in line for line in lines)
    blocks = list(_estimate(found, SimpleNamespace(run=None)))  # type: ignore[arg-type]  # no run yet
    rows = [block for block in blocks if isinstance(block, Table)][1].rows
    assert [row[4] for row in rows] == ["1.00 to 4.00", "not known", "not known"]


def test_a_plan_shows_no_figure_that_its_trainer_passes_over(case: Case, tmp_path: Path) -> None:
    said = train_or_not("plan", "my-case", "--approach", "get_labels", folder=tmp_path)
    made = plan_of(case)
    assert said.code == 0 and made is not None and made.trainer == "labelling"
    assert "first_labels" not in made.settings and "test_examples" not in made.settings
    for name in made.settings:
        told = train_or_not("plan", "my-case", "--approach", "get_labels", "--setting", f"{name}=0.9", folder=tmp_path)
        assert "has no setting" not in told.err
