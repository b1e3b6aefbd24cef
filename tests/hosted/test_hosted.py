"""Fine-tuning at a service, against a real server on loopback: nothing leaves unasked, nothing is paid for twice."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from advisor.base.errors import BadInput, BudgetReached
from advisor.base.files import sha256_of_file
from advisor.base.llm import AttemptFailed
from advisor.cli.main import main
from advisor.planner import offers, planning_rules
from advisor.records.look import SplitProposal
from advisor.records.plan import Gate, Plan, Setting
from tests.command import Said
from tests.hosted.jobs_server import JobsServer
from tests.lora.conftest import Quiet, ticket_rows
from trainers.common.runfolder import is_complete, start_run, verify
from trainers.hosted.files import write_examples
from trainers.hosted.trainer import closing
from trainers.lora.corpus import read_corpus
from trainers.registry import find_trainer

KEY = "sk-canary-77aa"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAIN_OR_NOT_API_KEY", KEY)


@pytest.fixture
def server() -> Iterator[JobsServer]:
    with JobsServer() as made:
        yield made


@pytest.fixture
def case(tmp_path: Path) -> Path:
    folder = tmp_path / "case"
    folder.mkdir()
    with (folder / "tickets.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["ticket", "answer"])
        writer.writeheader()
        writer.writerows(ticket_rows(80))
    return folder


def plan_for(case: Path, url: str, **settings: object) -> Plan:
    own = {
        "endpoint": url,
        "model": "small-model",
        "send_data": True,
        "max_usd": 5.0,
        "usd_trained": 3.0,
        "usd_in": 0.4,
        "usd_out": 1.6,
        "poll_seconds": 0.01,
        "sealed_rows": 12,
        "development_rows": 8,
        **settings,
    }
    return Plan(
        approach="fine_tune",
        trainer="hosted",
        task="extract",
        data="tickets.csv",
        data_sha256=sha256_of_file(case / "tickets.csv"),
        target="answer",
        split=SplitProposal("random", "", 0.2, ""),
        metric=Setting("exact_match"),
        gate=Gate("exact_match", ("prompt",)),
        settings={name: Setting(value) for name, value in own.items() if value is not None},
        budget_seconds=60.0,
    )


def run_in(case: Path) -> Path:
    return start_run(case / "runs", "hosted", "the same plan")[0]


def test_a_job_is_uploaded_followed_and_held_against_the_prompted_base(case: Path, server: JobsServer) -> None:
    run, told = run_in(case), Quiet()
    record = find_trainer("hosted").train(plan_for(case, server.url), case, run, told)
    assert is_complete(run)
    verify(run)
    assert record.gate.outcome == "earned"
    assert record.sealed.value == 1.0
    assert [len(rows) for rows in server.files.values()] == [record.rows["train"], record.rows["development"]]
    assert any("step e1" in phase for phase in told.phases)
    usd = record.diagnostics["usd"]
    assert usd["trained"] == pytest.approx(5000 * 3.0 / 1e6)  # type: ignore[index]  # plain JSON
    assert usd["answers"] == pytest.approx(24 * (50 * 0.4 + 10 * 1.6) / 1e6)  # type: ignore[index]  # plain JSON
    for file in run.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


def test_no_sealed_row_is_in_what_is_uploaded(case: Path, server: JobsServer) -> None:
    run = run_in(case)
    find_trainer("hosted").train(plan_for(case, server.url), case, run, Quiet())
    with (case / "tickets.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    sealed = {
        rows[json.loads(line)["row"] - 1]["ticket"] for line in (run / "test_answers.jsonl").read_text().splitlines()
    }
    sent = {row["messages"][-2]["content"] for rows_of in server.files.values() for row in rows_of}
    assert sealed
    assert not sealed & sent


def test_the_tuned_model_answers_new_rows(case: Path, server: JobsServer) -> None:
    run = run_in(case)
    find_trainer("hosted").train(plan_for(case, server.url), case, run, Quiet())
    said = list(find_trainer("hosted").predict(run, [{"ticket": "my cash number 5 is not right"}]))
    assert said == [{"prediction": '{"team": "cash"}'}]


def test_a_lost_answer_does_not_start_a_second_job(case: Path) -> None:
    """The service made the job, the connection broke before its name was told: the next try finds it."""
    with JobsServer(loses_answer=True) as server:
        run, plan = run_in(case), plan_for(case, server.url)
        with pytest.raises(AttemptFailed):
            find_trainer("hosted").train(plan, case, run, Quiet())
        assert run_in(case) == run
        record = find_trainer("hosted").train(plan, case, run, Quiet())
        assert list(server.jobs) == ["ftjob-1"] == [record.hyperparameters["job"]]
        assert len(server.files) == 2


def test_answers_that_were_paid_for_are_not_asked_again(
    case: Path, server: JobsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainers.hosted.running import Running

    run, plan = run_in(case), plan_for(case, server.url)

    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Running, "_kept", power_cut)
        with pytest.raises(KeyboardInterrupt):
            find_trainer("hosted").train(plan, case, run, Quiet())
    asked = len(server.questions)
    find_trainer("hosted").train(plan, case, run, Quiet())
    assert len(server.questions) == asked == 24
    assert len(server.jobs) == 1


def test_a_service_that_knows_only_the_old_place_of_settings_is_served(case: Path) -> None:
    with JobsServer(old=True) as server:
        find_trainer("hosted").train(plan_for(case, server.url), case, run_in(case), Quiet())
        assert server.jobs["ftjob-1"]["hyperparameters"] == {"n_epochs": 3}


def test_a_job_past_its_time_is_cancelled_there(case: Path) -> None:
    with JobsServer(polls=10**9) as server:
        plan = plan_for(case, server.url, most_hours=1e-5)
        with pytest.raises(BudgetReached, match="was cancelled") as reached:
            find_trainer("hosted").train(plan, case, run_in(case), Quiet())
        assert "most_hours" in reached.value.fix
        assert server.cancelled == ["ftjob-1"]


def test_a_job_has_hours_whatever_the_plan_gives_a_training_here(case: Path, server: JobsServer) -> None:
    plan = dataclasses.replace(plan_for(case, server.url), budget_seconds=1e-6)
    find_trainer("hosted").train(plan, case, run_in(case), Quiet())
    assert not server.cancelled
    assert find_trainer("hosted").settings(plan, case)["most_hours"].value == 24.0


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
def test_a_job_that_ended_badly_tells_why_and_is_not_waited_for_again(ending: str, case: Path) -> None:
    with JobsServer(ending=ending) as server:
        run, plan = run_in(case), plan_for(case, server.url)
        with pytest.raises(BadInput, match="row 3 was refused" if ending == "failed" else "as cancelled"):
            find_trainer("hosted").train(plan, case, run, Quiet())
        server.ending = "succeeded"
        assert run_in(case) == run
        record = find_trainer("hosted").train(plan, case, run, Quiet())
        assert record.hyperparameters["job"] == "ftjob-2"
        assert list(server.jobs) == ["ftjob-1", "ftjob-2"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"send_data": False}, "does not allow the examples to leave"),
        ({"send_data": None}, "does not allow the examples to leave"),
        ({"usd_trained": None}, "price of a million trained tokens"),
        ({"max_usd": None}, "the most that this run may spend"),
        ({"model": None}, "base model"),
        ({"epochs": -1}, "a whole number"),
        ({"epoch": 2}, "no setting 'epoch'"),
        ({"endpoint": "http://me:secret@127.0.0.1/v1"}, "holds a user name"),
    ],
)
def test_nothing_is_sent_unless_the_plan_says_all_of_it(
    changed: dict[str, object], words: str, case: Path, server: JobsServer
) -> None:
    with pytest.raises(BadInput, match=words):
        find_trainer("hosted").train(plan_for(case, server.url, **changed), case, run_in(case), Quiet())
    assert not server.files


def test_training_that_could_pass_the_cap_is_refused_before_upload(case: Path, server: JobsServer) -> None:
    plan = plan_for(case, server.url, max_usd=0.001)
    with pytest.raises(BudgetReached, match="the plan allows"):
        find_trainer("hosted").estimate(plan, case)
    with pytest.raises(BudgetReached, match="the plan allows"):
        find_trainer("hosted").train(plan, case, run_in(case), Quiet())
    assert not server.files


def test_the_closing_dates_are_told_for_the_services_they_belong_to(case: Path) -> None:
    told = closing("https://api.openai.com/v1")
    assert "6 January 2027" in told[0]
    assert closing("http://127.0.0.1:9/v1") == []
    plan = plan_for(case, "https://api.openai.com/v1")
    assert "6 January 2027" in find_trainer("hosted").estimate(plan, case).formula


def test_the_file_that_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    lines = [
        {
            "messages": [
                {"role": "system", "content": "Be short."},
                {"role": "user", "content": f"zéro {number}\n\u2028?"},
                {"role": "assistant", "content": "no", "weight": 0},
                {"role": "user", "content": "and now"},
                {"role": "assistant", "content": f"yes {number}"},
            ]
        }
        for number in range(12)
    ]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    corpus = read_corpus(rows)
    write_examples(corpus.examples, tmp_path / "out.jsonl")
    again = read_corpus(tmp_path / "out.jsonl")
    assert [one.messages for one in again.examples] == [one.messages for one in corpus.examples]
    assert again.shape == "messages"


@pytest.fixture
def asked(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """A verb, in this process, on a case whose data may go out under contract."""
    (case / "answers.yaml").write_text(
        "schema: 1\ndata: tickets.csv\ntarget: answer\nanswers:\n  data_may_leave: with_contract\n"
    )
    monkeypatch.chdir(tmp_path)

    def run(*words: str, code: int = 0) -> Said:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--no-input"])
        printed = capsys.readouterr()
        assert (ended.value.code or 0) == code, printed.err
        return Said(code, printed.out, printed.err)

    return run


HOSTED = ("plan", "case", "--approach", "fine_tune", "--trainer", "hosted")


@pytest.mark.heavy
def test_fine_tuning_at_a_service_is_chosen_by_a_command_and_never_without_a_cap_and_consent(
    case: Path, server: JobsServer, asked: Callable[..., Said]
) -> None:
    said = asked(*HOSTED, "--json", code=2).json["error"]
    for name in ("model=NAME", "max_usd=USD", "usd_trained=USD", "usd_in=USD", "usd_out=USD", "send_data=true"):
        assert f"--setting {name}" in said["fix"]
    prices = ("model=small-model", "max_usd=5", "usd_trained=3", "usd_in=0.4", "usd_out=1.6", "poll_seconds=0.01")
    own = [word for setting in (*prices, f"endpoint={server.url}") for word in ("--setting", setting)]
    assert "does not allow the examples to leave" in asked(*HOSTED, *own, code=2).err
    assert not (case / "plan.yaml").exists()
    planned = asked(*HOSTED, *own, "--setting", "send_data=true", "--json").json
    assert planned["trainer"] == "hosted"
    assert "within $5 for all" in planned["estimate"]["formula"]
    assert 0 < planned["estimate"]["usd"] < 5
    assert not server.files
    trained = asked("train", "case", "--json").json
    assert trained["gate"]["outcome"] == "earned"
    assert len(server.jobs) == 1


def test_a_plan_for_the_service_that_closes_says_so_and_one_for_here_offers_the_service(
    case: Path, asked: Callable[..., Said]
) -> None:
    prices = ("model=m", "max_usd=5", "usd_trained=3", "usd_in=0.4", "usd_out=1.6", "send_data=true")
    words = [word for setting in prices for word in ("--setting", setting)]
    assert "6 January 2027" in " ".join(asked(*HOSTED, *words).out.split())
    allowed = {"data_may_leave": "with_contract", "hosted_tuning_available": True}
    for facts, told in ((allowed, True), ({**allowed, "data_may_leave": "no"}, False), ({}, False)):
        found = offers("lora", "fine_tune", facts, "my-case", planning_rules("planning"))
        assert bool(found) is told
        assert not told or found[0].endswith("train-or-not plan my-case --trainer hosted")


def test_a_service_is_refused_where_the_data_may_not_leave_and_for_what_it_does_not_serve(
    case: Path, asked: Callable[..., Said]
) -> None:
    served = asked("plan", "case", "--approach", "classical", "--trainer", "hosted", "--json", code=2).json["error"]
    assert "serves classical" in served["what"]
    misspelt = asked("plan", "case", "--approach", "fine_tune", "--trainer", "hostd", "--json", code=2).json["error"]
    assert "Did you mean 'hosted'?" in misspelt["fix"]
    answers = case / "answers.yaml"
    answers.write_text(answers.read_text().replace("with_contract", "no"))
    ruled_out = asked(*HOSTED, "--json", code=2).json["error"]
    assert ruled_out["code"] == "ruled-out" and "must stay with you" in ruled_out["why"]
    assert "--trainer lora" in ruled_out["fix"]
