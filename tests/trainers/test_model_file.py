"""A model file is data: whatever is put in its place, nothing in it runs."""

from __future__ import annotations

import hashlib
import io
import json
import pickle  # noqa: TID251  to write what must never be read
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from training_plans import LIGHT, Silent, plan_for, run_folder, written

from advisor.base.errors import BadInput
from trainers.classical.features import words
from trainers.classical.model_file import TRUSTED
from trainers.classical.trainer import ClassicalTrainer
from trainers.common.model_files import read_fitted, write_fitted


class Payload:
    """Touches the canary when unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.canary,)


class Stranger(BaseEstimator):
    """An estimator that is not on the list of types."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import pandas as pd

    case = tmp_path_factory.mktemp("case")
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"x": generator.normal(size=150), "label": generator.integers(0, 2, 150)})
    plan = plan_for(written(frame, case), "label", "binary", "accuracy", settings=LIGHT)
    folder = run_folder(case)
    ClassicalTrainer().train(plan, case, folder, Silent())
    return folder


def put(run: Path, target: Path, content: bytes) -> Path:
    """A copy of the run whose model is `content`, with a marker that vouches for it: the worst case."""
    target.mkdir(parents=True)
    for path in run.iterdir():
        (target / path.name).write_bytes(path.read_bytes())
    (target / "model-1.skops").write_bytes(content)
    marker = json.loads((target / "COMPLETE").read_text(encoding="utf-8"))
    for entry in marker["files"]:
        stored = (target / entry["name"]).read_bytes()
        entry |= {"bytes": len(stored), "sha256": hashlib.sha256(stored).hexdigest()}
    (target / "COMPLETE").write_text(json.dumps(marker), encoding="utf-8")
    return target


def evil(canary: Path) -> dict[str, bytes]:
    """Files that would run code in a careless loader."""
    payload = Payload(canary)
    found = {f"pickle protocol {protocol}": pickle.dumps(payload, protocol) for protocol in range(6)}
    stream = io.BytesIO()
    joblib.dump(payload, stream)
    found["joblib"] = stream.getvalue()
    stream = io.BytesIO()
    np.save(stream, np.array([payload], dtype=object), allow_pickle=True)
    found["numpy objects"] = stream.getvalue()
    for name, content in list(found.items()):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("schema.json", content)
        found[f"{name} as a schema"] = stream.getvalue()
    import os

    for function in (os.system, os.remove, exec, eval):
        found[f"skops {function.__name__}"] = skops.io.dumps(
            Pipeline([("model", FunctionTransformer(function, kw_args={}))])
        )
    found["skops stranger"] = skops.io.dumps(Pipeline([("model", Stranger())]))
    found["empty"] = b""
    found["cut short"] = skops.io.dumps(Pipeline([("model", Stranger())]))[:200]
    return found


def test_nothing_put_in_a_model_s_place_ever_runs(run: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    files = evil(canary)
    assert len(files) >= 20
    for number, (name, content) in enumerate(files.items()):
        copy = put(run, tmp_path / f"case-{number}" / "runs" / "classical-1", content)
        with pytest.raises(BadInput) as caught:
            list(ClassicalTrainer().predict(copy, [{"x": 1.0}]))
        assert caught.value.code == "untrusted-model", name
        assert not canary.exists(), name
    pickle.loads(files["pickle protocol 4"])
    assert canary.exists()  # the payload is live: only the loader kept it from running


def test_the_model_as_written_answers(run: Path, tmp_path: Path) -> None:
    copy = put(run, tmp_path / "case" / "runs" / "classical-1", (run / "model-1.skops").read_bytes())
    answers = list(ClassicalTrainer().predict(copy, [{"x": 1.0}, {"x": -1.0}]))
    assert all(sum(answer["scores"].values()) == pytest.approx(1) for answer in answers)


def test_no_file_of_a_run_is_a_pickle(run: Path) -> None:
    for path in run.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert content[:2] not in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"), path
            if path.suffix == ".skops":
                with zipfile.ZipFile(path) as archive:
                    assert all(name.endswith((".json", ".npy", ".npz", ".bin")) for name in archive.namelist())
                    for name in archive.namelist():
                        assert archive.read(name)[:1] != b"\x80"


def test_thousands_of_words_stand_in_one_entry_of_the_model_s_file_and_answer_as_before(tmp_path: Path) -> None:
    """An entry a word is written and read in the square of their number: minutes for a mailbox."""
    texts = [f"word{at} word{at + 1} word{at + 2} again" for at in range(3_000)]
    truth = np.arange(3_000) % 2
    fitted = make_pipeline(words(3_000), LogisticRegression()).fit(texts, truth)
    before = fitted.predict_proba(texts[:50])
    write_fitted(tmp_path, "words.skops", fitted)
    with zipfile.ZipFile(tmp_path / "words.skops") as kept:
        assert len(kept.namelist()) < 20
    assert len(fitted[0].vocabulary_) > 3_000
    assert np.array_equal(read_fitted(tmp_path, "words.skops", TRUSTED).predict_proba(texts[:50]), before)
