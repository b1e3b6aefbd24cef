"""Charts of one run, from what its record holds: learning curve, loss, confusion, residuals, calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from advisor.base.safetext import plain
from advisor.records.run import RunRecord
from advisor.report.blocks import Block, Cell, Chart, Heading, Paragraph, Point, Table
from advisor.report.data_charts import interval_words, numbers_of
from advisor.report.words import baseline_words, count, figure, metric_words, score, sentence

MOST_CLASSES = 12


def learning_curve(run: RunRecord) -> Iterator[Chart]:
    """Score by number of training rows, where the run measured it, beside what the best cheaper way reaches."""
    points = sorted(_points(run.diagnostics.get("learning_curve"), "rows", "value"), key=lambda point: point.at)
    if len(points) < 2:
        return
    words = own_words(run, "learning_curve")
    metric = words.get("metric") or metric_words(run.sealed.metric)
    rows = tuple((figure(point.at), score(point.value), interval_words(point)) for point in points)
    rival = _rival(run)
    target = f" The broken line is what {rival[0]} reaches on the sealed rows." if rival else ""
    says = "Cross-validated score by the number of rows trained on; a curve that still rises says yes."
    across = words.get("across", "rows trained on")
    first = sentence(words.get("across", "rows"))
    yield Chart(
        "learning-curve",
        words.get("title", "Would more examples help?"),
        f"{words.get('says', says)}{target}",
        "curve",
        metric,
        tuple(points),
        Table((first, sentence(metric), "Interval"), rows, numeric=(0, 1, 2)),
        across=across,
        bar=rival[1] if rival else None,
    )


def own_words(run: RunRecord, name: str) -> dict[str, str]:
    """The words that this kind of run has for one of the things every run tells; a run's file may hold anything."""
    words = run.diagnostics.get("words")
    found = words.get(name) if isinstance(words, Mapping) else None
    return {str(key): plain(text, 400) for key, text in found.items()} if isinstance(found, Mapping) else {}


def gap(run: RunRecord) -> Iterator[Block]:
    """How much better it is on rows that it learnt from than on others: what it knows by heart."""
    known = numbers_of(run.diagnostics.get("train_validation_gap"))
    if not {"train", "validation", "gap"} <= set(known):
        return
    metric, train, unseen = metric_words(run.sealed.metric), score(known["train"]), score(known["validation"])
    yield Paragraph(
        f"Train–validation gap: {metric} {train} on what it learnt from, {unseen} on what it did not see; "
        f"{score(abs(known['gap']))} {'are known by heart' if known['gap'] > 0 else 'in favour of the unseen'}."
    )


def by_steps_ahead(run: RunRecord) -> Iterator[Chart]:
    """How far a forecast is off by how far it looks ahead, beside the interval that it gives."""
    misses = _points(run.diagnostics.get("by_steps_ahead"), "ahead", "miss", "mean miss")
    halves = _points(run.diagnostics.get("by_steps_ahead"), "ahead", "half_interval", "half of its interval")
    if len(misses) < 2 or len(misses) != len(halves):
        return
    pairs = zip(misses, halves, strict=True)
    yield Chart(
        "steps-ahead",
        "How far ahead can it see?",
        "The mean miss on the sealed windows by the steps ahead, in units of what the series changes over a season.",
        "trends",
        "miss",
        (*(Point(p.label, p.value, p.at, ours=True) for p in misses), *halves),
        Table(
            ("Steps ahead", "Mean miss", "Half of the interval"),
            tuple((figure(one.at), score(one.value), score(half.value)) for one, half in pairs),
            numeric=(0, 1, 2),
        ),
        across="steps ahead",
    )


def _rival(run: RunRecord) -> tuple[str, float] | None:
    """The cheaper way that came closest, and its score: the smallest gain, whichever way the metric counts."""
    rivals = [(item.gain, baseline_words(item.against), item.theirs.value) for item in run.gate.comparisons]
    return min(rivals)[1:] if rivals else None


