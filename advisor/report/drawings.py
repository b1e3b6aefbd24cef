"""How each shape of chart is drawn with matplotlib, in stand-in colours that the page replaces by its own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import TYPE_CHECKING, Any

from advisor.report.blocks import Chart, Point, Shape
from advisor.report.data_charts import PROJECTED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, SOFT, OURS, THEIRS, GRID = "#010101", "#020202", "#030303", "#040404", "#050505"
LETTERS = 12
LONGEST_LABEL = 34
# Lines are told apart by their strokes and their names, never by colour alone.
STROKES: tuple[Any, ...] = ("-", (0, (6, 3)), (0, (1.5, 2)), (0, (8, 3, 2, 3)), (0, (3, 1.5)))


def rows_high(chart: Chart) -> int:
    """The height of a chart in rows of text."""
    if chart.shape == "matrix":
        return 1 + 2 * len(chart.twin.rows)
    if chart.shape in ("curve", "scatter", "lines", "trends", "calibration"):
        return 8
    return len(chart.points)


def _bare(figure: Figure) -> Axes:
    axes = figure.add_subplot()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_axisbelow(True)
    return axes


def _cut(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _rows(axes: Axes, points: tuple[Point, ...]) -> None:
    axes.set_yticks(range(len(points)), [_cut(point.label) for point in points])
    axes.set_ylim(len(points) - 0.4, -0.6)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    for label, point in zip(axes.get_yticklabels(), points, strict=True):
        label.set_fontweight("bold" if point.ours else "normal")


def _under(axes: Axes, text: str) -> None:
    # Names at the left leave the axis little room: long words under it end where it does, and reach under the names.
    axes.set_xlabel(text, loc="right" if len(text) > LONGEST_LABEL else "center")


def _intervals(figure: Figure, chart: Chart) -> None:
    axes = _bare(figure)
    _rows(axes, chart.points)
    for row, point in enumerate(chart.points):
        colour = OURS if point.ours else THEIRS
        if point.low is not None and point.high is not None:
            axes.plot(
                [point.low, point.high], [row, row], color=colour, linewidth=3, solid_capstyle="round", alpha=0.55
            )
        axes.plot([point.value], [row], marker="o", markersize=9 if point.ours else 7, color=colour)
        axes.annotate(
            f"{point.value:,.3f}",
            (point.value, row),
            (0, 8),
            textcoords="offset points",
            ha="center",
            color=INK,
            fontsize=LETTERS - 1,
        )
    if chart.bar is not None:
        _to_reach(axes.axvline, chart.bar)
    axes.margins(x=0.12)
    axes.locator_params(axis="x", nbins=5)
    _under(axes, chart.axis)


def _bars(figure: Figure, chart: Chart) -> None:
    axes = _bare(figure)
    _rows(axes, chart.points)
    axes.barh(range(len(chart.points)), [point.value for point in chart.points], height=0.55, color=OURS)
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.4g}" if value % 1 else f"{int(value):,}")
    _under(axes, chart.axis)


def _ranges(figure: Figure, chart: Chart) -> None:
    axes = _bare(figure)
    _rows(axes, chart.points)
    for row, point in enumerate(chart.points):
        low, high = max(point.low or 0.0, 1.0), max(point.high or 0.0, 1.0)
        axes.plot([low, high], [row, row], color=OURS if point.ours else THEIRS, linewidth=9, solid_capstyle="butt")
    axes.set_xscale("log")
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    _under(axes, f"{chart.axis}, each mark ten times the one before")


def _curve(figure: Figure, chart: Chart) -> None:
    axes = _bare(figure)
    places, values = [point.at for point in chart.points], [point.value for point in chart.points]
    if all(point.low is not None and point.high is not None for point in chart.points):
        low, high = [point.low or 0.0 for point in chart.points], [point.high or 0.0 for point in chart.points]
        axes.fill_between(places, low, high, color=OURS, alpha=0.18, linewidth=0)
    known = sum(point.label != PROJECTED for point in chart.points)
    axes.plot(places[:known], values[:known], color=OURS, linewidth=2, marker="o", markersize=5)
    if chart.bar is not None:
        _to_reach(axes.axhline, chart.bar)
    if known < len(places):
        ahead = max(known - 1, 0)
        axes.plot(places[ahead:], values[ahead:], color=OURS, linewidth=2, linestyle=(0, (2, 3)))
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.xaxis.set_major_formatter(lambda value, _: f"{int(value):,}")
    axes.locator_params(axis="x", nbins=5)
    axes.locator_params(axis="y", nbins=5)
    axes.set_xlabel(chart.across)
    axes.set_ylabel(chart.axis)


def _to_reach(line: Callable[..., Any], value: float) -> None:
    line(value, color=SOFT, linewidth=1.5, linestyle=(0, (5, 3)))


def _swings(figure: Figure, chart: Chart) -> None:
    axes = _bare(figure)
    _rows(axes, chart.points)
    for row, point in enumerate(chart.points):
        low, high = sorted((point.low or 0.0, point.high or 0.0))
        axes.plot([low, high], [row, row], color=OURS if point.ours else THEIRS, linewidth=9, solid_capstyle="butt")
    if chart.bar is not None:
        _to_reach(axes.axvline, chart.bar)
    axes.locator_params(axis="x", nbins=4)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    _under(axes, chart.axis)


def _scatter(figure: Figure, chart: Chart) -> None:
    axes = _bare(figure)
    for at, point in enumerate(sorted(chart.points, key=lambda point: (point.at, point.value))):
        colour = OURS if point.ours else THEIRS
        if point.low is not None and point.high is not None:
            axes.plot([point.at, point.at], [point.low, point.high], color=colour, linewidth=3, alpha=0.55)
        axes.plot([point.at], [point.value], marker="o", markersize=9 if point.ours else 7, color=colour)
        beside = (8, 8 if at % 2 else -16)
        axes.annotate(_cut(point.label), (point.at, point.value), beside, textcoords="offset points", color=INK)
    if chart.bar is not None:
        _to_reach(axes.axhline, chart.bar)
    _log(axes.set_xscale, axes.xaxis)
    axes.margins(x=0.3, y=0.2)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_xlabel(chart.across)
    axes.set_ylabel(chart.axis)


def _log(scale: Callable[..., Any], axis: Any) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    scale("log")
    axis.set_major_locator(LogLocator(numticks=6))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")


def _lines(figure: Figure, chart: Chart) -> None:
    axes = _named_lines(figure, chart)
    _log(axes.set_xscale, axes.xaxis)
    _log(axes.set_yscale, axes.yaxis)


def _trends(figure: Figure, chart: Chart) -> None:
    axes = _named_lines(figure, chart)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.locator_params(axis="x", nbins=5)
    axes.locator_params(axis="y", nbins=5)


def _named_lines(figure: Figure, chart: Chart) -> Axes:
    axes = _bare(figure)
    for at, (label, run) in enumerate(groupby(chart.points, key=lambda point: point.label)):
        points = list(run)
        axes.plot(
            [point.at for point in points],
            [point.value for point in points],
            color=OURS if points[0].ours else THEIRS,
            linewidth=2.2,
            linestyle=STROKES[at % len(STROKES)],
            label=_cut(label),
        )
    if chart.place is not None:
        _to_reach(axes.axvline, chart.place)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_xlabel(chart.across)
    axes.set_ylabel(chart.axis)
    figure.legend(loc="outside upper left", frameon=False, fontsize=LETTERS - 1, handlelength=3.2)
    return axes


def _matrix(figure: Figure, chart: Chart) -> None:
    """Each row shaded by its shares, so that a rare class shows its errors as well as a common one."""
    axes = _bare(figure)
    side = len(chart.twin.rows)
    shades = [chart.points[row * side : (row + 1) * side] for row in range(side)]
    for row, points in enumerate(shades):
        whole = sum(point.value for point in points) or 1.0
        for column, point in enumerate(points):
            share = point.value / whole
            corner = (column - 0.47, row - 0.44)
            axes.add_patch(_square(corner, share, OURS if row == column else THEIRS))
            axes.annotate(f"{point.value:,.0f}", (column, row), ha="center", va="center", color=INK)
    names = [_cut(str(column)) for column in chart.twin.columns[1:]]
    axes.set_xticks(range(side), names, rotation=0 if side <= 3 else 30, ha="center" if side <= 3 else "right")
    axes.set_yticks(range(side), [_cut(str(row[0])) for row in chart.twin.rows])
    axes.set_xlim(-0.6, side - 0.4)
    axes.set_ylim(side - 0.5, -0.5)
    axes.spines["bottom"].set_visible(False)


def _square(corner: tuple[float, float], share: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 0.94, 0.88, facecolor=colour, alpha=0.08 + 0.45 * share, edgecolor="none")


def _calibration(figure: Figure, chart: Chart) -> None:
    axes = _bare(figure)
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1.5, linestyle=(0, (5, 3)))
    places, values = [point.at for point in chart.points], [point.value for point in chart.points]
    axes.plot(places, values, color=OURS, linewidth=2, marker="o", markersize=6)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_xlabel(chart.across)
    axes.set_ylabel(chart.axis)


DRAWINGS: dict[Shape, Callable[[Figure, Chart], None]] = {
    "intervals": _intervals,
    "ranges": _ranges,
    "swings": _swings,
    "bars": _bars,
    "curve": _curve,
    "scatter": _scatter,
    "lines": _lines,
    "trends": _trends,
    "matrix": _matrix,
    "calibration": _calibration,
}
