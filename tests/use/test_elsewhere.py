"""Past one process and one machine: a Dask cluster of two workers, and what the container would install."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import train_or_not
from tests.use.conftest import table
from tests.use.test_serving import ask
from trainers.export.bundle import export_run
from trainers.use.opened import OpenedRun

pytestmark = pytest.mark.heavy
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.filterwarnings("ignore")
def test_two_workers_of_a_cluster_give_the_bytes_of_one_process(opened: OpenedRun, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    table(25_000, seed=70).drop(columns="late").to_csv(tmp_path / "new.csv", index=False)
    here = train_or_not("predict", str(opened.folder), "new.csv", "--output", "here.csv", folder=tmp_path, timeout=1200)
    assert here.code == 0, here.err
    os.environ["PYTHONPATH"] = str(ROOT)
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        words = ("predict", str(opened.folder), "new.csv", "--output", "there.csv", "--json")
        there = train_or_not(*words, "--dask", cluster.scheduler_address, folder=tmp_path, timeout=1200)
    assert there.code == 0, there.err
    assert "2 workers" in there.err and there.json["rows"] == 25_000
    assert (tmp_path / "there.csv").read_bytes() == (tmp_path / "here.csv").read_bytes()
    absent = train_or_not(*words, "--dask", "tcp://127.0.0.1:9", folder=tmp_path, timeout=1200)
    assert absent.code == 2 and "no-cluster" in absent.err


def test_a_fresh_environment_with_the_containers_own_pip_line_serves_the_same(
    opened: OpenedRun, tmp_path: Path
) -> None:
    """What `docker build` would run, run without Docker: its `RUN pip install` lines, then its `ENTRYPOINT`."""
    shipped = tmp_path / "shipped"
    export_run(opened, shipped, lambda _: None, onnx=False)
    lines = (shipped / "Dockerfile").read_text(encoding="utf-8").splitlines()
    installs = [line.removeprefix("RUN ") for line in lines if line.startswith("RUN pip install")]
    command = json.loads(next(line for line in lines if line.startswith("ENTRYPOINT ")).removeprefix("ENTRYPOINT "))
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    binaries = tmp_path / "venv" / "bin"
    environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}", "TOOL": str(ROOT)}
    environment.pop("PYTHONPATH", None)
    for line in installs:
        words = [word.replace("$TOOL", str(ROOT)) for word in shlex.split(line)]
        done = subprocess.run(words, cwd=shipped, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
    told = subprocess.run([binaries / "pip", "list", "--format=json"], capture_output=True, text=True, check=True)
    there = {one["name"].lower() for one in json.loads(told.stdout)}
    assert not there & {"torch", "transformers", "openai", "rich", "questionary", "matplotlib", "pytest"}
    port = "8000"
    server = subprocess.Popen(
        [*(word for word in command if word not in ("--host", "0.0.0.0", "--port", port)), "--port", "0"],
        cwd=shipped, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        number = int(server.stdout.readline().split("/predict")[0].rpartition(":")[2])
        rows = json.loads(table(20, seed=71).drop(columns="late").to_json(orient="records", double_precision=15))
        import pandas as pd

        status, answered = ask(number, {"rows": rows})
        assert (status, answered["predictions"]) == (200, list(opened.answer(pd.DataFrame(rows)).rows()))
    finally:
        server.terminate()
        server.communicate(timeout=60)
