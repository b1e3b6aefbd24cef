"""Plain words for the names that records use: approaches, verdicts, statuses, origins, metrics, figures."""

from __future__ import annotations

from collections.abc import Mapping

from advisor.base.safetext import plain
from advisor.records.facts import Value
from advisor.records.run import Score
from advisor.records.rung_names import NAMES as RUNG_NAMES
from advisor.report.blocks import Mark, Tone
from advisor.report.given import FactWords

# The rungs on the steps of the drawing; everywhere else they carry the rulebook's own titles.
RUNGS = {"api": "Ready-made", "prompt": "Prompt", "rag": "Look-up", "fine_tune": "Fine-tune", "scratch": "Own model"}
OWN_MODEL = "A model of your own"
VERDICTS: dict[str, tuple[str, Tone]] = {
    "no": ("No", "calm"),
    "not_yet": ("Not yet", "warn"),
    "yes_light": ("Yes, lightly", "good"),
    "yes": ("Yes", "good"),
    "yes_heavy": ("Yes, and it will be heavy", "good"),
}
STATUSES: dict[str, tuple[str, Tone]] = {
    "enough": ("Enough", "good"),
    "insufficient": ("Not enough", "warn"),
    "blocked": ("Ruled out", "bad"),
    "not_applicable": ("Does not apply", "muted"),
    "not_reached": ("Not needed", "muted"),
    "unknown": ("Not known yet", "warn"),
}
STAGES: dict[str, tuple[str, Tone]] = {
    "done": ("Done", "good"),
    "part": ("Partly done", "warn"),
    "owed": ("Owed", "warn"),
    "not_needed": ("Not needed", "muted"),
}
OUTCOMES: dict[str, tuple[str, Tone]] = {
    "issue": ("Issue", "bad"),
    "tip": ("Tip", "warn"),
    "passed": ("Passed", "good"),
    "not_applicable": ("Does not apply", "muted"),
    "skipped": ("Skipped", "muted"),
    "ignored": ("Ignored on request", "muted"),
}
WEIGHTS: dict[str, tuple[str, Tone]] = {
    "severe": ("Severe", "bad"),
    "moderate": ("Moderate", "warn"),
    "mild": ("Mild", "muted"),
}
ORIGINS = {"default": "assumed", "stated": "you said", "observed": "seen in the data", "measured": "measured"}
# As a verdict names them, but where a page has room for less or says more.
BASELINES = {
    **RUNG_NAMES,
    "least_agreement": "the least agreement that allows conclusions",
    "teacher": "its teacher, less the margin",
    "without_teacher": "the same model without the teacher",
    "api": "the ready-made model",
    "prompt": "the best instructions",
}
METRICS = {
    "cost": "cost a row",
    "mase": "MASE",
    "reward": "reward per decision",
    "alpha": "Krippendorff's alpha",
    "agreement": "agreement between halves",
    "roc_auc": "ROC-AUC",
    "f1": "F1",
    "macro_f1": "macro-F1",
    "r2": "R²",
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "brier": "Brier score",
}


def say(name: object) -> str:
    """A name from a record as words: safe, and without underscores."""
    return plain(name).replace("_", " ")


def metric_words(metric: str) -> str:
    """How a metric is called in a sentence."""
    return METRICS.get(metric, say(plain(metric, 60)))


def baseline_words(name: str) -> str:
    """What a model was held against, in words."""
    return BASELINES.get(name, say(name))


def mark(kind: Mapping[str, tuple[str, Tone]], name: str) -> Mark:
    """The badge for a status; a name this version does not know is shown as it is."""
    text, tone = kind.get(name, (sentence(plain(say(name), 40)), "muted"))
    return Mark(text, tone)


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def full_stop(text: str) -> str:
    """The text, made safe, ending like a sentence."""
    safe = plain(text, 2000)
    return safe if not safe or safe[-1] in ".!?:…" else f"{safe}."


def question_words(name: str, definitions: Mapping[str, FactWords]) -> str:
    """The question behind a fact: what a reader without the field names can understand."""
    definition = definitions.get(name)
    return plain(definition.question) if definition is not None and definition.question else sentence(say(name))


def value_words(name: str, value: Value | None, definitions: Mapping[str, FactWords]) -> str:
    """A fact's value as a person would say it: the label of a choice, yes or no, a figure with its unit."""
    if value is None:
        return "Don't know"
    definition = definitions.get(name)
    for choice in definition.choices if definition is not None else ():
        if choice.value == value and type(choice.value) is type(value):
            return plain(choice.label) or say(value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int | float):
        unit = plain(definition.unit) if definition is not None and definition.unit else ""
        if unit == "share" or unit.startswith("share "):
            whole = f"{value:.0%}" if abs(100 * value - round(100 * value)) < 0.05 else f"{value:.1%}"
            return f"{whole} {unit[6:]}".strip()
        return f"{figure(value)} {_single(unit) if value == 1 else unit}".strip()
    return say(value)


def _single(unit: str) -> str:
    """The unit as it is said of one."""
    return f"{unit[:-3]}y" if unit.endswith("ies") else unit.removesuffix("s")


def figure(value: float, places: int = 3) -> str:
    """A number to read: thousands apart, at most `places` decimals, no trailing zeros."""
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.{places}f}".rstrip("0").rstrip(".") if abs(value) >= 10**-places else f"{value:.2g}"


def dollars(low: float, high: float | None = None) -> str:
    """An amount or a range in dollars, to three figures: what is only known as a range has no cents."""

    def amount(value: float) -> str:
        return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 10 or value == 0 else f"{value:,.2f}"

    if high is None or amount(low) == amount(high):
        return amount(low)
    return f"{amount(low)} to {amount(high)}"


def least_to_most(pair: tuple[float, float] | None) -> str:
    """A range of hours or dollars to the hundredth."""
    return f"{pair[0]:.2f} to {pair[1]:.2f}" if pair else "not known"


def score(value: float) -> str:
    """A score to three decimals, always three, so that columns line up."""
    return f"{value:,.3f}"


def over_folds(found: Score | None) -> str:
    """A candidate's score with its interval; without one after one fold, which does not tell how far another is off."""
    if found is None:
        return "not scored"
    return score(found.value) + (f" ({score(found.low)} to {score(found.high)})" if found.low < found.high else "")


def duration(seconds: float) -> str:
    """A span of time in the unit a person would use."""
    if seconds < 90:
        return f"{seconds:.0f} seconds" if seconds >= 1 else "under a second"
    if seconds < 5400:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def megabytes(size: float) -> str:
    """An amount of memory or disk in MB or GB."""
    return f"{size / 1024:.1f} GB" if size >= 1024 else f"{size:.0f} MB"


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: 1 question, 3 questions."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
