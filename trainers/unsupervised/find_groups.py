"""Groups of rows, or topics of texts: how many hold up, what sets each apart, and whether unseen rows agree."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from advisor.base.files import read_text, to_json, write_atomically
from advisor.base.safetext import plain
from advisor.records.plan import Plan
from advisor.records.run import Candidate, GateVerdict, RunRecord, Score
from trainers.classical.slices import errors_by_class
from trainers.common.account import accounted
from trainers.common.ending import Watch, end_run
from trainers.common.gate import hold_against
from trainers.common.metrics import Floats, Integers, Output
from trainers.common.policy import policy
from trainers.common.runfolder import keep, work_file
from trainers.common.sealed import open_sealed, opening_note
from trainers.contract import Progress
from trainers.unsupervised.firmness import LACKING, curve_of, point
from trainers.unsupervised.grouping import Tried, centres_of, chosen_count, left_within, nearest, stability, try_counts
from trainers.unsupervised.halves import SAME_GROUP, agreement, halves, shuffled
from trainers.unsupervised.lenses import TextLens
from trainers.unsupervised.model_file import Found, save_found
from trainers.unsupervised.start import TOPICS, Begun
from trainers.unsupervised.telling import columns_apart, exemplars, row_words, sheet, table, words_apart


def find_groups(plan: Plan, folder: Path, run: Path, progress: Progress, watch: Watch, begun: Begun) -> RunRecord:
    """From features to named groups, their sheet and the record."""
    rules = policy("discovering")["topics" if plan.task == TOPICS else "groups"]
    rules = {**policy("discovering")["groups"], **rules}
    features, train = begun.features, begun.sample
    progress.phase("Trying how many groups two halves of the rows agree on")
    wanted = plan.settings.get("groups")
    if wanted is not None and isinstance(wanted.value, int) and wanted.value >= 2:
        rules = {**rules, "fewest": wanted.value, "most": wanted.value}
    tried = _kept_or_tried(run, features[train], rules, plan, progress)
    best = chosen_count(tried, rules["margin"])
    watch.lap("choose")

    progress.phase(f"Grouping the training part into {best.count}")
    centres = _by_size(features[train], centres_of(features[train], best.count, plan.seed, 2 * rules["starts"]))
    names = tuple(f"group {number}" for number in range(1, best.count + 1))
    found = Found(begun.lens, centres=centres, names=names)
    save_found(run, found)
    codes = nearest(features, centres)
    told = _told(begun, codes, centres, names)
    keep(run, "groups.csv", _sheet(begun, codes, names))
    keep(run, "exemplars.csv", _exemplar_sheet(begun, codes, centres, names))
    watch.lap("fit")

    progress.phase("Opening the sealed rows: do two halves put them together alike?")
    opening = open_sealed(folder, run.name, begun.test_part, len(begun.split.test))
    judged, agreed = _judged(plan, features, train, begun, best.count, rules["starts"])
    if plan.task != TOPICS:
        judged = judged[0], _of_one_cloud(judged[1], features[train], best.count, plan.seed)
    slices = errors_by_class(
        codes[begun.split.test].astype(np.float64),
        Output(labels=np.where(agreed > 0, codes[begun.split.test], -1)),
        names,
        "group",
    )
    watch.lap("sealed")

    progress.phase("Looking whether more rows would make the groups firmer")
    left = plan.budget_seconds - watch.seconds()
    curve = _curve(features[train], best, rules, plan.seed, left)
    watch.lap("look")
    notes = [
        *begun.rows.notes,
        "Nobody has named these groups; a person has to say what they mean, and whether they help.",
    ]
    most = min(rules["most"], len(train) // 6)
    if tried[-1].count < most:
        notes.append(f"The time allowed up to {tried[-1].count} groups to be tried; a longer budget tries {most}.")
    if note := opening_note(opening):
        notes.append(note)
    return end_run(
        run,
        plan,
        watch,
        chosen=f"{best.count} {'topics' if plan.task == TOPICS else 'groups'}",
        candidates=tuple(_candidate(one, len(train)) for one in tried),
        judged=judged,
        rows={"train": len(begun.split.train), "test": len(begun.split.test)},
        packages=("skops",),
        hyperparameters={"groups": best.count, "seed": plan.seed, "features": int(features.shape[1])},
        diagnostics={
            "choice": f"{best.count} is the most that two halves of the rows agree on as well as on any number "
            f"({np.mean(best.agreed):.0%} alike, {np.mean(best.by_chance):.0%} with the columns shuffled)",
            **accounted(plan.task, {"tables": [told], "learning_curve": curve, "slices": slices}, LACKING),
            "sealed_openings": opening,
            "test_part": begun.test_part,
        },
        notes=tuple(notes),
        represented="Every column was measured against the training rows alone.",
    )


def _kept_or_tried(run: Path, features: Floats, rules: dict[str, int], plan: Plan, progress: Progress) -> list[Tried]:
    """What a killed attempt had tried, or all of it anew."""
    path = work_file(run, "counts.json")
    try:
        return [
            Tried(int(one["count"]), tuple(one["agreed"]), tuple(one["by_chance"]), float(one["seconds"]))
            for one in json.loads(read_text(path))
        ]
    except Exception:  # noqa: S110  not there, or not what was written: it is tried again
        pass
    tried = try_counts(features, rules, plan.seed, progress, 0.6 * plan.budget_seconds)
    write_atomically(path, to_json([one.__dict__ for one in tried]))
    return tried


def _by_size(features: Floats, centres: Floats) -> Floats:
    """The largest group first."""
    sizes = np.bincount(nearest(features, centres), minlength=len(centres))
    return np.asarray(centres[np.argsort(-sizes, kind="stable")])


def _judged(
    plan: Plan, features: Floats, train: Integers, begun: Begun, count: int, starts: int
) -> tuple[tuple[Score, GateVerdict], Integers]:
    """Agreement of two halves on the sealed rows, against drawn groups and shuffled columns; and row by row."""
    sealed = features[begun.split.test]
    agreed = _agree(features[train], sealed, count, plan.seed, starts)
    torn = shuffled(np.concatenate([features[train], sealed]), plan.seed)
    by_shuffle = _agree(torn[: len(train)], torn[len(train) :], count, plan.seed, starts)
    first, second = (nearest(sealed, centres) for centres in _two(features[train], count, plan.seed, starts))
    drawn = agreement(first, np.random.default_rng(plan.seed).permutation(second), count)
    rungs = {"chance": Output(labels=drawn), "shuffled": Output(labels=by_shuffle)}
    cheaper = {name: rungs[name] for name in plan.gate.against}
    truth = np.ones(len(sealed))
    judged = hold_against(
        SAME_GROUP, truth, Output(labels=agreed), cheaper, begun.split.test_units(), plan.gate, plan.seed
    )
    return judged, agreed


def _of_one_cloud(verdict: GateVerdict, features: Floats, count: int, seed: int) -> GateVerdict:
    """The verdict, with a word where a single cloud of the same spread would fall into groups as tight as these."""
    rules = policy("discovering")["one_cloud"]
    some = np.random.default_rng(seed).permutation(len(features))[: rules["rows"]]
    left, clouds = left_within(features[some], count, seed, rules["draws"])
    if left < clouds.min():
        return verdict
    text = (
        f" But these may be stretches of one whole, not kinds: {left:.0%} of the spread is left within the groups, and "
        f"{clouds.min():.0%} to {clouds.max():.0%} if rows of one normal cloud with no groups at all are cut into as "
        "many. Use them to name ranges, not kinds."
    )
    return replace(verdict, text=verdict.text + text)


def _curve(features: Floats, best: Tried, rules: dict[str, int], seed: int, seconds: float) -> list[dict[str, float]]:
    """How far two halves of fewer rows agree on as many groups; the last point is what the choice rested on."""
    each = best.seconds / max(1, 2 * len(best.agreed))

    def agree(count: int) -> list[float]:
        part = features[np.random.default_rng(seed).permutation(len(features))[:count]]
        repeats = range(len(best.agreed))
        return [float(stability(part, best.count, seed + one, rules["starts"]).mean()) for one in repeats]

    points = curve_of(agree, len(features), 12 * best.count, each * len(best.agreed), seconds)
    return [*points, point(len(features), best.agreed)] if points else []


def _two(features: Floats, count: int, seed: int, starts: int) -> list[Floats]:
    return [centres_of(features[half], count, seed, starts) for half in halves(len(features), seed)]


def _agree(features: Floats, sealed: Floats, count: int, seed: int, starts: int) -> Integers:
    first, second = (nearest(sealed, centres) for centres in _two(features, count, seed, starts))
    return agreement(first, second, count)


def _candidate(one: Tried, rows: int) -> Candidate:
    mean, low, high = float(np.mean(one.agreed)), float(np.min(one.agreed)), float(np.max(one.agreed))
    score = Score("agreement", mean, low, high, rows, 0.95, f"mean and range of {len(one.agreed)} pairs of halves")
    note = f"{np.mean(one.by_chance):.0%} with columns shuffled"
    return Candidate(f"{one.count} groups", score, round(one.seconds, 3), note)


def _told(begun: Begun, codes: Integers, centres: Floats, names: tuple[str, ...]) -> dict[str, Any]:
    """A line a group: how many rows, what sets it apart, and its most typical row."""
    frame, lens = begun.rows.frame, begun.lens
    lines: list[list[Any]] = []
    words = lens.weights(frame) if isinstance(lens, TextLens) else None
    features_named = lens.encoder.names() if not isinstance(lens, TextLens) and hasattr(lens, "encoder") else ()
    for at, name in enumerate(names):
        inside = codes == at
        if not inside.any() or inside.all():
            continue
        typical = int(exemplars(begun.features, centres[at], inside)[0])
        if words is not None:
            apart = ", ".join(words_apart(*words, inside))
            example = plain(frame[lens.columns()[0]].iloc[typical], 120)
        else:
            apart = "; ".join(columns_apart(begun.features, features_named, inside, frame))
            example = row_words(frame, typical, list(lens.columns()))
        lines.append([name, int(inside.sum()), f"{inside.mean():.0%}", apart or "nothing alone", example])
    return table("The groups, largest first", ["Group", "Rows", "Share", "What sets it apart", "A typical row"], lines)


def _sheet(begun: Begun, codes: Integers, names: tuple[str, ...]) -> str:
    rows = np.arange(len(codes))
    return sheet(begun.rows.whole, {"row": rows, "group": [names[code] for code in codes]}, rows)


def _exemplar_sheet(begun: Begun, codes: Integers, centres: Floats, names: tuple[str, ...]) -> str:
    """The most typical rows of each group, for a person who is to name them."""
    rows: list[int] = []
    for at in range(len(names)):
        rows += exemplars(begun.features, centres[at], codes == at).tolist()
    chosen = np.array(rows, dtype=np.int64)
    extra = {"row": chosen, "group": [names[codes[row]] for row in rows], "your name for it": [""] * len(rows)}
    return sheet(begun.rows.whole, extra, chosen)
