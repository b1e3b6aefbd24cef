"""What a run found, put into words and figures: the gate, samples before and after, the gap, the answers as a file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from advisor.base.files import to_json
from advisor.base.safetext import plain
from advisor.records.plan import Gate, Plan
from advisor.records.run import GateVerdict, Score
from trainers.common.gate import hold_against
from trainers.common.metrics import METRICS, Floats, Integers, Metric, Output
from trainers.lora.examples import Example
from trainers.lora.scores import BY_CLASS, label_codes, score


def hold(
    metric: str,
    ours: Sequence[str],
    rivals: dict[str, list[str]],
    wanted: Sequence[str],
    units: Integers,
    plan: Plan,
    gate: Gate,
) -> tuple[Score, GateVerdict]:
    """Our score on the sealed rows, and the verdict over every cheaper rung that `gate` names.

    `units` says which rows belong together. A preference is right or wrong, and so counted as accuracy is.
    """
    held = {name: rivals[name] for name in gate.against if name in rivals}
    if metric in BY_CLASS:
        by_class = {name: Output(labels=label_codes(said, wanted)) for name, said in held.items()}
        mine, truth = Output(labels=label_codes(ours, wanted)), label_codes(wanted, wanted)
        counted = METRICS["accuracy" if metric == "preference" else metric]
        return hold_against(counted, truth.astype(np.float64), mine, by_class, units, gate, plan.seed)

    def marks(said: Sequence[str]) -> Output:
        pairs = zip(said, wanted, strict=True)
        return Output(numbers=np.array([score(metric, a, b) for a, b in pairs], dtype=np.float64))

    def mean(truth: Floats, output: Output, weights: Floats) -> Floats:
        return np.asarray(weights @ np.asarray(output.numbers) / weights.sum(axis=1), dtype=np.float64)

    return hold_against(
        Metric(metric, metric.replace("_", " "), True, (plan.task,), "numbers", mean),
        np.ones(len(ours)),
        marks(ours),
        {name: marks(said) for name, said in held.items()},
        units,
        gate,
        plan.seed,
    )


def gap(curve: Sequence[dict[str, float]]) -> dict[str, float]:
    """How much better the model is on what it learned than on what it did not: grows when it learns by heart."""
    last = next((point for point in reversed(curve) if "train_loss" in point and "development_loss" in point), None)
    if last is None:
        return {}
    return {
        "train_loss": last["train_loss"],
        "development_loss": last["development_loss"],
        "gap": last["development_loss"] - last["train_loss"],
    }


def samples(asked: Sequence[Example], before: Sequence[str], after: Sequence[str]) -> list[dict[str, str]]:
    """The first sealed rows with both answers, side by side."""
    return [
        {
            "asked": plain(example.asked, 400),
            "wanted": plain(example.answer, 400),
            "before": plain(b, 400),
            "after": plain(a, 400),
        }
        for example, b, a in zip(asked, before, after, strict=False)
    ]


def lines(
    asked: Sequence[Example],
    wanted: Sequence[str],
    ours: Sequence[str],
    before: Sequence[str],
    rivals: dict[str, list[str]],
) -> str:
    """One JSON object a sealed row: what was wanted, what each of the models said."""
    lines = []
    for place, example in enumerate(asked):
        line: dict[str, object] = {"row": example.row, "wanted": wanted[place], "ours": ours[place]}
        line |= {name: said[place] for name, said in rivals.items()}
        if place < len(before):
            line["before"] = before[place]
        lines.append(to_json(line, indent=None))
    return "".join(lines)
