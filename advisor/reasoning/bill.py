"""One line of a bill from facts and prices, remembering what it rests on and what was missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from advisor.reasoning import sums
from advisor.reasoning.prices import ModelPrice, PricesOn, Range
from advisor.records.facts import Value

NOTHING = Range(0.0, 0.0)


class Missing(Exception):
    """A fact nobody gave, or a price that no row holds on that day."""


class Bill:
    """Works out one line after another; what each used and lacked is kept for the reader."""

    def __init__(self, facts: Mapping[str, Value | None], on: PricesOn) -> None:
        self.facts = facts
        self.on = on
        self.notes: list[str] = []
        self._label = ""
        self._uses: dict[str, None] = {}
        self._facts: dict[str, None] = {}
        self._lacks: dict[str, None] = {}
        self._all_uses: dict[str, None] = {}
        self._all_lacks: dict[str, dict[str, Any]] = {}

    def open_line(self, label: str) -> None:
        """A new line begins; what it uses is gathered until it is closed."""
        self._label, self._uses, self._facts, self._lacks = label, {}, {}, {}

    def close_line(self) -> dict[str, list[str]]:
        """What the line rests on: `uses` names assumptions and models, `facts` and `missing` name facts."""
        self._all_uses |= self._uses
        return {"uses": list(self._uses), "facts": list(self._facts), "missing": list(self._lacks)}

    def number(self, name: str) -> Range:
        """A dated price or assumption."""
        self._uses[name] = None
        row = self.on.numbers.get(name)
        if row is None:
            self.lacks("price", name, f"No row of rules/costs.yaml holds on {self.on.as_of}.")
            raise Missing
        return Range(row.low, row.high)

    def count(self, name: str) -> float:
        """A fact that is a number."""
        self._facts[name] = None
        value = self.facts.get(name)
        if value is None or isinstance(value, str):
            self.lacks("fact", name, "Nobody has answered this yet.")
            raise Missing
        return float(value)

    def word(self, name: str) -> Value | None:
        """A fact that is a choice or a yes-or-no, None when it is not known."""
        self._facts[name] = None
        return self.facts.get(name)

    def lacks(self, kind: str, name: str, why: str) -> None:
        """Something this line needs is not known."""
        self._lacks[name] = None
        entry = self._all_lacks.setdefault(name, {"kind": kind, "name": name, "why": why, "lines": []})
        if self._label not in entry["lines"]:
            entry["lines"].append(self._label)

    def note(self, text: str) -> None:
        """Something a reader of the figures must know; said once."""
        if text not in self.notes:
            self.notes.append(text)

    def missing(self) -> list[dict[str, Any]]:
        """Everything that was not known, with the lines that want it."""
        return list(self._all_lacks.values())

    def assumptions(self) -> dict[str, dict[str, object]]:
        """Every assumption that a figure rests on, and the sources of those: `assumptions` and `sources`."""
        used = {name: row for name in self._all_uses if (row := self.on.numbers.get(name)) is not None}
        models = {model.name: model for model in self.on.models if model.name in self._all_uses}
        sources = dict.fromkeys([row.source for row in used.values()] + [model.source for model in models.values()])
        return {
            "assumptions": {
                name: {
                    "label": n.label,
                    "unit": n.unit,
                    "low": n.low,
                    "high": n.high,
                    "as_of": n.as_of,
                    "source": n.source,
                }
                for name, n in used.items()
            },
            "models": {
                name: {
                    "label": m.label,
                    "unit": "USD a million tokens",
                    "input": m.input,
                    "cached": m.cached,
                    "output": m.output,
                    "as_of": m.as_of,
                    "source": m.source,
                }
                for name, m in models.items()
            },
            "sources": {name: dict(self.on.sources[name]) for name in sources},
        }

    # --- the sums --------------------------------------------------------------------------------------------------

    def cost_of(self, item: Mapping[str, str]) -> Range:
        """What one line costs each time it comes back. Raises `Missing`."""
        return _SUMS[item["sum"]](self, item)

    def calls_a_month(self) -> float:
        """Calls in a month of 365/12 days."""
        return self.count("calls_per_day") * sums.DAYS_A_MONTH

    def tokens(self) -> float:
        """Tokens of one call, without the instructions that `fixed_prompt_tokens` counts."""
        tokens = self.count("tokens_per_call")
        if self.facts.get("fixed_prompt_tokens") is None:
            self.note("Repeated instructions count as part of the tokens of a call, because their length is not known.")
        return tokens

    def one_call(self, model: ModelPrice, added: str = "") -> Range:
        """One call to a hosted model: at best little output and cached instructions, at worst the opposite."""
        self._uses[model.name] = None
        tokens, written = self.tokens(), self.number("output_share")
        more = self.number(added) if added else NOTHING
        fixed = self.count("fixed_prompt_tokens") if self.facts.get("fixed_prompt_tokens") is not None else 0.0
        # Which share of output makes a call cheap depends on which of the two prices is the lower one.
        one = sums.call_price(tokens * (1 - written.low), tokens * written.low, model.input, model.output)
        other = sums.call_price(tokens * (1 - written.high), tokens * written.high, model.input, model.output)
        return Range(
            min(one, other) + (fixed * model.cached + more.low * model.input) / sums.MILLION,
            max(one, other) + (fixed * model.input + more.high * model.input) / sums.MILLION,
        )

    def person_hour(self) -> Range:
        """An hour of an engineer or expert: a month's cost over its working days of eight hours."""
        return self.number("person_month").times(1.0 / (self.number("work_days_month").low * 8.0))

    def model_calls(self, item: Mapping[str, str]) -> Range:
        """A month of calls: hosted, from the cheapest model to the dearest; on own cards when data may not leave."""
        added = item.get("added_tokens", "")
        where = self.word("data_may_leave")
        if where == "no":
            return self._own_cards(added)
        if where is None:
            self.lacks(
                "fact",
                "data_may_leave",
                "Calls are priced as hosted; if the data may not leave, own cards replace them.",
            )
        calls = self.calls_a_month()
        if not self.on.models:
            self.lacks("price", "models", f"No model of rules/costs.yaml has a price on {self.on.as_of}.")
            raise Missing
        costs = [self.one_call(model, added) for model in self.on.models]
        return Range(min(cost.low for cost in costs), max(cost.high for cost in costs)).times(calls)

    def _own_cards(self, added: str) -> Range:
        more = self.number(added) if added else NOTHING
        tokens = self.tokens()
        each_second = self.count("calls_per_day") / sums.SECONDS_A_DAY
        peak, speed = self.number("peak_factor"), self.number("tokens_per_second")
        low = sums.cards_needed(each_second * peak.low * (tokens + more.low), speed.high)
        high = sums.cards_needed(each_second * peak.high * (tokens + more.high), speed.low)
        hour = self.number("card_hour_h100")
        return Range(sums.own_month(low, hour.low, 0, 0), sums.own_month(high, hour.high, 0, 0))

    def _flat(self, item: Mapping[str, str]) -> Range:
        return self.number(item["price"])

    def _card_month(self, item: Mapping[str, str]) -> Range:
        hour = self.number(item["price"])
        return Range(sums.own_month(1, hour.low, 0, 0), sums.own_month(1, hour.high, 0, 0))

    def _card_runs(self, item: Mapping[str, str]) -> Range:
        runs = self.number(item["runs"]) if "runs" in item else Range(1, 1)
        return self.number(item["hours"]).times(self.number(item["price"])).times(runs)

    def _wanted(self, item: Mapping[str, str]) -> Range:
        wanted = self.number(item["wanted"])
        have = self.count(item["have"]) if "have" in item else 0.0
        return Range(max(0.0, wanted.low - have), max(0.0, wanted.high - have))

    def _own_labels(self, item: Mapping[str, str]) -> Range:
        return self._wanted(item).times(self.number("label_minutes")).times(1 / 60).times(self.person_hour())

    def _labels(self, item: Mapping[str, str]) -> Range:
        """By a crowd when labels are cheap, by experts when they are costly, either when nobody said."""
        wanted = self._wanted(item)
        if wanted.high == 0:
            return NOTHING
        how = self.word("labels_obtainable")
        if how == "impossible":
            self.lacks("fact", "labels_obtainable", "These labels cannot be had, so they have no price.")
            raise Missing
        if how is None:
            self.lacks(
                "fact", "labels_obtainable", "Priced from crowd workers to experts, because nobody said which it takes."
            )
        fees = [self.number(f"platform_fee_{tier}").low for tier in ("first", "next", "rest")]
        workers, rate = self.number("crowd_workers"), self.number("crowd_rate")
        crowd = Range(
            sums.crowd_labels(wanted.low, fees, workers.low, rate.low),
            sums.crowd_labels(wanted.high, fees, workers.high, rate.high),
        )
        if how == "cheap":
            return crowd
        hours = wanted.times(self.number("label_minutes")).times(1 / 60).times(self.number("expert_annotators"))
        experts = hours.times(self.person_hour())
        return experts if how == "costly" else Range(min(crowd.low, experts.low), max(crowd.high, experts.high))

    def _days(self, item: Mapping[str, str]) -> Range:
        return self.number(item["days"]).times(self.person_hour()).times(8.0)

    def _share(self, item: Mapping[str, str]) -> Range:
        return self.number(item["share"]).times(self.number("person_month"))

    def _review(self, item: Mapping[str, str]) -> Range:
        """Nothing when nobody checks; a person's minutes for each call when somebody does."""
        checked = self.word("human_in_loop")
        if checked is None:
            self.lacks(
                "fact", "human_in_loop", "If a person checks each answer, their time is likely the largest cost."
            )
            raise Missing
        if not checked:
            return NOTHING
        minutes = self.number("review_minutes").times(self.calls_a_month())
        return minutes.times(1 / 60).times(self.person_hour())


_SUMS: dict[str, Callable[[Bill, Mapping[str, str]], Range]] = {
    "model_calls": Bill.model_calls,
    "flat": Bill._flat,
    "card_month": Bill._card_month,
    "card_runs": Bill._card_runs,
    "labels": Bill._labels,
    "own_labels": Bill._own_labels,
    "days": Bill._days,
    "share": Bill._share,
    "review": Bill._review,
}