def loss_curve(run: RunRecord) -> Iterator[Chart]:
    """Training and development loss by step, where the run kept them (`diagnostics["curve"]`)."""
    trained = _points(run.diagnostics.get("curve"), "step", "train_loss", "on the rows it learns from")
    unseen = _points(run.diagnostics.get("curve"), "step", "development_loss", "on rows it does not see")
    if len(trained) + len(unseen) < 3:
        return
    by_step = {point.at: [score(point.value), "not measured"] for point in trained}
    for point in unseen:
        by_step.setdefault(point.at, ["not measured", ""])[1] = score(point.value)
    rows = tuple((figure(step), *values) for step, values in sorted(by_step.items()))
    rising = len(unseen) > 1 and unseen[-1].value > min(point.value for point in unseen)
    says = (
        "On unseen rows the loss rose again after its lowest point; the weights of that point were kept."
        if rising
        else "On unseen rows the loss was lowest at the end."
    )
    words = own_words(run, "loss")
    yield Chart(
        "loss",
        "Loss while training",
        words.get("says", says),
        "trends",
        "loss",
        (*(Point(p.label, p.value, p.at, ours=True) for p in unseen), *trained),
        Table((sentence(words.get("across", "step")), "Learnt rows", "Unseen rows"), rows, numeric=(0, 1, 2)),
        across=words.get("across", "step"),
    )


def rates_tried(found: Any) -> Iterator[Chart]:
    """The loss at each learning rate of a range test, where a run made one (`diagnostics["learning_rates_tried"]`)."""
    tried = found if isinstance(found, Mapping) else {}
    steps = list(zip(tried.get("rates") or (), tried.get("losses") or (), strict=False))
    taken = tried.get("rate")
    if len(steps) < 2 or not all(isinstance(one, float) for one in (taken, *sum(steps, ()))):
        return
    chosen = min(steps, key=lambda step: abs(step[0] - taken))[0]
    yield Chart(
        "learning-rates",
        "At which learning rate does the loss fall?",
        f"{plain(tried.get('said', ''), 300)} Each bar is the loss before the step at its rate.",
        "bars",
        "loss",
        tuple(Point(f"{rate:.2g}", loss, ours=rate == chosen) for rate, loss in steps),
        Table(("Learning rate", "Loss"), tuple((f"{rate:.2g}", score(loss)) for rate, loss in steps), numeric=(0, 1)),
    )


def lengths(found: Any) -> Iterator[Chart]:
    """How many examples have how many tokens, where a run counted them (`diagnostics["lengths"]["spread"]`)."""
    spread = found.get("spread") if isinstance(found, Mapping) else None
    if not isinstance(spread, Mapping) or len(spread.get("rows", ())) < 2:
        return
    names, most = [f"up to {figure(upto)}" for upto in spread["upto"]], min(spread["upto"][-1], found["longest"])
    rows = tuple(zip(names, map(figure, spread["rows"]), strict=True))
    yield Chart(
        "lengths",
        "How long the examples are",
        f"None has more than {count(most, 'token')}; {figure(spread['limit'])} fit, so none was cut.",
        "bars",
        "rows learnt from",
        tuple(Point(name, float(number)) for name, number in zip(names, spread["rows"], strict=True)),
        Table(("Tokens", "Rows"), rows, numeric=(1,)),
    )


def confusion(found: Any) -> Iterator[Block]:
    """Rows by what they are and what the model says, where a run counted them."""
    table = found if isinstance(found, Mapping) else {}
    classes, rows = table.get("classes"), table.get("rows_actual_columns_predicted")
    if not (isinstance(classes, list | tuple) and isinstance(rows, list | tuple) and len(rows) == len(classes)):
        return
    if not 2 <= len(classes) <= MOST_CLASSES or any(len(row) != len(classes) for row in rows):
        return
    names = [plain(name, 40) for name in classes]
    lines: tuple[tuple[Cell, ...], ...] = tuple(
        (f"Is {name}", *(figure(number) for number in row)) for name, row in zip(names, rows, strict=True)
    )
    right = sum(row[at] for at, row in enumerate(rows))
    whole = sum(map(sum, rows))
    yield Chart(
        "confusion",
        "Where it is right and wrong on the sealed rows",
        f"{figure(right)} of {count(int(whole), 'row')} right; each line is shaded by its own shares.",
        "matrix",
        "rows",
        tuple(Point(names[at], float(number)) for row in rows for at, number in enumerate(row)),
        Table(("Truth", *(f"Said {name}" for name in names)), lines, numeric=tuple(range(1, len(names) + 1))),
    )


