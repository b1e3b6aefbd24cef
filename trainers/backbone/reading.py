"""Every image read once by the pretrained model, piece by piece, so that a killed run goes on with the next piece."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.files import sha256_of_text
from trainers.backbone.base import Backbone
from trainers.backbone.images import Source, open_images
from trainers.common.machine import processors
from trainers.common.metrics import Floats, Integers
from trainers.common.model_files import read_arrays, write_arrays
from trainers.common.policy import policy
from trainers.common.runfolder import WORK, work_file
from trainers.contract import Progress


@dataclass(frozen=True)
class Reading:
    """What reads: the model, where the images are, and the run that keeps what was read. `digests` name the images."""

    backbone: Backbone
    source: Source
    rows: pd.DataFrame
    folder: Path
    digests: Sequence[str]
    run: Path
    progress: Progress

    def features(self, of: Integers) -> Floats:
        """[rows, width] of these positions; what an earlier attempt has read is not read again."""
        size, found = policy("backbone")["piece"], []
        for start in range(0, len(of), size):
            found.append(self._piece(of[start : start + size]))
            self.progress.step(min(start + size, len(of)), len(of), f"{min(start + size, len(of)):,} images")
        return np.concatenate(found)

    def _piece(self, of: Integers) -> Floats:
        name = f"{WORK}/features-{sha256_of_text(' '.join(self.digests[at] for at in of))[:24]}.npz"
        if (self.run / name).is_file():
            return np.asarray(read_arrays(self.run, name)["features"], dtype=np.float64)
        features = self.seen(of)
        write_arrays(self.run, name, features=features)
        return features

    def seen(self, of: Integers) -> Floats:
        """[rows, width], read now."""
        images = open_images(self.rows.iloc[of], self.source, self.folder)
        return np.stack([self.backbone.features(image) for image in images])

    def timed(self, of: Integers) -> tuple[float, Reading]:
        """How long one image takes, by the first few of these; and who reads on, with one processor or with all.

        On a machine that is busy with other work, several threads wait for each other and can be far slower than one.
        """
        few, took = of[: policy("backbone")["budget"]["probe"]], {}
        for threads in sorted({1, processors()}):
            reader = replace(self, backbone=replace(self.backbone, threads=threads))
            reader.seen(few[:1])  # the first also pays for what is made ready once
            started = time.monotonic()
            reader.seen(few)
            took[(time.monotonic() - started) / len(few)] = reader
        return min(took), took[min(took)]


def rows_in_budget(
    reading: Reading, train: Integers, truth: Integers, tested: int, seconds: float, seed: int
) -> tuple[Integers, float, Reading]:
    """As many of the training rows as can be read in `seconds` beside `tested` sealed ones, seconds each, who reads.

    Every class keeps a row, all classes in turn. The choice is kept in the run: a resumed attempt reads the same rows
    with as many threads. Raises `BadInput` when too few can be read.
    """
    if work_file(reading.run, "rows.npz").is_file():
        kept = read_arrays(reading.run, f"{WORK}/rows.npz")
        same = replace(reading, backbone=replace(reading.backbone, threads=int(kept["threads"])))
        return np.asarray(kept["rows"], dtype=np.int64), float(kept["each"]), same
    each, reader = reading.timed(train)
    fewest = min(len(train), max(policy("backbone")["budget"]["fewest"], 2 * len(np.unique(truth[train]))))
    count = min(len(train), int(seconds / max(each, 1e-9)) - tested)
    if count < fewest:
        needed = (len(train) + tested) * each / policy("backbone")["budget"]["read"]
        raise BadInput(
            f"The model needs {each:.2f} s an image, and the budget holds {max(count, 0):,} of {len(train):,} of them.",
            where="plan.yaml: budget_seconds",
            why=f"With fewer than {fewest:,} images nothing can be learnt and tested.",
            fix=f"train-or-not train CASE --budget-seconds {int(needed) + 2}   (or choose a smaller image model)",
            code="budget-too-small",
        )
    rows, threads = np.sort(_in_turn(train, truth, seed)[:count]), np.array(reader.backbone.threads)
    write_arrays(reading.run, f"{WORK}/rows.npz", rows=rows, each=np.array(each), threads=threads)
    return rows, each, reader


def _in_turn(rows: Integers, truth: Integers, seed: int) -> Integers:
    """The rows in random order, but the first of every class before any second."""
    order = np.random.default_rng(seed).permutation(rows)
    nth = pd.Series(truth[order]).groupby(truth[order]).cumcount().to_numpy()
    return np.asarray(order[np.argsort(nth, kind="stable")], dtype=np.int64)
