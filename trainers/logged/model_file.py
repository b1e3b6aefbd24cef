"""A learnt policy on disk: plain JSON and arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from advisor.records.plain import to_plain
from trainers.classical.columns import Column, Schema
from trainers.common.metrics import Floats
from trainers.common.model_files import read_arrays, read_model, told_as_damage, write_arrays, write_model
from trainers.logged.bandits import Rewards, acts
from trainers.unsupervised.encoder import Encoder
from trainers.unsupervised.lenses import TableLens

_FORM = 1


@dataclass(frozen=True)
class Policy:
    """What answers for a run. Without columns to look at (`lens` is None) every row is alike."""

    lens: TableLens | None
    rewards: Rewards
    way: str
    actions: tuple[str, ...]
    seed: int

    def features(self, frame: pd.DataFrame) -> Floats:
        """What is known of each row, as numbers."""
        return np.zeros((len(frame), 0)) if self.lens is None else self.lens.features(frame)

    def probabilities(self, frame: pd.DataFrame) -> Floats:
        """How likely each action is to be chosen [rows, actions]."""
        return acts(self.rewards, self.features(frame), self.way, self.seed)


def save_policy(run: Path, policy: Policy) -> None:
    """Write it into a run folder, and read it back."""
    write_arrays(run, "rewards.npz", mean=policy.rewards.mean, root=policy.rewards.root)
    lens = None
    if policy.lens is not None:
        lens = {"columns": to_plain(policy.lens.schema)["columns"], "encoder": to_plain(policy.lens.encoder)}
    content = {"way": policy.way, "actions": list(policy.actions), "seed": policy.seed, "table": lens}
    write_model(run, _FORM, content)
    load_policy(run)


def load_policy(run: Path) -> Policy:
    """The policy of a run. The caller has verified the run's files against their hashes."""
    with told_as_damage(run):
        content = read_model(run, _FORM)
        kept = read_arrays(run, "rewards.npz")
        rewards = Rewards(np.asarray(kept["mean"], dtype=np.float64), np.asarray(kept["root"], dtype=np.float64))
        lens, told = None, content["table"]
        if told is not None:
            encoder = told["encoder"]
            numbers = tuple((str(n), float(m), float(s)) for n, m, s in encoder["numbers"])
            categories = tuple((str(n), tuple(map(str, v)), tuple(map(float, s))) for n, v, s in encoder["categories"])
            schema = Schema(tuple(Column(**column) for column in told["columns"]))
            lens = TableLens(schema, Encoder(numbers, categories, bool(encoder["rarity"])))
        return Policy(lens, rewards, str(content["way"]), tuple(map(str, content["actions"])), int(content["seed"]))
