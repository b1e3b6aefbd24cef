"""A case that lost, cut, swapped or garbled any of its files: rebuilt, or refused with a cure. Never wrong quietly."""

# ruff: noqa: E501  (a table of payloads reads better unwrapped)
from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cases import light_plan, table_case
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from promises import Figure

from advisor.base.case import Case
from advisor.base.errors import Problem
from advisor.base.strictyaml import dump
from advisor.cli.main import dispatch
from advisor.interview.answers import DONT_KNOW, load_answers
from advisor.interview.session import Interview
from advisor.reasoning.rulebook import load_rulebook
from advisor.records.facts import Fact
from tests.command import train_or_not
from trainers.common.runfolder import verify

FILES = (
    "answers.yaml",
    "look.json",
    "facts.json",
    "decision.json",
    "plan.yaml",
    "ledger.jsonl",
    "data.csv",
    "climb.json",
)
MADE = ("facts.json", "decision.json", "report.md", "report.html")
counted = {"broken": 0, "rebuilt": 0, "refused": 0}
predicted = {"as measured": 0, "refused": 0}


def verb(folder: Path, *words: str) -> Problem | None:
    """The verb in this process: None when it went well, the problem when it said one."""
    here = os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            dispatch([*words, "--quiet"])
        return None
    except Problem as problem:
        return problem
    finally:
        os.chdir(here)


def cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def flip(path: Path, share: float) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[int((len(content) - 1) * share)] ^= 1 << 5
    path.write_bytes(bytes(content))


def reorder(path: Path, share: float) -> None:
    lines = path.read_bytes().split(b"\n")
    at = int(len(lines) * share)
    path.write_bytes(b"\n".join(lines[at:] + lines[:at]))


def double(path: Path, share: float) -> None:
    path.write_bytes(path.read_bytes() * 2)


def empty(path: Path, share: float) -> None:
    path.write_bytes(b"")


def garbage(path: Path, share: float) -> None:
    path.write_bytes(os.urandom(64))


def remove(path: Path, share: float) -> None:
    path.unlink()


def folder_instead(path: Path, share: float) -> None:
    path.unlink()
    path.mkdir()


def remove_any(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def mend(path: Path, whole: Path) -> None:
    remove_any(path)
    shutil.copyfile(whole, path)


def copied(whole: Path) -> tuple[Path, Path]:
    """A folder of its own with a copy of the whole case, and that copy."""
    folder = Path(tempfile.mkdtemp())
    return folder, shutil.copytree(whole / "my-case", folder / "my-case")


DAMAGES: tuple[Callable[[Path, float], None], ...] = (
    cut,
    flip,
    reorder,
    double,
    empty,
    garbage,
    remove,
    folder_instead,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = table_case(tmp_path_factory.mktemp("whole") / "work")
    for words in (("look", "my-case"), ("plan", "my-case", "--approach", "classical"), ("report", "my-case")):
        assert train_or_not(*words, folder=folder).code == 0
    return folder


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(one, id=one.__name__, marks=[] if one in (cut, garbage, remove) else [pytest.mark.heavy])
        for one in DAMAGES
    ],
)
@pytest.mark.parametrize("name", [*FILES[:6], *MADE[2:]])
def test_any_broken_file_is_rebuilt_or_refused(
    name: str, damage: Callable[[Path, float], None], whole: Path, tmp_path: Path, figure: Figure
) -> None:
    folder = tmp_path / "work"
    shutil.copytree(whole, folder)
    case = folder / "my-case"
    damage(case / name, 0.4)
    before = (case / name).read_bytes() if (case / name).is_file() else None
    problem = verb(folder, "report", "my-case")
    counted["broken"] += 1
    if problem is not None:
        counted["refused"] += 1
        assert problem.code != "our-bug" and problem.fix, (name, problem.what)
        assert problem.exit_code in (2, 3, 5)
        if before is not None:
            assert (case / name).read_bytes() == before or name in MADE  # what the user wrote is never touched
    else:
        counted["rebuilt"] += 1
        for made in MADE:
            assert (case / made).is_file()
        # What stands there now is what the inputs that are there now give.
        again = tmp_path / "again"
        shutil.copytree(folder, again)
        for made in MADE:
            (again / "my-case" / made).unlink()
        told = verb(again, "report", "my-case")
        if told is not None:
            assert told.fix  # a ledger that cannot be written is told when there is something to write
            return
        for made in ("facts.json", "decision.json"):
            assert (again / "my-case" / made).read_bytes() == (case / made).read_bytes()
    figure(
        22,
        "broken files",
        f"{counted['broken']}: {counted['rebuilt']} rebuilt, {counted['refused']} refused with a cure, 0 wrong in silence",
    )


