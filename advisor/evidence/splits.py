"""How to hold rows back honestly: by group, by time, or at random with the classes in proportion."""

from __future__ import annotations

from dataclasses import replace

from advisor.base.safetext import plain
from advisor.evidence.sheet import CLASS_TASKS, Sheet
from advisor.records.look import Pitfall, SplitProposal


def propose(sheet: Sheet, pitfalls: dict[str, Pitfall]) -> SplitProposal:
    """The split that the findings call for, with the reason. Groups come before time, time before chance."""
    groups, order, repeated = pitfalls.get("P501"), pitfalls.get("P503"), pitfalls.get("P502")
    if groups is not None and _tears_apart(sheet, groups):
        name = groups.columns[0]
        reason = f"Rows of one {plain(name, 60)} are alike: they all go to one part, so the test asks about new ones."
        return _sized(sheet, pitfalls, SplitProposal("group", name, reason=reason))
    if sheet.task == "forecast" or (order is not None and order.outcome == "issue"):
        # An hour of the day or a month sorts nothing by itself: then the file's own order is the order in time.
        by_itself = sheet.order is not None and sheet.order.how in ("dates", "counter")
        name = sheet.order.columns[0] if sheet.order is not None and by_itself else ""
        reason = "The rows follow each other in time: train on the past, test on the latest fifth."
        return _sized(sheet, {}, SplitProposal("time", name, reason=reason))
    if repeated is not None and repeated.outcome == "issue":
        reason = f"Rows that differ only in {plain(repeated.columns[0], 60)} are one thing measured several times: "
        reason += "they all go to one part, so the test asks about new things."
        same = repeated.evidence.get("same")
        columns = tuple(map(str, same)) if isinstance(same, list) else ()
        return _sized(sheet, pitfalls, SplitProposal("group", reason=reason, same=columns))
    kind, how = ("stratified", " that keeps the classes in proportion") if sheet.task in CLASS_TASKS else ("random", "")
    seen = "No groups and no order in time were found"
    if order is not None and order.outcome == "tip":
        seen = (
            f"The rows have a place in time ({plain(order.columns[0], 60)}), but no answer hangs on those just before"
        )
        how += "; hold the latest rows back instead if the model must foretell"
    return _sized(sheet, pitfalls, SplitProposal(kind, reason=f"{seen}: a random split{how}."))


def _tears_apart(sheet: Sheet, groups: Pitfall) -> bool:
    """Whether a random split would ask again about those it learned from; of people measured often a tip is enough."""
    people = any(sheet.catalogue.says(name, "measured") for name in groups.columns[:1])
    return bool(groups.columns) and (groups.outcome == "issue" or (groups.outcome == "tip" and people))


def _sized(sheet: Sheet, pitfalls: dict[str, Pitfall], proposal: SplitProposal) -> SplitProposal:
    """The proposal with its parts, and with copies and near copies kept together where there are some."""
    development, folds, sizes = _sizes(sheet.labelled, sheet.catalogue.settings)
    limits, near = sheet.entry("P202").thresholds, pitfalls.get("P202")
    columns: tuple[str, ...] = ()
    together = _copies(pitfalls)
    if near is not None and near.outcome in ("issue", "tip"):
        largest = near.evidence.get("largest_group", 0.0)
        if isinstance(largest, float) and largest > limits["largest_group"]:
            together += f" Near copies cannot be kept in one part: {largest:.0%} of the rows are variants of one text."
        else:
            columns, together = near.columns, " Copies and near copies of a row stay in one part."
    return replace(
        proposal,
        reason=f"{proposal.reason}{together} {sizes}",
        development_share=development,
        folds=folds,
        near=columns,
        similarity=limits["similarity"],
        distance=limits["distance"],
    )


def _copies(pitfalls: dict[str, Pitfall]) -> str:
    found = pitfalls.get("P201")
    return " Copies of a row stay in one part." if found and found.outcome in ("issue", "tip", "ignored") else ""


def _sizes(labelled: int, settings: dict[str, float]) -> tuple[float, int, str]:
    """Share of a development part, number of folds, and why: 80/10/10 when plenty, folds when short."""
    if labelled >= settings["one_part_rows"]:
        return 0.1, 0, "80/10/10: with so many rows one development part is enough to choose by."
    if labelled >= settings["few_rows"]:
        return 0.0, 5, "80/20 with five folds on the 80: rows are too few to spare a development part."
    return 0.0, 10, "80/20 with ten folds on the 80: with so few rows every one is needed for both."
