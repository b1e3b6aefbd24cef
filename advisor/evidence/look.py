"""A look at a team's data: what it answers by itself, what would quietly ruin a model, and an honest split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from advisor import __version__
from advisor.base.case import today
from advisor.base.datafolder import kind_of_folder, sha256_of_data
from advisor.base.safetext import plain
from advisor.base.tablefolder import where
from advisor.evidence.catalogue import load_catalogue
from advisor.evidence.checks import CHECKS
from advisor.evidence.conversations import Conversations, conversations_in, facts_of_conversations
from advisor.evidence.curve import learning_curve
from advisor.evidence.observed import observed_facts, suggested_facts
from advisor.evidence.preparing import prepare
from advisor.evidence.reading import Data, read_data
from advisor.evidence.sheet import Sheet
from advisor.evidence.splits import propose
from advisor.evidence.targets import candidates, check_target, written_task
from advisor.records.facts import Fact, Origin
from advisor.records.look import Column, Look, Pitfall

_FOR_TALKS = frozenset(("P201", "P202", "P601", "P603"))
# What compares answers as classes or numbers says nothing about answers in words.
_NOT_FOR_WRITTEN = frozenset(("P101", "P102", "P103", "P301", "P302", "P303", "P406", "P501", "P506", "P602", "P703"))


class Progress(Protocol):
    """How a look tells a person what it is doing. Must be cheap to call often."""

    def phase(self, text: str) -> None:
        """A new phase begins."""

    def step(self, done: float, total: float, note: str = "") -> None:
        """`done` of `total` units of this phase are behind us."""


class Silence:
    """A progress that says nothing."""

    def phase(self, text: str) -> None:
        """Say nothing."""

    def step(self, done: float, total: float, note: str = "") -> None:
        """Say nothing."""


def look_at(
    path: str | Path,
    target: str = "",
    *,
    progress: Progress | None = None,
    ignored: Mapping[str, str] | None = None,
    only: Iterable[str] | None = None,
) -> Look:
    """The profile of one file or folder. `ignored` maps pitfall codes to the reason why they do not count here.

    `only` runs these checks and no others. Raises `BadInput` for a file or target that cannot be used, with its cure.
    """
    told, path = progress or Silence(), Path(path)
    wanted = None if only is None else frozenset(only)
    if path.is_dir() and kind_of_folder(path) != "tables":
        from advisor.evidence.folder_look import look_at_folder

        return look_at_folder(path, told, ignored or {})
    told.phase("Reading the file")
    data = read_data(path, target, told)
    talks = None if target else conversations_in(data.frame, partial(where, path, data.files))
    if talks is not None:
        target = "completion" if talks.of_classes else ""
        data = replace(data, frame=talks.table, notes=(*data.notes, f"Read as examples of {talks.kind}."))
    if target:
        _check_target(target, data, path)
    told.phase("Telling the columns apart")
    sheet = prepare(data.frame, target, load_catalogue(), counted=data.counted)
    if talks is not None and not target:
        wanted = wanted or _FOR_TALKS
    look = look_at_sheet(sheet, str(path), told, ignored or {}, wanted)
    facts = look.facts if talks is None else with_conversations(look.facts, talks)
    return replace(
        look,
        sha256=sha256_of_data(path),
        format=data.format,
        facts=facts,
        sampled=_sampled(sheet, data.sampled),
        notes=data.notes,
        suggestions=look.suggestions if talks is None else (*look.suggestions, _eval_examples(talks, path.name)),
        candidates=() if target or talks else candidates(sheet.columns, sheet.catalogue),
    )


def look_at_sheet(
    sheet: Sheet, path: str, told: Progress, ignored: Mapping[str, str], only: frozenset[str] | None = None
) -> Look:
    """Facts, pitfalls, trial, curve and split of a prepared table; the caller adds what it knows of the file."""
    pitfalls = run_checks(sheet, told, ignored, only)
    curve = None
    if only is None and sheet.trial is not None:
        told.phase("Drawing the learning curve")
        curve = learning_curve(sheet.trial, sheet.labelled, sheet.catalogue)
    return Look(
        path=path,
        sha256="",
        format="",
        shape=(sheet.rows, len(sheet.columns)),
        target=sheet.target,
        columns=without_examples(sheet.columns, pitfalls),
        facts=observed_facts(sheet, Path(path).name, today(), tried=only is None),
        pitfalls=tuple(pitfalls.values()),
        split=propose(sheet, pitfalls),
        tool_version=__version__,
        task=sheet.task,
        suggestions=suggested_facts(sheet, pitfalls, today()),
        baseline=sheet.trial.baseline if only is None and sheet.trial is not None else None,
        curve=curve,
    )


def run_checks(
    sheet: Sheet, told: Progress, ignored: Mapping[str, str], only: frozenset[str] | None = None
) -> dict[str, Pitfall]:
    """Every check in order, each with one of six outcomes."""
    wanted = [code for code in CHECKS if only is None or code in only]
    found: dict[str, Pitfall] = {}
    told.phase("Looking for pitfalls")
    for done, code in enumerate(wanted):
        told.step(done, len(wanted), sheet.entry(code).title)
        if sheet.written and code in _NOT_FOR_WRITTEN:
            found[code] = sheet.entry(code).not_applicable(sheet.catalogue.says_of_written)
        else:
            found[code] = set_aside(CHECKS[code](sheet), ignored)
    told.step(len(wanted), len(wanted))
    return found


def set_aside(finding: Pitfall, ignored: Mapping[str, str]) -> Pitfall:
    """The same finding, or one marked as ignored with the reason that somebody wrote down."""
    if finding.code not in ignored or finding.outcome not in ("issue", "tip"):
        return finding
    text = f"{finding.text} Ignored: {plain(ignored[finding.code], 300)}"
    return replace(finding, outcome="ignored", text=text, fix="")


def without_examples(columns: tuple[Column, ...], pitfalls: Mapping[str, Pitfall]) -> tuple[Column, ...]:
    """The columns without example values where personal data is suspected: what is not stored cannot leak."""
    personal = pitfalls["P601"].columns if "P601" in pitfalls else ()
    return tuple(replace(c, examples=()) if c.name in personal else c for c in columns)


def with_conversations(facts: tuple[Fact, ...], talks: Conversations) -> tuple[Fact, ...]:
    """The facts of a table with those that only examples for a language model can tell."""
    told = [Fact(name, value, "observed", evidence, today()) for name, value, evidence in facts_of_conversations(talks)]
    told.append(Fact("modality", "text", "observed", f"the file holds {talks.kind}", today()))
    if not talks.of_classes:
        told.append(Fact("task_type", *_task_of_talks(talks), today()))
    names = {fact.name for fact in told}
    return (*told, *(fact for fact in facts if fact.name not in names))


def _task_of_talks(talks: Conversations) -> tuple[str, Origin, str]:
    """The task that examples in words make, where it comes from, and why."""
    if talks.kind.startswith("question"):
        return "answer_questions", "default", f"the file holds {talks.kind} in free words"
    if written_task(talks.table, "completion", load_catalogue()) == "extract":
        return "extract", "default", f"the file holds {talks.kind}; the answers are JSON or words of the input"
    return "generate_text", "default", f"the file holds {talks.kind} in free words"


def _eval_examples(talks: Conversations, file: str) -> Fact:
    answered = int(talks.table["completion"].notna().sum())
    evidence = f"{file} holds {answered:,} inputs with an answer; as many as are trusted and kept aside can serve"
    return Fact("eval_examples", answered, "default", evidence, today())


def _check_target(target: str, data: Data, path: Path) -> None:
    known = target in data.frame
    suggested = () if known else candidates(prepare(data.frame, "", load_catalogue()).columns, load_catalogue())
    check_target(target, data.frame, str(path), suggested)


def _sampled(sheet: Sheet, reading: str) -> str:
    if reading or len(sheet.frame) == sheet.rows:
        return reading
    return (
        f"Rows, gaps, classes and repeats were counted over all {sheet.rows:,} rows; the other checks looked at "
        f"{len(sheet.frame):,} of them, in stretches from all over the file."
    )