def calibration(run: RunRecord) -> Iterator[Block]:
    """What a score of the model means: the share it announced, and the share that came true.

    Of more than two classes the record says what the scores are of, and holds each class against the rest.
    """
    found, words = run.diagnostics, own_words(run, "calibration")
    points = _points(found.get("calibration"), "said", "happened")
    if len(points) < 2:
        return
    of = found.get("calibration_of")
    widest = max(abs(point.value - point.at) for point in points)
    read = f"Scores of the {plain(of, 40)} of each row (Guo et al. 2017)." if isinstance(of, str) and of else ""
    says = f"On the line what it announces comes true; the widest gap is {100 * widest:.0f} points."
    rows = tuple((f"{point.at:.0%}", f"{point.value:.0%}", figure(point.low or 0)) for point in points)
    yield Chart(
        "calibration",
        words.get("title", "Can its scores be read as chances?"),
        " ".join(filter(None, [words.get("says", read), says])),
        "calibration",
        "share that came true",
        tuple(Point("", point.value, point.at) for point in points),
        Table(("Announced", "Came true", "Rows"), rows, numeric=(0, 1, 2)),
        across="share announced",
    )
    yield from _by_class(found.get("calibration_by_class"))


def _by_class(found: Any) -> Iterator[Block]:
    """Each class against the rest: how often it was announced and true, and the mean gap over bins of like scores."""
    needed = {"rows", "said", "happened", "gap"}
    known = [
        (plain(one.get("class", ""), 40), numbers_of(one))
        for one in (found if isinstance(found, list | tuple) else ())
        if isinstance(one, Mapping) and needed <= set(numbers_of(one))
    ]
    if not known:
        return
    yield Heading("The chances of each class against the rest")
    yield Table(
        ("Class", "Rows of it", "Announced", "Came true", "Mean gap"),
        tuple(
            (name, figure(one["rows"]), f"{one['said']:.1%}", f"{one['happened']:.1%}", f"{one['gap']:.1%}")
            for name, one in sorted(known, key=lambda pair: -pair[1]["gap"])[:MOST_CLASSES]
        ),
        numeric=(1, 2, 3, 4),
    )
    yield Paragraph(
        "The mean gap lies between what was announced and what came true, over ten groups of rows with like scores "
        "(classwise calibration error, Kull et al. 2019); of a class with few rows it is large by chance."
    )


def residuals(found: Any) -> Iterator[Block]:
    """How far predictions lie from the truth on the sealed rows."""
    known = numbers_of(found.get("quantiles_of_predicted_minus_actual")) if isinstance(found, Mapping) else {}
    if not {"0.05", "0.25", "0.5", "0.75", "0.95"} <= set(known):
        return
    points = (
        Point("half of the rows", known["0.5"], 0.0, known["0.25"], known["0.75"], ours=True),
        Point("nine rows in ten", known["0.5"], 0.0, known["0.05"], known["0.95"]),
    )
    rows = tuple((point.label, figure(point.low or 0.0), figure(point.high or 0.0)) for point in points)
    yield Chart(
        "residuals",
        "How far off it is on the sealed rows",
        f"Predicted minus true; the middle lies at {figure(known['0.5'])}.",
        "swings",
        "predicted minus true",
        points,
        Table(("Share", "From", "To"), rows, numeric=(1, 2)),
        bar=0.0,
    )
    near = found.get("share_within_10_percent")
    if isinstance(near, int | float):
        yield Paragraph(f"Within ten per cent of the truth: {near:.0%} of the sealed rows.")


def _points(found: Any, at: str, value: str, label: str = "") -> list[Point]:
    """The points of a list of mappings that hold both numbers; diagnostics come from files and may hold anything."""
    points = []
    for item in found if isinstance(found, list | tuple) else ():
        known = numbers_of(item)
        if at in known and value in known:
            low, high = known.get("low", known.get("rows") if value == "happened" else None), known.get("high")
            points.append(Point(label, known[value], known[at], low, high))
    return points if all(a.at <= b.at for a, b in pairwise(points)) or not label else sorted(points, key=_place)


def _place(point: Point) -> float:
    return point.at
