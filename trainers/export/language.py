"""What an exported fine-tuned run needs beside itself: its base where that is a folder, and the merged model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from advisor.base.errors import BadInput
from advisor.base.files import inside, read_text
from advisor.base.tables import read_table
from trainers.common.rows import data_path
from trainers.use.language import as_trained
from trainers.use.opened import OpenedRun


def copy_base(opened: OpenedRun, folder: Path) -> None:
    """Where the base is a folder of the case, copy it to the same place beside the exported run; else nothing."""
    name = str(opened.record.hyperparameters["base"])
    place = opened.folder.parent.parent / name
    if Path(name).is_absolute() or not place.is_dir():
        return  # carried by a package, pinned on a hub, or named by an address of this machine
    copy = inside(folder, name)
    copy.mkdir(parents=True)
    for path in sorted(place.iterdir()):
        if path.is_file() and path.suffix in (".json", ".safetensors", ".jinja", ".txt", ".model"):
            shutil.copyfile(path, copy / path.name)


def merged_model(opened: OpenedRun, folder: Path, policy: dict[str, Any], absent: dict[str, str]) -> dict[str, Any]:
    """The merged model in `folder/merged`, kept only where it answers development rows as the run does."""
    from trainers.lora.merged import merge

    try:
        rows = _development_rows(opened, int(policy["merged_rows"]))
    except BadInput as gone:
        absent["merged"] = f"It could not be checked on development rows, and unchecked it is not written: {gone.what}"
        return {}
    found = merge(opened.folder, folder / "merged", rows)
    if found.same < float(policy["merged_same"]):
        shutil.rmtree(folder / "merged")
        absent["merged"] = f"Not written: it gives the same answer on only {found.same:.0%} of {found.rows} rows."
        return {}
    return {"checked_rows": found.rows, "same_answers": found.same, "dtype": found.dtype}


def _development_rows(opened: OpenedRun, most: int) -> list[dict[str, Any]]:
    frame = read_table(data_path(opened.record.plan, opened.folder.parent.parent)).frame
    said = [json.loads(line) for line in read_text(opened.folder / "test_answers.jsonl").split("\n") if line]
    free = np.setdiff1d(np.arange(len(frame)), [line["row"] - 1 for line in said])
    chosen = np.sort(np.random.default_rng(opened.record.plan.seed).permutation(free)[:most])
    return [as_trained(row) for row in frame.iloc[chosen].to_dict("records")]
