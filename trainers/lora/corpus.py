"""A file of examples, read and checked whole before any model loads: every fault with its row and its cure."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.base.errors import BadInput, did_you_mean
from advisor.base.files import read_text
from advisor.base.jsonrows import HALF, is_writable
from advisor.base.safetext import one_of, plain
from trainers.lora.examples import Example, Fault, RowFault, read_example, shape_of
from trainers.lora.policy import presets

MAX_BYTES = 512 * 2**20
_TABLES = (".csv", ".tsv", ".parquet", ".xlsx")
_CONVERSED = ("messages", "conversations", "chosen", "rejected", "input", "preferred_output", "non_preferred_output")
_HALF = ("half-a-character", f"a text in it {HALF}", "Export it again as UTF-8, or take the row out.")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The examples of a file. `notes` are sentences for people; `groups` gives each example its leak-proof group.

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
    """All examples of a JSONL, JSON, CSV or Parquet file. Raises `BadInput` for the first fault; `details` has all.

    `target` is the column of answers where rows are plain columns, `drop` columns the model must not see, `keep` those
    to split by.
    """
    kept: dict[str, list[Any]] = {name: [] for name in keep if name}
    examples: list[Example] = []
    faults: list[Fault] = []
    shape = ""
    for number, row in _rows(path, faults):
        own = shape_of(row, target)
        if not own:
            faults.append(_no_shape(row, number, target))
        elif shape and own != shape:
            faults.append(
                Fault(
                    number, "mixed-shapes", f"it is written as {own!r}, the rows before as {shape!r}", "Use one shape."
                )
            )
        else:
            shape = shape or own
            try:
                examples.append(read_example(row, number, shape, target=target, drop=drop, instruction=instruction))
                for name, cells in kept.items():
                    cells.append(row.get(name))
            except RowFault as fault:
                faults.append(Fault(number, fault.code, fault.what, fault.fix))
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
    first = min(faults, key=lambda fault: fault.row)
    more = len({fault.row for fault in faults}) - 1
    raise BadInput(
        f"Row {first.row:,} cannot be learned from: {first.what}."
        + (f" {more:,} more row{'s have' if more > 1 else ' has'} faults." if more else ""),
        where=f"{path}:{first.row}",
        why="Nothing was loaded or trained.",
        fix=first.fix,
        code=first.code,
        details={"faults": [{"row": f.row, "code": f.code, "what": f.what, "fix": f.fix} for f in faults[:100]]},
    )


def _rows(path: Path, faults: list[Fault]) -> Iterator[tuple[int, dict[str, Any]]]:
    if path.suffix.lower() in _TABLES:
        from advisor.base.tables import read_table

        for number, cells in enumerate(read_table(path).frame.to_dict("records"), 1):
            yield number, {str(name): _told(str(name), value) for name, value in cells.items()}
        return
    text = read_text(path, MAX_BYTES)
    if text.lstrip()[:1] == "[":
        try:
            rows = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadInput(
                f"{path.name} is not whole JSON: {plain(error, 120)}.",
                where=str(path),
                fix="Write one example a line (JSONL): a fault then names its row.",
                code="bad-json",
            ) from error
        for number, row in enumerate(rows, 1):
            if isinstance(row, dict) and not is_writable(row):
                faults.append(Fault(number, *_HALF))
            elif isinstance(row, dict):
                yield number, row
            else:
                faults.append(Fault(number, "data-type", "it is not a JSON object", 'Write {"messages": […]}.'))
        return
    # Not splitlines: JSON may hold U+2028 and its kin as they are, which Python takes for ends of lines.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            faults.append(
                Fault(number, "bad-json", f"it is not JSON ({plain(error, 80)})", "Write one JSON object a line.")
            )
            continue
        if "\\u" in line and not is_writable(row):
            faults.append(Fault(number, *_HALF))
        elif isinstance(row, dict):
            yield number, row
        else:
            faults.append(Fault(number, "data-type", "it is not a JSON object", 'Write {"messages": […]}.'))


def _without_gaps(value: Any) -> Any:
    """Parquet's objects name what they lack; JSON leaves it out."""
    if isinstance(value, dict):
        return {key: _without_gaps(inner) for key, inner in value.items() if inner is not None}
    return [_without_gaps(inner) for inner in value] if isinstance(value, list) else value


def _told(name: str, cell: Any) -> Any:
    """A cell of a table; a conversation, which a table can hold as JSON text alone, as the turns that it is."""
    if name in _CONVERSED and isinstance(cell, str) and cell.lstrip()[:1] in ("[", "{"):
        try:
            turns = _without_gaps(json.loads(cell))
        except (ValueError, RecursionError):
            return cell
        first = turns[0] if isinstance(turns, list) and turns else turns
        return turns if isinstance(first, dict) else cell
    return cell


def first_shape(path: Path, target: str) -> str:
    """The shape of a file's first row, or "" where it has none; a fault in it is told when the rows are read."""
    try:
        if path.suffix.lower() in _TABLES:
            from advisor.base.tables import read_table

            found = read_table(path, max_rows=1).frame.to_dict("records")
            return (
                shape_of({str(name): _told(str(name), cell) for name, cell in found[0].items()}, target)
                if found
                else ""
            )
        with path.open(encoding="utf-8-sig") as lines:
            first = next((line for line in iter(lambda: lines.readline(1 << 20), "") if line.strip()), "")
        row = json.loads(first) if first.lstrip()[:1] == "{" else next(_rows(path, []), (0, {}))[1]
        return shape_of(row, target)
    except (BadInput, OSError, ValueError, RecursionError):
        return ""


def _no_shape(row: dict[str, Any], number: int, target: str) -> Fault:
    names = one_of([str(name) for name in row])
    if target:
        hint = did_you_mean(target, [str(name) for name in row]) or "Name the column that holds the answer."
        return Fault(number, "no-target", f"it has no {plain(target, 40)!r}, only {names or 'nothing'}", hint)
    return Fault(
        number,
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
        a, b = same[0][0].row, same[0][1].row
        count = sum(len(found) - 1 for found in same)
        notes.append(
            f"{count} row{'s repeat' if count > 1 else ' repeats'} the question of another (rows {a} and {b} for one): "
            "they are kept on one side of the split, so none leaks into the test."
        )
    if torn:
        a, b = torn[0][0].row, torn[0][1].row
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
