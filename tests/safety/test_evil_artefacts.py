"""Files that run code in a careless loader, put in every place where this tool reads a file: none of them runs.

Every payload is live: the last test loads one carelessly and sees it run.
"""

from __future__ import annotations

import contextlib
import io
import json
import pickle  # noqa: TID251  to write what must never be read
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from promises import Figure

from advisor.base.errors import Problem
from advisor.base.files import sha256_of_file
from advisor.base.strictyaml import parse
from advisor.base.tables import read_table
from advisor.records.plain import check, load
from advisor.records.plan import Plan, Setting

sys.path.append(str(Path(__file__).resolve().parents[1] / "trainers"))

from test_model_file import evil, put, run  # noqa: F401  the fixture `run` is a small trained run
from training_plans import Silent, plan_for, run_folder, written

from trainers.classical.candidates import names
from trainers.classical.trainer import ClassicalTrainer

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Payload:
    """Touches the canary when a loader is careless."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.canary,)


def _joblib(payload: Payload) -> bytes:
    stream = io.BytesIO()
    joblib.dump(payload, stream)
    return stream.getvalue()


def _numpy(payload: Payload, compressed: bool = False) -> bytes:
    stream = io.BytesIO()
    objects = np.array([payload], dtype=object)
    if compressed:
        np.savez(stream, scores=objects, seconds=objects)
    else:
        np.save(stream, objects, allow_pickle=True)
    return stream.getvalue()


def _zipped(content: bytes, name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def payloads(canary: Path) -> dict[str, bytes]:
    """The same payload in every wrapping a file can have."""
    payload = Payload(canary)
    found = {f"pickle {protocol}": pickle.dumps(payload, protocol) for protocol in PROTOCOLS}
    found |= {"joblib": _joblib(payload), "numpy": _numpy(payload), "npz": _numpy(payload, compressed=True)}
    # What torch.save writes: a zip whose data.pkl is unpickled.
    found["torch zip"] = _zipped(pickle.dumps(payload, 2), "archive/data.pkl")
    return found


def yaml_payloads(canary: Path) -> dict[str, str]:
    """YAML that builds objects in a loader that is not safe."""
    path = canary.as_posix()
    return {
        "apply": f"schema: !!python/object/apply:pathlib.Path.touch [{path}]",
        "new": f"answers: !!python/object/new:os.system ['touch {path}']",
        "module": "schema: !!python/module:antigravity",
        "name": "answers: {task_type: !!python/name:os.system }",
        "directive": f"%TAG ! tag:yaml.org,2002:python/\n---\nx: !object/apply:os.system ['touch {path}']",
        "local": f"schema: !run 'touch {path}'",
        "template": f"schema: \"{{{{ self.__init__.__globals__.os.system('touch {path}') }}}}\"",
        "expression": f"answers: {{n_rows: \"__import__('os').system('touch {path}')\"}}",
    }


def refused(read: Callable[[], object], name: str) -> None:
    try:
        read()
    except Problem as problem:
        assert problem.fix, name
    else:
        pytest.fail(f"{name} was read")


def test_no_artefact_runs_wherever_it_is_put(run: Path, tmp_path: Path, figure: Figure) -> None:  # noqa: F811
    from advisor.base.case import Case
    from advisor.interview.answers import load_answers
    from advisor.reasoning.prices import load_prices
    from advisor.reasoning.rulebook import load_rulebook
    from trainers.classical.fitting import read_kept

    canary, tried = tmp_path / "canary", 0
    wrapped = payloads(canary)

    for number, (name, content) in enumerate({**evil(canary), **wrapped}.items()):
        copy = put(run, tmp_path / f"case-{number}" / "runs" / "classical-1", content)
        refused(lambda copy=copy: list(ClassicalTrainer().predict(copy, [{"x": 1.0}])), name)
        tried += 1
    for name, content in wrapped.items():
        for suffix in ("csv", "json", "jsonl", "xlsx", "parquet"):
            table = tmp_path / f"table.{suffix}"
            table.write_bytes(content)
            with contextlib.suppress(Problem):  # the oldest protocols are plain text: a table may be what they are
                read_table(table)
            tried += 1
        piece = tmp_path / "piece.npz"
        piece.write_bytes(content)
        assert read_kept(piece) is None
        record = tmp_path / "run.json"
        record.write_bytes(content)
        refused(lambda record=record: load(record, Plan), name)
        tried += 2
    case = Case(tmp_path)
    rules = tmp_path / "rules"
    rules.mkdir()
    for name, text in yaml_payloads(canary).items():
        for file, read in (
            (case.answers, lambda: load_answers(case, load_rulebook())),
            (case.costs, lambda: load_prices(own=case.costs)),
            (case.plan, lambda: check(parse(case.plan.read_text(), "plan.yaml").data, Plan)),
            (rules / "ladder.yaml", lambda: load_rulebook(rules)),
        ):
            file.write_text(text, encoding="utf-8")
            if name in ("template", "expression"):  # text that only looks like code may be taken as the text it is
                with contextlib.suppress(Problem):
                    read()
            else:
                refused(read, f"{name} in {file.name}")
            tried += 1
    assert not canary.exists()
    assert tried >= 40
    pickle.loads(wrapped["pickle 4"])
    assert canary.exists()  # the payload is live: only the readers kept it from running
    figure(1, "executions", f"0 from {tried} evil files")


def table() -> pd.DataFrame:
    """Numbers, categories, dates and words, and three targets."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"x": generator.normal(size=240), "city": [f"town {n % 5}" for n in range(240)]})
    frame["when"] = pd.date_range("2024-01-01", periods=240).astype(str)
    frame["text"] = [f"a note about {'good' if n % 3 else 'bad'} things {n}" for n in range(240)]
    frame["label"] = np.where(frame["x"] ** 2 > 0.5, "yes", "no")
    frame["third"] = [("a", "b", "c")[int(abs(v) * 2) % 3] for v in frame["x"]]
    frame["number"] = frame["x"] ** 2 * 3 + generator.normal(size=240)
    return frame


