"""The door to TensorBoard: event files that `tensorboard --logdir` shows, written without TensorBoard itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from trainers.track.told import Told


def write(told: Told, place: Path) -> str:
    """The run in a folder of its name under `place`, in the place of what stood there; returns that name."""
    from tensorboardX import SummaryWriter

    place.mkdir(parents=True, exist_ok=True)
    scratch = place / f".{told.run}.part"
    shutil.rmtree(scratch, ignore_errors=True)
    with SummaryWriter(logdir=str(scratch)) as writer:
        for name, value in told.figures.items():
            writer.add_scalar(name, value, 0)
        for step, values in told.curve:
            for name, value in values.items():
                writer.add_scalar(f"curve/{name}", value, step)
        writer.add_text("verdict", told.verdict, 0)
        for name, table in (("settings", told.settings), ("about", told.tags)):
            writer.add_text(name, "\n".join(f"    {key}: {value}" for key, value in table.items()), 0)
    shutil.rmtree(place / told.run, ignore_errors=True)
    scratch.rename(place / told.run)
    return told.run
