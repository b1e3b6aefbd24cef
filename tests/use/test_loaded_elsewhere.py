"""What leaves as ONNX or as an adapter is loaded by a program that knows nothing of this one, and answers the same."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from advisor.base.files import to_json
from tests.lora.conftest import Quiet, write_tiny_model
from tests.lora.test_trainer import make_case, plan_for
from tests.use.conftest import table
from tests.use.test_exporting import TOLERANCE
from trainers.classical.columns import learn_schema, prepare
from trainers.classical.model_file import Member, Model
from trainers.classical.pipelines import Setup, boosted, linear
from trainers.classical.several import Several, copies_of
from trainers.common.decide import Cut
from trainers.export.onnxfile import Converted, convert
from trainers.registry import find_trainer

ONNX = """
import json
import numpy, onnxruntime
told = json.load(open("onnx.json"))
rows = json.load(open("rows.json"))
kinds = {"string": object, "float32": "float32"}
given = {
    one["name"]: numpy.array([[row[one["name"]]] for row in rows], dtype=kinds[one["type"]]) for one in told["inputs"]
}
sessions = [(onnxruntime.InferenceSession(one["file"]), one["weight"]) for one in told["members"]]
total = sum(weight * session.run(None, given)[-1].astype(float) for session, weight in sessions)
if not told["classes"]:
    print(json.dumps(total.clip(told["low"], told["high"])[:, 0].tolist()))
    raise SystemExit
shared = (1 - told["shared_out"]) * total + told["shared_out"] / total.shape[1]
raised = shared ** (1 / told["temperature"])
print(json.dumps((raised / raised.sum(axis=1, keepdims=True)).tolist()))
"""
ADAPTER = """
import json, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
base = AutoModelForCausalLM.from_pretrained("base", dtype=torch.float32)
tuned = PeftModel.from_pretrained(base, "adapter").eval()
ids = torch.arange(40)[None]
with torch.no_grad():
    print(json.dumps({"apart": tuned(input_ids=ids).logits[0].tolist()}))
"""


def elsewhere(program: str, folder: Path) -> str:
    """What a program prints in a process of its own that cannot see this project."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.modules['trainers'] = sys.modules['advisor'] = None\n{program}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-1500:]
    return done.stdout


def with_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """Every seventh `z` is missing, one place in ten was never met, and there are many towns; no dates, no texts."""
    draw, rows = np.random.default_rng(5), np.arange(len(frame))
    towns = draw.choice([f"town {at}" for at in range(80)], len(frame))
    place = frame["place"].where((rows % 10 > 0) | (len(frame) > 300), "nowhere")
    return frame[["x", "late"]].assign(z=frame["z"].where(rows % 7 > 0), place=place, **{"home town": towns})


def model_of(build: Callable[[Setup], Pipeline], classes: int, *, copies: int = 1) -> Model:
    """A model as a run fits it, on 600 rows; of `copies` grown by other seeds, where there are more than one."""
    frame = with_gaps(table(600, seed=34))
    schema = learn_schema(frame.drop(columns="late"))
    target = np.digitize(frame["x"], [-0.5, 0.5][: classes - 1]) if classes else np.exp(frame["x"].to_numpy())
    pipeline = build(Setup(schema, classes, len(frame), 0, skewed=not classes))
    if copies > 1:
        alike = Several(copies_of(pipeline[-1], copies), [1 / copies] * copies)
        pipeline = Pipeline([*pipeline.steps[:-1], ("model", alike)])
    pipeline.fit(prepare(frame, schema), target)
    cut = Cut(0.4, (1.0,) * classes)
    names = tuple(map(str, range(classes)))
    return Model(schema, names, cut, (Member("one", 1.0, pipeline),), low=-9.0, high=9.0, temperature=1.3)


def curves(setup: Setup) -> Pipeline:
    return linear(setup, 1.0, splines=True)


def trees(setup: Setup) -> Pipeline:
    grown = boosted(setup, leaves=15, log=setup.skewed)
    return grown.set_params(model__rounds=60)


def pairs(setup: Setup) -> Pipeline:
    return boosted(setup, leaves=15, pairs=True).set_params(model__rounds=60)


@pytest.mark.parametrize(
    ("build", "classes", "copies"),
    [(curves, 2, 1), (curves, 0, 1), (trees, 2, 3), (trees, 3, 1), (trees, 0, 2), (pairs, 2, 1), (pairs, 0, 1)],
    ids=[
        "curves",
        "curves of a logarithm",
        "several trees",
        "trees of three classes",
        "trees of a logarithm",
        "trees of pairs of numbers",
        "trees of pairs for a number",
    ],
)
def test_a_program_with_onnxruntime_alone_answers_as_the_run_does(
    build: Callable[[Setup], Pipeline], classes: int, copies: int, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime")
    model = model_of(build, classes, copies=copies)
    found = convert(model, with_gaps(table(300, seed=35)), TOLERANCE)
    assert isinstance(found, Converted), found
    for name, content in found.files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "onnx.json").write_text(to_json(found.recipe))
    beyond = with_gaps(table(100, seed=36)).assign(x=lambda frame: 2 * frame["x"])
    rows = prepare(beyond, model.schema)
    (tmp_path / "rows.json").write_text(json.dumps(rows.to_dict("records")))
    told = model.answer_prepared(rows)
    expected = told.numbers if told.probabilities is None else told.probabilities
    assert expected is not None
    assert np.abs(np.array(json.loads(elsewhere(ONNX, tmp_path))) - expected).max() < TOLERANCE


@pytest.mark.heavy
def test_an_adapter_is_in_the_form_that_vllm_reads_and_answers_the_same_in_peft_alone(tmp_path: Path) -> None:
    """vLLM reads `adapter_config.json` by its PEFT helper and takes plain LoRA weights only (docs: LoRA adapters)."""
    if importlib.util.find_spec("peft") is None:
        pytest.skip("peft is not installed")
    import torch
    from safetensors import safe_open

    from trainers.lora.answering import open_run

    base = write_tiny_model(tmp_path / "base")
    case = make_case(tmp_path / "tickets", base)
    run = case / "runs" / "lora-1"
    run.mkdir(parents=True)
    find_trainer("lora").train(plan_for(case, epochs=0.2), case, run, Quiet())
    adapter = next(path.parent for path in run.rglob("adapter_config.json"))
    told = json.loads((adapter / "adapter_config.json").read_text())
    assert told["peft_type"] == "LORA" and told["bias"] == "none"
    assert not told["modules_to_save"] and not told["use_dora"]
    with safe_open(adapter / "adapter_model.safetensors", "pt") as weights:
        names = set(weights.keys())
        ranks = {min(weights.get_tensor(name).shape) for name in names}
    assert names and all(name.startswith("base_model.model.") for name in names)
    assert {name.rsplit(".", 2)[1] for name in names} == {"lora_A", "lora_B"}
    assert max(ranks) <= told["r"]
    (tmp_path / "adapter").symlink_to(adapter)
    session, _, _ = open_run(run)
    with torch.no_grad():
        here = session.model(input_ids=torch.arange(40)[None]).logits[0]
    there = torch.tensor(json.loads(elsewhere(ADAPTER, tmp_path))["apart"])
    assert torch.allclose(here, there, atol=1e-5)
    assert (there != torch.tensor(0.0)).any()
