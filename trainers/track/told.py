"""What a tracker is told of a run: one flat list of figures, one of settings, and the curve of the training."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.base.files import sha256_of_file
from advisor.records.run import RunRecord, Score
from trainers.common.runfolder import MARKER

# What every tracker takes in a name; for anything else TensorBoard writes _, and MLflow takes hardly any of it.
_STRANGE = re.compile(r"[^A-Za-z0-9_\-./]")
_LONGEST = 500  # MLflow's column for a setting


@dataclass(frozen=True)
class Told:
    """A run for a tracker. `curve` holds figures by step, where the training went in steps; `id` names the content."""

    case: str
    run: str
    id: str
    figures: dict[str, float]
    settings: dict[str, str]
    tags: dict[str, str]
    curve: tuple[tuple[int, dict[str, float]], ...]
    verdict: str
    finished: str


# A door to a tracker: writes the run into a place, and returns the name it has there. Told twice, it stands there once.
Tracker = Callable[[Told, Path], str]


def told_of(folder: Path, record: RunRecord) -> Told:
    """The run in `folder`, whose record was read and checked. Samples and texts of the data stay where they are."""
    digest = sha256_of_file(folder / MARKER)
    plan = record.plan
    settings = {**{name: one.value for name, one in plan.settings.items()}, **record.hyperparameters}
    return Told(
        case=folder.resolve().parent.parent.name,
        run=record.run,
        id=digest[:16],
        figures=dict(_figures(record)),
        settings={_name(name): _short(value) for name, value in settings.items()},
        tags={
            "gate": record.gate.outcome,
            "model": record.chosen,
            "trainer": plan.trainer,
            "task": plan.task,
            "target": plan.target,
            "metric": record.sealed.metric,
            "data_sha256": plan.data_sha256,
            "complete_sha256": digest,
            "tool_version": record.tool_version,
        },
        curve=tuple(_curve(record)),
        verdict=record.gate.text,
        finished=record.finished,
    )


def _figures(record: RunRecord) -> Iterator[tuple[str, float]]:
    for name, value in _numbers(record):
        yield _name(name), float(value)


def _numbers(record: RunRecord) -> Iterator[tuple[str, float]]:
    yield from _score("sealed", record.sealed)
    for one in record.gate.comparisons:
        yield from _score(f"beside/{one.against}", one.theirs)
        yield f"beside/{one.against}/gain", one.gain
        yield f"beside/{one.against}/gain low", one.low
        yield f"beside/{one.against}/gain high", one.high
    yield from _costs(record)
    for candidate in record.candidates:
        if candidate.development:
            yield from _score(f"development/{candidate.name}", candidate.development)
    for group, values in (("secondary", record.secondary), ("rows", record.rows), ("seconds", record.times)):
        for name, value in values.items():
            yield f"{group}/{name}", value
    yield "peak memory MB", record.peak_memory_mb


def _costs(record: RunRecord) -> Iterator[tuple[str, float]]:
    """What answers cost a row, ours and each rung's, and what is saved; nothing where no costs were stated."""
    for one in record.gate.costs:
        for group, paid in (("sealed", one.ours), (f"beside/{one.against}", one.theirs)):
            yield f"{group}/cost", paid.value
            yield f"{group}/cost low", paid.low
            yield f"{group}/cost high", paid.high
        yield f"beside/{one.against}/saving", one.gain
        yield f"beside/{one.against}/saving low", one.low
        yield f"beside/{one.against}/saving high", one.high


def _score(group: str, score: Score) -> Iterator[tuple[str, float]]:
    yield f"{group}/{score.metric}", score.value
    yield f"{group}/low", score.low
    yield f"{group}/high", score.high


def _curve(record: RunRecord) -> Iterator[tuple[int, dict[str, float]]]:
    points = record.diagnostics.get("curve")
    for point in points if isinstance(points, list) else []:
        if isinstance(point, dict) and isinstance(point.get("step"), int):
            values = {_name(name): one for name, one in point.items() if name != "step" and _is_number(one)}
            yield point["step"], values


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _name(text: str) -> str:
    return _STRANGE.sub("_", text.strip())


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
