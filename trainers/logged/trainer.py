"""Learn which action pays from a log as the plan says, and say whether acting by it would have earned more.

In order: read the log; seal a part; learn each action's reward on the rest; choose between two simple bandits there;
open the sealed part once, and estimate on it what they would have earned beside what was earned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from advisor.base.errors import BadInput
from advisor.base.files import to_json
from advisor.base.tablefolder import bytes_of_rows
from advisor.base.tables import read_table
from advisor.records.look import SplitProposal
from advisor.records.plain import to_plain
from advisor.records.plan import Estimate, Plan, Setting
from advisor.records.run import Candidate, RunRecord
from trainers.common.account import accounted
from trainers.common.ending import Watch, end_run
from trainers.common.gate import check_gate, hold_against
from trainers.common.intervals import bootstrap, score
from trainers.common.metrics import Floats, Integers, Output
from trainers.common.policy import policy
from trainers.common.rows import data_path
from trainers.common.runfolder import keep, verify
from trainers.common.sealed import freeze, open_sealed, opening_note, sealed_before
from trainers.common.splits import folds_of, split_rows
from trainers.contract import Progress
from trainers.logged.bandits import GREEDY, THOMPSON, acts, always, learn_rewards
from trainers.logged.log import Log, columns_of, load_log
from trainers.logged.look import held_against_sealed, look, overlap
from trainers.logged.model_file import Policy, load_policy, save_policy
from trainers.logged.support import check_probabilities, judged_by_the_log
from trainers.logged.values import REWARD, Seen
from trainers.unsupervised.lenses import TableLens, table_lens
from trainers.unsupervised.telling import table

RUNGS = ("today", "best_action")


class LoggedTrainer:
    """The trainer named `logged`."""

    def settings(self, plan: Plan, folder: Path) -> dict[str, Setting]:
        """Which columns hold what, each with its reason."""
        names = list(map(str, read_table(data_path(plan, folder), max_rows=100).frame.columns))
        found = columns_of(names, plan)
        settings = {
            "action": Setting(found.action, "What was done."),
            "reward": Setting(found.reward, "What came of it; more is better."),
            "propensity": Setting(found.propensity, "How likely that choice was; `uniform` when all were drawn alike."),
        }
        return {name: plan.settings.get(name, setting) for name, setting in settings.items()}

    def estimate(self, plan: Plan, folder: Path) -> Estimate:
        """Seconds, from the size of the file."""
        size = bytes_of_rows(data_path(plan, folder)) / 2**20
        by = policy("acting")["estimate"]
        time, memory = by["seconds"], by["memory_mb"]
        return Estimate(
            round(min(time["least"] + time["a_mib"] * size, plan.budget_seconds), 1),
            round(memory["least"] + memory["a_mib"] * size, 1),
            by["disk_mb"],
            formula=f"{time['least']} s and {time['a_mib']} s a MiB ({size:.1f} MiB), at most the budget of "
            f"{plan.budget_seconds:g} s.",
            error_band=by["told"],
        )

    def train(self, plan: Plan, folder: Path, run: Path, progress: Progress) -> RunRecord:
        """Do what the plan says and leave the run folder complete."""
        with threadpool_limits(1):
            return _train(plan, folder, run, progress)

    def predict(self, run: Path, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The likeliest action of each row, and the probability to choose each."""
        verify(run)
        found = load_policy(run)
        for shares in found.probabilities(pd.DataFrame(list(rows))):
            scores = dict(zip(found.actions, shares.tolist(), strict=True))
            yield {"prediction": max(scores, key=lambda name: scores[name]), "scores": scores}


