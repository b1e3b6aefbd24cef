"""A folder that holds all that is needed to use a run elsewhere; it appears whole or not at all.

`runs/ID/` is the run as it was written, checked again wherever it is opened: the folder is used like a case, by
`predict`, `serve` and `monitor` alike. `manifest.json` lists every file with its
SHA-256, and says what could not be exported and why.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from advisor import __version__
from advisor.base.case import now
from advisor.base.errors import BadInput
from advisor.base.files import inside, read_text, sha256_of_file, to_json, write_atomically
from advisor.base.shipped import rules_folder
from advisor.base.strictyaml import parse
from advisor.base.tables import read_table
from trainers.common.rows import data_path
from trainers.common.runfolder import MARKER
from trainers.export.card import card
from trainers.export.container import dockerfile, requirements
from trainers.export.language import copy_base, whole_models
from trainers.use.inputs import as_plain
from trainers.use.opened import OpenedRun

Manifest = dict[str, Any]


def export_run(
    opened: OpenedRun,
    target: Path,
    say: Callable[[str], None],
    *,
    onnx: bool = True,
    whole: bool = True,
    int8: bool = False,
    gguf: bool = False,
) -> Manifest:
    """Write the folder `target` and return its manifest. Raises `BadInput` when there is something already.

    `onnx` converts a pipeline of tables, `whole` merges the adapter of a language model into its base; `int8` and
    `gguf` are more forms of that merged model.
    """
    if target.exists():
        raise BadInput(
            f"{target} is there already.",
            where=str(target),
            why="An export is never mixed with another one.",
            fix="Name another folder with --to, or remove that one.",
            code="target-exists",
        )
    scratch = target.with_name(f".{target.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        manifest = _filled(opened, scratch, say, onnx=onnx, whole=whole, int8=int8, gguf=gguf)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return manifest


def _filled(
    opened: OpenedRun, folder: Path, say: Callable[[str], None], *, onnx: bool, whole: bool, int8: bool, gguf: bool
) -> Manifest:
    say("Copying the run")
    listed = [str(entry["name"]) for entry in json.loads(read_text(opened.folder / MARKER))["files"]]
    for name in [*listed, MARKER]:
        copy = inside(folder / "runs" / opened.name, name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(opened.folder / name, copy)
    made = opened.folder / "MODEL_CARD.md"
    write_atomically(folder / "MODEL_CARD.md", read_text(made) if made.exists() else card(opened))
    absent: dict[str, str] = {}
    converted: dict[str, Any] | None = None
    lines = parse(read_text(rules_folder() / "serving.yaml"), "serving.yaml").data["export"]
    write_atomically(folder / "requirements.txt", requirements(opened))
    write_atomically(folder / "Dockerfile", dockerfile(opened))
    trainer = opened.record.plan.trainer
    if trainer == "classical" and onnx:
        say("Converting to ONNX and checking it on development rows")
        converted = _onnx(opened, folder, lines, absent)
    models: dict[str, dict[str, Any]] = {}
    if trainer == "lora":
        copy_base(opened, folder)
        if whole:
            say("Adding the adapter into the base and checking it on development rows")
            models = whole_models(opened, folder, lines, absent, say, int8=int8, gguf=gguf)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    manifest: Manifest = {
        "schema": 1,
        "made": now(),
        "tool_version": __version__,
        "run": opened.provenance(),
        "columns": as_plain(opened.columns),
        "classes": list(opened.classes),
        "gate": {"outcome": opened.record.gate.outcome, "text": opened.record.gate.text},
        "versions": opened.record.versions,
        "onnx": converted,
        "models": models or None,
        "not_exported": absent,
        "files": [
            {"name": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": sha256_of_file(path)}
            for path in files
        ],
    }
    write_atomically(folder / "manifest.json", to_json(manifest))
    return manifest


def _onnx(opened: OpenedRun, folder: Path, lines: dict[str, Any], absent: dict[str, str]) -> dict[str, Any] | None:
    from trainers.classical.model_file import load_model
    from trainers.export.onnxfile import NotConverted, convert

    try:
        rows = _development_rows(opened, int(lines["rows"]))
    except BadInput as gone:
        absent["onnx"] = f"It could not be checked on development rows, and unchecked it is not written: {gone.what}"
        return None
    found = convert(load_model(opened.folder), rows, float(lines["tolerance"]))
    if isinstance(found, NotConverted):
        absent["onnx"] = f"Not written: {found.reason}."
        return None
    for name, content in found.files.items():
        write_atomically(folder / "onnx" / name, content)
    told = {**found.recipe, "checked_rows": found.rows, "largest_difference": found.largest_difference}
    write_atomically(folder / "onnx" / "onnx.json", to_json(told))
    return told


def _development_rows(opened: OpenedRun, most: int) -> pd.DataFrame:
    """Rows of the training part; the sealed ones stay closed."""
    frame = read_table(data_path(opened.record.plan, opened.folder.parent.parent)).frame
    sealed = pd.read_csv(opened.folder / "test_predictions.csv")["row"].to_numpy()
    open_rows = np.setdiff1d(np.arange(len(frame)), sealed)
    chosen = np.random.default_rng(opened.record.plan.seed).permutation(open_rows)[:most]
    return frame.iloc[np.sort(chosen)]
