"""`train-or-not track`: the record of a run, told to the tracker that a team already uses; nothing is sent anywhere."""

from __future__ import annotations

import argparse
import importlib
import shlex
from pathlib import Path
from typing import cast

from advisor.base.errors import BadInput, EnvironmentMissing
from advisor.cli.output import Output

SUMMARY = (
    "Writes figures, settings and hashes of a finished run where MLflow (SQLite), TensorBoard or Weights & Biases\n"
    "(offline) read them. No row of the data goes along, and nothing leaves this machine."
)
EXAMPLES = (
    "train-or-not track my-case --to mlflow                             the newest run, into my-case/tracked/",
    "train-or-not track my-case/runs/classical-1 --to tensorboard --into ~/boards",
)

# Each tracker's module, and how a person looks at what was written into a place.
TRACKERS = {
    "mlflow": "mlflow ui --backend-store-uri sqlite:///{place}/mlflow.db",
    "tensorboard": "tensorboard --logdir {place}",
    "wandb": "wandb sync --sync-all {place}/wandb   (sends it to the server you are logged in to)",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `track`."""
    parser.add_argument("run", metavar="RUN", help="a finished run: CASE/runs/ID, or CASE for its newest")
    parser.add_argument("--to", required=True, choices=sorted(TRACKERS), help="which tracker")
    parser.add_argument("--into", metavar="FOLDER", help="where it writes; CASE/tracked unless named")


def run(arguments: argparse.Namespace, out: Output) -> int:
    """Write it; the same run told again stands there once."""
    from advisor.cli.run_folder import run_folder
    from advisor.records.plain import load
    from advisor.records.run import RunRecord
    from trainers.common.runfolder import verify
    from trainers.track.told import Tracker, told_of

    folder = run_folder(arguments.run)
    verify(folder)
    record = load(folder / "run.json", RunRecord)
    place = Path(arguments.into).expanduser() if arguments.into else folder.parent.parent / "tracked"
    if place.exists() and not place.is_dir():
        raise BadInput(f"{place} is a file.", where="--into", fix="Name a folder.", code="not-a-folder")
    write = cast(Tracker, importlib.import_module(f"trainers.track.{arguments.to}").write)
    try:
        name = write(told_of(folder, record), place)
    except ImportError as error:
        raise EnvironmentMissing(
            f"{arguments.to} needs a package that is not installed: {error.name}.",
            fix=f"pip install 'train-or-not[{arguments.to}]'",
            code="no-extra",
        ) from None
    if out.json_mode:
        out.json({"to": arguments.to, "place": str(place), "run": record.run, "id": name})
    out.line(f"{record.run} is in {place} for {arguments.to}, as {name}.")
    out.note(f"Look at it: {TRACKERS[arguments.to].format(place=shlex.quote(str(place)))}")
    return 0
