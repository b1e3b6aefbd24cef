"""Which base model to tune: by what fits memory, what its licence allows, the context that rows need, and the task.

Reads rules/bases.yaml for models that are not here yet. One that is here is taken; one that is not is named with the
command that fetches it. Nothing is fetched here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from advisor.base.errors import BadInput, EnvironmentMissing, did_you_mean
from advisor.base.files import read_text
from advisor.base.safetext import plain
from advisor.records.plan import BaseOption
from trainers.common.policy import policy
from trainers.embedded.models import EMBEDDED
from trainers.lora.base import locate, shape_of_base
from trainers.lora.sizes import Shape

_LICENCE = re.compile(r"^license:\s*[\"']?([\w.-]+)", re.MULTILINE)
ANY = "any"
# Whether a base of that shape fits, and in which words it does or does not.
Fits = Callable[[Shape], tuple[bool, str]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A base that was named; `shape` is None where its size is not known, `here` whether it can be trained now."""

    name: str
    shape: Shape | None
    licence: str
    here: bool


def listed() -> dict[str, Shape]:
    """The sizes of the models of the catalogue, by name."""
    return {one["name"]: Shape(kind="", **one["sizes"]) for one in policy("bases")["bases"]}


def candidates(names: Sequence[str], case: Path) -> list[Candidate]:
    """The bases that `names` stand for; `any` is the embedded ones and the catalogue. Raises `BadInput` for no base."""
    wanted = [*EMBEDDED, *listed()] if ANY in names else []
    wanted += [name for name in names if name != ANY and name not in wanted]
    return [_candidate(name, case) for name in wanted]


def _candidate(name: str, case: Path) -> Candidate:
    if name in EMBEDDED:
        return Candidate(name, shape_of_base(name, case), EMBEDDED[name].licence.partition(" ")[0].lower(), True)
    lines = {one["name"]: one for one in policy("bases")["bases"]}
    if name in lines:
        return Candidate(name, listed()[name], lines[name]["licence"], False)
    near = did_you_mean(name, [*lines, *EMBEDDED])
    if near and not (case / name).is_dir():
        raise BadInput(f"There is no base {plain(name, 80)!r}.", where="--base", fix=near, code="no-base-model")
    where = locate(name, case)
    if isinstance(where, str):  # a hub name with its revision
        return Candidate(
            name, shape_of_base(name, case), lines.get(name.partition("@")[0], {}).get("licence", ""), True
        )
    return Candidate(name, shape_of_base(name, case), licence_in(where), True)


def licence_in(folder: Path) -> str:
    """The licence that a model's own README.md names in its head, in small letters; "" where none does."""
    readme = folder / "README.md"
    found = _LICENCE.search(read_text(readme).partition("\n---")[0]) if readme.is_file() else None
    return found[1].lower() if found else ""


def choose(
    named: Sequence[Candidate], fits: Fits, *, longest: int, writes: bool, use: str
) -> tuple[str, list[BaseOption]]:
    """The name of the largest base that is here and does, and what was found of each, largest first.

    `longest` is the tokens of the longest row; `writes` whether answers are written. Raises `EnvironmentMissing` when
    none does, with the next smaller one that would.
    """
    options = [_judged(one, fits, longest, writes, use) for one in named]
    options.sort(key=lambda option: -option.parameters)
    good = [option for option in options if option.verdict == "fits"]
    if not good:
        raise EnvironmentMissing(
            f"None of {len(options)} base models will do.",
            where="--base",
            why=" ".join(f"{option.name}: {option.reason}" for option in options),
            fix=_way_out(named, options, fits, longest, writes, use),
            code="no-base-fits",
        )
    return good[0].name, [
        BaseOption(one.name, one.parameters, one.licence, one.context, "taken", one.reason) if one is good[0] else one
        for one in options
    ]


def _judged(one: Candidate, fits: Fits, longest: int, writes: bool, use: str) -> BaseOption:
    shape = one.shape
    if shape is None:
        return BaseOption(
            one.name, 0, one.licence, 0, "refused", "Its size is not known; save it with its config.json."
        )

    def told(verdict: str, reason: str) -> BaseOption:
        return BaseOption(one.name, shape.parameters, one.licence, shape.context, verdict, reason)

    licence = policy("bases")["licences"].get(one.licence)
    if licence is None:
        return told(
            "refused",
            f"Its licence ({one.licence or 'not named'}) is not known; read it, then --setting base={one.name}.",
        )
    if licence["commercial"] not in policy("bases")["uses"][use]:
        return told("refused", f"Its licence, {one.licence}, does not allow {use} use. {licence['note']}")
    if shape.context < longest:
        return told("refused", f"It reads {shape.context:,} tokens; the longest row has about {longest:,}.")
    if writes and not shape.writes:
        return told("refused", "It only reads; this task wants answers that are written.")
    well, words = fits(shape)
    if not well:
        return told("refused", words)
    words += f" Mind its licence: {licence['note']}" if licence["commercial"] != "yes" else ""
    if not one.here:
        folder = f"models/{one.name.rpartition('/')[2]}"
        words += f" It is not here: hf download {one.name} --local-dir {folder}, then --base {folder}"
        return told("to_fetch", words)
    return told("fits", words)


def _way_out(
    named: Sequence[Candidate], options: Sequence[BaseOption], fits: Fits, longest: int, writes: bool, use: str
) -> str:
    """The next smaller base that would do, to take or to fetch; else what is left."""
    fetch = next((option for option in options if option.verdict == "to_fetch"), None)
    if fetch is not None:
        return fetch.reason[fetch.reason.index("hf download") :]
    largest = max((one.shape.parameters for one in named if one.shape), default=0) or math.inf
    others = [one for one in candidates([ANY], Path()) if one.name not in {mine.name for mine in named}]
    judged = [_judged(one, fits, longest, writes, use) for one in others]
    smaller = [one for one in judged if one.verdict != "refused" and one.parameters < largest]
    if not smaller:
        return "Shorten the rows, rent a card (--rent NAME), or name other bases."
    best = max(smaller, key=lambda one: one.parameters)
    return (
        f"The next smaller that does: --base {best.name} ({best.parameters / 1e9:.2f} billion weights, {best.licence})"
    )
