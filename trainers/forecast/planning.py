"""What the forecast trainer would do and what it takes, said before it starts."""

from __future__ import annotations

from pathlib import Path

from advisor.base.errors import BadInput
from advisor.base.safetext import plain
from advisor.records.plan import Estimate, Plan, Setting
from trainers.common.policy import policy
from trainers.forecast.panel import Panel, load_panel
from trainers.forecast.seasons import horizon_for, seasons_of
from trainers.forecast.statistical import is_installed


def settings(plan: Plan, folder: Path) -> dict[str, Setting]:
    """The plan's own choices, completed by what the series show."""
    panel = load_panel(plan, folder)
    horizon = horizon_for(panel)
    seasons, why = seasons_of(panel, int(panel.steps * (1 - plan.split.test_share)))
    rules = policy("forecasting")
    found = {
        "time": Setting(", ".join(panel.layout.time), _time_words(panel)),
        "series": Setting(panel.layout.series, "The column that tells series apart; one series when it is not named."),
        "horizon": Setting(horizon, "How many steps ahead each forecast looks; set it to what the decision needs."),
        "seasons": Setting(list(seasons), why),
        "interval": Setting(rules["interval"], "The share of true values that each interval should hold."),
    }
    if not is_installed():
        found["statsforecast"] = Setting(
            False,
            "Not installed. With it ETS and ARIMA compete: pip install 'train-or-not[forecast]'",
        )
    return {name: plan.settings.get(name, setting) for name, setting in found.items()}


def _time_words(panel: Panel) -> str:
    if not panel.layout.time:
        return "No column says when, so time is the order of the rows."
    step = panel.clock.step
    return f"One step is {'a row' if step == 'row' else f'a {step}' if step.isalpha() else f'{step} seconds'}."


def horizon_of(plan: Plan, panel: Panel) -> int:
    """How many steps ahead, from the plan or the series. Raises `BadInput`."""
    return _whole(plan, "horizon", horizon_for(panel), 1, panel.steps)


def interval_of(plan: Plan) -> float:
    """The share of true values an interval should hold. Raises `BadInput`."""
    setting = plan.settings.get("interval")
    value = policy("forecasting")["interval"] if setting is None else setting.value
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.5 <= value <= 0.99:
        raise _bad("interval", value, "Give a share from 0.5 to 0.99.")
    return float(value)


def seasons_for(plan: Plan, panel: Panel, until: int) -> tuple[int, ...]:
    """The seasons in steps, shortest first, from the plan or the series. Raises `BadInput`."""
    setting = plan.settings.get("seasons")
    if setting is None or setting.value in ("", [], ()):
        return seasons_of(panel, until)[0]
    given = setting.value if isinstance(setting.value, list | tuple) else [setting.value]
    try:
        seasons = tuple(sorted({int(str(one).strip()) for part in given for one in str(part).split(",")}))
    except ValueError:
        raise _bad("seasons", setting.value, "Give whole numbers of steps, such as 24 or 24,168.") from None
    if not seasons or seasons[0] < 1 or 2 * seasons[-1] > until:
        raise _bad("seasons", setting.value, f"Give steps from 1 to {until // 2}: two whole seasons must be known.")
    return seasons


def _whole(plan: Plan, name: str, default: int, low: int, high: int) -> int:
    setting = plan.settings.get(name)
    value = default if setting is None or setting.value in ("", None) else setting.value
    try:
        number = int(str(value))
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise _bad(name, value, f"Give a whole number from {low} to {high}.")
    return number


def _bad(name: str, value: object, fix: str) -> BadInput:
    return BadInput(
        f"The setting {name} cannot be {plain(value, 40)!r}.",
        where=f"plan.yaml: settings.{name}",
        fix=fix,
        code="bad-setting",
    )


def estimate(plan: Plan, folder: Path) -> Estimate:
    """Roughly, from the number of values, by the factors in rules/forecasting.yaml; capped by the plan's budget."""
    panel = load_panel(plan, folder)
    values = panel.values.size
    rules = policy("forecasting")
    by = rules["estimate"]
    time, memory, disk = by["seconds"], by["memory_mb"], by["disk_mb"]
    statistical = is_installed() and len(panel.names) <= rules["statistical"]["series"]
    seconds = time["least"] + statistical * time["statistical"]
    seconds += min(values, time["most_values"]) / 1e3 * time["a_thousand_values"]
    megabytes = memory["least"] + statistical * memory["statistical"] + values / 1e6 * memory["a_million_values"]
    return Estimate(
        seconds=round(min(seconds, plan.budget_seconds), 1),
        peak_memory_mb=round(megabytes, 1),
        disk_mb=round(disk["least"] + values / 1e6 * disk["a_million_values"], 1),
        usd=0.0,
        formula=f"{time['least']} s, {time['statistical']} s for statsforecast where it is installed, and "
        f"{time['a_thousand_values']} ms a value ({values:,} values, at most {time['most_values']:,} count) on one "
        f"core, at most the budget of {plan.budget_seconds:g} s.",
        error_band=by["told"],
    )
