"""The linear model on the frozen body, and where there is time and leave for it on the tuned one; then one is taken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.records.run import Score
from trainers.backbone.base import open_backbone
from trainers.backbone.method import AUTO, FROZEN, NAMES, TUNED, Way, fit_way, nothing_to_gain, simplest
from trainers.backbone.reading import Reading
from trainers.backbone.room import Room
from trainers.common.metrics import Integers, Metric
from trainers.common.policy import policy


@dataclass(frozen=True)
class Fitted:
    """The way that was taken, why, and who reads for it; the score of each way on rows held back.

    `settings` and `diagnostics` are what the run record tells of tuning, also where the frozen body stays.
    """

    way: Way
    reading: Reading
    scored: dict[str, Score]
    choice: str
    settings: dict[str, Any] = field(default_factory=dict)
    diagnostics: dict[str, Any] = field(default_factory=dict)

    @property
    def tuned(self) -> bool:
        """Whether the body that answers was tuned."""
        return self.way.method == TUNED


def fit_ways(
    room: Room, place: Path, asked: str, truth: Integers, held: NDArray[np.bool_], classes: int, metric: Metric,
    seconds: float, seed: int,
) -> Fitted:  # fmt: skip
    """Fit what `room` allows. `truth` and `held` [rows] are of the rows read; `seconds` is the whole time budget.

    `place` is the base's folder, `asked` the plan's method.
    """
    reading = room.reading
    frozen = fit_way(FROZEN, reading.features(room.rows), truth, held, classes, metric, seed)
    scored = {NAMES[FROZEN]: frozen.score}
    if not room.passes:
        stays = "its weights stay as they are" + (", as the plan says" if asked == FROZEN else "")
        return Fitted(frozen, reading, scored, stays, {"method": FROZEN})
    if asked == AUTO and nothing_to_gain(frozen, truth[held], metric):
        why = f"as it is it errs on none of {held.sum():,} rows held back, so tuning could gain nothing there"
        return Fitted(frozen, reading, scored, why, {"method": FROZEN})
    from trainers.backbone.tuning import Lesson, tune

    reading.progress.phase(f"Tuning {place.name}, {room.passes} passes at most, about {room.a_pass:,.1f} s each")
    lesson = Lesson(reading, room.rows, truth, held, frozen.part, metric, seed)
    rules = policy("backbone")
    # What tuning may take, less the time to read every image anew.
    within = rules["budget"]["tune"] * seconds - len(reading.digests) * room.each
    learnt = tune(lesson, room.passes, within)
    anew = replace(reading, body=TUNED)
    reading.progress.phase("Reading the images by the tuned model")
    tuned = fit_way(TUNED, anew.features(room.rows), truth, held, classes, metric, seed)
    way, why = simplest(frozen, tuned, truth[held], metric, seed)
    if asked == TUNED:
        way, why = tuned, f"the plan wants it tuned; {why.partition(', ')[0]}"
    if way is frozen:
        anew = replace(reading, backbone=open_backbone(place, reading.backbone.threads))
    rate, share = rules["tune"]["rate"], learnt.learned / (learnt.learned + learnt.beside)
    told = {
        "method": way.method,
        "passes": len(learnt.passes),
        "pass_kept": learnt.kept,
        "learning_rate": rate["value"],
        "learning_rate_source": rate["source"],
        **{name: rules["tune"][name] for name in ("rank", "alpha", "batch")},
    }
    curve = [
        {"step": int(one["pass"]), "train_loss": one["loss"], "development_loss": one["held_loss"]}
        for one in learnt.passes
    ]
    tuning = {"trainable_weights": learnt.learned, "trainable_share": round(share, 5), "passes": learnt.passes}
    scored[NAMES[TUNED]] = tuned.score
    return Fitted(way, anew, scored, why, told, {"curve": curve, "tuning": tuning})
