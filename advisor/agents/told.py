"""What the tools answer: short, typed, made from a verb's JSON. The whole record stays in the case's files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Value = bool | int | float | str | None


@dataclass(frozen=True)
class Question:
    """A fact that can still change the decision, how to ask for it, and what may be answered."""

    fact: str
    question: str
    allowed: str


@dataclass(frozen=True)
class Answered:
    """Where the questionnaire stands. `open` lists what can still change the decision, the next question first."""

    case: str
    nothing_left_to_ask: bool
    so_far: str
    open: list[Question]
    answers: dict[str, Value]
    seen_in_data: dict[str, Value]
    contradictions: list[str] = field(default_factory=list)
    next_step: str = ""


@dataclass(frozen=True)
class Finding:
    """A pitfall of the data: how bad, what was seen, what to do."""

    code: str
    outcome: str
    severity: str
    text: str
    fix: str


@dataclass(frozen=True)
class Looked:
    """What the data says by itself. `facts` need no question any more."""

    path: str
    rows: int
    columns: int
    target: str
    candidates: list[str]
    facts: dict[str, Value]
    findings: list[Finding]
    passed: int
    split: str


@dataclass(frozen=True)
class Rung:
    """How one rung, or one way beside the ladder, ended, and the rule that says why."""

    rung: str
    status: str
    because: str
    rule: str


@dataclass(frozen=True)
class Decided:
    """The decision. While `settled` is false, `also_possible` names what it can still become."""

    verdict: str | None
    approach: str | None
    settled: bool
    headline: str
    also_possible: list[str]
    do_instead: str
    hosting: str | None
    metric: str | None
    ladder: list[Rung]
    cautions: list[str]
    flips: list[str]
    unknown: list[str]
    next_question: str | None
    usd_low: float | None
    usd_high: float | None
    usd_complete: bool
    as_of: str
    rulebook: str


@dataclass(frozen=True)
class Explained:
    """A page of words about a decision, a rung, a rule, a fact or a pitfall."""

    text: str


@dataclass(frozen=True)
class Climbed:
    """A climb that was announced (`dry_run`) or done. Nothing is sent or spent while `dry_run` is true."""

    dry_run: bool
    text: str
    most_calls: int
    most_usd: float
    usd: float
    recommended: str
    approach: str | None
    settled: bool | None
    approve_by: str


@dataclass(frozen=True)
class Reported:
    """The report's first page in plain text, and where the whole of it was written."""

    first_page: str
    html: str
    markdown: str


def answered(content: Mapping[str, Any], missing: list[Any], case: str) -> Answered:
    """From what `ask --json` prints, settled or not."""
    open_ones = [Question(one["fact"], one["question"], one["allowed"]) for one in missing]
    return Answered(
        case=case,
        nothing_left_to_ask=not open_ones,
        so_far=str(content.get("leading", "")),
        open=open_ones,
        answers={fact["name"]: fact["value"] for fact in content.get("answers", [])},
        seen_in_data={fact["name"]: fact["value"] for fact in content.get("observed", [])},
        contradictions=[
            f"{one['name']}: the answer {one['overruled']['value']} stands against {one['kept']['value']} in the data"
            for one in content.get("contradictions", [])
        ],
        next_step="ask the next question of `open`" if open_ones else "decide, then report",
    )


def looked(content: Mapping[str, Any]) -> Looked:
    """From what `look --json` prints."""
    found = [one for one in content.get("pitfalls", []) if one["outcome"] in ("issue", "tip")]
    split = content.get("split", {})
    by = f" by {split['column']}" if split.get("column") else ""
    return Looked(
        path=str(content.get("path", "")),
        rows=int(content["shape"][0]),
        columns=int(content["shape"][1]),
        target=str(content.get("target", "")),
        candidates=[str(name) for name in content.get("candidates", [])],
        facts={fact["name"]: fact["value"] for fact in content.get("facts", [])},
        findings=[Finding(one["code"], one["outcome"], one["severity"], one["text"], one["fix"]) for one in found],
        passed=sum(one["outcome"] == "passed" for one in content.get("pitfalls", [])),
        split=f"{split.get('kind', '')}{by}: {split.get('reason', '')}",
    )


def decided(content: Mapping[str, Any]) -> Decided:
    """From what `decide --json` prints."""
    steps = [*content["ladder"], *(one for one in content["beside"] if one["status"] in ("enough", "unknown"))]
    ladder = [
        Rung(
            one["rung"],
            one["status"],
            one["because"][0]["text"] if one["because"] else "",
            one["because"][0]["rule"] if one["because"] else "",
        )
        for one in steps
    ]
    chosen = next((one for one in steps if one["status"] == "enough"), None)
    bill = content.get("cost", {}).get("approaches", {}).get(content.get("approach") or "", {})
    return Decided(
        verdict=content["verdict"],
        approach=content["approach"],
        settled=content["settled"],
        headline=content["headline"],
        also_possible=list(content["also_possible"]),
        do_instead=chosen["because"][0]["do_instead"] if chosen and chosen["because"] else "",
        hosting=content["hosting"]["value"],
        metric=content["metric"]["value"],
        ladder=ladder,
        cautions=[one["text"] for one in content["cautions"]],
        flips=[one["text"] for one in content["flips"][:5]],
        unknown=list(content["unknown"]),
        next_question=content["next_question"],
        usd_low=bill.get("low"),
        usd_high=bill.get("high"),
        usd_complete=bool(bill.get("complete")),
        as_of=content["as_of"],
        rulebook=content["rulebook"].get("hash", ""),
    )


def announced(content: Mapping[str, Any], approve_by: str) -> Climbed:
    """From what `climb --dry-run --json` prints."""
    calls, dollars = int(content.get("most_calls") or content.get("calls") or 0), float(content.get("most_usd") or 0.0)
    seen = content.get("visible_difference")
    told = [f"Nothing was measured, sent or spent. It would ask at most {calls:,} questions for {dollars:.2f} USD."]
    told += [f"These examples show a difference of about {seen:.0%} between two rungs, none smaller."] if seen else []
    return Climbed(True, " ".join(told), calls, dollars, 0.0, "", None, None, approve_by)


def not_approved(approve_by: str) -> Climbed:
    """The person at the client did not say yes, or could not be asked."""
    text = "Not approved, so nothing was sent or spent. A person can run the command in `approve_by`."
    return Climbed(True, text, 0, 0.0, 0.0, "", None, None, approve_by)


def climbed(content: Mapping[str, Any]) -> Climbed:
    """From what `climb --json` prints when it ran."""
    decision = content.get("decision", {})
    return Climbed(
        dry_run=False,
        text=str(content.get("text", "")),
        most_calls=int(content.get("calls") or 0),
        most_usd=float(content.get("usd") or 0.0),
        usd=float(content.get("usd") or 0.0),
        recommended=str(content.get("recommended") or ""),
        approach=decision.get("approach"),
        settled=decision.get("settled"),
        approve_by="",
    )
