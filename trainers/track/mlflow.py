"""The door to MLflow: its SQLite store, which `mlflow ui --backend-store-uri sqlite:///…` shows."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from trainers.track.told import Told

FILE = "mlflow.db"
_TAG = "train-or-not"


def write(told: Told, place: Path) -> str:
    """The run in `place`/mlflow.db, in an experiment of the case's name; returns MLflow's id of it."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.tracking import MlflowClient

    place.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(tracking_uri=f"sqlite:///{place.resolve() / FILE}")
    found = client.get_experiment_by_name(told.case)
    experiment = found.experiment_id if found else client.create_experiment(told.case)
    for known in client.search_runs([experiment], f"tags.`{_TAG}.id` = '{told.id}'"):
        if known.info.status == "FINISHED":
            return str(known.info.run_id)
        client.delete_run(known.info.run_id)  # a kill cut it short
    finished = int(datetime.fromisoformat(told.finished).timestamp() * 1000)
    tags = {f"{_TAG}.{name}": value for name, value in {**told.tags, "id": told.id}.items() if value}
    run = client.create_run(
        experiment, start_time=finished, run_name=told.run, tags={**tags, "mlflow.note.content": told.verdict}
    )
    name = str(run.info.run_id)
    metrics = [Metric(name, value, finished, 0) for name, value in told.figures.items()]
    metrics += [
        Metric(f"curve/{name}", value, finished, step) for step, values in told.curve for name, value in values.items()
    ]
    parameters = [Param(name, value) for name, value in told.settings.items()]
    for start in range(0, max(len(metrics), len(parameters)), 100):  # MLflow takes a hundred settings at once
        part = slice(start, start + 100)
        client.log_batch(name, metrics=metrics[part], params=parameters[part], tags=[RunTag(f"{_TAG}.whole", "yes")])
    client.set_terminated(name, "FINISHED", finished)
    return name
