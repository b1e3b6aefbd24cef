"""`train-or-not train`: do exactly what plan.yaml says, hold the result against the cheaper rung, keep everything."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from advisor.base.case import Case, open_case
from advisor.base.errors import BadInput, GateNotPassed, Interrupted
from advisor.base.files import sha256_of_text, to_json
from advisor.cli.output import Output

if TYPE_CHECKING:
    from advisor.records.plan import Plan
    from advisor.records.run import RunRecord

SUMMARY = "Trains what plan.yaml says, then opens the sealed test part once: did it beat the cheaper rung?"
EXAMPLES = (
    "train-or-not train my-case                      goes on where a killed run stopped",
    "train-or-not train my-case --on newly-labelled.csv     again with more rows, held against the run in use",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `train`."""
    parser.add_argument("case", metavar="CASE", help="the folder of the case")
    parser.add_argument("--dry-run", action="store_true", help="check the rows, say what it takes, train nothing")
    parser.add_argument("--budget-seconds", type=float, metavar="N", help="another time budget than the plan's")
    parser.add_argument("--seed", type=int, metavar="N", help="another seed than the plan's")
    parser.add_argument(
        "--explainable", action="store_true", help="a model whose every term can be read; says the cost"
    )
    parser.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="COLUMN=WHY",
        help="use a column that may give the answer away; what you write is kept with the run; repeatable",
    )
    parser.add_argument(
        "--dask", default="", metavar="ADDRESS", help="spread the search over a Dask cluster of yours, tcp://host:8786"
    )
    parser.add_argument(
        "--on", default="", metavar="FILE", help="train again with these labelled rows too, held against the run in use"
    )
    parser.add_argument(
        "--map", metavar="FILE_NAME=MODEL_NAME", action="append", default=[], help="a column of --on with another name"
    )
    parser.add_argument(
        "--launch", default="", metavar="COMMAND", help='several processes: "accelerate launch …" or "torchrun …"'
    )
    parser.add_argument("--again", action="store_true", help="train anew although this plan has a finished run")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Train, compare, record; exit 0 when training earned its place and 4 when it did not."""
    from advisor.cli.accepted import accepted
    from advisor.cli.cluster import spread_over
    from advisor.cli.progress import shown_progress
    from trainers.common.lock import locked
    from trainers.common.room import check_room
    from trainers.common.runfolder import drop_unstarted, start_run
    from trainers.lora.launching import launched_by
    from trainers.registry import find_trainer

    case = open_case(arguments.case)
    name = shlex.quote(str(case.folder))
    if arguments.map and not arguments.on:
        raise BadInput("Only new rows have columns to map.", where="--map", fix="--on FILE", code="usage")
    plan = _plan_to_follow(case, arguments, name)
    if arguments.dry_run:
        from advisor.cli.plan import dry_run

        return dry_run(plan, case, out)
    plan = accepted(case, plan, arguments.accept, name)
    if arguments.on:
        from advisor.cli.retrain import grown_plan, held_against_old, to_hold

        grown, before = grown_plan(case, plan, arguments.on, arguments.map, out)
        plan = grown.plan
    if arguments.dask and plan.trainer != "classical":
        raise BadInput(
            f"The trainer {plan.trainer} works on one machine.",
            where="--dask",
            why="Only the search for a model of a table is spread over a cluster.",
            fix=f"Leave --dask out: train-or-not train {name}",
            code="usage",
        )
    trainer = find_trainer(plan.trainer)
    with locked(case.runs):
        drop_unstarted(case.runs)
        folder, state = start_run(case.runs, plan.trainer, _key(plan), again=arguments.again)
        if arguments.on:
            to_hold(case, before, folder, arguments.on, grown)
        if state == "complete":
            out.note(f"This plan was trained before, as {folder.name}; --again trains it anew.")
            record = record_of(folder)
            if not _is_remembered(case, folder):  # a kill came between the end of that training and the ledger
                _remember(case, record)
            if arguments.on:
                return held_against_old(case, before, folder, record, grown, out)
            rebuild(case)
            return _end(case, folder, record, name, out)
        try:
            check_room(folder, plan.estimate.disk_mb)
            case.remember("training_started", run=folder.name, trainer=plan.trainer, state=state)
            if state == "resumed":
                out.note(f"Going on with {folder.name}, which was cut short.")
            several = launched_by(arguments.launch, case.runs)
            with spread_over(arguments.dask, out), several, shown_progress(out) as progress:
                record = trainer.train(plan, case.folder, folder, progress)
        except KeyboardInterrupt:
            raise Interrupted(
                f"Stopped; what was finished is kept in {folder.name}.",
                where=str(folder),
                fix=f"Go on: train-or-not train {name}",
                code="interrupted",
            ) from None
        except Exception:
            _forget_if_empty(folder)
            raise
        _remember(case, record)
    if arguments.on:
        return held_against_old(case, before, folder, record, grown, out)
    rebuild(case)
    return _end(case, folder, record, name, out)


def _plan_to_follow(case: Case, arguments: argparse.Namespace, name: str) -> Plan:
    from advisor.cli.chain import plan_of

    plan = plan_of(case)
    if plan is None:
        raise BadInput(
            f"The case {case.name} has no plan yet.",
            where=str(case.plan),
            why="Training does what a plan says and nothing else.",
            fix=f"train-or-not plan {name}",
            code="no-plan",
        )
    if not plan.trainer:
        raise BadInput(
            f"The plan is {plan.approach.replace('_', ' ')}: there is nothing to train.",
            where=str(case.plan),
            why="The decision stopped at a cheaper answer; the plan lists its steps.",
            fix=f"train-or-not explain {name}   (or, against the decision: train-or-not plan {name} --approach NAME)",
            code="nothing-to-train",
        )
    if arguments.budget_seconds is not None:
        if not 1 <= arguments.budget_seconds <= 86_400 * 30:
            raise BadInput(
                f"A budget of {arguments.budget_seconds:g} seconds cannot be kept.",
                where="--budget-seconds",
                fix="Give 1 to 2592000 seconds, for example --budget-seconds 60",
                code="range",
            )
        plan = replace(plan, budget_seconds=arguments.budget_seconds)
    if arguments.explainable:
        from advisor.records.plan import Setting

        plan = replace(plan, settings={**plan.settings, "explainable": Setting(True, "Asked for on the command line.")})
    if arguments.seed is not None:
        if not 0 <= arguments.seed < 2**32:
            raise BadInput("The seed is out of range.", where="--seed", fix="Give 0 to 4294967295.", code="range")
        plan = replace(plan, seed=arguments.seed)
    return plan


def _key(plan: Plan) -> str:
    """What makes two runs the same: the plan's content, and the version that follows it. Stages and words are left."""
    from advisor import __version__
    from advisor.records.plain import to_plain

    told: tuple[str, ...] = ("stages", "estimate", "steps", "to_ask", "accepted", "decision_sha256", "rulebook_sha256")
    told += ("tool_version", "override", "bases")
    content = {key: value for key, value in to_plain(plan).items() if key not in told}
    return sha256_of_text(to_json({"plan": content, "version": __version__}, indent=None))


