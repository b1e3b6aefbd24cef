"""What is taken of the models that were tried: the simplest that is not measurably worse than the best, or a blend.

"Not measurably" is one standard error of the paired difference over folds (the one-standard-error rule of Breiman et
al. 1984, paired because all candidates met the same folds), and never more than a small part of what the best gains
over the trivial answer: one wild fold makes a standard error so large that anything would pass. A blend must beat that
model by more than noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from advisor.base.errors import BadInput, BudgetReached
from advisor.records.run import Score
from trainers.classical.blend import best_temperature, blend_weights, log_loss, more_than_noise, tempered
from trainers.classical.fitting import NOT_FITTED
from trainers.classical.problem import Problem, cut_of, fold_score, gains_of
from trainers.classical.search import Tried
from trainers.common.baselines import trivial
from trainers.common.decide import Cut
from trainers.common.metrics import Floats
from trainers.common.policy import policy


@dataclass(frozen=True)
class Chosen:
    """The models taken, with their shares in the answer, how their probabilities are tempered, and why.

    `honest` is the score of all this choosing: on each fold, of what the other folds alone would have chosen.
    """

    members: tuple[tuple[Tried, float], ...]
    folds: tuple[int, ...]
    reason: str
    temperature: float = 1.0
    honest: Score | None = None

    @property
    def name(self) -> str:
        if len(self.members) == 1:
            return self.members[0][0].candidate.name
        return "blend of " + " and ".join(one.candidate.name for one, _ in self.members)

    def settings(self) -> dict[str, object]:
        """The settings of the model, or of each member with its share."""
        each = {
            one.candidate.name: {
                **one.candidate.settings,
                **({"rounds": one.rounds} if one.rounds else {}),
                "share": round(share, 4),
            }
            for one, share in self.members
        }
        found: dict[str, object] = dict(each)
        if len(each) == 1:
            found = {name: value for name, value in next(iter(each.values())).items() if name != "share"}
        return {**found, "temperature": self.temperature}

    def unseen(self) -> dict[int, Floats]:
        """The answers for each fold's rows, which the models had not seen."""
        blended = _blended([one for one, _ in self.members], np.array([share for _, share in self.members]), self.folds)
        return {at: tempered(answer, self.temperature) for at, answer in blended.items()}

    def cut(self, problem: Problem) -> Cut:
        """Where to cut between classes, by the unseen folds."""
        return cut_of(self.unseen(), problem)

    def score(self, problem: Problem) -> Score:
        """The mean over folds with its rough interval."""
        answers = self.unseen()
        return fold_score(problem, gains_of(answers, problem), sum(map(len, answers.values())))


