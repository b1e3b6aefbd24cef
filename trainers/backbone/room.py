"""How many images are read, and how many passes of tuning made, in the time budget; a resumed run does the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from trainers.backbone.method import FROZEN, TUNED
from trainers.backbone.reading import Reading
from trainers.common.metrics import Integers
from trainers.common.model_files import read_arrays, write_arrays
from trainers.common.policy import policy
from trainers.common.runfolder import WORK, work_file

_KEPT = "rows.npz"


@dataclass(frozen=True)
class Room:
    """`rows` that `reading` reads, `each` seconds an image, and so many `passes` of tuning, `a_pass` seconds each.

    Without passes `note` says why, where tuning was asked for or might have been worth it.
    """

    rows: Integers
    each: float
    reading: Reading
    passes: int = 0
    a_pass: float = 0.0
    note: str = ""


@dataclass(frozen=True)
class Asked:
    """What is to be read: positions to `train` on and how many of them are `held` back, how many are `tested`.

    `truth` is the class of every row there is; `seconds` the whole time budget; `method` as in a plan.
    """

    train: Integers
    held: int
    tested: int
    truth: Integers
    seconds: float
    method: str
    seed: int


def find_room(reading: Reading, asked: Asked) -> Room:
    """What the budget holds, by timing the first images and a step of learning from them.

    Every class keeps a row, all classes in turn. Raises `BadInput` when too few images can be read, and when the body
    must be tuned and that cannot be done.
    """
    if work_file(reading.run, _KEPT).is_file():
        kept = read_arrays(reading.run, f"{WORK}/{_KEPT}")
        same = replace(reading, backbone=replace(reading.backbone, threads=int(kept["threads"])))
        rows = np.asarray(kept["rows"], dtype=np.int64)
        return Room(rows, float(kept["each"]), same, int(kept["passes"]), float(kept["a_pass"]), str(kept["note"]))
    each, reader = reading.timed(asked.train)
    passes, a_pass, note = (0, 0.0, "") if asked.method == FROZEN else _passes(reader, asked, each)
    if note and asked.method == TUNED:
        raise BadInput(
            note,
            where="plan.yaml: budget_seconds" if a_pass else "plan.yaml: settings.method",
            why="The plan wants it tuned, not used as it is.",
            fix="Give it the time, choose a smaller image model, or leave the choice to the run: --setting method=auto",
            code="no-tuning",
        )
    room = Room(_readable(asked, each, tuned=passes > 0), each, reader, passes, a_pass, note)
    write_arrays(
        reading.run,
        f"{WORK}/{_KEPT}",
        rows=room.rows,
        each=np.array(each),
        threads=np.array(reader.backbone.threads),
        passes=np.array(passes),
        a_pass=np.array(a_pass),
        note=np.array(note),
    )
    return room


def _passes(reading: Reading, asked: Asked, each: float) -> tuple[int, float, str]:
    """Passes of tuning that its share of the budget holds, seconds of one, and why there is none."""
    from trainers.backbone.adapters import layers_of
    from trainers.backbone.tuning import seconds_an_image

    if not layers_of(reading.backbone):
        return 0, 0.0, "The saved model was not tuned: it has no layer of the kinds that can be."
    rules, learnt, every = policy("backbone"), len(asked.train) - asked.held, len(asked.train) + asked.tested
    shares, read = rules["budget"], every * each
    # A step costs more than a reading: where not even that fits, none is tried.
    hopeless = max(read / shares["read"], (read + len(asked.train) * each) / shares["tune"]) > asked.seconds
    try:
        step = each * rules["estimate"]["tune"]["readings"] if hopeless else seconds_an_image(reading, asked.train)
    except (AttributeError, TypeError, ValueError, RuntimeError) as error:
        return (
            0,
            0.0,
            f"The saved model was not tuned: it does not work with added weights ({plain(error, 120)}).",
        )
    a_pass = learnt * step + asked.held * each
    needed = max(read / shares["read"], (read + a_pass) / shares["tune"])
    if needed <= asked.seconds:
        fitting = int((asked.seconds * shares["tune"] - read) / a_pass)
        return min(rules["tune"]["passes"], fitting), a_pass, ""
    note = (
        f"The saved model was not tuned: one pass over {learnt:,} training images takes about {a_pass:,.1f} s here, "
        f"and with reading all images before and after it that needs a budget of {int(needed) + 1:,} s: "
        f"train-or-not train CASE --budget-seconds {int(needed) + 1}"
    )
    return 0, a_pass, note


def _readable(asked: Asked, each: float, *, tuned: bool) -> Integers:
    """As many of the training rows as can be read beside the sealed ones. Raises `BadInput` for too few."""
    rules, train = policy("backbone")["budget"], asked.train
    share = rules["read"] + (0.0 if tuned else rules["tune"])
    fewest = min(len(train), max(rules["fewest"], 2 * len(np.unique(asked.truth[train]))))
    count = min(len(train), int(share * asked.seconds / max(each, 1e-9)) - asked.tested)
    if count < fewest:
        needed = (len(train) + asked.tested) * each / share
        raise BadInput(
            f"The model needs {each:.2f} s an image, and the budget holds {max(count, 0):,} of {len(train):,} of them.",
            where="plan.yaml: budget_seconds",
            why=f"With fewer than {fewest:,} images nothing can be learnt and tested.",
            fix=f"train-or-not train CASE --budget-seconds {int(needed) + 2}   (or choose a smaller image model)",
            code="budget-too-small",
        )
    return np.sort(_in_turn(train, asked.truth, asked.seed)[:count])


def _in_turn(rows: Integers, truth: Integers, seed: int) -> Integers:
    """The rows in random order, but the first of every class before any second."""
    order = np.random.default_rng(seed).permutation(rows)
    nth = pd.Series(truth[order]).groupby(truth[order]).cumcount().to_numpy()
    return np.asarray(order[np.argsort(nth, kind="stable")], dtype=np.int64)
