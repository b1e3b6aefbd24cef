"""`train-or-not plan`: what the recommended path takes before it starts, in a file that `train` obeys."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from advisor.base.case import Case, open_case
from advisor.base.errors import BadInput, EnvironmentMissing, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.cli.output import Output
from advisor.cli.plan_settings import ASKED, chosen_settings, read_settings, weighing_column

if TYPE_CHECKING:
    from advisor.base.machine import Machine
    from advisor.interview.answers import Answers
    from advisor.records.facts import FactSheet
    from advisor.records.look import Look
    from advisor.records.plan import Estimate, Plan

SUMMARY = "Plans what the decision asks for: what is trained and what it takes, or the next steps without training."
EXAMPLES = (
    "train-or-not plan my-case                        time, memory, disk and money; writes plan.yaml",
    "train-or-not plan my-case --drop closed_at       without a column that is only known afterwards",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `plan`."""
    parser.add_argument("case", metavar="CASE", help="the folder of the case")
    parser.add_argument("--budget-seconds", type=float, default=60.0, metavar="N", help="time to train (default: 60)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="fixes split and training (default: 0)")
    parser.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="leave a column out; repeatable")
    parser.add_argument("--keep", action="append", default=[], metavar="COLUMN", help="keep a column that would go")
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a choice of the trainer's, made by you",
    )
    parser.add_argument(
        "--judge-by", default="", metavar="NAME", help="what decides in the end: a metric such as f1, or cost"
    )
    parser.add_argument("--approach", default="", metavar="NAME", help="plan another approach; kept in writing")
    parser.add_argument(
        "--trainer", default="", metavar="NAME", help="hosted: fine-tune at a service, off unless asked for here"
    )
    parser.add_argument(
        "--base",
        action="append",
        default=[],
        metavar="NAME",
        help="choose among these bases: a folder, or any; repeatable",
    )
    parser.add_argument(
        "--use", default="commercial", metavar="NAME", help="what the base's licence must allow: commercial, research"
    )
    parser.add_argument("--as-of", default="", metavar="DATE", help="decide with the prices of that day")
    parser.add_argument(
        "--rent", default="", metavar="CARD", help="fine-tune on rented cards, such as L4 or 'L4:4': writes CASE/rented"
    )


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Decide, plan, ask the trainer what it takes, refuse what does not fit, and write plan.yaml."""
    from advisor.base.machine import look_at_machine
    from advisor.cli.card_prices import with_card_prices
    from advisor.cli.chain import decide_case, decision_hash, facts_of
    from advisor.planner import make_plan, offers, planning_rules
    from advisor.records.judging import costs_stated
    from trainers.registry import TRAINERS

    case = open_case(arguments.case)
    _check_numbers(arguments)
    asked = read_settings(arguments.setting)
    answers = _answers(case)
    look = _fresh_look(case, answers, out)
    decision = decide_case(case, arguments.as_of)
    sheet = facts_of(case)
    shown = shlex.quote(str(case.folder))
    plan = make_plan(
        decision,
        sheet.values(),
        look,
        case=shown,
        data=answers.data or "",
        target=_target(answers, look),
        known_trainers=tuple(TRAINERS),
        budget_seconds=arguments.budget_seconds,
        seed=arguments.seed,
        approach=arguments.approach,
        trainer=arguments.trainer,
        drop=dict.fromkeys(arguments.drop, "Dropped by the user.") | weighing_column(asked),
        keep=arguments.keep,
        asked=list(asked),
        judge_by=arguments.judge_by.strip(),
        costs=costs_stated(chosen_settings(asked)),
    )
    plan = replace(plan, decision_sha256=decision_hash(decision), tool_version=_version())
    machine = look_at_machine(case.folder)
    plan = replace(plan, settings={**plan.settings, **chosen_settings(asked)})
    if arguments.base:
        plan = _with_base(plan, case, arguments)
    if arguments.rent:
        from advisor.cli.renting import rented_plan

        plan = rented_plan(case, plan, arguments.rent, out)
    elif plan.trainer:
        plan = _with_estimate(plan, case)
        _refuse_what_does_not_fit(plan, machine, shown)
    plan = replace(plan, estimate=with_card_prices(plan.estimate, case, arguments.as_of))
    _save(case, plan)
    _show(plan, _over_budget(plan.estimate, sheet), machine, out)
    out.note(f"\nWritten to {shown}/plan.yaml")
    for offer in offers(plan.trainer, plan.approach, sheet.values(), shown, planning_rules("planning")):
        out.note(offer)
    if plan.trainer:
        out.note(f"Next: train-or-not train {shown}")
    else:
        out.note(f"Next: step 1 above; then train-or-not report {shown}")
    return 0


def dry_run(plan: Plan, case: Case, out: Output) -> int:
    """What `train` would do: the rows checked, the needs of this moment; nothing is trained and nothing is written."""
    from advisor.base.machine import look_at_machine
    from advisor.cli.card_prices import with_card_prices
    from trainers.registry import find_trainer

    shown, machine = shlex.quote(str(case.folder)), look_at_machine(case.folder)
    plan = replace(plan, estimate=find_trainer(plan.trainer).estimate(plan, case.folder))
    _refuse_what_does_not_fit(plan, machine, shown)
    plan = replace(plan, estimate=with_card_prices(plan.estimate, case))
    _show(plan, "", machine, out)
    out.note(f"\nNothing was trained. Next: train-or-not train {shown}")
    return 0


def _version() -> str:
    from advisor import __version__

    return __version__


def _check_numbers(arguments: argparse.Namespace) -> None:
    if not 1 <= arguments.budget_seconds <= 86_400 * 30:
        raise BadInput(
            f"A budget of {arguments.budget_seconds:g} seconds cannot be kept.",
            where="--budget-seconds",
            fix="Give 1 to 2592000 seconds, for example --budget-seconds 60",
            code="range",
        )
    if not 0 <= arguments.seed < 2**32:
        raise BadInput("The seed is out of range.", where="--seed", fix="Give 0 to 4294967295.", code="range")


def _answers(case: Case) -> Answers:
    from advisor.interview.answers import load_answers
    from advisor.reasoning.rulebook import load_rulebook

    return load_answers(case, load_rulebook())


def _fresh_look(case: Case, answers: Answers, out: Output) -> Look | None:
    """The profile of the case's data as it is now; looked at anew when data, target or file have changed."""
    from advisor.base.datafolder import sha256_of_data
    from advisor.cli.chain import look_of
    from advisor.cli.main import dispatch

    path = answers.data_path(case)
    if path is None:
        return None
    look = look_of(case)
    if look is not None and look.target == _target(answers, look) and sha256_of_data(path) == look.sha256:
        return look
    out.note(
        "Looking at the data first." if look is None else "The data changed since it was looked at: looking again."
    )
    dispatch(["look", str(case.folder), "--quiet", *(["--plain"] if out.bare else [])], silent=True)
    return look_of(case)


