"""A rung that a climb chose, kept as a run: a folder that holds all it needs to answer, checked by hashes like any run.

`rung.json` says what it is; `items.jsonl` holds the examples a prompt shows, `passages.jsonl` what is looked up,
`model.skops` what was fitted, `test_answers.jsonl` what it said to each sealed example and how right that was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from advisor import __version__
from advisor.base.case import now
from advisor.base.errors import BadInput
from advisor.base.files import read_text, to_json
from advisor.records.climb import ClimbRecord
from advisor.records.plain import save
from advisor.records.plan import Plan
from advisor.records.run import GateVerdict, RunRecord
from trainers.climb.metric import Metric
from trainers.climb.retrieval import Passage
from trainers.climb.rungs import FewShot, Retrieval
from trainers.climb.task import Item, Task
from trainers.common.machine import machine, versions
from trainers.common.model_files import read_fitted, told_as_damage, write_fitted
from trainers.common.runfolder import complete, files_of, keep

FILE = "rung.json"
_FORM = 1
# What skops does not know by itself and a classifier of texts needs; read back against this list and no other.
_TRUSTED = ("scipy.sparse._csr.csr_matrix", "scipy.sparse._dia.dia_array", "scipy.sparse._dia.dia_matrix")


@dataclass(frozen=True)
class Kept:
    """What `rung.json` says. `columns` are read from a row; `price` is what was stated, or empty to look it up."""

    name: str
    rung: str
    kind: str
    endpoint: str
    model: str
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    metric: dict[str, Any]
    fields: dict[str, Any]
    prepared: dict[str, Any]
    price: tuple[float, ...] = ()
    form: int = _FORM


def keep_rung(
    folder: Path,
    kept: Kept,
    task: Task,
    rung: Any,
    climb: ClimbRecord,
    plan: Plan,
    sealed: Sequence[Item],
) -> None:
    """Write the folder, marker last. Answers to `sealed` examples were paid for by the climb and are not asked anew."""
    started = now()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    keep_parts(folder, kept, task, rung, sealed)
    record = _record(folder, climb, plan, started)
    save(folder / "run.json", replace(record, files=files_of(folder)), made_from={"data": plan.data_sha256}, kind="run")
    complete(folder)


def keep_parts(folder: Path, kept: Kept, task: Task, rung: Any, sealed: Sequence[Item]) -> None:
    """All that answering needs, and what was said to the sealed examples; record and marker come after it."""
    if isinstance(rung, FewShot):
        _keep_lines(folder, "items.jsonl", [asdict(item) for item in task.train])
    if isinstance(rung, Retrieval):
        _keep_lines(folder, "passages.jsonl", [asdict(passage) for passage in task.passages])
    if (fitted := getattr(rung, "model", None)) is not None:
        write_fitted(folder, "model.skops", fitted)
    keep(folder, FILE, to_json(asdict(kept)))
    said = [task.read(rung.answer(item).text) for item in sealed]
    lines = [
        {"id": item.id, "wanted": item.accepted[0], "ours": one, "score": task.score(item, one)}
        for item, one in zip(sealed, said, strict=True)
    ]
    _keep_lines(folder, "test_answers.jsonl", lines)


def _record(folder: Path, climb: ClimbRecord, plan: Plan, started: str) -> RunRecord:
    if climb.sealed is None:
        raise BadInput(
            "The climb confirmed no rung on the sealed examples.",
            where="climb.json",
            why="A rung nobody confirmed is not put to use.",
            fix="Climb again with a lower --requirement, or with more examples.",
            code="no-rung",
        )
    return RunRecord(
        run=folder.name,
        plan=plan,
        chosen=f"{climb.recommended}, {climb.model}" if climb.model else climb.recommended,
        candidates=(),
        sealed=climb.sealed,
        gate=GateVerdict("earned", climb.text, ()),
        rows={part: count if part != "sealed" else climb.sealed.rows for part, count in climb.split.items()},
        times={"climb": climb.seconds},
        versions=versions("numpy", "scikit-learn", "skops"),
        machine=machine(),
        notes=climb.notes,
        started=started,
        finished=now(),
        tool_version=__version__,
    )


def _keep_lines(folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    keep(folder, name, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))


def read_kept(folder: Path) -> Kept:
    """What was kept. The caller has checked the folder against its hashes."""
    told = json.loads(read_text(folder / FILE))
    if told.get("form") != _FORM:
        raise BadInput(
            f"The rung was kept in form {told.get('form')}; this version reads form {_FORM}.",
            where=str(folder / FILE),
            fix="Use the version named in run.json, or climb again.",
            code="model-form",
        )
    with told_as_damage(folder):
        lists = {name: tuple(told[name]) for name in ("columns", "labels", "price")}
        return Kept(**{**told, **lists})


def read_task(folder: Path, kept: Kept) -> Task:
    """The task as far as answering needs it: its kind, labels and fields, the examples shown, the passages."""
    items = [
        Item(row["id"], row["text"], tuple(row["accepted"]), row["document"], row["group"])
        for row in _lines(folder, "items.jsonl")
    ]
    return Task(
        kept.kind,  # type: ignore[arg-type]  # written from a task of one of these kinds
        Metric(**kept.metric),
        tuple(items),
        (),
        (),
        labels=kept.labels,
        passages=tuple(Passage(**row) for row in _lines(folder, "passages.jsonl")),
        fields=kept.fields,
    )


def read_model(folder: Path) -> Any:
    """What was fitted, read against a fixed list of types."""
    return read_fitted(folder, "model.skops", _TRUSTED, fix="Climb again: train-or-not climb CASE")


def _lines(folder: Path, name: str) -> list[dict[str, Any]]:
    path = folder / name
    return [json.loads(line) for line in read_text(path).split("\n") if line] if path.exists() else []