def _train(plan: Plan, folder: Path, run: Path, progress: Progress) -> RunRecord:
    watch = Watch()
    check_gate(plan.gate, RUNGS)
    keep(run, "plan.json", to_json(to_plain(plan)))
    progress.phase("Reading the log and sealing a part")
    log = load_log(plan, folder)
    check_probabilities(log)
    known = log.context.assign(action=log.action, reward=log.reward, at=np.arange(len(log.action)))
    proposal = plan.split
    if proposal.kind == "stratified":
        proposal = SplitProposal("random", "", plan.split.test_share, plan.split.reason)
    before = sealed_before(plan, folder)
    split = split_rows(known, log.reward, proposal, log.split_by, plan.seed, sealed_before=before)
    test_part = freeze(plan, folder, split)
    lens = _lens(log, split.train)
    features = np.zeros((len(known), 0)) if lens is None else lens.features(log.context)
    watch.lap("read_and_split")

    progress.phase("Learning what each action earns, and choosing how to act")
    folds = folds_of(split, policy("acting")["folds"], plan.seed)
    values = _on_folds(log, features, folds, plan.seed)
    units = np.arange(len(next(iter(values.values()))))
    outputs = {name: Output(numbers=numbers) for name, numbers in values.items()}
    drawn = bootstrap(REWARD, np.zeros(len(units)), outputs, units, plan.seed, 500)
    scores = {
        name: replace(
            score(REWARD, np.zeros(len(units)), Output(numbers=numbers), units, drawn[name], 0.95),
            method=f"doubly robust, {len(folds)} folds",
        )
        for name, numbers in values.items()
    }
    way = max((GREEDY, THOMPSON), key=lambda name: scores[name].value)
    watch.lap("choose")

    progress.phase(f"Fitting {way} on the whole training part")
    train = split.train
    rewards = learn_rewards(features[train], log.action[train], log.reward[train], len(log.actions))
    found = Policy(lens, rewards, way, log.actions, plan.seed)
    save_policy(run, found)
    best = _best_action(log, rewards.expected(features[train]), train)
    watch.lap("fit")

    progress.phase("Looking at what the choice leans on")
    left = (plan.budget_seconds - watch.seconds()) * policy("acting")["budget"]["looking"]
    looked, lacking = look(log, lens, features, folds[0], way, plan.seed, left)
    watch.lap("look")

    progress.phase("Opening the sealed part")
    test = split.test
    opening = open_sealed(folder, run.name, test_part, len(test))
    seen = Seen(log.action[test], log.reward[test], log.propensity[test], rewards.expected(features[test]))
    ours = acts(rewards, features[test], way, plan.seed)
    alone = always(best, len(test), len(log.actions))
    rungs = {"today": Output(numbers=seen.reward), "best_action": Output(numbers=seen.doubly_robust(alone))}
    cheaper = {name: rungs[name] for name in plan.gate.against}
    said = Output(numbers=seen.doubly_robust(ours))
    scored, verdict = hold_against(REWARD, seen.reward, said, cheaper, split.test_units(), plan.gate, plan.seed)
    estimates = seen.estimates(ours)
    policies = {"the new policy": ours} | ({"the best single action": alone} if "best_action" in cheaper else {})
    judged = scored, judged_by_the_log(verdict, seen, policies)
    notes = [*log.notes, f"The best single action is {log.actions[best]}."]
    notes.append("An estimate from a log is a reason to try it on a few per cent of cases, not to switch over.")
    if note := opening_note(opening):
        notes.append(note)
    keep(run, "test_predictions.csv", _sealed_table(test, seen, ours, log.actions))
    watch.lap("sealed")
    names = [GREEDY, THOMPSON]
    tables = [_by_action(log, test, ours, seen), overlap(seen, ours, estimates["effective_rows"])]
    return end_run(
        run,
        plan,
        watch,
        chosen=way,
        candidates=tuple(Candidate(name, scores[name]) for name in names),
        judged=judged,
        rows={"train": len(train), "test": len(test)},
        packages=(),
        secondary=estimates,
        hyperparameters={"explore": policy("acting")["explore"], "seed": plan.seed, "actions": len(log.actions)},
        diagnostics={
            "choice": f"{way} was worth more on the training part, by doubly robust estimates over {len(folds)} folds",
            **accounted("logged", {**looked, **held_against_sealed(seen, log.actions), "tables": tables}, lacking),
            "sealed_openings": opening,
            "test_part": test_part,
        },
        notes=tuple(notes),
        represented="Context columns were measured against the training rows alone.",
    )


def _lens(log: Log, train: Integers) -> TableLens | None:
    """How to look at the context; None when there is none, so that every row is alike."""
    if not len(log.context.columns):
        return None
    try:
        return table_lens(log.context, train, rarity=False)
    except BadInput:
        return None


def _on_folds(log: Log, features: Floats, folds: list[tuple[Integers, Integers]], seed: int) -> dict[str, Floats]:
    """Each way's doubly robust parts on rows that its model has not seen."""
    found: dict[str, list[Floats]] = {GREEDY: [], THOMPSON: []}
    for train, rest in folds:
        rewards = learn_rewards(features[train], log.action[train], log.reward[train], len(log.actions))
        seen = Seen(log.action[rest], log.reward[rest], log.propensity[rest], rewards.expected(features[rest]))
        for way, parts in found.items():
            parts.append(seen.doubly_robust(acts(rewards, features[rest], way, seed)))
    return {way: np.concatenate(parts) for way, parts in found.items()}


def _best_action(log: Log, expected: Floats, train: Integers) -> int:
    """The action that would have earned most if always taken, by the training part."""
    seen = Seen(log.action[train], log.reward[train], log.propensity[train], expected)
    count = len(log.actions)
    return int(np.argmax([seen.doubly_robust(always(at, len(train), count)).mean() for at in range(count)]))


def _by_action(log: Log, test: Integers, ours: Floats, seen: Seen) -> dict[str, Any]:
    """How often each action was and would be taken, and what it earned."""
    lines: list[list[Any]] = []
    for at, name in enumerate(log.actions):
        taken = seen.action == at
        earned = float(seen.reward[taken].mean()) if taken.any() else float("nan")
        told = round(earned, 4) if np.isfinite(earned) else "never taken"
        lines.append([name, f"{taken.mean():.1%}", f"{ours[:, at].mean():.1%}", told])
    return table("Actions on the sealed rows", ["Action", "Taken today", "Would be taken", "Earned when taken"], lines)


def _sealed_table(test: Integers, seen: Seen, ours: Floats, actions: tuple[str, ...]) -> str:
    """One line a sealed row: what was done and earned, and how likely the new policy is to do each action."""
    columns: dict[str, Any] = {
        "row": test,
        "action": seen.action,
        "reward": seen.reward,
        "propensity": seen.propensity,
        "doubly_robust": seen.doubly_robust(ours),
    }
    columns |= {f"ours_p{at}": ours[:, at] for at in range(len(actions))}
    return pd.DataFrame(columns).to_csv(index=False)