def choose(tried: list[Tried], problem: Problem, *, blends: bool = True) -> Chosen:
    """What is taken, among the models that met at least half the folds. `blends` allows several as one."""
    most = max((len(one.answers) for one in tried), default=0)
    if not most:
        raise _nothing_fitted(tried)
    # Slow models that ran out of time still count when they met half the folds: all are compared on those they share.
    enough = [one for one in tried if len(one.answers) >= (most + 1) // 2]
    folds = tuple(sorted(set.intersection(*(set(one.answers) for one in enough))))
    chosen = _pick(enough, folds, problem, blends)
    return replace(chosen, honest=_honest(enough, folds, problem, blends))


def _nothing_fitted(tried: list[Tried]) -> BadInput | BudgetReached:
    """Why there is nothing to choose from: models failed on these rows, or the time ended before."""
    failed = [f"{one.candidate.name} {one.note}" for one in tried if one.note.startswith(NOT_FITTED)]
    told = "; ".join(failed[:3])
    if failed and len(failed) == len(tried):
        return BadInput(
            "No model could be fitted to these rows.",
            where="plan.yaml: data",
            why=f"{told}.",
            fix="Look at the columns (train-or-not look CASE), and drop in plan.yaml the one that they cannot read.",
            code="no-model-fitted",
        )
    return BudgetReached(
        "The budget ended before one model was fitted.",
        why=f"Besides, {told}." if failed else "",
        fix="Give it more time: train-or-not train CASE --budget-seconds 300",
        code="no-time",
    )


def _honest(models: list[Tried], folds: tuple[int, ...], problem: Problem, blends: bool) -> Score | None:
    """The best of many looks better than it is; so each fold judges what was chosen, blended and cut without it."""
    defined = [at for at, gain in zip(folds, gains_of(_only(models[0], folds), problem), strict=True) if gain == gain]
    if len(defined) < 3:
        return None
    gains, rows = [], 0
    for at in defined:
        chosen = _pick(models, tuple(fold for fold in folds if fold != at), problem, blends)
        answers = replace(chosen, folds=(at,)).unseen()
        gains.append(gains_of(answers, problem, chosen.cut(problem))[0])
        rows += len(answers[at])
    score = fold_score(problem, np.array(gains), rows)
    return replace(score, method=f"{score.method}, each fold judging what the others chose")


def _pick(enough: list[Tried], folds: tuple[int, ...], problem: Problem, blends: bool) -> Chosen:
    gains = {one.candidate.name: gains_of(_only(one, folds), problem) for one in enough}
    nothing = _trivial_gain(problem, folds)
    single = _simplest(enough, gains, folds, nothing)
    taken = gains[single.members[0][0].candidate.name]
    blend = _blend(enough, folds, problem, taken, single.name, nothing) if blends and len(folds) > 2 else None
    return _calibrated(blend or single, problem)


def _trivial_gain(problem: Problem, folds: tuple[int, ...]) -> float:
    """The metric of the trivial answer on the folds' rows, turned so that more is better."""
    truth, counts = _truth(problem, folds), problem.counts_of(list(folds))
    constant = trivial(problem.metric, truth, problem.classes, len(truth), counts)
    return problem.metric.gain(problem.metric.value(truth, constant, counts), 0.0)


def _simplest(models: list[Tried], gains: dict[str, Floats], folds: tuple[int, ...], nothing: float) -> Chosen:
    """The simplest model within one standard error of the best; with one fold, which has no error, the best."""
    best = max(models, key=lambda one: float(np.nanmean(gains[one.candidate.name])))
    most = float(np.nanmean(gains[best.candidate.name]))
    least = most - policy("classical")["choice"]["may_give_up"] * max(0.0, most - nothing)

    def is_level(one: Tried) -> bool:
        ours = gains[one.candidate.name]
        return bool(np.nanmean(ours) >= least and not more_than_noise(gains[best.candidate.name] - ours))

    level = [one for one in models if one is best or (len(folds) > 1 and is_level(one))]
    chosen = min(level, key=lambda one: (one.candidate.simplicity, -float(np.nanmean(gains[one.candidate.name]))))
    reason = f"{best.candidate.name} did best over {len(folds)} folds"
    if chosen is not best:
        reason = (
            f"{chosen.candidate.name} is the simplest within one standard error of the best ({best.candidate.name}) "
            f"over {len(folds)} folds"
        )
    return Chosen(((chosen, 1.0),), folds, reason)


def choose_explainable(tried: list[Tried], problem: Problem) -> Chosen:
    """The best linear or additive model, with what it gives up against the best of all in the reason."""
    plain = choose([one for one in tried if one.candidate.explainable], problem, blends=False)
    free = choose(tried, problem)
    ours, theirs = plain.score(problem), free.score(problem)
    given_up = problem.metric.gain(theirs.value, ours.value)
    told = "costs nothing measurable" if given_up <= 0 or free.name == plain.name else f"costs {given_up:.3g}"
    reason = (
        f"{plain.reason}, among models whose every term can be read; that {told} in {problem.metric.title} "
        f"({ours.value:.4g}, and {theirs.value:.4g} for the {free.name})"
    )
    return replace(plain, reason=reason)


def _only(one: Tried, folds: tuple[int, ...]) -> dict[int, Floats]:
    return {at: one.answers[at] for at in folds}


def _blended(models: list[Tried], shares: Floats, folds: tuple[int, ...]) -> dict[int, Floats]:
    pairs = list(zip(models, map(float, shares), strict=True))
    return {at: np.asarray(sum(one.answers[at] * share for one, share in pairs), dtype=np.float64) for at in folds}


def _truth(problem: Problem, folds: tuple[int, ...]) -> Floats:
    return problem.truth_of(list(folds))


def _shares(models: list[Tried], folds: tuple[int, ...], problem: Problem) -> Floats:
    answers = [np.concatenate([one.answers[at] for at in folds]) for one in models]
    counts = problem.counts_of(list(folds))
    return blend_weights(answers, _truth(problem, folds), problem.classes, problem.metric.name, counts)


def _blend(
    models: list[Tried], folds: tuple[int, ...], problem: Problem, single: Floats, name: str, nothing: float
) -> Chosen | None:
    """The blend, when on each fold, weighted by the others, it gains more than noise over the single model.

    And enough to be worth its slower answers: a share of what the single model gains over the trivial answer.
    """
    crossed: dict[int, Floats] = {}
    for at in folds:
        others = tuple(fold for fold in folds if fold != at)
        crossed |= _blended(models, _shares(models, others, problem), (at,))
    gains = gains_of(crossed, problem) - single
    gained = float(np.nanmean(gains))
    worth = policy("classical")["choice"]["blend_gains"] * max(0.0, float(np.nanmean(single)) - nothing)
    if not more_than_noise(gains) or gained < worth:
        return None
    shares = _shares(models, folds, problem)
    members = tuple((one, float(share)) for one, share in zip(models, shares, strict=True) if share)
    if len(members) < 2:
        return None
    reason = (
        f"A blend of {len(members)} models gained {gained:.3g} over the {name} alone across {len(folds)} folds, "
        "more than one standard error"
    )
    return Chosen(members, folds, reason)


def _calibrated(chosen: Chosen, problem: Problem) -> Chosen:
    """The same, with probabilities tempered when that lowers the log loss on unseen folds by more than noise."""
    if not problem.classes or len(chosen.folds) < 3:
        return chosen
    answers = chosen.unseen()
    gains = []
    for at in chosen.folds:
        others = tuple(fold for fold in chosen.folds if fold != at)
        heat = _temperature(answers, others, problem)
        here, counts = _truth(problem, (at,)), problem.counts_of([at])
        gains.append(log_loss(answers[at], here, counts) - log_loss(tempered(answers[at], heat), here, counts))
    if not more_than_noise(np.array(gains)):
        return chosen
    return replace(chosen, temperature=round(_temperature(answers, chosen.folds, problem), 4))


def _temperature(answers: dict[int, Floats], folds: tuple[int, ...], problem: Problem) -> float:
    unseen, counts = np.concatenate([answers[at] for at in folds]), problem.counts_of(list(folds))
    return best_temperature(unseen, _truth(problem, folds), counts)
