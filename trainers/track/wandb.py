"""The door to Weights & Biases, offline: a folder that `wandb sync` sends when a person says so, and nothing before."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from trainers.track.told import Told


def write(told: Told, place: Path) -> str:
    """The run under `place`/wandb, as an offline run with the id of its content; returns that id."""
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb

    place.mkdir(parents=True, exist_ok=True)
    for known in place.glob(f"wandb/offline-run-*-{told.id}"):
        shutil.rmtree(known)  # the same content; one that a kill cut short is not told from a whole one
    # Nothing of this machine goes along: no console, no hardware, no code, no list of packages.
    quiet = wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        save_code=False,
        x_disable_stats=True,
        x_disable_meta=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
    )
    run = wandb.init(
        mode="offline",
        project=told.case,
        name=told.run,
        id=told.id,
        dir=str(place),
        config=dict(told.settings),
        tags=[told.tags["gate"], told.tags["trainer"]],
        notes=told.verdict,
        settings=quiet,
    )
    for step, values in told.curve:
        run.log({f"curve/{name}": value for name, value in values.items()}, step=step)
    run.summary.update({**told.figures, **{f"about/{name}": value for name, value in told.tags.items()}})
    run.finish()
    return told.id
