"""The promises that SECURITY.md makes: what is promised, the bar, and the file whose tests hold it to that bar."""

# ruff: noqa: E501  (a promise a line reads better than one wrapped over four)
from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# `figure(promise, what, measured)`, the fixture.
Figure = Callable[[int, str, str], None]

HERE = Path(__file__).resolve().parent
FIGURES = HERE / "figures.json"


@dataclass(frozen=True)
class Promise:
    """One row: `number` is that of SECURITY.md; `test` is the file in this folder that injects the fault."""

    number: int
    promise: str
    bar: str
    test: str


PROMISES = tuple(
    Promise(*row)
    for row in (
        (1, "No model file runs code: no pickle is written or loaded", "0 executions", "test_evil_artefacts.py"),
        (2, "Models load against a fixed list of types, never the file's own", "all read back equal", "test_evil_artefacts.py"),
        (3, "Weights are safetensors; foreign code and tokens in a plan are refused", "all refused", "test_evil_artefacts.py"),
        (4, "No token reaches a checkpoint", "0 files", "test_canary_key.py"),
        (5, "YAML bombs, tags, aliases and duplicate keys are refused, with their line", "each < 50 ms, < 50 MB", "test_yaml_bombs.py"),
        (6, "Conditions are data, weighed as a second implementation weighs them", "0 disagreements", "test_conditions.py"),
        (7, "Every rule can be reached, none contradicts another", "all", "test_conditions.py"),
        (8, "Nothing is written outside the case", "0 escapes", "test_path_escapes.py"),
        (9, "Text that a model reads decides, spends and names nothing", "0 decisions changed", "test_prompt_injection.py"),
        (10, "Foreign text cannot steer a terminal", "0 control bytes", "test_injected_text.py"),
        (11, "Foreign text cannot steer a page", "0 requests, 0 dialogs", "test_injected_text.py"),
        (12, "Foreign text is no formula in a spreadsheet; numbers stay numbers", "all", "test_injected_text.py"),
        (13, "A key stays in the environment", "0 places", "test_canary_key.py"),
        (14, "A cap on money holds", "0.00 USD over", "test_overspend.py"),
        (15, "A kill leaves the old file or the new one", "0 torn files", "test_kills.py"),
        (16, "A killed training goes on and ends the same, bit for bit", "all", "test_training_kills.py"),
        (17, "A full disk keeps the last good state and says so", "all", "test_kills.py"),
        (18, "Two processes never share a run; a dead one's lock is taken", "0 collisions", "test_at_once.py"),
        (19, "Any table ends in facts or in one sentence with a cure", "0 tracebacks", "test_hostile_tables.py"),
        (20, "The same answers give the same decision, byte for byte", "1,000 of 1,000", "test_same_bytes.py"),
        (21, "Reports are what they were, byte for byte", "all", "test_same_bytes.py"),
        (22, "A broken case is rebuilt or refused with a cure, never wrong in silence", "0 silent", "test_broken_cases.py"),
        (23, "Readers survive fuzzing: an answer or a sentence, never a crash", "0 crashes", "test_fuzz_readers.py"),
        (24, "Every input has a limit that is told and kept", "all", "test_limits.py"),
        (25, "A served run is held up by nobody and read by no foreign page", "all", "test_served_safely.py"),
        (26, "An agent reaches nothing outside its folder, and sends and spends nothing unasked", "0", "test_agents.py"),
        (27, "No text, file or answer holds it up: work and memory are bounded by its length", "0 held up", "test_held_up.py"),
    )
)  # fmt: skip


def record(number: int, what: str, measured: str, file: Path = FIGURES) -> None:
    """Put one measured figure into the file; safe from several processes at once."""
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        figures = load(file)
        figures.setdefault(str(number), {})[what] = measured
        ordered = {key: dict(sorted(figures[key].items())) for key in sorted(figures, key=int)}
        file.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(file: Path = FIGURES) -> dict[str, dict[str, Any]]:
    """The figures by promise, then by what was counted."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def table(figures: dict[str, dict[str, Any]]) -> str:
    """The Markdown table that the README shows; a promise without a figure says so."""
    lines = ["| | promise | bar | measured | test |", "|--:|---|---|---|---|"]
    for one in PROMISES:
        measured = "; ".join(f"{what}: {value}" for what, value in figures.get(str(one.number), {}).items())
        lines.append(
            f"| {one.number} | {one.promise} | {one.bar} | {measured or 'not measured yet'} "
            f"| [{one.test.removeprefix('test_').removesuffix('.py')}](tests/safety/{one.test}) |"
        )
    return "\n".join(lines) + "\n"
