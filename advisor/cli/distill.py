"""`train-or-not distill`: the climb's language model labels rows under a cap, and a small model learns from them."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from advisor.base.case import Case, open_case
from advisor.base.errors import BadInput, BudgetReached, GateNotPassed
from advisor.base.safetext import plain
from advisor.cli.output import Output

if TYPE_CHECKING:
    from advisor.records.climb import ClimbRecord
    from advisor.records.run import RunRecord
    from trainers.climb.task import Task
    from trainers.distill.labels import Sifted
    from trainers.distill.run import Lesson
    from trainers.use.opened import OpenedRun

SUMMARY = (
    "The rung that the climb chose labels rows that have no label; a small model learns from them and is held, on the\n"
    "sealed examples that people labelled, against its teacher and against the same model without the teacher."
)
EXAMPLES = (
    "train-or-not distill my-case unlabelled.csv --max-usd 2            goes on where a kill or the cap stopped it",
    "train-or-not distill my-case unlabelled.csv --rows 5000 --dry-run  what it may cost; nothing is sent",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `distill`."""
    parser.add_argument("case", metavar="CASE", help="a case whose climb chose a rung that asks a language model")
    parser.add_argument("file", metavar="FILE", help="the rows without a label: CSV, JSON lines, Parquet, Excel")
    parser.add_argument("--rows", type=int, metavar="N", help="label at most so many, drawn by lot (default: all)")
    parser.add_argument("--max-usd", type=float, metavar="N", help="never spend more on this teacher than this, in all")
    parser.add_argument("--workers", type=int, default=4, help="questions asked at once (default: %(default)s)")
    parser.add_argument(
        "--map", metavar="FILE_NAME=NAME", action="append", default=[], help="the text's column has another name here"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what it would ask and may cost, and send nothing")
    parser.add_argument("--yes", action="store_true", help="send and spend without being asked")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Label, teach, judge, keep; exit 0 when the student earned its place, 4 when not, 6 when a cap ended it."""
    from advisor.cli.kept_rung import rung_folder, task_again
    from advisor.records.climb import ClimbRecord
    from advisor.records.plain import load
    from trainers.use.opened import Allowance, open_run

    case = open_case(arguments.case)
    _check(arguments)
    if not case.climb.is_file():
        raise _no_teacher(case, "The case has no climb yet, so no rung is known to be good enough to teach.")
    climb = load(case.climb, ClimbRecord)
    teacher = open_run(rung_folder(case), Allowance(0.0, arguments.workers))
    if not teacher.backend.dear:
        raise _no_teacher(case, f"The climb chose {climb.recommended!r}, which is small already: nothing to distil.")
    _, task = task_again(case, climb)
    sifted = _sifted(teacher, task, arguments)
    each = next(rung.usd_per_thousand for rung in climb.rungs if rung.name == climb.recommended) / 1000
    texts = sifted.texts[: arguments.rows]
    _announce(teacher, sifted, len(texts), each, out)
    if arguments.dry_run:
        if out.json_mode:
            out.json({"dry_run": True, "teacher": teacher.name, **_told(sifted, len(texts)), "usd": each * len(texts)})
        return 0
    allowance = _allowance(climb, arguments, len(texts), each, out)
    return _taught(case, climb, open_run(teacher.folder, allowance), task, texts, out)


def _check(arguments: argparse.Namespace) -> None:
    for name, low, high in (("rows", 1, 10**8), ("max_usd", 0, 10**6), ("workers", 1, 64)):
        value = getattr(arguments, name)
        if value is not None and not low <= value <= high:
            option = f"--{name.replace('_', '-')}"
            raise BadInput(f"{option} {value:g} is out of range.", fix=f"Give {low} to {high:g}.", code="range")


def _no_teacher(case: Case, what: str) -> BadInput:
    return BadInput(
        what,
        where=str(case.folder),
        why="A teacher is a rung that asks a language model and was measured on your own examples.",
        fix=f"train-or-not climb {shlex.quote(str(case.folder))} --endpoint URL --model NAME --max-usd 2",
        code="no-teacher",
    )


def _sifted(teacher: OpenedRun, task: Task, arguments: argparse.Namespace) -> Sifted:
    from advisor.base.tables import read_table
    from advisor.cli.predict import asked_names
    from trainers.distill.labels import sift
    from trainers.use.inputs import rename_to_fit

    if task.kind != "classification" or len(teacher.columns) != 1:
        raise BadInput(
            "Only answers that are one of a few labels, read from one column, can be distilled into a small model.",
            why="Free answers and fields need a language model to say them.",
            fix="Fine-tune a small language model instead: train-or-not plan CASE --approach fine_tune",
            code="no-student",
        )
    frame = read_table(arguments.file).frame
    renamed = rename_to_fit(list(map(str, frame.columns)), teacher.columns, asked_names(arguments.map))
    sifted = sift(frame.rename(columns=renamed)[teacher.columns[0].name].tolist(), task)
    if not sifted.texts:
        raise BadInput(
            f"No row of {Path(arguments.file).name} is new: {sifted.known:,} stand among the case's examples, "
            f"{sifted.empty:,} are empty.",
            where=arguments.file,
            fix="Give rows that have no label yet.",
            code="no-rows",
        )
    return sifted


def _told(sifted: Sifted, rows: int) -> dict[str, int]:
    return {"rows": rows, "empty": sifted.empty, "repeated": sifted.repeated, "known": sifted.known}


def _announce(teacher: OpenedRun, sifted: Sifted, rows: int, each: float, out: Output) -> None:
    left = [f"{count:,} {why}" for count, why in ((sifted.empty, "empty"), (sifted.repeated, "repeated")) if count]
    left += [f"{sifted.known:,} that stand among the case's examples"] if sifted.known else []
    out.line(f"Teacher: {plain(teacher.record.chosen, 80)}, which people's labels confirmed ({teacher.name}).")
    out.line(
        f"Rows to label: {rows:,}"
        + (f"; left out: {', '.join(left)}" if left else "")
        + (f". As the climb went, about {each * rows:.4f} USD." if each else ". The teacher runs on this machine.")
    )


def _allowance(climb: ClimbRecord, arguments: argparse.Namespace, rows: int, each: float, out: Output) -> Any:
    from advisor.cli.sending import agree_to_send
    from trainers.use.opened import Allowance

    endpoint = climb.asked.get("endpoint", "local")
    if endpoint == "local":
        return Allowance(arguments.max_usd, arguments.workers)
    if arguments.max_usd is None:
        raise BadInput(
            "Labelling that may cost money needs a cap.", why="Nothing was sent.", fix="--max-usd 2", code="no-cap"
        )
    sent = f"up to {rows:,} of your rows to {endpoint}"
    agree_to_send(endpoint, sent, out, yes=arguments.yes, free=not each)
    return Allowance(arguments.max_usd, arguments.workers)


def _taught(case: Case, climb: ClimbRecord, teacher: OpenedRun, task: Task, texts: tuple[str, ...], out: Output) -> int:
    from advisor.cli.sending import paid_answers_kept
    from advisor.cli.train import rebuild
    from trainers.common.lock import locked
    from trainers.common.runfolder import drop_unstarted

    with paid_answers_kept(case.folder), locked(case.runs):
        drop_unstarted(case.runs)
        folder, record, lesson, sheet = _lesson(case, climb, teacher, task, texts, out)
    rebuild(case)
    return _end(case, folder, record, lesson, sheet, out)


def _lesson(
    case: Case, climb: ClimbRecord, teacher: OpenedRun, task: Task, texts: tuple[str, ...], out: Output
) -> tuple[Path, RunRecord, Lesson, Path]:
    """Label, and teach unless these very labels were taught before."""
    from advisor import __version__
    from advisor.cli.climb_rungs import vectors_of
    from advisor.cli.climb_task import answers_of
    from advisor.cli.kept_rung import plan_of_rung
    from advisor.cli.progress import shown_progress
    from advisor.cli.train import record_of
    from trainers.common.runfolder import start_run
    from trainers.distill.labels import label
    from trainers.distill.run import Lesson, distil, key_of, lines_of, write_sheet

    with shown_progress(out) as progress:
        progress.phase(f"Labelling {len(texts):,} rows with {teacher.name}")
        labels = label(teacher, texts, progress)
        if len(labels.items) < lines_of("fewest"):
            raise _too_few(len(labels.items), labels.stopped, labels.unread)
        lesson = Lesson(task, teacher, labels)
        sheet = write_sheet(case.folder, lesson, teacher.columns[0].name, answers_of(case).target or "label")
        folder, state = start_run(case.runs, "distilled", key_of(lesson, __version__))
        if state == "complete":
            out.note(f"These labels were taught before, as {folder.name}.")
            record = record_of(folder)
        else:
            local = climb.asked.get("endpoint", "local") == "local"
            plan = plan_of_rung(case, climb)
            record = distil(lesson, plan, case.folder, folder, lambda: vectors_of(progress, local=local), progress)
    told = any(event.get("event") == "distilled" and event.get("run") == folder.name for event in case.history())
    if not told:  # also when a kill came between the end of that run and the ledger
        spent = {"labels": len(labels.items), "usd": labels.usd}
        case.remember("distilled", run=folder.name, teacher=teacher.name, **spent, outcome=record.gate.outcome)
    return folder, record, lesson, sheet


def _too_few(labelled: int, stopped: str, unread: int) -> BadInput | BudgetReached:
    if stopped:
        return BudgetReached(
            f"{stopped} Only {labelled:,} rows are labelled, too few to teach anything.",
            why="Every answer paid for is kept and will not be paid for again.",
            fix="Run the same command with a higher --max-usd.",
            code="cap-reached",
        )
    return BadInput(
        f"Only {labelled:,} rows got a label ({unread:,} answers were none of the labels), too few to teach anything.",
        fix="Give more rows.",
        code="too-few-rows",
    )


def _end(case: Case, folder: Path, record: RunRecord, lesson: Lesson, sheet: Path, out: Output) -> int:
    from advisor.cli.train_page import page
    from advisor.records.plain import to_plain

    labels, name = lesson.labels, shlex.quote(str(folder))
    told = {
        "run": to_plain(record),
        "labels": {"asked": labels.asked, "kept": len(labels.items), "unread": labels.unread, "usd": labels.usd},
        "sheet": str(sheet),
        "stopped": labels.stopped,
    }
    if out.json_mode and (labels.stopped or record.gate.outcome == "earned"):
        out.json(told)
    for line in page(record):
        out.line(line)
    out.line(
        f"{labels.asked:,} rows asked, {labels.unread:,} answers were no label, {labels.usd:.4f} USD. "
        f"Every label and who gave it: {sheet}"
    )
    if labels.stopped:
        out.note(f"\n{labels.stopped}\nGo on with a higher --max-usd: what is labelled is not paid for again.")
        return BudgetReached.exit_code
    if record.gate.outcome == "earned":
        out.note(f"\nNext: train-or-not predict {name} FILE   (the student answers for nothing)")
        return 0
    raise GateNotPassed(
        f"The gate was not passed: {record.run} did not earn its place.",
        where=str(folder),
        why="The student is kept, with every label it was taught.",
        fix=f"Give more rows, or keep the teacher: train-or-not predict {shlex.quote(str(case.climb))} FILE",
        code="not-earned",
        details=told,
    )
