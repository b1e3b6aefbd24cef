"""A distilled run, whole: rows labelled by the teacher, a student taught and judged, all of it kept as a run."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from advisor.base.files import read_text, sha256_of_text, write_atomically
from advisor.base.safetext import for_csv
from advisor.records.plan import Gate, Plan, Setting
from advisor.records.run import RunRecord
from trainers.climb.hybrid import Vectors
from trainers.climb.task import Item, Task
from trainers.common.ending import Watch, end_run
from trainers.common.policy import policy
from trainers.common.runfolder import keep
from trainers.common.sealed import open_sealed, opening_note
from trainers.common.sequential import simultaneous_alpha
from trainers.contract import Progress
from trainers.distill.judge import judge
from trainers.distill.labels import Labels
from trainers.distill.student import learn, scores
from trainers.use.opened import OpenedRun
from trainers.use.rung_folder import keep_parts, read_kept

FILE = "taught.jsonl"
PERSON, TEACHER = "person", "generated"


@dataclass(frozen=True)
class Lesson:
    """What a student is taught from: the case's own examples, the teacher, and the labels it gave."""

    task: Task
    teacher: OpenedRun
    labels: Labels


def lines_of(policy_name: str) -> float:
    """A figure of rules/distill.yaml."""
    return float(policy("distill")[policy_name]["value"])


def key_of(lesson: Lesson, version: str) -> str:
    """What makes two distilled runs the same: the examples, the teacher and every label, and the code."""
    labels = sorted((item.id, item.accepted[0]) for item in lesson.labels.items)
    told = [lesson.task.sealed_name, lesson.teacher.provenance()["complete_sha256"], labels, version]
    return sha256_of_text(json.dumps(told))


def sheet(lesson: Lesson, column: str, target: str) -> str:
    """Every example with who labelled it, as a table: `look` reads `label_origin` and warns of it."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([for_csv(column), for_csv(target), "label_origin"])
    for item, by in _examples(lesson):
        writer.writerow([for_csv(item.text), for_csv(item.accepted[0]), by])
    return stream.getvalue()


def _examples(lesson: Lesson) -> list[tuple[Item, str]]:
    return [(item, PERSON) for item in lesson.task.train] + [(item, TEACHER) for item in lesson.labels.items]


def distil(
    lesson: Lesson, plan: Plan, case: Path, run: Path, vectors: Callable[[], Vectors | None], progress: Progress
) -> RunRecord:
    """Teach, open the sealed examples once, judge, and leave the run folder complete."""
    task, teacher, watch = lesson.task, lesson.teacher, Watch()
    learnt = learn(task, lesson.labels.items, vectors(), progress)
    watch.lap("teach")
    progress.phase("Opening the sealed examples")
    said = {line["id"]: float(line["score"]) for line in _lines(teacher.folder / "test_answers.jsonl")}
    items = tuple(item for item in task.sealed if item.id in said)
    opening = open_sealed(case, f"distil: {run.name}", task.sealed_name, len(items))
    confidence = 1 - simultaneous_alpha(0.05, opening)
    ours, theirs = scores(learnt.student, task, items), scores(learnt.cheaper, task, items)
    margin = lines_of("margin")
    judged = judge(
        task,
        items,
        ours,
        [said[item.id] for item in items],
        (learnt.against, theirs),
        margin=margin,
        confidence=confidence,
    )
    kept = replace(
        read_kept(teacher.folder),
        name=learnt.student.name,
        rung=learnt.student.rung,
        endpoint="local",
        model="",
        prepared={},
        price=(),
    )
    keep_parts(run, kept, task, learnt.student, items)
    taught = [
        {"id": item.id, "text": item.text, "label": item.accepted[0], "origin": by}
        | ({"teacher": teacher.name, "model": teacher.record.chosen} if by == TEACHER else {})
        for item, by in _examples(lesson)
    ]
    keep(run, FILE, "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in taught))
    watch.lap("sealed")
    notes = [policy("distill")["caution"], *([lesson.labels.stopped] if lesson.labels.stopped else [])]
    notes += [note for note in (opening_note(opening),) if note]
    return end_run(
        run,
        _plan(plan, learnt.student.rung, learnt.against, lesson, confidence, margin),
        watch,
        chosen=learnt.student.name,
        candidates=learnt.candidates,
        judged=judged,
        rows={
            "train": len(task.train) + len(lesson.labels.items),
            "labelled by people": len(task.train),
            "labelled by the teacher": len(lesson.labels.items),
            "development": len(task.development),
            "test": len(items),
        },
        packages=("skops",),
        diagnostics={
            "teacher": teacher.provenance(),
            "labels": {"asked": lesson.labels.asked, "unread": lesson.labels.unread, "usd": lesson.labels.usd},
            "sealed_openings": opening,
        },
        notes=tuple(notes),
        represented="Nothing of the sealed and development examples was labelled by the teacher or learnt from.",
    )


def _plan(plan: Plan, rung: str, against: str, lesson: Lesson, confidence: float, margin: float) -> Plan:
    settings = {
        "teacher": Setting(lesson.teacher.record.chosen, f"The run {lesson.teacher.name} labelled the rows."),
        "margin": Setting(margin, policy("distill")["margin"]["reason"], policy("distill")["margin"]["source"]),
    }
    gate = Gate(plan.gate.metric, ("teacher", against), 0.0, confidence)
    return replace(plan, approach=rung, settings=settings, gate=gate)


def write_sheet(case: Path, lesson: Lesson, column: str, target: str) -> Path:
    """Write the table of examples into the case, under a name that follows from its content."""
    text = sheet(lesson, column, target)
    path = case / f"distilled-{sha256_of_text(text)[:8]}.csv"
    write_atomically(path, text)
    path.chmod(0o600)
    return path


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in read_text(path).split("\n") if line]
