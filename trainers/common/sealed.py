"""The sealed test part: frozen in the case as hashes, opened through one function, every opening in the ledger."""

from __future__ import annotations

import json
from pathlib import Path

from advisor.base.case import Case
from advisor.base.errors import BadInput
from advisor.base.files import read_text, sha256_of_text, to_json, write_atomically
from advisor.records.plan import Plan
from trainers.common.splits import Split

FILE = "split.json"


def sealed_before(plan: Plan, folder: Path) -> frozenset[str]:
    """The rows that an earlier plan of this case sealed, when this plan splits the same way; else nothing.

    In time, rows stay sealed only while the data is the same: what was the future becomes the past.
    """
    try:
        frozen = json.loads(read_text(folder / FILE))
    except (BadInput, ValueError):
        # Absent or torn: the split is drawn again from the seed.
        return frozenset()
    if not isinstance(frozen, dict) or frozen.get("made_by") != _way(plan):
        return frozenset()
    names = frozenset(map(str, frozen.get("sealed") or ()))
    # A part of the rows alone would let others be learned from that an earlier run was measured on.
    return names if frozen.get("test_part") == _name(names) else frozenset()


def freeze(plan: Plan, folder: Path, split: Split) -> str:
    """Write the sealed rows' hashes into the case, and return the hash that names this test part."""
    names = frozenset(split.hashes[row] for row in split.test)
    text, name = _content(plan, names), _name(names)
    if not (folder / FILE).exists() or read_text(folder / FILE) != text:
        case = Case(folder)
        frozen = [event for event in case.history() if event.get("event") == "test_part_frozen"]
        if not frozen or frozen[-1].get("test_part") != name:  # else a kill came between the ledger and the file
            case.remember("test_part_frozen", rows=len(split.test), test_part=name, split=split.kind)
        write_atomically(folder / FILE, text)
    return name


def seal_again(plan: Plan, folder: Path, names: frozenset[str]) -> None:
    """Seal rows of these hashes beside those that are sealed already."""
    write_atomically(folder / FILE, _content(plan, sealed_before(plan, folder) | names))


def open_sealed(folder: Path, run: str, test_part: str, rows: int) -> int:
    """Note in the ledger that `run` looks at the sealed rows; returns which opening of them this is, from 1.

    A run that was killed and resumed looks once: it is the same model, and nothing was chosen in between.
    """
    case = Case(folder)
    looked = [
        str(event.get("run"))
        for event in case.history()
        if event.get("event") == "sealed_opened" and event.get("test_part") == test_part
    ]
    if run not in looked:
        looked.append(run)
        case.remember("sealed_opened", run=run, test_part=test_part, rows=rows, opening=len(looked))
    return looked.index(run) + 1


def opening_note(opening: int) -> str:
    """What a reader must know when the same rows were looked at before; empty the first time."""
    if opening == 1:
        return ""
    return (
        f"These sealed rows were opened {opening} times in this case. Each look lets choices lean on them, so the "
        "score flatters a little more each time; rows collected since would give a fresh one."
    )


def _content(plan: Plan, names: frozenset[str]) -> str:
    told = {"schema": 1, "made_by": _way(plan), "data_sha256": plan.data_sha256, "test_part": _name(names)}
    return to_json({**told, "sealed": sorted(names)}, indent=1)


def _name(names: frozenset[str]) -> str:
    return sha256_of_text("\n".join(sorted(names)))


def _way(plan: Plan) -> dict[str, object]:
    way: dict[str, object] = {
        "target": plan.target,
        "kind": plan.split.kind,
        "column": plan.split.column,
        "test_share": plan.split.test_share,
        "seed": plan.seed,
    }
    if plan.split.same:
        way["same"] = list(plan.split.same)
    if plan.split.kind == "time":
        way["data_sha256"] = plan.data_sha256
    return way
