"""The checks of a run told as a page: has the world changed, what moved most, right answers, what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from advisor.base.safetext import plain
from advisor.report.blocks import (
    Block,
    Chart,
    Code,
    Command,
    Hero,
    Mark,
    Notice,
    Paragraph,
    Point,
    Section,
    Story,
    Table,
)
from advisor.report.words import count

Check = Mapping[str, Any]
_MEASURES = {
    "ks": "largest distance of the cumulative shares",
    "js": "Jensen-Shannon distance",
    "auc": "area under the curve",
    "share": "difference of shares",
    "ratio": "times the first rows served",
}
_MOST = 12


def tell_checks(run: str, checks: Sequence[Check], limits: Mapping[str, float], made_by: str) -> Story:
    """The page of a run after its latest check. `limits` are the smallest effects that count, by measure."""
    last = checks[-1]
    sections = [
        _answer(last),
        _moved(last, limits),
        _right(checks),
        _costs(checks),
        _next(last),
        _history(checks),
        _all_tests(last),
    ]
    return Story(
        case=plain(run, 80),
        question="Has the world changed?",
        as_of=f"check {last['check']}, {plain(last['at'], 40)}",
        made_by=made_by,
        sections=tuple(section for section in sections if section is not None),
    )


def _answer(check: Check) -> Section:
    tests = len(check["findings"])
    alarms = [one for one in check["findings"] if one["alarm"]]
    if check["alarm"]:
        hero = Hero("Changed", "bad", f"Something has changed: {', '.join(check['alarms'])}.", _compared(check))
    elif check["compared"] or check["performance"]:
        hero = Hero("Quiet", "good", "No change is shown.", _compared(check))
    else:
        hero = Hero("Too few rows", "muted", "There were too few rows to compare.", _compared(check))
    told: list[Block] = [hero]
    if alarms:
        told.append(Paragraph(f"{len(alarms)} of {tests} tests raised an alarm; all are judged together."))
    if any(channel == "quality" for channel in check["alarms"]):
        told.append(Notice("Cells arrive otherwise than in training: mend the feed before anything else.", "bad"))
    return Section("answer", "The answer", "first_page", tuple(told))


def _compared(check: Check) -> str:
    seen = f"; {check['rows_seen_before']:,} rows of the file were checked before" if check["rows_seen_before"] else ""
    rows, file, kept = count(check["rows"], "new row"), plain(check["file"], 60), check.get("gathered")
    if not check["compared"]:
        return f"{rows} of {file} did not suffice to compare inputs with training{seen}."
    along = f", along with {count(kept, 'row')} of earlier files" if kept else ""
    return f"{rows} of {file} were compared with training{along}{seen}."


def _moved(check: Check, limits: Mapping[str, float]) -> Section | None:
    """Effects as shares of the smallest one that counts, so that tests of different kinds stand on one scale."""
    found = [one for one in check["findings"] if limits.get(one["measure"])]
    if not found:
        return None

    def size(one: Mapping[str, Any]) -> float:
        none = {"auc": 0.5, "ratio": 1.0}.get(one["measure"], 0.0)
        return max(0.0, float(one["effect"] - none) / (limits[one["measure"]] - none))

    largest = sorted(found, key=lambda one: (not one["alarm"], -size(one)))[:_MOST]
    points = tuple(
        Point(f"{plain(one['column'], 24)}, {plain(one['test'], 20)}", round(size(one), 3), ours=one["alarm"])
        for one in largest
    )
    twin = Table(
        ("column", "test", "size", "alarm from", ""),
        tuple(
            (
                Code(plain(one["column"], 60)),
                plain(one["test"], 40),
                f"{one['effect']:.3f}",
                f"{limits[one['measure']]:g}",
                Mark("alarm", "bad") if one["alarm"] else Mark("quiet", "muted"),
            )
            for one in largest
        ),
        (2, 3),
    )
    chart = Chart(
        "moved",
        "What moved most",
        "Each bar is the size of a change as a multiple of the smallest that counts; a change must be certain too.",
        "bars",
        "times the smallest change that counts",
        points,
        twin,
    )
    return Section("moved", "What moved", "first_page", (chart,))


def _right(checks: Sequence[Check]) -> Section | None:
    """The share of right answers, check by check, beside what was promised."""
    known = [check for check in checks if check["performance"]]
    if not known:
        words = "No file held right answers yet, so nobody knows how many are right."
        return Section("right", "Right answers", "first_page", (Paragraph(words),))
    rows = []
    points = []
    for check in known:
        told = check["performance"]
        points.append(
            Point(f"check {check['check']}", told["share"], float(check["check"]), told["low"], told["high"], True)
        )
        mark = Mark("breach", "bad") if told["breach"] else Mark("kept", "good")
        between = f"{told['low']:.1%} to {told['high']:.1%}"
        rows.append((f"{check['check']}", f"{told['rows']:,}", f"{told['share']:.1%}", between, mark))
    promised = known[-1]["performance"]["promised"]
    chart = Chart(
        "right",
        "Right answers since the start",
        f"At least {promised:.1%} were promised by the sealed rows; the dashed line stands there.",
        "intervals",
        "share of right answers",
        tuple(points[-_MOST:]),
        Table(("check", "labelled rows", "right", "95 %", ""), tuple(rows), (0, 1, 2)),
        bar=promised,
    )
    return Section("right", "Right answers", "first_page", (Paragraph(known[-1]["performance"]["text"]), chart))


def _costs(checks: Sequence[Check]) -> Section | None:
    """What labelled answers cost a row, check by check, beside what was promised; None where that was never stated."""
    known = [check for check in checks if check.get("costs")]
    if not known:
        return None
    points, rows = [], []
    for check in known:
        told = check["costs"]
        points.append(
            Point(f"check {check['check']}", told["mean"], float(check["check"]), told["low"], told["high"], True)
        )
        mark = Mark("breach", "bad") if told["breach"] else Mark("kept", "good")
        figures = (f"{told['rows']:,}", f"{told['file_mean']:.4g}", f"{told['mean']:.4g}")
        rows.append((f"{check['check']}", *figures, f"{told['low']:.4g} to {told['high']:.4g}", mark))
    last = known[-1]["costs"]
    chart = Chart(
        "costs",
        "Cost a row since the start",
        f"The sealed rows cost {last['sealed']:.4g}; at most {last['promised']:.4g} was promised: the dashed line.",
        "intervals",
        "cost a row",
        tuple(points[-_MOST:]),
        Table(("check", "labelled rows", "this file", "since the start", "95 %", ""), tuple(rows), (0, 1, 2, 3)),
        bar=last["promised"],
    )
    return Section("costs", "What answers cost", "first_page", (Paragraph(last["text"]), chart))


def _next(check: Check) -> Section:
    if not check["triggers"]:
        calm = "Nothing to do. Check again when new rows have come: no row counts twice."
        return Section("next", "What follows", "first_page", (Paragraph(calm),))
    told: list[Block] = []
    for trigger in check["triggers"]:
        told += [Paragraph(f"{trigger['trigger'].capitalize()}: {plain(trigger['why'], 400)}")]
        told += [Command(plain(trigger["command"], 600))]
    return Section("next", "What follows", "first_page", tuple(told))


def _history(checks: Sequence[Check]) -> Section | None:
    if len(checks) < 2:
        return None
    rows = tuple(
        (
            f"{check['check']}",
            plain(check["at"], 40),
            f"{check['rows']:,}",
            Mark(", ".join(check["alarms"]), "bad") if check["alarm"] else Mark("quiet", "good"),
        )
        for check in reversed(checks)
    )
    counts = tuple(
        Point(f"check {check['check']}", float(sum(one["alarm"] for one in check["findings"])), float(check["check"]))
        for check in checks
    )
    chart = Chart(
        "history",
        "Alarms by check",
        "How many tests raised an alarm at each check.",
        "curve",
        "alarms",
        counts,
        Table(("check", "when", "rows", ""), rows[:50], (0, 2)),
        across="check",
    )
    return Section("history", "Every check", "detail", (chart,))


def _all_tests(check: Check) -> Section | None:
    if not check["findings"]:
        return None
    rows = tuple(
        (
            one["channel"],
            Code(plain(one["column"], 60)),
            plain(one["test"], 40),
            f"{one['effect']:.3f}",
            "below 0.0001" if one["adjusted"] < 0.0001 else f"{one['adjusted']:.4f}",
            plain(one["text"], 200),
        )
        for one in check["findings"]
    )
    says = "; ".join(f"{name}: {words}" for name, words in _MEASURES.items())
    table = Table(("channel", "column", "test", "size", "adjusted p", "what was seen"), rows, (3, 4))
    return Section("tests", "Every test", "reference", (Paragraph(f"Sizes are {says}."), table))
