"""Every image read once by the pretrained model, piece by piece, so that a killed run goes on with the next piece."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor.base.files import sha256_of_text
from trainers.backbone.base import Backbone
from trainers.backbone.images import Source, open_images
from trainers.common.machine import processors
from trainers.common.metrics import Floats, Integers
from trainers.common.model_files import read_arrays, write_arrays
from trainers.common.policy import policy
from trainers.common.runfolder import WORK
from trainers.contract import Progress


@dataclass(frozen=True)
class Reading:
    """What reads: the model, where the images are, and the run that keeps what was read. `digests` name the images.

    `body` names what is kept: features of one body are not those of another.
    """

    backbone: Backbone
    source: Source
    rows: pd.DataFrame
    folder: Path
    digests: Sequence[str]
    run: Path
    progress: Progress
    body: str = "features"

    def features(self, of: Integers) -> Floats:
        """[rows, width] of these positions; what an earlier attempt has read is not read again."""
        size, found = policy("backbone")["piece"], []
        for start in range(0, len(of), size):
            found.append(self._piece(of[start : start + size]))
            self.progress.step(min(start + size, len(of)), len(of), f"{min(start + size, len(of)):,} images")
        return np.concatenate(found)

    def _piece(self, of: Integers) -> Floats:
        name = f"{WORK}/{self.body}-{sha256_of_text(' '.join(self.digests[at] for at in of))[:24]}.npz"
        if (self.run / name).is_file():
            return np.asarray(read_arrays(self.run, name)["features"], dtype=np.float64)
        features = self.seen(of)
        write_arrays(self.run, name, features=features)
        return features

    def seen(self, of: Integers) -> Floats:
        """[rows, width], read now."""
        images = open_images(self.rows.iloc[of], self.source, self.folder)
        return np.stack([self.backbone.features(image) for image in images])

    def pixels(self, of: Integers) -> list[Any]:
        """Each of these images as the model wants it [3, height, width]."""
        return [self.backbone.pixels(image)[0] for image in open_images(self.rows.iloc[of], self.source, self.folder)]

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
