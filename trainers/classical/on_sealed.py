"""What the sealed rows show beside the score: where it errs, for whom, what that costs, whether its bounds hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from advisor.records.plan import Plan
from trainers.classical import conformal, costs_on_sealed
from trainers.classical.diagnostics import errors_of
from trainers.classical.groups import as_table, by_group
from trainers.classical.model_file import Model
from trainers.classical.problem import Problem
from trainers.classical.slices import errors_by_slice, told
from trainers.common import weights
from trainers.common.baselines import OneRule
from trainers.common.metrics import Output
from trainers.common.rows import Rows
from trainers.common.sensitive import named_for_audit
from trainers.common.splits import Split


def seen_on_sealed(
    plan: Plan, rows: Rows, split: Split, problem: Problem, rule: OneRule | None, model: Model, ours: Output
) -> tuple[dict[str, Any], list[str]]:
    """The diagnostics of `ours`, the model's answers for the sealed rows, and notes that a reader must know."""
    truth, counts, schema = problem.truth[split.test], problem.counting(split.test), problem.setup.schema
    found = errors_of(truth, ours, rows.target.classes, counts)
    slices = errors_by_slice(problem.prepared.iloc[split.test], schema, truth, ours)
    notes = [told(slices, number=not rows.target.classes)]
    groups = by_group(
        rows.features.iloc[split.test],
        truth,
        ours,
        aside=rows.aside.iloc[split.test] if len(rows.aside.columns) else None,
        named=named_for_audit(plan),
        unseen={column.name for column in schema.of("unused")},
    )
    costs = costs_on_sealed.measured(problem, split, ours, rule, plan.gate.confidence)
    found |= {
        "slices": slices,
        "groups": groups,
        "tables": [*costs_on_sealed.as_table(costs), *as_table(groups)],
        **costs,
    }
    if model.conformal:
        found["conformal"] = conformal.held(model.conformal, truth, ours)
        notes.append(conformal.told(found["conformal"]))
    if rows.weights is not None:
        found["row_weights"] = {
            "column": weights.weight_column(plan),
            "least": float(np.min(rows.weights)),
            "most": float(np.max(rows.weights)),
            "sealed_rows_that_count_the_same": weights.equal_rows(rows.weights[split.test]),
        }
        notes.append(weights.told(weights.weight_column(plan), rows.weights, rows.weights[split.test]))
    return found, [note for note in notes if note]
