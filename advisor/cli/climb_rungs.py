"""One climb over text: the door, the price, the meter and the rungs put together."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from advisor.base.case import Case, today
from advisor.base.errors import EnvironmentMissing
from advisor.base.files import sha256_of_text
from advisor.cli.output import Output

if TYPE_CHECKING:
    from advisor.base.llm import Door
    from advisor.records.climb import ClimbRecord
    from trainers.climb.asker import Asker
    from trainers.climb.baselines import UserRule
    from trainers.climb.hybrid import Vectors
    from trainers.climb.judge import Verdict
    from trainers.climb.rungs import ZeroShot
    from trainers.climb.spend import Price
    from trainers.climb.task import Task
    from trainers.climb.tuned import Bench


def language_rungs(*, optimise: bool) -> tuple[type[ZeroShot], ...]:
    """The rungs that ask a language model, cheapest first; with `optimise` the one that rewrites its instruction."""
    from trainers.climb.likely import LikelyFewShot, MostLikely
    from trainers.climb.optimised import OptimisedPrompt
    from trainers.climb.rungs import FewShot, OracleContext, Retrieval, ZeroShot

    rewritten = (OptimisedPrompt,) if optimise else ()
    return (ZeroShot, MostLikely, FewShot, LikelyFewShot, *rewritten, Retrieval, OracleContext)


def rungs_of(
    asker: Asker,
    vectors: Vectors | None,
    rules: list[UserRule],
    *,
    local: bool,
    optimise: bool,
    bench: Bench | None = None,
) -> list[Any]:
    """Every rung of a climb over text, in the order in which they are measured; those that fine-tune need a `bench`."""
    from trainers.climb.baselines import Majority, OneWordRule
    from trainers.climb.learned import EmbeddingsAndLinear, WordsAndLinear
    from trainers.climb.rungs import LOCAL_PILOT
    from trainers.climb.tuned import FineTuned, FineTunedRetrieval

    pilot = {"pilot": LOCAL_PILOT} if local else {}
    rungs: list[Any] = [Majority(), OneWordRule(), *rules]
    rungs += [rung(asker, vectors, **pilot) for rung in language_rungs(optimise=optimise)]
    rungs += [WordsAndLinear(), *([EmbeddingsAndLinear(vectors)] if vectors else [])]
    return rungs + ([FineTuned(bench), FineTunedRetrieval(bench, vectors)] if bench else [])


def climb_text(
    case: Case,
    task: Task,
    requirement: float | None,
    arguments: argparse.Namespace,
    price: Price,
    out: Output,
    verdicts: Sequence[Verdict] = (),
) -> ClimbRecord:
    """Measure every rung that applies; the record as it goes into climb.json. With `verdicts` the model judges."""
    from advisor.cli.climb_page import Live
    from advisor.cli.climb_task import columns_of, minutes_of, rule_of
    from trainers.climb.answers import AnswerStore
    from trainers.climb.asker import Asker
    from trainers.climb.baselines import UserRule
    from trainers.climb.clock import Clock
    from trainers.climb.judge import Judge
    from trainers.climb.ladder import Climb
    from trainers.climb.spend import Meter
    from trainers.climb.tuned import Bench
    from trainers.embedded.models import SMOLLM2
    from trainers.embedded.store import is_present
    from trainers.lora.machine import usable_processors

    local = arguments.endpoint == "local"
    rules = [UserRule(rule_of(arguments, columns_of(case)))] if arguments.rule else []
    with Live(out, task.metric.title) as live:
        door = door_to(arguments.endpoint, arguments.model, live)
        store = AnswerStore(case.folder / ".climb" / "answers.sqlite")
        try:
            cap = None if arguments.max_usd is None else Decimal(str(arguments.max_usd))
            # The embedded model costs nothing: its attempts need no book.
            meter = Meter(cap, arguments.max_tokens, None if local else store)
            clock = Clock(60 * minutes_of(arguments))
            live.clock = clock
            workers = min(2, usable_processors()) if local else arguments.workers
            asker = Asker(door, price, meter, store, until=clock.until, together=workers)
            if verdicts:
                live.phase("Judging what people judged")
                judge = Judge(asker, verdicts)
                judge.prepare()
                task = replace(task, judge=judge, notes=(*task.notes, judge.told()))
            vectors = vectors_of(live, local=local)
            # With a server named, the embedded model is not fetched only to be tuned beside it.
            tunes = local or is_present(SMOLLM2)
            bench = Bench(case.folder / ".climb", live, clock) if tunes else None
            rungs = rungs_of(asker, vectors, rules, local=local, optimise=arguments.optimise, bench=bench)
            climb = Climb(
                task,
                requirement,
                meter,
                _opener(case, task, door.name),
                every_rung=arguments.every_rung,
                workers=workers,
                clock=clock,
                shown=live.shown,
                rung_begins=live.begins,
                rung_ends=live.ends,
            )
            record = climb.climb(rungs, endpoint=door.name, as_of=today())
        finally:
            store.close()
    return replace(record, **_about(door, asker))


def _about(door: Door, asker: Any) -> dict[str, Any]:
    """What the server tells about its model, and what it does not tell."""
    from advisor.base.llm import OpenAIDoor

    about: dict[str, Any] = {"model": door.name}
    if isinstance(door, OpenAIDoor) and (retires := door.retirement()):
        about["retires"] = retires
    del asker
    return about


def _opener(case: Case, task: Task, endpoint: str) -> Any:
    """Counts in the ledger how often this case's sealed examples were looked at."""
    from trainers.common.sealed import open_sealed

    def opened(rung: str) -> int:
        # The same rung on the same model is the same look, also after a kill.
        look = f"climb: {rung}, {sha256_of_text(endpoint)[:8]}"
        return open_sealed(case.folder, look, task.sealed_name, len(task.sealed))

    return opened


def vectors_of(progress: Any, *, local: bool) -> Vectors | None:
    """Sentence embeddings, where the packages and the embedded model are there or may be fetched; else None."""
    if any(importlib.util.find_spec(name) is None for name in ("torch", "transformers")):
        return None
    from trainers.climb.learned import Remembered
    from trainers.embedded.models import MINILM
    from trainers.embedded.store import is_present

    if not local and not is_present(MINILM):
        return None

    def load() -> Vectors:
        from trainers.embedded.sentences import SentenceModel

        return SentenceModel(progress).vectors

    return Remembered(load)


def door_to(endpoint: str, model: str, progress: Any) -> Door:
    """The embedded model (`local`), or the server at that address."""
    if endpoint != "local":
        from advisor.base.llm import OpenAIDoor

        server = OpenAIDoor(model, endpoint)
        server.check()
        return server
    try:
        from trainers.embedded.local_door import LocalDoor

        return LocalDoor(progress)
    except ImportError as error:
        raise EnvironmentMissing(
            f"The embedded model needs a package that is not installed: {error.name}.",
            fix="pip install 'train-or-not[lora]'   (or name a server: --endpoint URL --model NAME)",
            code="no-extra",
        ) from None
