"""Would more labels help? A learning curve and the band of two power-law fits, looked ahead at most fourfold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from advisor.evidence import quick
from advisor.evidence.catalogue import Catalogue
from advisor.evidence.trial import Trial
from advisor.records.look import Curve, CurvePoint

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_SIZES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
_REPEATS = 3
_HELD_OUT = 0.25
_AHEAD = (2, 4)
_FEWEST = 80


def learning_curve(trial: Trial, labelled: int, catalogue: Catalogue) -> Curve | None:
    """The share of the uncertainty that is left, by training rows; None when rows are too few to draw one.

    1 means no better than the trivial answer, 0 that the target is settled. Errors are means over repeats, with two
    standard errors; ahead, `low` and `high` span the two fits and their residual.
    """
    import numpy as np

    rows, seed = len(trial.answers), int(catalogue.settings["seed"])
    if rows < _FEWEST:
        return None
    most = int(rows * (1 - _HELD_OUT))
    sizes = [size for size in (int(most * share) for share in _SIZES) if size >= max(15, 2 * trial.classes)]
    if len(sizes) < 3:
        return None
    measured: dict[int, list[float]] = {size: [] for size in sizes}
    for repeat in range(_REPEATS):
        train, test = _hold_out(trial, repeat, seed)
        nothing = _unit(trial, train, test)
        for size in sizes:
            part = train[:size]
            matrix = trial.inputs.matrix(part)
            found = quick.fit_and_predict(
                matrix[part], trial.answers[part], matrix[test], trial.classes, trial.model, seed + repeat
            )
            loss = float(quick.losses(found, trial.answers[test], trial.classes).mean())
            measured[size].append(loss / nothing)
    errors = np.array([np.mean(measured[size]) for size in sizes])
    spreads = np.array([2 * np.std(measured[size], ddof=1) / np.sqrt(_REPEATS) for size in sizes])
    points = [
        CurvePoint(size, round(float(e), 4), round(float(max(e - s, 0)), 4), round(float(e + s), 4))
        for size, e, s in zip(sizes, errors, spreads, strict=True)
    ]
    ahead = [_look_ahead(np.array(sizes, float), errors, spreads, sizes[-1] * times) for times in _AHEAD]
    points += [CurvePoint(p.rows, p.error, p.low, p.high, measured=False) for p in ahead]
    return Curve("share of the uncertainty that is left", tuple(points), *_say(points, labelled, catalogue))


def _hold_out(trial: Trial, repeat: int, seed: int) -> tuple[Array, Array]:
    """Shuffled training rows and held-out rows; groups stay whole, and in time the held-out rows are a block."""
    import numpy as np

    random = np.random.default_rng(seed + 1000 * repeat)
    rows = len(trial.answers)
    if trial.groups is not None:
        names, codes = np.unique(trial.groups, return_inverse=True)
        held = random.permutation(len(names))[: max(1, round(_HELD_OUT * len(names)))]
        out = np.isin(codes, held)
    elif trial.fold_kind == "blocks in time":
        start = int((rows * (1 - _HELD_OUT)) * repeat / max(_REPEATS - 1, 1))
        out = np.zeros(rows, dtype=bool)
        out[start : start + int(rows * _HELD_OUT)] = True
    else:
        out = np.zeros(rows, dtype=bool)
        out[random.permutation(rows)[: int(rows * _HELD_OUT)]] = True
    return random.permutation(np.flatnonzero(~out)), np.flatnonzero(out)


def _unit(trial: Trial, train: Array, test: Array) -> float:
    found = quick.trivial(trial.answers, trial.classes, [(train, test)])[test]
    return max(float(quick.losses(found, trial.answers[test], trial.classes).mean()), 1e-12)


def _look_ahead(sizes: Array, errors: Array, spreads: Array, rows: int) -> CurvePoint:
    """Two fits: `b n^-c`, which falls for ever, and `a + b n^-c`, which levels off. Truth is likely between them."""
    import numpy as np

    weights = 1 / np.maximum(spreads, 0.02 * np.abs(errors).max() + 1e-9)
    falling, rest_1 = _best_power(sizes, errors, weights, rows, floor=False)
    levelling, rest_2 = _best_power(sizes, errors, weights, rows, floor=True)
    slack = max(rest_1, rest_2, float(spreads[-1]) / 2)
    low, high = min(falling, levelling) - slack, max(falling, levelling) + slack
    middle = (falling + levelling) / 2
    return CurvePoint(rows, round(middle, 4), round(max(low, 0.0), 4), round(high, 4))


def _best_power(sizes: Array, errors: Array, weights: Array, rows: int, *, floor: bool) -> tuple[float, float]:
    """The prediction at `rows` of the best weighted fit over a grid of exponents, and its residual."""
    import numpy as np
    from scipy.optimize import nnls

    best = (float(errors[-1]), float("inf"))
    for exponent in np.linspace(0.02, 1.5, 75):
        shape = (sizes / sizes[-1]) ** -exponent
        columns = np.column_stack([shape, np.ones_like(shape)]) if floor else shape[:, None]
        solution, rest = nnls(columns * weights[:, None], errors * weights)
        if rest < best[1]:
            ahead = solution[0] * (rows / sizes[-1]) ** -exponent + (solution[1] if floor else 0.0)
            residual = float(np.sqrt((((columns @ solution) - errors) ** 2).mean()))
            best = (float(ahead), float(rest))
            kept = residual
    return best[0], kept


def _say(points: list[CurvePoint], labelled: int, catalogue: Catalogue) -> tuple[str, str]:
    """What the curve means for somebody who could label more, and how certain that is."""
    limits, says = catalogue.settings, catalogue.says_of_the_curve
    now, far = [p for p in points if p.measured][-1], points[-1]
    width = (far.high - far.low) / max(now.error, 1e-9)
    certainty = "good" if width < limits["curve_good"] else "fair" if width < limits["curve_fair"] else "poor"
    noise = (now.high - now.low) / 2
    gain_low, gain_high = now.error - far.high, now.error - far.low
    said = f"With {now.rows:,} rows to learn from, {now.error:.0%} of the uncertainty is left; with {far.rows:,}, "
    said += f"between {far.low:.0%} and {min(far.high, 1.0):.0%} would be."
    if now.error >= 1:
        verdict, certainty = says["nothing"], "poor"
    elif now.error < limits["curve_settled"]:
        verdict, certainty = says["settled"], "good"
    elif gain_low > max(noise / 2, limits["curve_helps"] * now.error):
        verdict = says["helps"]
    elif gain_high < limits["curve_hardly"] * now.error:
        verdict = says["hardly"]
    else:
        verdict = says["open"]
    if labelled >= far.rows:
        verdict += f" You already have {labelled:,}."
    return f"{said} {verdict}", certainty
