"""Examples of a file or a folder, read and checked whole before any model loads: every fault with row and cure."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.safetext import one_of, plain
from trainers.lora.examples import Example, Fault, Place, RowFault, half_a_pair, read_example, shape_of
from trainers.lora.policy import presets
from trainers.lora.rowfiles import rows_of


@dataclass(frozen=True, slots=True)
class Corpus:
    """All examples. `notes` are sentences for people; `groups` gives each example its leak-proof group.

    `columns` holds what each row says under the keys of `keep` (to split by), in the order of the examples; a key that
    no row has is left out.
    """

    examples: tuple[Example, ...]
    shape: str
    notes: tuple[str, ...]
    groups: tuple[str, ...]
    columns: dict[str, list[Any]]


def read_corpus(
    path: Path,
    *,
    target: str = "",
    drop: tuple[str, ...] = (),
    keep: tuple[str, ...] = (),
    instruction: str = "",
) -> Corpus:
    """All examples of a JSONL, JSON, CSV or Parquet file, or of a folder's files with rows, file after file by name.

    Raises `BadInput` for the first fault; `details` has all. Rows are counted on from file to file.
    `target` is the column of answers where rows are plain columns, `drop` columns the model must not see, `keep` those
    to split by.
    """
    kept: dict[str, list[Any]] = {name: [] for name in keep if name}
    examples: list[Example] = []
    faults: list[Fault] = []
    shape = ""
    for place, row in rows_of(path, faults):
        own = shape_of(row, target)
        if not own:
            faults.append(_no_shape(row, place, target))
        elif shape and own != shape:
            what = f"it is written as {own!r}, the rows before as {shape!r}"
            faults.append(Fault(place, "mixed-shapes", what, "Use one shape."))
        else:
            shape = shape or own
            try:
                one = read_example(row, place.row, shape, target=target, drop=drop, instruction=instruction)
            except RowFault as fault:
                faults.append(Fault(place, fault.code, fault.what, fault.fix))
                continue
            examples.append(replace(one, file=place.file, line=place.line))
            for name, cells in kept.items():
                cells.append(row.get(name))
    if not examples and not faults:
        raise BadInput(
            f"{path.name} holds no example.", where=str(path), fix="Write one example a line (JSONL).", code="empty"
        )
    refuse(faults, path)
    groups = tuple(_group(example) for example in examples)
    notes = _too_few(len(examples), path) + _repeats(examples, groups, path)
    columns = {name: cells for name, cells in kept.items() if any(cell is not None for cell in cells)}
    return Corpus(tuple(examples), shape, tuple(notes), groups, columns)


def refuse(faults: Sequence[Fault], path: Path) -> None:
    """Raise `BadInput` when there are faults: the first in the sentence, up to a hundred in `details`."""
    if not faults:
        return
    first = min(faults, key=lambda fault: fault.place.row)
    places = {fault.place.row: fault.place for fault in faults if fault.place.row != first.place.row}
    others = [str(places[row]) for row in sorted(places)]
    raise BadInput(
        f"Row {first.place} cannot be learned from: {first.what}."
        + (
            f" {len(others):,} more row{'s have' if len(others) > 1 else ' has'} faults: {one_of(others)}."
            if others
            else ""
        ),
        where=f"{path / first.place.file}:{first.place.line or first.place.row}",
        why="Nothing was loaded or trained.",
        fix=first.fix,
        code=first.code,
        details={"faults": [fault.told() for fault in faults[:100]]},
    )


def _no_shape(row: dict[str, Any], place: Place, target: str) -> Fault:
    names = one_of([str(name) for name in row])
    if half := half_a_pair(row, target):
        return Fault(
            place,
            "half-a-pair",
            f"it has {half[0]!r} and no {half[1]!r}",
            'Give every row both answers, {"prompt": …, "chosen": …, "rejected": …}, or take it out; to learn from one '
            'answer alone, write {"prompt": …, "completion": …} in every row.',
        )
    if target:
        hint = did_you_mean(target, [str(name) for name in row]) or "Name the column that holds the answer."
        return Fault(place, "no-target", f"it has no {plain(target, 40)!r}, only {names or 'nothing'}", hint)
    return Fault(
        place,
        "no-shape",
        f"its keys ({names or 'none'}) are no shape of examples",
        'Write {"messages": [{"role": "user", "content": …}, {"role": "assistant", "content": …}]}, '
        '{"prompt": …, "completion": …}, or name the answer\'s column: --target COLUMN.',
    )


def _group(example: Example) -> str:
    """Rows whose questions differ only in case and spaces belong on one side of a split."""
    return hashlib.sha256(bare_question(example).encode()).hexdigest()[:16]


def bare_question(example: Example) -> str:
    """What is asked, whatever its case and spaces; an instruction before it does not count."""
    return "\n".join(bare(m.content) for m in example.question if m.role != "system")


def bare(text: str) -> str:
    """A text in small letters, with one space between words."""
    return " ".join(text.lower().split())


def _too_few(count: int, path: Path) -> list[str]:
    rules = presets()["examples"]
    least, gains, comfortable = rules["at_least"], rules["sees_gains"], rules["comfortable"]
    if count < least:
        raise BadInput(
            f"{path.name} has {count} example{'s' if count != 1 else ''}; at least {least} are needed.",
            where=str(path),
            why="OpenAI's own service refuses fewer, and with so few no test part is left to prove a gain on.",
            fix="Put the examples into the prompt instead (few-shot), and collect 50 to 100.",
            code="too-few",
        )
    if count < gains:
        few = f"{count} examples: above the minimum of {least}, below the {gains} from which OpenAI's guide "
        return [few + "sees clear gains. The same examples in the prompt are the rival to beat."]
    if count < comfortable:
        return [f"{count} examples: OpenAI's guide sees clear gains from {gains} to {comfortable}; a start."]
    return []


def _repeats(examples: Sequence[Example], groups: Sequence[str], path: Path) -> list[str]:
    rows: dict[str, list[Example]] = defaultdict(list)
    for example, group in zip(examples, groups, strict=True):
        rows[group].append(example)
    notes = []
    same = [found for found in rows.values() if len(found) > 1]
    torn = [found for found in same if len({example.answer for example in found}) > 1]
    if same:
        a, b = (one.place for one in same[0][:2])
        count = sum(len(found) - 1 for found in same)
        notes.append(
            f"{count} row{'s repeat' if count > 1 else ' repeats'} the question of another (rows {a} and {b} for one): "
            "they are kept on one side of the split, so none leaks into the test."
        )
    if torn:
        a, b = (one.place for one in torn[0][:2])
        notes.append(
            f"{len(torn)} question{'s have' if len(torn) > 1 else ' has'} two different answers (rows {a} and {b} for "
            "one): no model can be right on both."
        )
    least = presets()["examples"]["at_least"]
    if len(rows) < least:
        raise BadInput(
            f"{path.name} asks only {len(rows)} different question{'s' if len(rows) > 1 else ''}.",
            where=str(path),
            why="Repeats teach nothing new, and a test on a repeated question proves nothing.",
            fix=f"Collect at least {least} different questions.",
            code="too-few-different",
        )
    if len({example.answer for example in examples}) == 1:
        raise BadInput(
            "Every row has the same answer.",
            where=str(path),
            why="A constant needs no model.",
            fix="Check the export: the answer's column may hold a default.",
            code="one-answer",
        )
    return notes
