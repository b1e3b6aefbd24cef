"""Reading costs.yaml: every cell checked, every error with its line, a user's rows laid over ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from advisor.base.errors import did_you_mean
from advisor.base.files import read_text

if TYPE_CHECKING:
    from advisor.base.strictyaml import Document

BUCKETS = ("compute", "data", "people")
RECURS = ("once", "monthly", "retraining")
# Which numbers and facts each sum of a bill names; what a sum does is in advisor/reasoning/costs.py.
SUMS: dict[str, tuple[str, ...]] = {
    "model_calls": (),
    "flat": ("price",),
    "card_month": ("price",),
    "card_runs": ("hours", "price"),
    "labels": ("wanted",),
    "own_labels": ("wanted",),
    "days": ("days",),
    "share": ("share",),
    "review": (),
}
NUMBER_KEYS = ("price", "hours", "runs", "wanted", "days", "share", "added_tokens")
_TABLES = ("sources", "models", "numbers", "items", "approaches", "break_even")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_APPROACHES = (
    "no_ml", "api", "prompt", "rag", "get_labels", "fine_tune", "rag_plus_fine_tune", "classical", "deep_scratch",
    "unsupervised", "reinforcement",
)  # fmt: skip


def read_price_file(path: Path) -> Document:
    """The file as written. Raises `BadInput` for what no price file has."""
    from advisor.base.strictyaml import parse

    document = parse(read_text(path), path.name)
    check = Check(document)
    check.keys((), document.data, {"schema", "currency", *_TABLES})
    for table in set(_TABLES) & set(document.data):
        check.mapping((table,), document.data[table])
    if document.data.get("currency", "USD") != "USD":
        check.wrong(("currency",), "Prices are in US dollars.", "Convert them, and write currency: USD")
    return document


def lay_over(shipped: Mapping[str, Any], users: dict[str, Any]) -> dict[str, Any]:
    """Our tables with the user's entries in place of ours; a label or unit that the user left out stays ours."""
    merged = dict(shipped)
    for table in _TABLES:
        entries = dict(shipped[table])
        for name, entry in users.get(table, {}).items():
            ours = entries.get(name, {})
            entries[name] = {**ours, **entry} if isinstance(ours, dict) and isinstance(entry, dict) else entry
        merged[table] = entries
    return merged


class Check:
    """The checks of one file; each raises `BadInput` at the line it speaks of."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def tables(self, tables: dict[str, Any]) -> None:
        """Every table of a whole price list: the cells, and that whatever is named exists."""
        for table in _TABLES:
            self.mapping((table,), tables.get(table))
        for name, source in tables["sources"].items():
            self.keys(("sources", name), source, {"title", "address", "read"}, every=True)
        for name, model in tables["models"].items():
            self.keys(("models", name), model, {"label", "prices"}, every=True)
            self.rows(("models", name, "prices"), model["prices"], ({"input", "cached", "output"},), tables["sources"])
        for name, number in tables["numbers"].items():
            self.keys(("numbers", name), number, {"label", "unit", "rows"}, every=True)
            self.rows(("numbers", name, "rows"), number["rows"], ({"value"}, {"low", "high"}), tables["sources"])
        for name, item in tables["items"].items():
            self.item(("items", name), item, tables["numbers"])
        for name, items in tables["approaches"].items():
            self.known(("approaches", name), name, _APPROACHES)
            for place, item in enumerate(items):
                self.known(("approaches", name, place), item, tables["items"])
        for name, own in tables["break_even"].items():
            self.keys(("break_even", name), own, {"label", "fixed", "price", "share", "marginal"}, every=True)
            self.known(("break_even", name, "fixed"), own["fixed"], ("none", "flat", "card_month"))
            self.known(("break_even", name, "marginal"), own["marginal"], ("none", "by_token"))
            for key in ("price", "share"):
                self.known(("break_even", name, key), own[key], tables["numbers"])

    def item(self, path: tuple[str | int, ...], item: Any, numbers: dict[str, Any]) -> None:
        self.keys(path, item, {"label", "bucket", "recurs", "sum", "have", *NUMBER_KEYS})
        for key, known in (("bucket", BUCKETS), ("recurs", RECURS), ("sum", tuple(SUMS))):
            self.known((*path, key), item.get(key), known)
        for key in SUMS[item["sum"]]:
            if key not in item:
                self.wrong(path, f"The sum {item['sum']!r} needs {key}.", f"Add {key}: and the name of a number.")
        for key in NUMBER_KEYS:
            if key in item:
                self.known((*path, key), item[key], numbers)

    def rows(
        self, path: tuple[str | int, ...], rows: Any, forms: tuple[set[str], ...], sources: dict[str, Any]
    ) -> None:
        if not isinstance(rows, list) or not rows:
            self.wrong(
                path, "A price needs at least one dated row.", "Write - {as_of: 2026-11-22, value: 1, source: mine}"
            )
        for place, row in enumerate(rows):
            here = (*path, place)
            self.mapping(here, row)
            cells = set(row) - {"as_of", "source"}
            if cells not in forms:
                wanted = " or ".join(", ".join(sorted(form)) for form in forms)
                self.wrong(here, f"A row has as_of, source and {wanted}.", "Correct the names in that row.")
            if not _DATE.fullmatch(str(row.get("as_of", ""))):
                self.wrong((*here, "as_of"), "as_of is a date such as 2026-11-22.", "Write the day the price held.")
            for cell in cells:
                if isinstance(row[cell], bool) or not isinstance(row[cell], int | float) or row[cell] < 0:
                    self.wrong(
                        (*here, cell), f"{cell} is a number of zero or more.", "Leave the row out if it is not known."
                    )
            if "low" in cells and row["low"] > row["high"]:
                self.wrong((*here, "low"), "low is above high.", "Exchange them.")
            self.known((*here, "source"), row.get("source"), sources)

    def mapping(self, path: tuple[str | int, ...], value: Any) -> None:
        if not isinstance(value, dict):
            self.wrong(
                path, f"{path[-1] if path else 'The file'} is a block of names and values.", "See rules/costs.yaml."
            )

    def keys(self, path: tuple[str | int, ...], value: Any, known: set[str], *, every: bool = False) -> None:
        self.mapping(path, value)
        for key in value:
            self.known((*path, key), key, known, key=True)
        if every and (missing := sorted(known - set(value))):
            self.wrong(path, f"{path[-1]} lacks {missing[0]}.", f"Add {missing[0]}:")

    def known(self, path: tuple[str | int, ...], name: Any, known: Iterable[str], *, key: bool = False) -> None:
        known = list(known)
        if name not in known:
            close = did_you_mean(str(name), known) or f"Known: {', '.join(known[:8])}."
            self.wrong(path, f"There is no {name!r} here.", close, key=key)

    def wrong(self, path: tuple[str | int, ...], what: str, fix: str, *, key: bool = False) -> NoReturn:
        raise self.document.problem(what, path, key=key, fix=fix, code="bad-price-file")
