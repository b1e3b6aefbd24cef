"""Opens a run that learnt which action pays: the likeliest action of each row, and the probability of each."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from advisor.records.run import RunRecord
from trainers.logged.model_file import load_policy
from trainers.use.answers import Answers
from trainers.use.cells import truths_as_trained
from trainers.use.discoveries import columns_of_lens
from trainers.use.opened import Allowance, Backend


def open_policies(run: Path, record: RunRecord, allowance: Allowance) -> Backend:
    """The run's backend. Whoever acts by it draws from the probabilities, and logs the one that was drawn."""
    found = load_policy(run)
    columns = () if found.lens is None else columns_of_lens(found.lens)
    spelled = truths_as_trained(columns)

    def answer(frame: pd.DataFrame) -> Answers:
        frame = spelled(frame)
        shares = found.probabilities(frame)
        return Answers([found.actions[at] for at in shares.argmax(axis=1)], found.actions, shares)

    return Backend(columns, found.actions, answer)
