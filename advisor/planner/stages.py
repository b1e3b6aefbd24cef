"""The seven stages of the workflow in one plan: the words of the rulebook, and what this case has done and owes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from advisor.base.safetext import one_of
from advisor.records.decision import Stage
from advisor.records.facts import Value
from advisor.records.judging import COST
from advisor.records.look import Look
from advisor.records.plan import Plan

Lines = tuple[list[str], list[str]]


def fill_stages(
    plan: Plan, stages: tuple[Stage, ...], facts: Mapping[str, Value], look: Look | None, case: str
) -> Plan:
    """The plan with the decision's stages, to which data, columns, metric, gate and command of this case are added."""
    added: dict[str, Callable[[], Lines]] = {
        "frame": lambda: _frame(facts),
        "collect": lambda: _collect(plan, facts, look),
        "represent": lambda: _represent(plan),
        "select": lambda: _select(plan),
        "train": lambda: ([], [f"train-or-not train {case}"] if plan.trainer else []),
        "evaluate": lambda: _evaluate(plan),
    }
    filled = []
    for stage in stages:
        done, owed = added[stage.stage]() if stage.stage in added else ([], [])
        filled.append(_with(stage, done, owed))
    return replace(plan, stages=tuple(filled))


def _with(stage: Stage, done: list[str], owed: list[str]) -> Stage:
    """The stage with more done and more owed; it counts as done only when nothing is owed any more."""
    all_done = [line for line in (stage.done, *done) if line]
    all_owed = [line for line in (stage.owed, *owed) if line]
    if stage.status == "not_needed" and not owed:
        return stage
    status = ("part" if all_owed else "done") if all_done else "owed"
    by = stage.by or ("look and plan" if done else "")
    return replace(stage, status=status, done=" ".join(all_done), owed=" ".join(all_owed), by=by if all_done else "")


def _frame(facts: Mapping[str, Value]) -> Lines:
    wanted = facts.get("accuracy_target")
    return ([] if wanted is None else [f"It must be right in {float(wanted):.0%} of cases."]), []


def _collect(plan: Plan, facts: Mapping[str, Value], look: Look | None) -> Lines:
    done: list[str] = []
    owed = [f"{question.name}: {question.question}" for question in plan.to_ask]
    if look:
        rows, columns = look.shape
        issues = [pitfall for pitfall in look.pitfalls if pitfall.outcome == "issue"]
        done.append(f"{rows:,} rows × {columns:,} columns were looked at; problems found: {len(issues)}.")
        by = f" by {plan.split.column}" if plan.split.column else ""
        done.append(f"Split proposed: {plan.split.kind}{by}.")
        settled = {question.name for question in plan.to_ask} | {column.name for column in plan.drop}
        owed += [f"{p.text} {p.fix}" for p in issues if p.severity == "severe" and not settled & set(p.columns)]
    wanted = next((s.value for name, s in plan.settings.items() if name.startswith("test_")), None)
    if not plan.trainer and isinstance(wanted, int):
        have = float(facts.get("eval_examples") or 0)
        if have < wanted:
            owed.append(f"Set aside {wanted} examples with trusted answers; there are {have:,.0f}.")
        else:
            done.append(f"{have:,.0f} examples with trusted answers are set aside.")
    return done, owed


def _represent(plan: Plan) -> Lines:
    return ([f"Left out: {one_of([column.name for column in plan.drop])}."] if plan.drop else []), []


def _select(plan: Plan) -> Lines:
    use = "Models are chosen by" if plan.gate.by == COST else "Judged by"
    return ([f"{use} {plan.metric.value}. {plan.metric.reason}"] if plan.metric.value else []), []


def _evaluate(plan: Plan) -> Lines:
    if not plan.trainer:
        return [], []
    least = f"more than {plan.gate.minimum_gain:g}" if plan.gate.minimum_gain else "more than nothing"
    rivals = " and ".join(plan.gate.against)
    if plan.gate.by == COST:
        least = f"more than {plan.gate.minimum_saving:g} a row" if plan.gate.minimum_saving else "more than nothing"
        return [], [f"Its answers must save {least} over {rivals}, at {plan.gate.confidence:.0%} confidence."]
    return [], [f"It must gain {least} over {rivals}, at {plan.gate.confidence:.0%} confidence."]
