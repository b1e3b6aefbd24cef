"""`train-or-not VERB --schema`: the JSON Schema of everything that a verb prints with --json."""

from __future__ import annotations

from typing import Any, Union


def schema_for(verb: str) -> dict[str, Any]:
    """The schema of a verb's answers and of its errors. Every verb has one; a test holds it to real output."""
    from advisor.records.plain import schema_of

    kinds = _kinds()[verb]
    from advisor.cli.shapes import Failed

    every: Any = Union[(*kinds, Failed)]
    content = schema_of(every)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"train-or-not {verb} --json",
        **content,
    }


def _kinds() -> dict[str, tuple[Any, ...]]:
    from advisor.cli import rule_shapes, shapes
    from advisor.cli.diff import Difference
    from advisor.records.decision import Decision
    from advisor.records.look import Look
    from advisor.records.run import RunRecord
    from advisor.report.blocks import Story

    return {
        "new": (shapes.Started,),
        "ask": (shapes.Asked,),
        "list": (shapes.Cases,),
        "look": (Look,),
        "decide": (Decision,),
        "explain": (shapes.Explained, rule_shapes.RulePage, rule_shapes.FactPage, rule_shapes.PitfallPage),
        "climb": (shapes.Climbed, shapes.Announced),
        "report": (Story,),
        "plan": (shapes.Planned,),
        "train": (RunRecord, shapes.Retrained),
        "distill": (shapes.Distilled, shapes.ToDistil),
        "predict": (shapes.Predicted,),
        "serve": (shapes.Serving,),
        "export": (shapes.Exported,),
        "track": (shapes.Tracked,),
        "monitor": (shapes.Watched,),
        "diff": (Difference,),
        "rules": (
            *(rule_shapes.Proof, rule_shapes.Tested, rule_shapes.RulePage, rule_shapes.FactPage, rule_shapes.Drawn),
            *(rule_shapes.Rules, rule_shapes.Facts, rule_shapes.Places, rule_shapes.Sources),
        ),
        "doctor": (shapes.Examined,),
        "demo": (shapes.Shown,),
        "mcp": (shapes.Skill,),
    }
