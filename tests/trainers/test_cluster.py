"""`train --dask` sends the search to a cluster of the user's, and finds what it finds here."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import train_or_not
from training_plans import LIGHT, plan_for, written

from advisor.base.strictyaml import dump
from advisor.records.plain import load, to_plain
from advisor.records.run import RunRecord

CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
# Its one worker leaves once the client has come.
LEAVING = """
import sys, time
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        while not any(name.startswith("Client-") for name in cluster.scheduler.clients):
            time.sleep(0.05)
        cluster.scale(0)
        sys.stdin.read()
"""


def case(folder: Path) -> None:
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"x": draw.normal(size=300), "z": draw.normal(size=300)})
    frame["label"] = np.where(frame["x"] + frame["z"] + draw.normal(size=300) > 0, "yes", "no")
    written(frame, folder)
    plan = replace(plan_for(folder / "data.csv", "label", "binary", "roc_auc", settings=LIGHT), data="data.csv")
    (folder / "plan.yaml").write_text(dump(to_plain(plan)), encoding="utf-8")


@pytest.mark.heavy
def test_two_workers_of_a_local_cluster_find_what_this_process_finds(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    case(tmp_path / "here")
    case(tmp_path / "there")
    here = train_or_not("train", "here", folder=tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as cluster:
        assert cluster.stdout is not None and cluster.stdin is not None
        address = cluster.stdout.readline().strip()
        there = train_or_not("train", "there", "--dask", address, folder=tmp_path)
        cluster.stdin.close()
    assert (here.code, there.code) == (0, 0), there.err
    assert "Spread over 2 workers with 2 threads" in there.err
    records = [load(tmp_path / name / "runs" / "classical-1" / "run.json", RunRecord) for name in ("here", "there")]
    assert [one.development for one in records[0].candidates] == [one.development for one in records[1].candidates]
    assert records[0].sealed == records[1].sealed


@pytest.mark.heavy
def test_a_cluster_that_loses_its_workers_is_no_bug_of_ours_and_what_was_done_goes_on(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    case(tmp_path / "left")
    with subprocess.Popen(
        [sys.executable, "-c", LEAVING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as cluster:
        assert cluster.stdout is not None and cluster.stdin is not None
        address = cluster.stdout.readline().strip()
        said = train_or_not("train", "left", "--dask", address, folder=tmp_path)
        cluster.stdin.close()
    assert said.code == 5, said.err
    assert "was lost on the way" in said.err and "repeat the command" in said.err
    assert train_or_not("train", "left", folder=tmp_path).code == 0


def test_a_cluster_that_is_not_there_is_told_before_anything_starts(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    case(tmp_path / "alone")
    said = train_or_not("train", "alone", "--dask", "nonsense://nowhere:1", folder=tmp_path)
    assert said.code == 2
    assert "No Dask scheduler answers" in said.err
    assert not list((tmp_path / "alone" / "runs").glob("classical-*/work"))


def test_a_trainer_that_works_on_one_machine_says_so_instead_of_spreading_nothing(tmp_path: Path) -> None:
    case(tmp_path / "groups")
    plan = plan_for(tmp_path / "groups" / "data.csv", "", "groups", "agreement", against=("chance",))
    (tmp_path / "groups" / "plan.yaml").write_text(dump(to_plain(replace(plan, trainer="unsupervised"))))
    said = train_or_not("train", "groups", "--dask", "tcp://127.0.0.1:9", folder=tmp_path)
    assert said.code == 2
    assert "The trainer unsupervised works on one machine." in said.err
    assert "Leave --dask out" in said.err