def _target(answers: Answers, look: Look | None) -> str:
    """The column with the right answer: as stated, or the subfolders of a folder of images."""
    return answers.target or (look.target if look and look.format == "images" else "")


def _with_base(plan: Plan, case: Case, arguments: argparse.Namespace) -> Plan:
    """The plan with the base that was chosen among those named, for this machine or the card to rent."""
    if plan.trainer != "lora":
        raise BadInput(
            "Only fine-tuning here has a base model to choose.",
            where="--base",
            why=f"This plan's trainer is {plan.trainer or 'none'}.",
            fix="Leave --base out.",
            code="no-base-needed",
        )
    from trainers.lora.choosing import with_chosen_base
    from trainers.lora.renting import read_card

    card, count = read_card(arguments.rent) if arguments.rent else (None, 1)
    return with_chosen_base(plan, case.folder, arguments.base, arguments.use, card, count)


def _with_estimate(plan: Plan, case: Case) -> Plan:
    """The plan with the trainer's own settings and estimate."""
    from trainers.registry import find_trainer

    trainer = find_trainer(plan.trainer)
    known = trainer.settings(plan, case.folder)
    for name in plan.settings:
        if name not in known and plan.settings[name].reason == ASKED:
            raise BadInput(
                f"The trainer {plan.trainer} has no setting {plain(name, 60)!r}.",
                where="--setting",
                fix=did_you_mean(name, known) or f"It has: {one_of(tuple(known), 12)}.",
                code="no-setting",
            )
    # What the trainer does not know are figures for people who work without one; shown here they would seem to count.
    plan = replace(plan, settings=known)
    return replace(plan, estimate=trainer.estimate(plan, case.folder))


def _refuse_what_does_not_fit(plan: Plan, machine: Machine, shown: str) -> None:
    from advisor.planner import planning_rules

    rules = planning_rules("planning")
    memory = machine.memory_for(on_card=plan.estimate.on_card)
    for what, needed, free, share in (
        ("memory", plan.estimate.peak_memory_mb, memory, rules["limits"]["memory_share"]),
        ("disk", plan.estimate.disk_mb, machine.disk_free_mb, rules["limits"]["disk_share"]),
    ):
        if free is not None and needed > free * share:
            ways = [way.replace("{case}", shown) for way in rules["too_large"].get(plan.approach, [])]
            raise EnvironmentMissing(
                f"This plan needs about {needed:,.0f} MB of {what}; {free:,.0f} MB are free.",
                where=f"{what} of this machine",
                why=f"At most {share:.0%} of what is free is used. {plan.estimate.formula} {plan.estimate.error_band}",
                fix=" Or: ".join(ways) or "Use a larger machine.",
                code=f"no-{what}",
                details={"needed_mb": needed, "free_mb": free, "alternatives": ways},
            )


def _save(case: Case, plan: Plan) -> None:
    from advisor.base.files import sha256_of_file, write_atomically
    from advisor.base.strictyaml import dump
    from advisor.records.plain import to_plain

    heading = "# What `train` will do, and nothing else. Yours to read and to edit; `plan` writes it anew.\n"
    write_atomically(case.plan, heading + dump(to_plain(plan)))
    case.remember(
        "planned",
        approach=plan.approach,
        trainer=plan.trainer,
        override=plan.override,
        plan_sha256=sha256_of_file(case.plan),
        decision_sha256=plan.decision_sha256,
        dropped=[column.name for column in plan.drop],
        to_ask=[question.name for question in plan.to_ask],
    )


def _show(plan: Plan, over: str, machine: Machine, out: Output) -> None:
    from advisor.records.plain import to_plain

    if out.json_mode:
        machine_plain = {**to_plain(machine), "features": sorted(machine.features)}
        out.json({**to_plain(plan), "machine": machine_plain, "over_budget": over})
        return
    from advisor.cli.plan_page import page
    from advisor.reasoning.rulebook import load_rulebook

    for line in page(plan, load_rulebook().approaches[plan.approach].title, machine):
        out.line(line)
    if over:
        out.line(f"Note: {over}")


def _over_budget(estimate: Estimate, sheet: FactSheet) -> str:
    budget = sheet.values().get("budget_usd")
    if isinstance(budget, int | float) and estimate.usd > budget:
        return f"This costs about ${estimate.usd:,.2f}; the stated budget is ${budget:,.2f}."
    return ""