def _remember(case: Case, record: RunRecord) -> None:
    seconds = round(sum(record.times.values()), 1)
    case.remember("trained", run=record.run, outcome=record.gate.outcome, seconds=seconds)


def _is_remembered(case: Case, folder: Path) -> bool:
    return any(event.get("event") == "trained" and event.get("run") == folder.name for event in case.history())


def _forget_if_empty(folder: Path) -> None:
    """A run refused before any work leaves nothing behind; one with finished work is kept to go on with."""
    import shutil

    from trainers.common.runfolder import WORK, is_complete

    if not (folder / WORK).exists() and not is_complete(folder):
        shutil.rmtree(folder, ignore_errors=True)


def record_of(folder: Path) -> RunRecord:
    """The record of a finished run. Raises `BadInput` when the folder is not as it was written."""
    from advisor.records.plain import load
    from advisor.records.run import RunRecord
    from trainers.common.runfolder import verify

    verify(folder)
    return load(folder / "run.json", RunRecord)


def rebuild(case: Case) -> None:
    """Let the decision take in what was measured; a case without answers (a plan written by hand) has none."""
    from advisor.cli.chain import decide_case

    if case.answers.exists() or case.look.exists():
        decide_case(case)


def _end(case: Case, folder: Path, record: RunRecord, name: str, out: Output) -> int:
    """Show the comparison; raise `GateNotPassed` when training did not earn its place."""
    from advisor.cli.train_page import page
    from advisor.records.plain import to_plain

    if out.json_mode and record.gate.outcome != "not_earned":
        out.json(to_plain(record))
    for line in page(record):
        out.line(line)
    if record.gate.outcome == "owed":
        out.note(f"\nNext: train-or-not report {name}   (what waits for people is in {shlex.quote(str(folder))})")
        return 0
    if record.gate.outcome == "earned":
        run = shlex.quote(str(folder))
        out.note(f"\nNext: train-or-not report {name}   (use it: train-or-not predict {run} FILE)")
        return 0
    raise GateNotPassed(
        f"The gate was not passed: {record.run} did not beat the cheaper rung.",
        where=str(folder),
        why="The run is kept: its record, model and predictions stand in that folder.",
        fix=f"train-or-not report {name}",
        code="not-earned",
        details={"run": to_plain(record)},
    )