class Questionnaire(RuleBasedStateMachine):
    """Answer, take back, quit and resume, edit by hand, break the file, and mend it: what was said is never lost."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.case = Case(self.folder)
        self.rulebook = load_rulebook()
        self.said: dict[str, object] = {}
        self.broken: bytes | None = None
        self.interview = Interview(self.case, self.rulebook)

    @initialize()
    def begin(self) -> None:
        self.interview = Interview(self.case, self.rulebook)

    def a_value(self, name: str, draw: int) -> object:
        fact = self.rulebook.facts[name]
        if draw % 5 == 0:
            return None
        if fact.type == "boolean":
            return draw % 2 == 0
        if fact.type == "choice":
            return fact.choices[draw % len(fact.choices)].value
        low = fact.minimum or 0
        high = fact.maximum if fact.maximum is not None else low + 1000
        return int(low + draw % max(1, int(high - low))) if fact.type == "integer" else float(low)

    @precondition(lambda self: self.broken is None)
    @rule(draw=st.integers(0, 1000))
    def answer_the_next(self, draw: int) -> None:
        name = self.interview.standing().next
        if name is not None:
            value = self.a_value(name, draw)
            self.interview.record(Fact(name, value, "stated"))
            self.said[name] = value

    @precondition(lambda self: self.broken is None and self.said)
    @rule(draw=st.integers(0, 1000))
    def go_back_and_change(self, draw: int) -> None:
        name = list(self.said)[draw % len(self.said)]
        value = self.a_value(name, draw)
        self.interview.record(Fact(name, value, "stated"))
        self.said[name] = value

    @precondition(lambda self: self.broken is None and self.said)
    @rule(draw=st.integers(0, 1000))
    def take_back(self, draw: int) -> None:
        name = list(self.said)[draw % len(self.said)]
        self.interview.forget(name)
        del self.said[name]

    @precondition(lambda self: self.broken is None)
    @rule()
    def quit_and_resume(self) -> None:
        self.interview = Interview(self.case, self.rulebook)

    @precondition(lambda self: self.broken is None and self.said)
    @rule(comment=st.sampled_from(["# mine", "#", "# ünïcode", "# answers:"]))
    def write_a_comment(self, comment: str) -> None:
        self.case.answers.write_text(f"{comment}\n{self.case.answers.read_text()}")

    @precondition(lambda self: self.broken is None and self.said)
    @rule(draw=st.integers(0, 1000))
    def edit_by_hand(self, draw: int) -> None:
        """Another value in an editor, while the questionnaire is open."""
        name = list(self.said)[draw % len(self.said)]
        value = self.a_value(name, draw)
        lines = self.case.answers.read_text(encoding="utf-8").split("\n")
        at = next((at for at, line in enumerate(lines) if line.startswith(f"  {name}: ")), None)
        if at is not None:
            lines[at] = f"  {name}: {dump(DONT_KNOW if value is None else value).strip()}"
            self.case.answers.write_text("\n".join(lines), encoding="utf-8")
            self.said[name] = value

    @precondition(lambda self: self.broken is None and self.said)
    @rule(damage=st.sampled_from([cut, double, garbage]), share=st.floats(0.05, 0.95))
    def break_the_file(self, damage: Callable[[Path, float], None], share: float) -> None:
        whole = self.case.answers.read_bytes()
        damage(self.case.answers, share)
        wrong = self.case.answers.read_bytes()
        try:
            left = load_answers(self.case, self.rulebook)
        except Problem as problem:
            assert problem.fix
            with pytest.raises(Problem):
                self.interview.record(Fact("task_type", "classify", "stated"))
            assert self.case.answers.read_bytes() == wrong
        else:
            # A file cut between two lines is a shorter file: its answers are those that stand in it, no other.
            assert all(
                self.said.get(fact.name, "?") == fact.value or not self.same_text(fact.name, wrong)
                for fact in left.facts
            )
        self.case.answers.write_bytes(whole)

    def same_text(self, name: str, content: bytes) -> bool:
        """Whether the whole line of an answer still stands there."""
        lines = content.decode(errors="replace").splitlines()
        return any(line.strip().startswith(f"{name}:") for line in lines[:-1])

    @invariant()
    def what_was_said_stands_in_the_file(self) -> None:
        assert {fact.name: fact.value for fact in load_answers(self.case, self.rulebook).facts} == self.said

    @invariant()
    def the_ledger_is_whole(self) -> None:
        if self.case.ledger.exists():
            for line in self.case.ledger.read_text(encoding="utf-8").splitlines():
                json.loads(line)

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class BrokenFolder(RuleBasedStateMachine):
    """Files of a case break, vanish and come back in any order between the verbs: what is made is always what fits."""

    whole: Path  # a case that was looked at, planned and reported; set by the test
    INPUTS = ("answers.yaml", "look.json", "plan.yaml", "ledger.jsonl", "data.csv")

    def __init__(self) -> None:
        super().__init__()
        self.folder, self.case = copied(self.whole)

    @rule(name=st.sampled_from([*INPUTS, *MADE]), damage=st.sampled_from(DAMAGES), share=st.floats(0, 1))
    def break_one(self, name: str, damage: Callable[[Path, float], None], share: float) -> None:
        if (self.case / name).is_file():
            damage(self.case / name, share)

    @rule(name=st.sampled_from(INPUTS))
    def mend_one(self, name: str) -> None:
        mend(self.case / name, self.whole / "my-case" / name)

    @rule(one=st.sampled_from(INPUTS), other=st.sampled_from(INPUTS))
    def swap_two(self, one: str, other: str) -> None:
        if (self.case / one).is_file() and (self.case / other).is_file():
            first, second = (self.case / one).read_bytes(), (self.case / other).read_bytes()
            (self.case / one).write_bytes(second)
            (self.case / other).write_bytes(first)

    @rule(words=st.sampled_from([("decide",), ("report",), ("plan", "--approach", "no_ml"), ("explain",)]))
    def run_a_verb(self, words: tuple[str, ...]) -> None:
        before = {name: (self.case / name).read_bytes() for name in self.INPUTS if (self.case / name).is_file()}
        problem = verb(self.folder, words[0], "my-case", *words[1:])
        kept = {name: (self.case / name).read_bytes() for name in before if (self.case / name).is_file()}
        assert kept.keys() == before.keys()
        for name, content in kept.items():  # what a person wrote is never touched; the ledger only grows
            grown = name == "ledger.jsonl" or (name == "plan.yaml" and words[0] == "plan")
            assert content == before[name] or (grown and (content.startswith(before[name]) or name == "plan.yaml"))
        if problem is not None:
            assert problem.code != "our-bug" and problem.fix, problem.what
            return
        if words[0] in ("decide", "report"):
            again = Path(tempfile.mkdtemp(dir=self.folder)) / "again"
            shutil.copytree(self.case, again / "my-case")
            for made in MADE:
                (again / "my-case" / made).unlink(missing_ok=True)
            if verb(again, "decide", "my-case") is None:
                for made in ("facts.json", "decision.json"):
                    assert (again / "my-case" / made).read_bytes() == (self.case / made).read_bytes()
            shutil.rmtree(again.parent)

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.mark.heavy
def test_files_that_break_in_any_order_are_never_wrong_in_silence(whole: Path, figure: Figure) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    BrokenFolder.whole = whole
    run_state_machine_as_test(BrokenFolder, settings=settings(max_examples=30, stateful_step_count=12, deadline=None))
    figure(22, "wrong in silence", "0 in 30 walks of up to 12 breaks, repairs and verbs")


class BrokenRun(RuleBasedStateMachine):
    """A run's own files and the list of its sealed rows break and come back between the verbs that use them.

    Answers are those of the run as it was measured, or none; and training again gives the same run, or says why not.
    """

    whole: Path  # a case with a run that ended; set by the test
    answers: bytes  # what the whole run says to the rows that it learned from
    INPUTS = ("split.json", "ledger.jsonl", "plan.yaml", "data.csv")

    def __init__(self) -> None:
        super().__init__()
        self.folder, self.case = copied(self.whole)

    def path_of(self, which: int) -> str:
        run = self.whole / "my-case" / "runs" / "classical-1"
        names = [*self.INPUTS, *(f"runs/classical-1/{path.name}" for path in sorted(run.iterdir()) if path.is_file())]
        return names[which % len(names)]

    @initialize(which=st.integers(0, 999), damage=st.sampled_from(DAMAGES), share=st.floats(0, 1))
    def begin_broken(self, which: int, damage: Callable[[Path, float], None], share: float) -> None:
        self.break_one(which, damage, share)

    @rule(which=st.integers(0, 999), damage=st.sampled_from(DAMAGES), share=st.floats(0, 1))
    def break_one(self, which: int, damage: Callable[[Path, float], None], share: float) -> None:
        path = self.case / self.path_of(which)
        if path.is_file():
            damage(path, share)

    @rule(which=st.integers(0, 999))
    def mend_one(self, which: int) -> None:
        name = self.path_of(which)
        mend(self.case / name, self.whole / "my-case" / name)

    @rule()
    def predict(self) -> None:
        output = self.folder / "answers.csv"
        rows = str(self.whole / "my-case" / "data.csv")
        problem = verb(self.folder, "predict", "my-case/runs/classical-1", rows, "--output", str(output))
        predicted["refused" if problem else "as measured"] += 1
        if problem is None:
            assert output.read_bytes() == self.answers
        else:
            assert problem.code != "our-bug" and problem.fix, problem.what
        for left in self.folder.glob("*answers.csv*"):
            remove_any(left)

    @rule()
    def report(self) -> None:
        problem = verb(self.folder, "report", "my-case")
        assert problem is None or (problem.code != "our-bug" and problem.fix), problem

    @rule()
    def train(self) -> None:
        problem = verb(self.folder, "train", "my-case")
        if problem is not None:
            assert problem.code != "our-bug" and problem.fix, problem.what
            return
        first = self.whole / "my-case"
        same = all((self.case / name).read_bytes() == (first / name).read_bytes() for name in ("plan.yaml", "data.csv"))
        for run in self.case.glob("runs/*/COMPLETE") if same else ():
            with contextlib.suppress(Problem):
                verify(run.parent)
                told = "test_predictions.csv"
                assert (run.parent / told).read_bytes() == (first / "runs" / "classical-1" / told).read_bytes()

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.mark.heavy
def test_a_run_whose_files_break_answers_as_it_was_measured_or_not_at_all(tmp_path: Path, figure: Figure) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    folder = table_case(tmp_path / "work")
    for words in (("look", "my-case"), ("plan", "my-case", "--approach", "classical")):
        assert verb(folder, *words) is None
    light_plan(folder)
    told = verb(folder, "train", "my-case")
    assert told is None or told.code == "not-earned"
    output = tmp_path / "answers.csv"
    rows = str(folder / "my-case" / "data.csv")
    assert verb(folder, "predict", "my-case/runs/classical-1", rows, "--output", str(output)) is None
    BrokenRun.whole, BrokenRun.answers = folder, output.read_bytes()
    run_state_machine_as_test(BrokenRun, settings=settings(max_examples=15, stateful_step_count=12, deadline=None))
    assert all(predicted.values()), "both must have been seen, or this shows nothing"
    figure(
        22,
        "files answered by a broken run",
        f"{predicted['as measured']} as it was measured, {predicted['refused']} refused with a cure, 0 otherwise",
    )


Questionnaire.TestCase.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
TestQuestionnaire = Questionnaire.TestCase


@pytest.mark.heavy
def test_a_long_questionnaire_loses_nothing(figure: Figure) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(Questionnaire, settings=settings(max_examples=100, stateful_step_count=40, deadline=None))
    figure(22, "answers lost by a questionnaire", "0 in 100 walks of up to 40 steps")