def reads_back(case: Path, target: str, task: str, metric: str, left_out: tuple[str, ...]) -> set[str]:
    """Train, read the model from its files, and give the kinds of pipeline whose answers were equal to the last bit."""
    from trainers.classical.model_file import load_model

    others = [name for name in ("label", "third", "number") if name != target]
    data = written(table().drop(columns=others), case)
    plan = plan_for(data, target, task, metric, settings={"folds": 2, "leave_out": list(left_out)})
    folder = run_folder(case)
    record = ClassicalTrainer().train(plan, case, folder, Silent())
    stored = pd.read_csv(folder / "test_predictions.csv")
    answers = ClassicalTrainer().predict(folder, read_table(data).frame.iloc[stored["row"]].to_dict("records"))
    told = stored["ours" if task == "regression" else "ours_p0"]
    found = [one["prediction"] if task == "regression" else next(iter(one["scores"].values())) for one in answers]
    assert found == told.tolist(), record.chosen
    return {f"{task}: {member.name}" for member in load_model(folder).members}


def test_boosted_trees_over_categories_read_back_equal(tmp_path: Path) -> None:
    left_out = tuple(name for name in names() if name != "boosted trees, small")
    assert reads_back(tmp_path, "label", "binary", "roc_auc", left_out) == {"binary: boosted trees, small"}


@pytest.mark.heavy
def test_every_kind_of_pipeline_reads_back_equal_against_the_fixed_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    import test_every_candidate_is_kept as kept

    from trainers.classical.model_file import TRUSTED

    monkeypatch.setattr(kept, "ROWS", 200)
    kinds = 0
    for number, (name, kind, classes) in enumerate(kept.setups()):
        (tmp_path / f"{number}").mkdir()
        with contextlib.suppress(pytest.skip.Exception):  # a model that this kind of target never tries
            kept.test_a_candidate_answers_the_same_after_it_was_kept(name, kind, classes, tmp_path / f"{number}")
            kinds += 1
    assert not [name for name in TRUSTED if "Operator" in name or "Method" in name]
    assert kinds >= 20
    figure(2, "read back equal to the last bit", f"{kinds} of {kinds} kinds of pipeline")


def test_a_base_model_that_could_run_code_is_refused(tmp_path: Path, figure: Figure) -> None:
    torch = pytest.importorskip("torch", reason="fine-tuning is in the lora extra")
    from trainers.lora.base import locate
    from trainers.lora.bundle import newest_bundle
    from trainers.lora.recipe import recipe_of

    canary, tried = tmp_path / "canary", 0
    for name in ("pytorch_model.bin", "model.pt", "model.ckpt", "model.pkl", "model.h5", "model.joblib"):
        base = tmp_path / name.replace(".", "-")
        base.mkdir()
        (base / "config.json").write_text('{"model_type": "llama"}')
        torch.save({"w": Payload(canary)}, base / name)
        refused(lambda base=base: locate(str(base), tmp_path), name)
        tried += 1
    for extra in ("auto_map", "auto_map with weights"):
        base = tmp_path / extra.replace(" ", "-")
        base.mkdir()
        (base / "config.json").write_text('{"auto_map": {"AutoModel": "evil.Model"}}')
        (base / "evil.py").write_text(f"open({str(canary)!r}, 'w')")
        (base / "model.safetensors").write_bytes(b"")
        refused(lambda base=base: locate(str(base), tmp_path), extra)
        tried += 1
    for name in (
        "some/model",
        "some/model@main",
        "some/model@v1.0",
        "some/model@abc123",
        "../../etc",
        "https://x/y",
        "",
    ):
        refused(lambda name=name: locate(name, tmp_path), name)
        tried += 1
    for setting, value in (
        ("trust_remote_code", True),
        ("trust_remote_code", False),
        ("hub_token", "hf_secret"),
        ("token", "hf_secret"),
        ("push_to_hub", True),
        ("optimizer_module", "os"),
    ):
        refused(lambda setting=setting, value=value: recipe_of({setting: Setting(value)}), setting)
        tried += 1
    for number, content in enumerate(payloads(canary).values()):
        place = tmp_path / "checkpoints" / f"step-{number:06d}"
        place.mkdir(parents=True)
        for name in ("adapter.safetensors", "optimiser.safetensors", "state.json"):
            (place / name).write_bytes(content)
        listing = {p.name: [p.stat().st_size, sha256_of_file(p)] for p in place.iterdir()}
        (place / "COMPLETE").write_text(json.dumps(listing))  # a marker that vouches for it: the worst case
        tried += 1
    assert newest_bundle(tmp_path / "checkpoints") is None
    assert not canary.exists()
    figure(3, "refused", f"{tried} of {tried} unsafe models, settings and checkpoints")
