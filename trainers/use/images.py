"""Opens a run on images: each row's image read by the pretrained model, answered with the probability of each class."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from advisor.records.run import RunRecord
from trainers.backbone.model_file import load_seer
from trainers.use.answers import Answers
from trainers.use.inputs import InputColumn
from trainers.use.opened import Allowance, Backend


def open_images(run: Path, record: RunRecord, allowance: Allowance) -> Backend:
    """The run's backend."""
    seer = load_seer(run)
    # A file's name is no text to compare with others: what it says of the image is in the answers.
    columns = tuple(InputColumn(name, "number" if seer.source.shape else "any") for name in seer.source.columns)

    def answer(frame: pd.DataFrame) -> Answers:
        shares = seer.probabilities(frame, allowance.files)
        return Answers([seer.classes[at] for at in shares.argmax(axis=1)], seer.classes, shares)

    return Backend(columns, seer.classes, answer, at_once=100)
