"""Which rows to label when inputs have moved: enough at random to measure, and the ones the model is least sure of."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from advisor.base.files import write_atomically
from advisor.base.safetext import for_csv
from trainers.monitor.policy import Policy
from trainers.use.answers import Answers
from trainers.use.written import disarmed


def rows_needed(promised: float, half_width: float, confidence: float = 0.95) -> int:
    """How many random rows tell the share of right answers to within `half_width` when it is about `promised`."""
    spread = float(stats.norm.isf((1 - confidence) / 2))
    share = min(max(promised, 0.1), 0.9)
    return math.ceil(share * (1 - share) * (spread / half_width) ** 2)


def choose_rows(frame: pd.DataFrame, answers: Answers, promised: float, policy: Policy, seed: int) -> pd.DataFrame:
    """The chosen rows with `why`: `random` ones measure without bias, `unsure` ones teach most."""
    line = policy["labels"]
    order = np.random.default_rng(seed).permutation(len(frame))
    random = order[: rows_needed(promised, float(line["half_width"]))]
    chosen = [(int(at), "random") for at in np.sort(random)]
    sureness = answers.sureness()
    if sureness is not None:
        rest = np.setdiff1d(np.arange(len(frame)), random)
        least = rest[np.argsort(sureness[rest], kind="stable")][: int(line["unsure"])]
        chosen += [(int(at), "unsure") for at in least]
    part = frame.iloc[[at for at, _ in chosen]].reset_index(drop=True)
    return part.assign(why=[why for _, why in chosen])


def write_rows(path: Path, rows: pd.DataFrame, target: str) -> None:
    """As CSV with an empty column for the label, ready to be filled in and checked."""
    safe = rows.assign(**{target: ""}) if target else rows
    safe = pd.DataFrame({name: disarmed(safe[name]) for name in safe.columns})
    safe.columns = pd.Index([for_csv(str(name)) for name in safe.columns])
    write_atomically(path, str(safe.to_csv(index=False, lineterminator="\n")))
    path.chmod(0o600)
