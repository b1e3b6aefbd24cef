"""Whether there is anything to learn, and whether the labels can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.evidence.checks.rows import percent
from advisor.evidence.sheet import CLASS_TASKS, Sheet, as_label
from advisor.records.look import Pitfall

if TYPE_CHECKING:
    import numpy as np


def no_signal(sheet: Sheet) -> Pitfall:
    """P703: no quick model beats the trivial answer; where rows are too few to tell, only that is said."""
    entry, trial = sheet.entry("P703"), sheet.trial
    if trial is None:
        return entry.not_applicable()
    base = trial.baseline
    seen: dict[str, Any] = {"gain": base.gain, "low": base.low, "high": base.high, "model": base.model}
    seen |= {"metric": base.metric, "score": base.score, "trivial": base.trivial, "loss": base.loss}
    beats = beats_trivial(sheet)
    if beats == "yes":
        return entry.passed(**seen)
    seen |= {"rows": trial.units, "units": "groups" if trial.groups is not None else "rows"}
    return entry.issue([sheet.target], **seen) if beats == "no" else entry.tip([sheet.target], **seen)


def beats_trivial(sheet: Sheet) -> str:
    """Whether a quick model beats always giving the same answer: yes, no, or an empty string where it cannot be told.

    No needs two things: the interval leaves no room for a gain worth having, and there were rows enough to see one.
    A column that explains a share `worth` of the target is seen with power 80 % from (`power_z`)² / `worth` rows on.
    """
    trial, limits = sheet.trial, sheet.entry("P703").thresholds
    if trial is None:
        return ""
    if trial.baseline.low > 0:
        return "yes"
    enough = trial.units >= limits["power_z"] ** 2 / limits["worth"]
    return "no" if enough and trial.most < limits["worth"] else ""


def label_errors(sheet: Sheet) -> Pitfall:
    """P303: labels that a model contradicts where it is surest (confident learning)."""
    import numpy as np

    entry, limits, trial = sheet.entry("P303"), sheet.entry("P303").thresholds, sheet.trial
    if trial is None or sheet.task not in CLASS_TASKS or len(trial.answers) < limits["least_rows"]:
        return entry.not_applicable()
    counts = np.bincount(trial.answers, minlength=trial.classes)
    suspects = suspicious(trial.found, trial.answers)
    suspects = suspects[counts[trial.answers[suspects]] >= limits["fewest_a_class"]]
    easy = _surest(trial.found, limits["surest_share"])
    misses = trial.found.argmax(axis=1) != trial.answers
    overall = float(misses.mean())
    few = max(limits["surest_fifth"], min(1.0, limits["least_rows"] / len(misses)))
    flat = float(misses[_surest(trial.found, few)].mean()) >= limits["flat_there"] * overall
    wrong = misses[easy]
    if 1 - float(wrong.mean()) < limits["least_accuracy"] or sheet.flows:
        return entry.skipped()
    # A standard error and a half below what was seen: on a small table a few misses prove nothing.
    share = float(wrong.mean())
    sure = share - 1.5 * float(np.sqrt(share * (1 - share) / len(wrong)))
    row_numbers = [int(number) + 1 for number in trial.frame.index[suspects[:20]]]
    seen: dict[str, Any] = {
        "first": ", ".join(f"{number:,}" for number in row_numbers[:5]),
        "suspects": len(suspects),
        "checked": len(trial.answers),
        "share": percent(share),
        "rows": row_numbers,
    }
    if sure >= limits["issue"] and share >= limits["flat"] * overall and flat:
        return entry.issue([sheet.target], **seen)
    if len(suspects) < limits["tip"] * len(trial.answers):
        return entry.passed(**seen)
    # A model that hardly beats the trivial answer contradicts most rows of a rare class.
    return entry.tip([sheet.target], **seen) if trial.skill >= limits["least_skill"] else entry.skipped()


def suspicious(found: np.ndarray[Any, Any], answers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Rows whose label is probably wrong, surest first.

    A row is suspected when its probability of some other class reaches that class's threshold, the mean probability
    that rows labelled with the class get for it (Northcutt, Jiang and Chuang 2021), and beats its own label.
    """
    import numpy as np

    classes = found.shape[1]
    mean_of_own = [found[answers == code, code].mean() if (answers == code).any() else 2.0 for code in range(classes)]
    thresholds = np.array(mean_of_own)
    able = np.where(found >= thresholds, found, -1.0)
    best = able.argmax(axis=1)
    own = found[np.arange(len(answers)), answers]
    other = able[np.arange(len(answers)), best]
    rows = np.flatnonzero((other > 0) & (best != answers) & (other > own))
    return np.asarray(rows[np.argsort(own[rows] - other[rows], kind="stable")])


def _surest(found: np.ndarray[Any, Any], share: float) -> np.ndarray[Any, Any]:
    """The rows on which the model is surest, whatever their label."""
    import numpy as np

    sure = found.max(axis=1)
    return np.argsort(-sure, kind="stable")[: max(1, round(share * len(sure)))]


def low_agreement(sheet: Sheet) -> Pitfall:
    """P304: several annotators chose different labels for the same rows."""
    entry, limits, found = sheet.entry("P304"), sheet.entry("P304").thresholds, agreement_of(sheet)
    if found is None:
        return entry.not_applicable()
    names, agreement, alpha = found
    seen = {"agreement": percent(agreement), "alpha": f"{alpha:.2f}"}
    if alpha < limits["issue"]:
        return entry.issue(names, **seen)
    return entry.tip(names, **seen) if alpha < limits["tip"] else entry.passed(names, **seen)


def agreement_of(sheet: Sheet) -> tuple[list[str], float, float] | None:
    """The annotator columns, their mean pairwise agreement, and Krippendorff's alpha for names; None without them."""
    import numpy as np
    import pandas as pd

    names = [column.name for column in sheet.columns if column.role == "annotator"]
    if len(names) < 2:
        return None
    cells = sheet.whole[names].map(lambda cell: as_label(cell) if pd.notna(cell) else None)
    codes, values = pd.factorize(cells.to_numpy(dtype=object).ravel())
    table = codes.reshape(len(cells), len(names))
    counts = np.zeros((len(cells), len(values)))
    for place in range(len(names)):
        filled = table[:, place] >= 0
        counts[np.flatnonzero(filled), table[filled, place]] += 1
    counts = counts[counts.sum(axis=1) >= 2]
    if not len(counts):
        return None
    raters = counts.sum(axis=1)
    agreeing = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
    observed = float(((1 - agreeing) * raters).sum() / raters.sum())
    totals = counts.sum(axis=0)
    pairs = float(totals.sum() * (totals.sum() - 1))
    expected = 1 - float((totals * (totals - 1)).sum()) / pairs
    return names, float(agreeing.mean()), 1 - observed / expected if expected else 1.0
