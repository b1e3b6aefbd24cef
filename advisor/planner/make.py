"""From a decision to a plan: exactly what will be trained and under which caps, or what a person does next.

Reads: a decision, facts, a profile of the data, rules/planning.yaml and rules/next_steps.yaml. Writes nothing: the
command line adds what a trainer estimates, and saves. What is trained is never decided here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from advisor.base.errors import BadInput, FactsMissing, did_you_mean
from advisor.base.safetext import one_of, plain
from advisor.planner.gate import gate_of, named_metric
from advisor.planner.routes import Route, requested_route, route_of
from advisor.planner.rulefiles import planning_rules
from advisor.planner.stages import fill_stages
from advisor.records.decision import Decision
from advisor.records.facts import Value
from advisor.records.judging import COST
from advisor.records.look import Look, SplitProposal
from advisor.records.plan import AcceptedColumn, ColumnQuestion, DroppedColumn, Estimate, NextStep, Plan, Setting

_NOTHING: Mapping[str, str] = MappingProxyType({})
_TASKS = ("binary", "multiclass", "regression")
# Answers that are texts of their own: what was stated counts more than how the column looks.
_WRITTEN = {"extract": "extract", "generate_text": "generate", "translate_summarise": "generate"}


def make_plan(
    decision: Decision,
    facts: Mapping[str, Value],
    look: Look | None,
    *,
    case: str,
    data: str = "",
    target: str = "",
    known_trainers: Collection[str] = ("classical",),
    budget_seconds: float = 60.0,
    seed: int = 0,
    approach: str = "",
    trainer: str = "",
    drop: Mapping[str, str] = _NOTHING,
    keep: Collection[str] = (),
    asked: Collection[str] = (),
    judge_by: str = "",
    costs: bool = False,
) -> Plan:
    """The plan for `decision`, or for another `approach` that the user names against it (kept in `override`).

    `case` is the case's name as typed, for the commands in the plan; `data` and `target` are the user's answers. Where
    the user names a `trainer` it serves, else the approach's own. `drop` says why the user leaves columns out, `keep`
    names those that stay, `asked` settings that come with the plan; `costs` says that these tell what errors cost, and
    `judge_by` what is to decide in the end: cost, or a metric. Raises `FactsMissing` while the decision is open,
    `BadInput` when a trainer would need data, a target or a column that is not there, or does not serve the approach.
    """
    chosen = approach or _settled(decision, case)
    words = planning_rules("next_steps")["approaches"]
    if chosen not in words:
        raise BadInput(
            f"There is no approach {plain(chosen, 60)!r}.",
            where="--approach",
            fix=did_you_mean(chosen, words) or f"Known: {one_of(tuple(words), 12)}.",
            code="no-approach",
        )
    by_rule = decision.trainer.value if chosen == decision.approach else None
    rules = planning_rules("planning")
    if trainer:
        route = requested_route(trainer, chosen, facts, case, rules)
    else:
        route = route_of(chosen, by_rule or "", facts, look, data, target, known_trainers, rules, asked)
    if route.trainer:
        _check_data(case, look, data, target, chosen, route)
    task = route.task or _task(facts, look)
    dropped, suspects = _columns(look, drop, keep, route.trainer) if route.picks_columns else ((), ())
    questions = tuple(suspect for suspect in suspects if suspect.name not in keep)
    accepted = tuple(
        AcceptedColumn(suspect.name, suspect.question, "Kept by the user when it was planned.")
        for suspect in suspects
        if suspect.name in keep
    )
    split = look.split if look else SplitProposal(reason="No data was looked at yet.")
    of_order = "ordered" if task == "multiclass" and "order" in asked else task
    metric = named_metric(judge_by, task) if judge_by not in ("", COST) else _metric(decision, chosen, of_order, route)
    plan = Plan(
        approach=chosen,
        trainer=route.trainer,
        task=task,
        data=data,
        data_sha256=look.sha256 if look else "",
        target=target,
        split=split,
        metric=metric,
        gate=gate_of(chosen, task, metric, judge_by, costs=costs),
        drop=dropped,
        settings=_settings(words[chosen]),
        budget_seconds=budget_seconds,
        seed=seed,
        estimate=Estimate(0.0, 0.0, 0.0, formula="Nothing is trained by this tool for this approach."),
        rulebook_sha256=decision.rulebook.get("hash", ""),
        steps=_steps([*([route.first_step] if route.first_step else []), *words[chosen]["steps"]], case),
        to_ask=questions,
        accepted=accepted,
        override=_override(decision, approach),
    )
    return fill_stages(plan, decision.plan, facts, look, case)


def _settled(decision: Decision, case: str) -> str:
    if decision.approach is not None and decision.settled:
        return decision.approach
    possible: list[str] = [name for name in (decision.approach, *decision.also_possible) if name]
    raise FactsMissing(
        "The decision is still open, so there is nothing to plan.",
        where=case,
        why=f"{_could(decision)} Still possible: {one_of(possible, 11) or 'everything'}.",
        fix=f"train-or-not ask {case}   (or, against the open questions: train-or-not plan {case} --approach NAME)",
        code="undecided",
        details={
            "missing": list(decision.unknown),
            "next_question": decision.next_question,
            "also_possible": possible,
        },
    )


def _could(decision: Decision) -> str:
    return (
        f"These answers could change it: {one_of(decision.unknown, 6)}." if decision.unknown else "No rule holds yet."
    )


def _override(decision: Decision, approach: str) -> str:
    if not approach or (decision.settled and approach == decision.approach):
        return ""
    if decision.settled:
        return f"Planned as {approach} by the user's wish; the decision says {decision.approach}."
    open_questions = one_of(decision.unknown, 8)
    return f"Planned as {approach} by the user's wish while the decision is open; not answered: {open_questions}."


def _check_data(case: str, look: Look | None, data: str, target: str, approach: str, route: Route) -> None:
    if not data:
        raise BadInput(
            f"The case names no data, and {approach} learns from data.",
            where=f"{case}/answers.yaml",
            fix=f"train-or-not look {case} --data FILE --target COLUMN",
            code="no-data",
        )
    known = [column.name for column in look.columns] if look else []
    if not target and route.needs_target:
        raise BadInput(
            "The case names no target, the column with the right answer.",
            where=f"{case}/answers.yaml",
            fix=f"train-or-not look {case} --target {plain(look.candidates[0], 60)}"
            if look and look.candidates
            else f"Write target: COLUMN into {case}/answers.yaml. Columns: {one_of(known)}",
            code="no-target",
        )
    if look and target and target not in known:
        raise BadInput(
            f"The data has no column {plain(target, 60)!r}.",
            where=f"{case}/answers.yaml: target",
            fix=did_you_mean(target, known) or f"Columns: {one_of(known)}.",
            code="no-column",
        )


def _task(facts: Mapping[str, Value], look: Look | None) -> str:
    """What is predicted: as the data shows it, or as the answers say. Empty when neither tells."""
    wanted = facts.get("task_type")
    if isinstance(wanted, str) and wanted in _WRITTEN:
        return _WRITTEN[wanted]
    if look and look.task in _TASKS:
        return look.task
    if look and look.task == "forecast":
        return "regression"
    if wanted in ("predict_number", "forecast"):
        return "regression"
    if wanted in ("classify", "detect_anomaly"):
        classes = facts.get("n_classes")
        return "" if not isinstance(classes, int | float) else ("binary" if classes <= 2 else "multiclass")
    return ""


def _columns(
    look: Look | None, drop: Mapping[str, str], keep: Collection[str], trainer: str
) -> tuple[tuple[DroppedColumn, ...], tuple[ColumnQuestion, ...]]:
    """Columns the model must not see, each with its reason; and columns that only a person can judge."""
    if look is None or not trainer:
        return (), ()
    rules = planning_rules("planning")
    known = {column.name for column in look.columns}
    for name in (*drop, *keep):
        if name not in known or name == look.target:
            raise BadInput(
                f"There is no column {plain(name, 60)!r} besides the right answer.",
                where="--drop, --keep, --setting",
                fix=did_you_mean(name, known) or f"Columns: {one_of(sorted(known))}.",
                code="no-column",
            )
    reasons = dict(drop)
    found = [pitfall for pitfall in look.pitfalls if pitfall.outcome == "issue"]
    for pitfall in found:
        if pitfall.code in rules["drop_pitfalls"]:
            reasons |= {
                name: f"{rules['drop_pitfalls'][pitfall.code]} ({pitfall.code}: {pitfall.text})"
                for name in pitfall.columns
                if name not in reasons
            }
    for column in look.columns:
        if column.name not in reasons and column.role in rules["drop_roles"]:
            reasons[column.name] = rules["drop_roles"][column.role]
    out = {name: reason for name, reason in reasons.items() if name != look.target and name not in keep}
    questions = {
        name: f"{rules['ask_pitfalls'][pitfall.code]} ({pitfall.code}: {pitfall.text})"
        for pitfall in found
        for name in pitfall.columns
        if pitfall.code in rules["ask_pitfalls"] and name not in out and name in known
    }
    questions.pop(look.target, None)
    return (
        tuple(DroppedColumn(name, reason) for name, reason in out.items()),
        tuple(ColumnQuestion(name, question) for name, question in questions.items()),
    )


def _metric(decision: Decision, approach: str, task: str, route: Route) -> Setting:
    """The rulebook's metric where it fits the approach and can be measured, the task's default otherwise.

    A route with a task of its own has a metric of its own: the rulebook speaks of whole approaches. So have classes
    that were given an order, which the rulebook does not hear of.
    """
    rules = planning_rules("planning")
    own = route.task or task == "ordered"
    name = decision.metric.value if approach == decision.approach and not own else None
    measured = not route.trainer or name in rules["measured"].get(task, ())
    if name and measured:
        because = decision.metric.because
        reason = because[0].text if because else "Chosen by the rulebook."
        return Setting(name, reason, ", ".join(because[0].sources) if because else "")
    default = rules["metrics"].get(task)
    if default is None:
        return Setting("", "To be agreed: the one number that tells good from bad.")
    why = (
        f"{default['reason']} (The rulebook's {name} cannot be measured for this task.)" if name else default["reason"]
    )
    return Setting(default["metric"], why, default["source"])


def _settings(words: Mapping[str, Any]) -> dict[str, Setting]:
    return {name: Setting(**setting) for name, setting in words.get("settings", {}).items()}


def _steps(steps: list[dict[str, str]], case: str) -> tuple[NextStep, ...]:
    return tuple(NextStep(**{key: text.replace("{case}", case) for key, text in step.items()}) for step in steps)
