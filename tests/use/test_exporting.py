"""A run made ready to leave: the same answers elsewhere, ONNX only where it is equal, hashes that hold."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, SplineTransformer, StandardScaler

from advisor.base.errors import BadInput
from advisor.cli.main import dispatch
from tests.use.conftest import table
from trainers.classical.columns import learn_schema, prepare
from trainers.classical.model_file import Member, Model, load_model
from trainers.common.decide import Cut
from trainers.export.bundle import export_run
from trainers.export.onnxfile import Converted, NotConverted, convert
from trainers.use.opened import OpenedRun, open_run

TOLERANCE = 1e-4
# What serving a run must not need; the container does not install it.
LEFT_OUT = (
    "rich",
    "questionary",
    "prompt_toolkit",
    "matplotlib",
    "shtab",
    "openai",
    "transformers",
    "skl2onnx",
)
ELSEWHERE = f"""
import json, sys
for name in {LEFT_OUT!r}:
    sys.modules[name] = None
import advisor.cli.serve, trainers.serving.app, trainers.serving.server
from pathlib import Path
from advisor.base.tables import read_table
from trainers.use.opened import open_run
opened = open_run(Path("runs/classical-1"))
trainers.serving.app.application(opened, __import__("trainers.serving.limits", fromlist=["x"]).limits())
print(json.dumps(list(opened.answer(read_table("new.csv").frame).rows())))
"""


@pytest.fixture(scope="module")
def exported(opened: OpenedRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("ship") / "shipped"
    export_run(opened, target, lambda _: None)
    return target


def test_the_manifest_lists_every_file_with_its_hash(exported: Path, opened: OpenedRun) -> None:
    manifest = json.loads((exported / "manifest.json").read_text(encoding="utf-8"))
    there = {path.relative_to(exported).as_posix() for path in exported.rglob("*") if path.is_file()}
    assert there == {file["name"] for file in manifest["files"]} | {"manifest.json"}
    for file in manifest["files"]:
        assert hashlib.sha256((exported / file["name"]).read_bytes()).hexdigest() == file["sha256"]
    assert manifest["run"] == opened.provenance()
    assert {"runs/classical-1/COMPLETE", "MODEL_CARD.md", "Dockerfile", "requirements.txt"} <= there


def test_a_fresh_process_with_only_what_the_container_installs_answers_the_same_bits(
    exported: Path, opened: OpenedRun, tmp_path: Path
) -> None:
    shutil.copytree(exported / "runs", tmp_path / "runs")
    frame = table(50, seed=30).drop(columns="late")
    frame.to_csv(tmp_path / "new.csv", index=False)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-1500:]
    assert json.loads(done.stdout) == list(opened.answer(frame).rows())


def plain_model() -> Model:
    """A linear model on numbers and a category, without gaps or texts: every step of it has a converter."""
    frame = table(400, seed=34)
    schema = learn_schema(frame[["x", "z", "place"]])
    sparse = FunctionTransformer(scipy.sparse.csr_matrix, accept_sparse=True)
    numbers = make_pipeline(SimpleImputer(), StandardScaler(), sparse)
    fitted = Pipeline(
        [
            (
                "features",
                make_column_transformer((numbers, ["x", "z"]), (OneHotEncoder(handle_unknown="ignore"), ["place"])),
            ),
            ("model", LogisticRegression()),
        ]
    )
    fitted.fit(prepare(frame, schema), (frame["late"] == "yes").astype(int))
    return Model(schema, ("no", "yes"), Cut(0.4), (Member("linear", 1.0, fitted),), temperature=1.3)


def test_onnx_answers_rows_it_was_not_checked_on_as_the_model_does() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = plain_model()
    found = convert(model, table(300, seed=35), TOLERANCE)
    assert isinstance(found, Converted)
    assert found.rows == 300
    rows = prepare(table(200, seed=31), model.schema)
    session = onnxruntime.InferenceSession(found.files["model-1.onnx"])
    given = {
        one["name"]: rows[[one["name"]]].to_numpy(dtype=object if one["type"] == "string" else np.float32)
        for one in found.recipe["inputs"]
    }
    answered = session.run(None, given)[1].astype(float)
    shared = (1 - found.recipe["shared_out"]) * answered + found.recipe["shared_out"] / answered.shape[1]
    raised = shared ** (1 / found.recipe["temperature"])
    expected = model.answer_prepared(rows).probabilities
    assert expected is not None
    assert np.abs(raised / raised.sum(axis=1, keepdims=True) - expected).max() < TOLERANCE


def test_a_conversion_that_is_not_equal_is_said_and_not_kept() -> None:
    pytest.importorskip("onnxruntime")
    unequal = convert(plain_model(), table(100, seed=32), 1e-12)
    assert isinstance(unequal, NotConverted)
    assert "does not answer as the run does" in unequal.reason


def test_a_model_with_a_step_that_has_no_converter_is_refused_by_name(opened: OpenedRun) -> None:
    pytest.importorskip("onnxruntime")
    model = load_model(opened.folder)
    frame = table(100, seed=33)
    rows = prepare(frame, model.schema)
    splines = make_pipeline(make_column_transformer((SplineTransformer(), ["x", "z"])), LogisticRegression())
    splines.fit(rows, (frame["late"] == "yes").astype(int))
    told = convert(replace(model, members=(Member("additive curves", 1.0, splines),)), frame, 1e-4)
    assert isinstance(told, NotConverted)
    assert "additive curves cannot be converted" in told.reason


def test_the_card_says_use_data_score_limits_and_gate_and_carries_no_markup(exported: Path, opened: OpenedRun) -> None:
    text = (exported / "MODEL_CARD.md").read_text(encoding="utf-8")
    for heading in ("Intended use", "Inputs", "How good it is", "Data", "Limits", "Cost", "Provenance"):
        assert f"## {heading}" in text
    assert f"{opened.record.sealed.value:.4g}" in text
    assert opened.record.plan.data_sha256 in text


def test_the_container_installs_the_versions_of_the_training_and_runs_as_nobody(
    exported: Path, opened: OpenedRun
) -> None:
    pinned = dict(line.split("==") for line in (exported / "requirements.txt").read_text().splitlines())
    assert pinned["scikit-learn"] == opened.record.versions["scikit-learn"]
    assert not set(pinned) & set(LEFT_OUT)
    file = (exported / "Dockerfile").read_text(encoding="utf-8")
    assert "USER server" in file
    assert "KEY=" not in file


def test_the_command_exports_into_the_case_once(case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(case, tmp_path / "parcels")
    assert dispatch(["export", str(tmp_path / "parcels"), "--no-onnx"]) == 0
    assert "Next: train-or-not serve" in capsys.readouterr().err
    assert open_run(tmp_path / "parcels" / "exports" / "classical-1" / "runs" / "classical-1").name == "classical-1"
    with pytest.raises(BadInput) as again:
        dispatch(["export", str(tmp_path / "parcels"), "--no-onnx"])
    assert again.value.code == "target-exists"
    assert not list((tmp_path / "parcels" / "exports").glob(".*"))
